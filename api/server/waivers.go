package server

import (
	"context"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/recorded"
)

func (s *complianceService) PutWaiver(ctx context.Context, req *varvev1.PutWaiverRequest) (*varvev1.PutWaiverResponse, error) {
	c, err := s.compliance()
	if err != nil {
		return nil, err
	}
	w, err := wire.WaiverFromProto(req.GetWaiver())
	if err != nil {
		return nil, err
	}
	if w.Expires != 0 && w.Expires <= s.now() {
		return nil, &history.Error{Kind: history.Invalid, Field: "waiver.expiresAt", Value: w.Expires.String(), Text: "has passed; a waiver holds from now on"}
	}
	put, receipt, err := c.Shelf.PutWaiver(ctx, w)
	if err != nil {
		return nil, err
	}
	return &varvev1.PutWaiverResponse{Waiver: wire.WaiverToProto(&put.Waiver, put.PutAt), Position: string(receipt.Position)}, nil
}

func (s *complianceService) ListWaivers(ctx context.Context, req *varvev1.ListWaiversRequest) (*varvev1.ListWaiversResponse, error) {
	page, err := s.page(ctx, req)
	if err != nil {
		return nil, err
	}
	owner, err := owned(req.Account, req.Region)
	if err != nil {
		return nil, err
	}
	r, err := s.reader(ctx, nil, "", page.known)
	if err != nil {
		return nil, err
	}
	q := history.Query{Type: rules.TypeWaiver, After: page.afterKey(), Limit: page.size}
	if owner != nil {
		q.Account, q.HasAccount, q.Region, q.HasRegion = owner.Account, true, owner.Region, true
	}
	sound := history.Sound{Reader: r, Lost: map[history.Key]error{}} // one that is damaged hides no others
	items, more, err := sound.Items(ctx, q)
	if err != nil {
		return nil, err
	}
	resp := &varvev1.ListWaiversResponse{}
	now := s.now()
	for i := range items {
		k := items[i].Key
		if lost := sound.Lost[k]; lost != nil {
			w := &engine.Waiver{Owner: rules.Owner{Account: k.Account, Region: k.Region}, Waiver: rules.Waiver{Name: k.ID, Reason: "cannot be read: " + lost.Error()}}
			resp.Waivers = append(resp.Waivers, wire.WaiverToProto(w, items[i].CapturedAt))
			continue
		}
		one, owner, err := rules.ReadWaiver(&items[i])
		if err != nil {
			return nil, err
		}
		w := &engine.Waiver{Owner: owner, Waiver: *one}
		if req.GetShowLapsed() || w.Expires == 0 || now < w.Expires {
			resp.Waivers = append(resp.Waivers, wire.WaiverToProto(w, items[i].CapturedAt))
		}
	}
	if more && len(items) > 0 {
		resp.NextPageToken = page.token(r.At().Known, appendKey(nil, items[len(items)-1].Key))
	}
	return resp, nil
}

func (s *complianceService) DeleteWaiver(ctx context.Context, req *varvev1.DeleteWaiverRequest) (*varvev1.DeleteWaiverResponse, error) {
	c, err := s.compliance()
	if err != nil {
		return nil, err
	}
	owner, name, err := named(wire.WaiverNames, req)
	if err != nil {
		return nil, err
	}
	receipt, err := c.Shelf.DeleteWaiver(ctx, owner, name)
	if err != nil {
		return nil, err
	}
	return &varvev1.DeleteWaiverResponse{Position: string(receipt.Position)}, nil
}

// mostEvaluations is how many verdicts are put at once.
const mostEvaluations = 1000

func (s *complianceService) PutEvaluations(ctx context.Context, req *varvev1.PutEvaluationsRequest) (*varvev1.PutEvaluationsResponse, error) {
	if _, err := s.compliance(); err != nil {
		return nil, err
	}
	given := req.GetEvaluations()
	switch n := len(given); {
	case n == 0:
		return nil, &history.Error{Kind: history.Invalid, Field: "evaluations", Text: "are none; give the verdicts that are to be recorded"}
	case n > mostEvaluations:
		return nil, &history.Error{Kind: history.TooLarge, Field: "evaluations", Text: "are more than 1,000; put them in parts"}
	}
	r, err := s.reader(ctx, nil, "", 0)
	if err != nil {
		return nil, err
	}
	known := map[history.Key]bool{}
	list := make([]rules.Evaluation, len(given))
	for i, p := range given {
		field := indexed("evaluations", i)
		if list[i], err = wire.EvaluationFromProto(field, p); err != nil {
			return nil, err
		}
		k := engine.RuleKey(list[i].Owner, list[i].Rule)
		if known[k] {
			continue
		}
		rule, err := recorded.GetRule(ctx, r, list[i].Owner, list[i].Rule)
		if err != nil {
			return nil, err
		}
		if !rule.External {
			return nil, &history.Error{Kind: history.Invalid, Field: field + ".rule", Value: list[i].Rule,
				Text: "is evaluated here; verdicts are put on rules that say external: true"}
		}
		known[k] = true
	}
	if err := engine.PutEvaluation(ctx, s.store, list...); err != nil {
		return nil, err
	}
	head, err := s.store.Head(ctx)
	if err != nil {
		return nil, err
	}
	return &varvev1.PutEvaluationsResponse{Position: string(head.Position)}, nil
}
