package server

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/diff"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/managed"
	"github.com/varvehq/varve/rules/recorded"
)

// choose makes a rule ready that is asked about, as if it had always been in force.
func (s *complianceService) choose(ctx context.Context, r history.Reader, field string, p *varvev1.RuleChoice) (*engine.Ruling, error) {
	owner, err := wire.OwnerFromProto(p)
	if err != nil {
		return nil, within(field, err)
	}
	ways := 0
	for _, way := range []string{p.GetName(), p.GetText(), p.GetIdentifier()} {
		if way != "" {
			ways++
		}
	}
	if ways != 1 {
		return nil, &history.Error{Kind: history.Invalid, Field: field, Text: "is required: the name of a recorded rule, a text with one, or the identifier of a managed one; give one of them"}
	}
	rule, name, err := s.chosen(ctx, r, owner, p)
	if err != nil {
		return nil, within(field, err)
	}
	if rule.External {
		return nil, &history.Error{Kind: history.Invalid, Field: field, Value: name, Text: "is evaluated elsewhere; there is nothing to evaluate here"}
	}
	judge, err := managed.Compile(rule)
	if err != nil {
		return nil, within(field, err)
	}
	ruling := engine.Proposed(owner, *rule, judge)
	ruling.Name = name
	return ruling, nil
}

func (s *complianceService) chosen(ctx context.Context, r history.Reader, owner rules.Owner, p *varvev1.RuleChoice) (*rules.Rule, string, error) {
	if p.GetName() == "" {
		list, err := written(p, "")
		switch {
		case err != nil:
			return nil, "", err
		case len(list) != 1:
			return nil, "", &history.Error{Kind: history.Invalid, Field: "text", Text: "holds several rules; give one"}
		}
		return list[0], list[0].Name, nil
	}
	name, err := wire.ParseName("name", wire.RuleNames, p.GetName())
	if err != nil {
		return nil, "", err
	}
	is, err := recorded.GetRule(ctx, r, owner, name)
	if err != nil {
		return nil, "", err
	}
	give(&is.Rule, p.GetInputParameters())
	return &is.Rule, name, recorded.Check(&is.Rule)
}

// within puts the name of a member in front of the field that an error names.
func within(member string, err error) error {
	var e *history.Error
	if !errors.As(err, &e) || e.Field == "" {
		return err
	}
	return renamed(err, member+"."+e.Field)
}

// replaying is a session in which rules are asked about the past, as known at a
// revision or moment, and the newest state known then.
func (s *complianceService) replaying(ctx context.Context, knownAt string) (*engine.Session, history.Reader, error) {
	c, err := s.compliance()
	if err != nil {
		return nil, nil, err
	}
	r, err := s.reader(ctx, nil, knownAt, 0)
	if err != nil {
		return nil, nil, err
	}
	if _, ok := r.(nothing); ok {
		return nil, nil, &history.Error{Kind: history.NotFound, Field: "knownAt", Value: knownAt, Text: "is before anything was known"}
	}
	session, err := engine.NewSession(ctx, s.store, c.Graph, nil, r.At().Known, s.now())
	return session, r, err
}

// span reads from and to; what is not given is the beginning, and now.
func (s *complianceService) span(ctx context.Context, req interface {
	GetFrom() *timestamppb.Timestamp
	GetTo() *timestamppb.Timestamp
}) (from, to history.Moment, err error) {
	if from, err = wire.AskedFromProto("from", req.GetFrom()); err != nil {
		return 0, 0, err
	}
	if to, err = wire.AskedFromProto("to", req.GetTo()); err != nil {
		return 0, 0, err
	}
	from = max(from, history.FirstMoment)
	if to == 0 || to > s.now() {
		to = s.now()
	}
	if from >= to {
		return 0, 0, &history.Error{Kind: history.Invalid, Field: "from", Value: from.String(), Text: "is not before the end, " + to.String()}
	}
	return from, to, nil
}

func (s *complianceService) BacktestRule(req *varvev1.BacktestRuleRequest, stream grpc.ServerStreamingServer[varvev1.BacktestRuleResponse]) error {
	ctx, stop := s.untilDrained(stream.Context())
	defer stop()
	from, to, err := s.span(ctx, req)
	if err != nil {
		return err
	}
	session, r, err := s.replaying(ctx, req.GetKnownAt())
	if err != nil {
		return err
	}
	ruling, err := s.choose(ctx, s.newest(ctx, r), "rule", req.GetRule())
	if err != nil {
		return err
	}
	b := backtest{stream: stream, result: &varvev1.BacktestRuleResponse_Result{From: wire.MomentToProto(from), To: wire.MomentToProto(to)}}
	if b.total, err = s.judged(ctx, r, ruling); err != nil {
		return err
	}
	session.Progress = func(resources int) { b.progress(resources) }
	versions, err := session.Backtest(ctx, ruling, from, to, runtime.GOMAXPROCS(0), b.take)
	if err == nil {
		err = b.end(versions)
	}
	return s.drained(ctx, err)
}

// judged counts the resources that a rule may judge.
func (s *complianceService) judged(ctx context.Context, r history.Reader, ruling *engine.Ruling) (uint64, error) {
	newest, total := s.newest(ctx, r), uint64(0)
	types := ruling.Versions[0].Rule.Scope.Types
	if len(types) == 0 {
		types = []string{""}
	}
	for _, typ := range types {
		for _, q := range ruling.Owner.Questions(history.Query{Type: typ, Deleted: true}) {
			groups, err := newest.Count(ctx, q, history.ByNothing)
			if err != nil {
				return 0, err
			}
			for _, g := range groups {
				total += g.Count
			}
		}
	}
	return total, nil
}

// backtest is an answer that is being written.
type backtest struct {
	stream      grpc.ServerStreamingServer[varvev1.BacktestRuleResponse]
	result      *varvev1.BacktestRuleResponse_Result
	exposure    time.Duration
	done, total uint64
	told        time.Time
	part        []*varvev1.BacktestRuleResponse_Resource
	size        int
	failed      error // of sending progress
}

// progressEvery is how often progress is told.
const progressEvery = 200 * time.Millisecond

func (b *backtest) progress(resources int) {
	b.done += uint64(max(0, resources))
	if b.failed != nil || time.Since(b.told) < progressEvery {
		return
	}
	b.told = time.Now()
	b.failed = b.stream.Send(&varvev1.BacktestRuleResponse{Part: &varvev1.BacktestRuleResponse_Progress_{
		Progress: &varvev1.BacktestRuleResponse_Progress{Done: min(b.done, b.total), Total: b.total},
	}})
}

func (b *backtest) take(e *engine.Exposure) error {
	if b.failed != nil {
		return b.failed
	}
	p := &varvev1.BacktestRuleResponse_Resource{
		Key: wire.KeyToProto(e.Key), Intervals: wire.IntervalsToProto(e.Intervals), Exposure: durationpb.New(e.Exposed),
	}
	if v := e.First; v != nil {
		p.FirstViolation = &varvev1.BacktestRuleResponse_Violation{At: wire.MomentToProto(v.At), Change: resourceChange(e.Key, v.Before, v.After, v.Patch)}
		b.result.Violating++
	}
	b.result.Resources++
	b.exposure += e.Exposed
	b.part = append(b.part, p)
	if b.size += proto.Size(p); b.size < slice {
		return nil
	}
	return b.flush()
}

func (b *backtest) flush() error {
	if len(b.part) == 0 {
		return nil
	}
	part := &varvev1.BacktestRuleResponse_Resources{Resources: b.part}
	b.part, b.size = nil, 0
	return b.stream.Send(&varvev1.BacktestRuleResponse{Part: &varvev1.BacktestRuleResponse_Resources_{Resources: part}})
}

func (b *backtest) end(versions int) error {
	if err := b.flush(); err != nil {
		return err
	}
	b.result.VersionsEvaluated, b.result.Exposure = uint64(max(0, versions)), durationpb.New(b.exposure)
	return b.stream.Send(&varvev1.BacktestRuleResponse{Part: &varvev1.BacktestRuleResponse_Result_{Result: b.result}})
}

// changeFields are those of an item that a change tells: what it holds is in the
// patch.
var changeFields = &fieldmaskpb.FieldMask{Paths: []string{
	"key", "version", "status", "deleted", "captured_at", "last_seen_at", "until", "recorded_at", "revision", "name", "cause", "source", "run", "erased", "lost",
}}

func resourceChange(k history.Key, before, after history.Item, patch diff.Patch) *varvev1.ResourceChange {
	m, _ := maskOf(changeFields) // fields that there are
	c := &varvev1.ResourceChange{Key: wire.KeyToProto(k), Patch: wire.PatchToProto(patch)}
	if before.Version != 0 {
		c.Before = m.prune(wire.ItemToProto(before))
	}
	if after.Version != 0 {
		c.After = m.prune(wire.ItemToProto(after))
	}
	return c
}

func (s *complianceService) BisectRule(ctx context.Context, req *varvev1.BisectRuleRequest) (*varvev1.BisectRuleResponse, error) {
	from, to, err := s.span(ctx, req)
	if err != nil {
		return nil, err
	}
	session, r, err := s.replaying(ctx, req.GetKnownAt())
	if err != nil {
		return nil, err
	}
	ruling, err := s.choose(ctx, s.newest(ctx, r), "rule", req.GetRule())
	if err != nil {
		return nil, err
	}
	key, err := s.one(ctx, s.newest(ctx, r), subject{req.GetType(), req.GetId(), req.Account, req.Region})
	if err != nil {
		return nil, err
	}
	c, err := session.Bisect(ctx, ruling, key, from, to)
	if err != nil {
		return nil, err
	}
	resp := &varvev1.BisectRuleResponse{
		Key: wire.KeyToProto(key), At: wire.MomentToProto(c.At), Before: wire.VerdictToProto(c.Before), After: wire.VerdictToProto(c.After),
		What: map[engine.What]varvev1.BisectRuleResponse_What{
			engine.ByResource: varvev1.BisectRuleResponse_WHAT_RESOURCE, engine.ByRule: varvev1.BisectRuleResponse_WHAT_RULE,
			engine.ByOther: varvev1.BisectRuleResponse_WHAT_OTHER, engine.ByClock: varvev1.BisectRuleResponse_WHAT_CLOCK,
		}[c.What],
	}
	for _, d := range c.Changes {
		resp.Changes = append(resp.Changes, resourceChange(d.After.Key, d.Before, d.After, d.Patch))
	}
	return resp, nil
}

// dependantsWait is how long what-if waits for the engine unless it is told.
const dependantsWait = 10 * time.Second

func (s *complianceService) EvaluateProposal(ctx context.Context, req *varvev1.EvaluateProposalRequest) (*varvev1.EvaluateProposalResponse, error) {
	session, r, err := s.replaying(ctx, "")
	if err != nil {
		return nil, err
	}
	c := s.opts.Compliance
	wait, err := wire.WaitFromProto(req.GetWait(), longestEvaluation)
	if err != nil {
		return nil, err
	}
	if wait == 0 {
		wait = dependantsWait
	}
	if req.GetProposal() == nil {
		return nil, &history.Error{Kind: history.Invalid, Field: "proposal", Text: "is required: the resource in its proposed state"}
	}
	o, err := wire.ObservationFromProto(req.GetProposal())
	if err != nil {
		return nil, within("proposal", err)
	}
	if err := c.Prepare(&o); err != nil {
		return nil, within("proposal", err)
	}
	var list []*engine.Ruling
	if len(req.GetRules()) == 0 {
		if list, err = c.Engine.Current(ctx, s.newest(ctx, r)); err != nil {
			return nil, err
		}
	} else {
		for i, choice := range req.GetRules() {
			ruling, err := s.choose(ctx, s.newest(ctx, r), indexed("rules", i), choice)
			if err != nil {
				return nil, err
			}
			list = append(list, ruling)
		}
	}
	would, err := session.WhatIf(ctx, o.Key, o.State, c.Linker)
	if err != nil {
		return nil, err
	}
	prospects, err := would.Prospects(ctx, list)
	if err != nil {
		return nil, err
	}
	late, err := s.waitDependants(ctx, wait)
	if err != nil {
		return nil, err
	}
	resp := &varvev1.EvaluateProposalResponse{
		Key: wire.KeyToProto(o.Key), EvaluatedThrough: wire.ThroughToProto(c.Engine.EvaluatedThrough()),
	}
	effects, err := would.Effects(ctx, list, c.Engine.Dependants)
	if err != nil {
		return nil, err
	}
	resp.TruncatedReason = cmp.Or(effects.Missing, late)
	resp.Truncated = resp.TruncatedReason != ""
	for i := range prospects {
		resp.Prospects = append(resp.Prospects, prospectToProto(&prospects[i]))
	}
	for i := range effects.List {
		e := &effects.List[i]
		resp.Dependants = append(resp.Dependants, &varvev1.EvaluateProposalResponse_Dependant{
			Key: wire.KeyToProto(e.Key), Prospect: prospectToProto(&e.Prospect),
		})
	}
	return resp, nil
}

// waitDependants waits until it is known what verdicts look at, with all that is
// recorded by now. Late says that this took too long.
func (s *complianceService) waitDependants(ctx context.Context, wait time.Duration) (late string, err error) {
	c := s.opts.Compliance
	head, err := s.store.Head(ctx)
	if err != nil {
		return "", err
	}
	err = s.patiently(ctx, wait, func(ctx context.Context) error {
		if err := c.Engine.WaitDependants(ctx); err != nil {
			return err
		}
		return c.Engine.Wait(ctx, head.Position)
	})
	if status.Code(err) == codes.DeadlineExceeded && ctx.Err() == nil {
		return "not all that is recorded was evaluated within " + wait.String(), nil
	}
	return "", err
}

func prospectToProto(p *engine.Prospect) *varvev1.EvaluateProposalResponse_Prospect {
	return &varvev1.EvaluateProposalResponse_Prospect{
		Rule: p.Rule, OwnerAccount: p.Owner.Account, OwnerRegion: p.Owner.Region, Severity: string(p.Severity),
		Now: wire.VerdictToProto(p.Now), Then: wire.VerdictToProto(p.Then),
	}
}
