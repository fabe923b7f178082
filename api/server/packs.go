package server

import (
	"context"
	"fmt"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/recorded"
	"github.com/varvehq/varve/rules/report"
)

func (s *complianceService) PutPack(ctx context.Context, req *varvev1.PutPackRequest) (*varvev1.PutPackResponse, error) {
	c, err := s.compliance()
	if err != nil {
		return nil, err
	}
	owner, name, err := named(wire.PackNames, req)
	if err != nil {
		return nil, err
	}
	if req.GetTemplate() == "" {
		return nil, &history.Error{Kind: history.Invalid, Field: "template", Text: "is required: a conformance pack in YAML or JSON"}
	}
	pack, receipt, err := c.Shelf.PutPack(ctx, owner, name, []byte(req.GetTemplate()), req.GetParameters())
	if err != nil {
		return nil, err
	}
	return &varvev1.PutPackResponse{Pack: wire.PackToProto(&pack), Position: string(receipt.Position)}, nil
}

func (s *complianceService) GetPack(ctx context.Context, req *varvev1.GetPackRequest) (*varvev1.Pack, error) {
	owner, name, err := named(wire.PackNames, req)
	if err != nil {
		return nil, err
	}
	r, err := s.reader(ctx, nil, "", 0)
	if err != nil {
		return nil, err
	}
	pack, err := recorded.GetPack(ctx, r, owner, name)
	if err != nil {
		return nil, err
	}
	p := wire.PackToProto(&pack)
	p.Template = pack.Template
	p.Checks, err = s.checks(ctx, r, &pack)
	return p, err
}

// checks are those of a pack, by the verdicts at the reader's moment.
func (s *complianceService) checks(ctx context.Context, r history.Reader, pack *recorded.Pack) ([]*varvev1.Pack_Check, error) {
	if len(pack.Checks(func(string) report.Counts { return report.Counts{} })) == 0 {
		return nil, nil
	}
	v, err := s.view(ctx, r)
	if err != nil || v == nil {
		return nil, err
	}
	counts := map[string]report.Counts{}
	err = v.Each(ctx, engine.Question{Owner: &pack.Owner, Pack: pack.Name}, func(r *engine.Result) (bool, error) {
		_, name := rules.Unqualify(r.Rule)
		c := counts[name]
		c.Add(reported(r))
		counts[name] = c
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	var list []*varvev1.Pack_Check
	for _, c := range pack.Checks(func(rule string) report.Counts { return counts[rule] }) {
		list = append(list, &varvev1.Pack_Check{Name: c.Name, Rules: c.Rules, Status: string(c.Status), Reason: c.Reason})
	}
	return list, nil
}

func (s *complianceService) ListPacks(ctx context.Context, req *varvev1.ListPacksRequest) (*varvev1.ListPacksResponse, error) {
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
	list, more, err := recorded.Packs(ctx, r, owner, page.afterKey(), page.size)
	if err != nil {
		return nil, err
	}
	resp := &varvev1.ListPacksResponse{}
	for i := range list {
		resp.Packs = append(resp.Packs, wire.PackToProto(&list[i]))
	}
	if more && len(list) > 0 {
		resp.NextPageToken = page.token(r.At().Known, appendKey(nil, list[len(list)-1].Key()))
	}
	return resp, nil
}

func (s *complianceService) DeletePack(ctx context.Context, req *varvev1.DeletePackRequest) (*varvev1.DeletePackResponse, error) {
	c, err := s.compliance()
	if err != nil {
		return nil, err
	}
	owner, name, err := named(wire.PackNames, req)
	if err != nil {
		return nil, err
	}
	receipt, err := c.Shelf.DeletePack(ctx, owner, name)
	if err != nil {
		return nil, err
	}
	return &varvev1.DeletePackResponse{Position: string(receipt.Position)}, nil
}

// knownPack refuses a pack of which nothing was ever recorded.
func (s *complianceService) knownPack(ctx context.Context, pack string) error {
	if pack == "" {
		return nil
	}
	if err := rules.CheckName("pack", pack); err != nil {
		return err
	}
	return s.knownName(ctx, "pack", recorded.TypePack, pack)
}

// knownRule refuses the name of a rule that means none that was ever recorded.
func (s *complianceService) knownRule(ctx context.Context, rule string) error {
	if rule == "" {
		return nil
	}
	if err := rules.CheckRecordedName("rule", rule); err != nil {
		return err
	}
	return s.knownName(ctx, "rule", rules.TypeRule, rule)
}

// knownName looks into all that is known by now, whatever the question is about: what
// was not known then has no results, and that is an answer.
func (s *complianceService) knownName(ctx context.Context, field, typ, name string) error {
	r, err := s.store.AsOf(ctx, history.At{Captured: history.Newest})
	if err != nil {
		return err
	}
	items, _, err := r.Items(ctx, history.Query{Type: typ, Deleted: true, Fields: history.FieldsKey})
	if err != nil {
		return err
	}
	var names []string
	for i := range items {
		if rules.Means(name, items[i].Key.ID) {
			return nil
		}
		names = append(names, items[i].Key.ID)
	}
	return &history.Error{Kind: history.NotFound, Field: field, Value: fmt.Sprintf("%q", name), Text: "is not known" + recorded.Near(name, names)}
}
