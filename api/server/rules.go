package server

import (
	"cmp"
	"context"
	"fmt"
	"maps"

	"github.com/varvehq/varve/api/internal/paging"
	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/managed"
	"github.com/varvehq/varve/rules/recorded"
	"github.com/varvehq/varve/rules/report"
	"github.com/varvehq/varve/rules/rulefile"
)

func (s *complianceService) PutRules(ctx context.Context, req *varvev1.PutRulesRequest) (*varvev1.PutRulesResponse, error) {
	c, err := s.compliance()
	if err != nil {
		return nil, err
	}
	owner, err := wire.OwnerFromProto(req)
	if err != nil {
		return nil, err
	}
	from, err := wire.MomentFromProto("effectiveFrom", req.GetEffectiveFrom())
	if err != nil {
		return nil, err
	}
	list, err := written(req, req.GetName())
	if err != nil {
		return nil, err
	}
	resp := &varvev1.PutRulesResponse{}
	if req.GetValidateOnly() {
		for _, r := range list {
			resp.Rules = append(resp.Rules, wire.RuleToProto(&recorded.Rule{Rule: *r, Owner: owner, From: from}))
		}
		return resp, nil
	}
	put, receipt, err := c.Shelf.PutRules(ctx, owner, list, from)
	if err != nil {
		return nil, err
	}
	for i := range put {
		resp.Rules = append(resp.Rules, wire.RuleToProto(&put[i]))
	}
	resp.Position = string(receipt.Position)
	return resp, nil
}

// writing is a rule as somebody writes it.
type writing interface {
	GetText() string
	GetFile() string
	GetIdentifier() string
	GetInputParameters() map[string]string
}

// written reads rules that are not recorded yet, and checks them. Of a text, errors
// tell the place. Name and parameters are for one rule only.
func written(w writing, name string) ([]*rules.Rule, error) {
	switch {
	case w.GetText() != "" && w.GetIdentifier() != "":
		return nil, &history.Error{Kind: history.Invalid, Field: "identifier", Text: "does not go with text; give one of both"}
	case w.GetIdentifier() != "":
		r, err := managedRule(w.GetIdentifier(), name, w.GetInputParameters())
		if err != nil {
			return nil, err
		}
		return []*rules.Rule{r}, recorded.Check(r)
	case w.GetText() == "":
		return nil, &history.Error{Kind: history.Invalid, Field: "text", Text: "is required: a rule in YAML, or else the identifier of a managed rule"}
	}
	file := w.GetFile()
	if file == "" {
		file = "text"
	}
	documents, err := rulefile.ParseAs(file, []byte(w.GetText()), func(r *rules.Rule) {
		if name != "" {
			r.Name = name
		}
		give(r, w.GetInputParameters())
	})
	if err != nil {
		return nil, err
	}
	if n := len(documents); n > 1 && (name != "" || len(w.GetInputParameters()) > 0) {
		return nil, &history.Error{Kind: history.Invalid, Field: "text", Text: fmt.Sprintf("holds %d rules; a name and parameters are given to one", n)}
	}
	list := make([]*rules.Rule, len(documents))
	for i, d := range documents {
		if err := recorded.Check(&d.Rule); err != nil {
			return nil, d.Place(err)
		}
		list[i] = &d.Rule
	}
	return list, nil
}

// give adds arguments to those of a rule.
func give(r *rules.Rule, arguments map[string]string) {
	if len(arguments) == 0 {
		return
	}
	all := maps.Clone(r.Arguments)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, arguments)
	r.Arguments = all
}

func managedRule(identifier, name string, arguments map[string]string) (*rules.Rule, error) {
	d := managed.Find(identifier)
	if d == nil {
		_, err := managed.Resolve(&rules.Rule{Identifier: identifier})
		return nil, err
	}
	return d.New(name, arguments)
}

func (s *complianceService) GetRule(ctx context.Context, req *varvev1.GetRuleRequest) (*varvev1.Rule, error) {
	owner, name, err := named(wire.RuleNames, req)
	if err != nil {
		return nil, err
	}
	r, err := s.reader(ctx, req.GetAt(), req.GetKnownAt(), 0)
	if err != nil {
		return nil, err
	}
	rule, err := recorded.GetRule(ctx, r, owner, name)
	if err != nil {
		return nil, err
	}
	return wire.RuleToProto(&rule), nil
}

func (s *complianceService) ListRules(ctx context.Context, req *varvev1.ListRulesRequest) (*varvev1.ListRulesResponse, error) {
	page, err := s.page(ctx, req)
	if err != nil {
		return nil, err
	}
	owner, err := owned(req.Account, req.Region)
	if err != nil {
		return nil, err
	}
	r, err := s.reader(ctx, req.GetAt(), req.GetKnownAt(), page.known)
	if err != nil {
		return nil, err
	}
	if err := s.knownPack(ctx, req.GetPack()); err != nil {
		return nil, err
	}
	resp := &varvev1.ListRulesResponse{}
	sound := history.Sound{Reader: r, Lost: map[history.Key]error{}} // one that is damaged hides no others
	next := page.afterKey()
	more, err := paging.Fill(page.size, func(limit int) ([]history.Item, bool, error) {
		q := history.Query{Type: rules.TypeRule, After: next, Limit: limit}
		if owner != nil {
			q.Account, q.HasAccount, q.Region, q.HasRegion = owner.Account, true, owner.Region, true
		}
		if req.GetPack() != "" {
			q.IDPrefix = req.GetPack() + "/"
		}
		return sound.Items(ctx, q)
	}, func(item history.Item) int {
		next = &item.Key
		rule, err := recorded.ReadRule(&item)
		if err = cmp.Or(sound.Lost[item.Key], err); err != nil {
			rule = recorded.Unreadable(&item, err)
		}
		resp.Rules = append(resp.Rules, wire.RuleToProto(&rule))
		return len(item.State.Configuration)
	})
	if err != nil {
		return nil, err
	}
	if more {
		resp.NextPageToken = page.token(r.At().Known, appendKey(nil, *next))
	}
	return resp, nil
}

func (s *complianceService) DeleteRule(ctx context.Context, req *varvev1.DeleteRuleRequest) (*varvev1.DeleteRuleResponse, error) {
	c, err := s.compliance()
	if err != nil {
		return nil, err
	}
	owner, name, err := named(wire.RuleNames, req)
	if err != nil {
		return nil, err
	}
	receipt, err := c.Shelf.DeleteRule(ctx, owner, name)
	if err != nil {
		return nil, err
	}
	return &varvev1.DeleteRuleResponse{Position: string(receipt.Position)}, nil
}

func (s *complianceService) EvaluateRule(ctx context.Context, req *varvev1.EvaluateRuleRequest) (*varvev1.EvaluateRuleResponse, error) {
	c, err := s.compliance()
	if err != nil {
		return nil, err
	}
	owner, name, err := named(wire.RuleNames, req)
	if err != nil {
		return nil, err
	}
	wait, err := wire.WaitFromProto(req.GetWait(), longestEvaluation)
	if err != nil {
		return nil, err
	}
	if wait == 0 {
		wait = longestEvaluation
	}
	r, err := s.reader(ctx, nil, "", 0)
	if err != nil {
		return nil, err
	}
	if _, err := recorded.GetRule(ctx, r, owner, name); err != nil {
		return nil, err
	}
	head, err := s.store.Head(ctx)
	if err != nil {
		return nil, err
	}
	err = s.patiently(ctx, wait, func(ctx context.Context) error {
		if err := c.Engine.WaitTime(ctx, s.now()); err != nil {
			return err
		}
		return c.Engine.Wait(ctx, head.Position)
	})
	if err != nil {
		return nil, err
	}
	through := c.Engine.EvaluatedThrough()
	if r, err = s.reader(ctx, nil, "", 0); err != nil {
		return nil, err
	}
	v, err := s.view(ctx, r)
	if err != nil {
		return nil, err
	}
	var counts report.Counts
	err = v.Each(ctx, engine.Question{Owner: &owner, Rule: name}, func(r *engine.Result) (bool, error) {
		if r.Rule == name {
			counts.Add(reported(r))
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return &varvev1.EvaluateRuleResponse{EvaluatedThrough: wire.ThroughToProto(through), Counts: countsToProto(&tally{Counts: counts})}, nil
}
