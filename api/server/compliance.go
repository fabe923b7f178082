package server

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/recorded"
)

// Compliance is what questions about rules are put to. All of it is needed but
// Linker.
type Compliance struct {
	Engine *engine.Engine
	Shelf  *recorded.Shelf
	Graph  engine.Graph
	Linker history.Linker // the store's; nil: it keeps no links

	// Prepare brings a proposed observation to the form in which it would be
	// recorded.
	Prepare func(*history.Observation) error
}

type complianceService struct {
	varvev1.UnimplementedComplianceServiceServer
	*Server
}

// compliance is that of the options, if rules are evaluated here.
func (s *complianceService) compliance() (*Compliance, error) {
	if s.opts.Compliance == nil {
		return nil, s.opts.NoCompliance
	}
	return s.opts.Compliance, nil
}

// longestEvaluation is how long a question may wait for the engine.
const longestEvaluation = 10 * time.Minute

// waiting is what questions that may wait have in common.
type waiting interface {
	GetWait() *durationpb.Duration
	GetWaitPosition() string
	GetRule() string
}

// through waits if it is asked to, and tells how far evaluation has come: what is
// read afterwards is no older. Nil where a rule is asked for that is damaged: nobody
// knows how far that one was evaluated.
func (s *complianceService) through(ctx context.Context, req waiting) (*varvev1.EvaluatedThrough, error) {
	c, err := s.compliance()
	if err != nil {
		return nil, err
	}
	wait, err := wire.WaitFromProto(req.GetWait(), longestEvaluation)
	if err != nil {
		return nil, err
	}
	position, clock := history.Position(req.GetWaitPosition()), history.Moment(0)
	if wait > 0 && position == "" {
		clock = s.now()
		head, err := s.store.Head(ctx)
		if err != nil {
			return nil, err
		}
		position = head.Position
	}
	if wait > 0 {
		if err := s.patiently(ctx, wait, func(ctx context.Context) error {
			if err := c.Engine.Wait(ctx, position); err != nil || clock == 0 {
				return err
			}
			return c.Engine.WaitTime(ctx, clock)
		}); err != nil {
			return nil, err
		}
	}
	if req.GetRule() != "" {
		for k := range c.Engine.DamagedRules() {
			if rules.Means(req.GetRule(), k.ID) {
				return nil, nil
			}
		}
	}
	return wire.ThroughToProto(c.Engine.EvaluatedThrough()), nil
}

// patiently waits for the engine for some time; a status of DeadlineExceeded if that is too
// short, Unavailable if the server drains.
func (s *complianceService) patiently(ctx context.Context, wait time.Duration, until func(context.Context) error) error {
	patient, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	defer context.AfterFunc(s.draining, cancel)()
	err := until(patient)
	switch {
	case err == nil || ctx.Err() != nil || patient.Err() == nil:
		return err
	case s.draining.Err() != nil:
		return history.Errorf(history.Unavailable, "the daemon is stopping; ask again")
	}
	text := "evaluation has not come that far within " + wait.String()
	if failing := s.opts.Compliance.Engine.Failing(); failing != nil {
		text += ": it cannot go on at present, see the daemon's log"
	}
	return status.Error(codes.DeadlineExceeded, text)
}

// view is what is recorded of verdicts at a reader's moment; nil if nothing was known
// then.
func (s *complianceService) view(ctx context.Context, r history.Reader) (*engine.View, error) {
	if _, ok := r.(nothing); ok {
		return nil, nil
	}
	return engine.NewView(ctx, s.store, r.At(), s.now())
}

func (s *complianceService) now() history.Moment { return history.MomentOf(s.opts.Now()) }

// owned reads the owner that lists are about; nil: they are about all.
func owned(account, region *string) (*rules.Owner, error) {
	if account == nil && region == nil {
		return nil, nil
	}
	var o rules.Owner
	if account != nil {
		o.Account = *account
	}
	if region != nil {
		o.Region = *region
	}
	k := history.Key{Account: o.Account, Region: o.Region, Type: rules.TypeRule, ID: "-"}
	return &o, k.Validate()
}

// named reads what names a rule, a pack or a waiver of an owner.
func named(collection string, req interface {
	GetName() string
	GetAccount() string
	GetRegion() string
}) (rules.Owner, string, error) {
	name, err := wire.ParseName("name", collection, req.GetName())
	if err != nil {
		return rules.Owner{}, "", err
	}
	o, err := wire.OwnerFromProto(req)
	return o, name, err
}

// afterKey is where a page of what is listed by key goes on; nil: at the beginning.
func (p *page) afterKey() *history.Key {
	if p.after == nil {
		return nil
	}
	k, ok := readKey(p.after)
	if !ok {
		return nil
	}
	return &k
}
