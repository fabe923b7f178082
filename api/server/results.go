package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/varvehq/varve/api/internal/paging"
	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/conformance"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/recorded"
	"github.com/varvehq/varve/rules/report"
)

func indexed(field string, i int) string { return field + "[" + strconv.Itoa(i) + "]" }

func (s *complianceService) ListComplianceResults(ctx context.Context, req *varvev1.ListComplianceResultsRequest) (*varvev1.ListComplianceResultsResponse, error) {
	page, err := s.page(ctx, req)
	if err != nil {
		return nil, err
	}
	q := engine.Question{
		Rule: req.GetRule(), Pack: req.GetPack(), Type: req.GetType(), ID: req.GetId(), Waived: req.Waived,
		Account: req.GetAccount(), HasAccount: req.Account != nil, Region: req.GetRegion(), HasRegion: req.Region != nil,
		After: page.afterKey(), Limit: page.size,
	}
	for i, text := range req.GetStatus() {
		c, err := rules.ParseCompliance(text)
		if err != nil {
			return nil, renamed(err, indexed("status", i))
		}
		q.Compliance = append(q.Compliance, c)
	}
	resp := &varvev1.ListComplianceResultsResponse{}
	if resp.EvaluatedThrough, err = s.through(ctx, req); err != nil {
		return nil, err
	}
	r, err := s.reader(ctx, req.GetAt(), req.GetKnownAt(), page.known)
	if err != nil {
		return nil, err
	}
	if err := s.knownFilters(ctx, r, req.GetRule(), req.GetPack(), req.GetType()); err != nil {
		return nil, err
	}
	if page.after == nil {
		if err := s.unsupported(ctx, r, req.GetRule(), req.GetPack(), func(p *recorded.Pack, one *conformance.Rule) {
			resp.Unsupported = append(resp.Unsupported, &varvev1.UnsupportedRule{
				Pack: p.Name, Rule: one.Name, Identifier: one.Identifier, Reason: one.Reason,
			})
		}); err != nil {
			return nil, err
		}
	}
	v, err := s.view(ctx, r)
	if err != nil || v == nil {
		return resp, err
	}
	list, more, err := v.Results(ctx, q)
	if err != nil {
		return nil, err
	}
	for i := range list {
		resp.Results = append(resp.Results, wire.ComplianceResultToProto(&list[i]))
	}
	if more && len(list) > 0 {
		resp.NextPageToken = page.token(r.At().Known, appendKey(nil, list[len(list)-1].Recorded))
	}
	return resp, nil
}

// renamed gives an error the field that the question has.
func renamed(err error, field string) error {
	var e *history.Error
	if !errors.As(err, &e) {
		return err
	}
	named := *e
	named.Field = field
	return &named
}

// knownFilters refuses what cannot have an answer, since an empty one would hide a
// slip of the pen.
func (s *complianceService) knownFilters(ctx context.Context, r history.Reader, rule, pack, typ string) error {
	if err := s.knownPack(ctx, pack); err != nil {
		return err
	}
	if err := s.knownRule(ctx, rule); err != nil {
		// A rule that is not judged is known as well.
		found := false
		if other := s.unsupported(ctx, r, rule, pack, func(*recorded.Pack, *conformance.Rule) { found = true }); other != nil || !found {
			return err
		}
	}
	if typ == "" {
		return nil
	}
	now, err := s.store.AsOf(ctx, history.At{Captured: history.Newest})
	if err != nil {
		return err
	}
	return s.knownType(ctx, now, typ)
}

// unsupported tells the rules of packs, at the reader's moment, that are not judged.
func (s *complianceService) unsupported(ctx context.Context, r history.Reader, rule, pack string, use func(*recorded.Pack, *conformance.Rule)) error {
	packs, _, err := recorded.Packs(ctx, r, nil, nil, 0)
	if err != nil {
		return err
	}
	for i := range packs {
		p := &packs[i]
		if pack != "" && pack != p.Name {
			continue
		}
		for j := range p.Rules {
			one := &p.Rules[j]
			if one.State == conformance.Unsupported && (rule == "" || rules.Means(rule, rules.Qualify(p.Name, one.Name))) {
				use(p, one)
			}
		}
	}
	return nil
}

// reported is a result as sums count it.
func reported(r *engine.Result) *report.Result {
	out := &report.Result{Rule: r.Rule, Owner: r.Owner, Resource: r.Key, Verdict: r.Verdict}
	if r.Waived != nil {
		out.Waived = &report.Waiving{Name: r.Waived.Name}
	}
	return out
}

// tally is a line of a summary.
type tally struct {
	report.Counts
	unsupported int
}

func countsToProto(t *tally) *varvev1.ComplianceCounts {
	n := func(i int) uint64 { return uint64(max(i, 0)) }
	return &varvev1.ComplianceCounts{
		Compliant: n(t.Compliant), NonCompliant: n(t.NonCompliant), NotApplicable: n(t.NotApplicable),
		InsufficientData: n(t.InsufficientData), Errors: n(t.Errors), Waived: n(t.Waived), UnsupportedRules: n(t.unsupported),
		Compliance: string(t.Compliance()), Score: t.Score(),
	}
}

func (s *complianceService) SummarizeCompliance(ctx context.Context, req *varvev1.SummarizeComplianceRequest) (*varvev1.SummarizeComplianceResponse, error) {
	by, err := groupOf(req.GetGroupBy())
	if err != nil {
		return nil, err
	}
	resp := &varvev1.SummarizeComplianceResponse{}
	if resp.EvaluatedThrough, err = s.through(ctx, req); err != nil {
		return nil, err
	}
	r, err := s.reader(ctx, req.GetAt(), req.GetKnownAt(), 0)
	if err != nil {
		return nil, err
	}
	if err := s.knownFilters(ctx, r, req.GetRule(), req.GetPack(), req.GetType()); err != nil {
		return nil, err
	}
	groups, total := map[string]*tally{}, &tally{}
	in := func(name string) *tally {
		if groups[name] == nil {
			groups[name] = &tally{}
		}
		return groups[name]
	}
	err = s.unsupported(ctx, r, req.GetRule(), req.GetPack(), func(p *recorded.Pack, one *conformance.Rule) {
		total.unsupported++
		name, ok := by(&report.Result{Rule: rules.Qualify(p.Name, one.Name), Owner: p.Owner})
		switch req.GetGroupBy() {
		case varvev1.SummarizeComplianceRequest_GROUP_BY_RULE, varvev1.SummarizeComplianceRequest_GROUP_BY_PACK:
			if ok {
				in(name).unsupported++
			}
		}
	})
	if err != nil {
		return nil, err
	}
	// A rule that has judged nothing shows as well: it has not passed.
	if wide := req.GetType() == "" && req.Account == nil && req.Region == nil; wide {
		if err := s.inForce(ctx, r, req, func(one *report.Result) {
			switch name, ok := by(one); req.GetGroupBy() {
			case varvev1.SummarizeComplianceRequest_GROUP_BY_RULE, varvev1.SummarizeComplianceRequest_GROUP_BY_PACK:
				if ok {
					in(name)
				}
			}
		}); err != nil {
			return nil, err
		}
	}
	v, err := s.view(ctx, r)
	if err != nil {
		return nil, err
	}
	if v != nil {
		q := engine.Question{
			Rule: req.GetRule(), Pack: req.GetPack(), Type: req.GetType(),
			Account: req.GetAccount(), HasAccount: req.Account != nil, Region: req.GetRegion(), HasRegion: req.Region != nil,
		}
		err = v.Each(ctx, q, func(result *engine.Result) (bool, error) {
			one := reported(result)
			total.Add(one)
			if name, ok := by(one); ok {
				in(name).Add(one)
			}
			return true, nil
		})
		if err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		resp.Groups = append(resp.Groups, &varvev1.SummarizeComplianceResponse_Group{Name: name, Counts: countsToProto(groups[name])})
	}
	resp.Total = countsToProto(total)
	return resp, nil
}

// inForce tells the rules that are put at the reader's moment and that a summary is
// about.
func (s *complianceService) inForce(ctx context.Context, r history.Reader, req *varvev1.SummarizeComplianceRequest, use func(*report.Result)) error {
	items, _, err := r.Items(ctx, history.Query{Type: rules.TypeRule, Fields: history.FieldsKey})
	for i := range items {
		k := items[i].Key
		pack, _ := rules.Unqualify(k.ID)
		if (req.GetRule() == "" || rules.Means(req.GetRule(), k.ID)) && (req.GetPack() == "" || req.GetPack() == pack) {
			use(&report.Result{Rule: k.ID, Owner: rules.Owner{Account: k.Account, Region: k.Region}})
		}
	}
	return err
}

// groupOf names what a result is counted by; false: it is not.
func groupOf(by varvev1.SummarizeComplianceRequest_GroupBy) (func(*report.Result) (string, bool), error) {
	switch by {
	case varvev1.SummarizeComplianceRequest_GROUP_BY_UNSPECIFIED:
		return func(*report.Result) (string, bool) { return "", false }, nil
	case varvev1.SummarizeComplianceRequest_GROUP_BY_RULE:
		return func(r *report.Result) (string, bool) { return r.RuleName(), true }, nil
	case varvev1.SummarizeComplianceRequest_GROUP_BY_TYPE:
		return func(r *report.Result) (string, bool) { return r.Resource.Type, true }, nil
	case varvev1.SummarizeComplianceRequest_GROUP_BY_ACCOUNT:
		return func(r *report.Result) (string, bool) { return r.Resource.Account, true }, nil
	case varvev1.SummarizeComplianceRequest_GROUP_BY_PACK:
		return func(r *report.Result) (string, bool) {
			pack, _ := rules.Unqualify(r.Rule)
			return pack, pack != ""
		}, nil
	}
	return nil, &history.Error{Kind: history.Invalid, Field: "groupBy", Value: by.String(), Text: "is not known"}
}

func (s *complianceService) ListComplianceTimelines(ctx context.Context, req *varvev1.ListComplianceTimelinesRequest) (*varvev1.ListComplianceTimelinesResponse, error) {
	page, err := s.page(ctx, req)
	if err != nil {
		return nil, err
	}
	ofResource := req.GetType() != "" || req.GetId() != ""
	switch {
	case !ofResource && req.GetRule() == "":
		return nil, &history.Error{Kind: history.Invalid, Field: "type", Text: "and id are required, or rule: a timeline is of a resource, or of a rule"}
	case ofResource && (req.GetType() == "" || req.GetId() == ""):
		return nil, &history.Error{Kind: history.Invalid, Field: "type", Text: "and id go together"}
	}
	resp := &varvev1.ListComplianceTimelinesResponse{}
	if resp.EvaluatedThrough, err = s.through(ctx, req); err != nil {
		return nil, err
	}
	r, err := s.reader(ctx, nil, req.GetKnownAt(), page.known)
	if err != nil {
		return nil, err
	}
	if err := s.knownRule(ctx, req.GetRule()); err != nil {
		return nil, err
	}
	v, err := s.view(ctx, r)
	if err != nil || v == nil {
		return resp, err
	}
	of := s.timelinesOfRule
	if ofResource {
		of = s.timelinesOfResource
	}
	list, more, err := of(ctx, v, r, req, &page)
	if err != nil {
		return nil, err
	}
	size := 0
	for i := range list {
		p := wire.TimelineToProto(&list[i])
		if size += proto.Size(p); size > paging.Bytes && i > 0 {
			list, more = list[:i], true
			break
		}
		resp.Timelines = append(resp.Timelines, p)
	}
	if more && len(list) > 0 {
		resp.NextPageToken = page.token(r.At().Known, appendKey(nil, list[len(list)-1].Recorded))
	}
	return resp, nil
}

func (s *complianceService) timelinesOfResource(ctx context.Context, v *engine.View, r history.Reader, req *varvev1.ListComplianceTimelinesRequest, page *page) ([]engine.History, bool, error) {
	key, err := s.one(ctx, r, subject{req.GetType(), req.GetId(), req.Account, req.Region})
	if err != nil {
		return nil, false, err
	}
	list, err := v.OfResource(ctx, key)
	if err != nil {
		return nil, false, err
	}
	slices.SortFunc(list, func(a, b engine.History) int { return a.Recorded.Compare(b.Recorded) })
	after := page.afterKey()
	list = slices.DeleteFunc(list, func(h engine.History) bool {
		return req.GetRule() != "" && !rules.Means(req.GetRule(), h.Rule) || !isOwner(h.Owner, req) ||
			after != nil && h.Recorded.Compare(*after) <= 0
	})
	if len(list) > page.size {
		return list[:page.size], true, nil
	}
	return list, false, nil
}

func isOwner(o rules.Owner, req *varvev1.ListComplianceTimelinesRequest) bool {
	return (req.OwnerAccount == nil || *req.OwnerAccount == o.Account) && (req.OwnerRegion == nil || *req.OwnerRegion == o.Region)
}

func (s *complianceService) timelinesOfRule(ctx context.Context, v *engine.View, r history.Reader, req *varvev1.ListComplianceTimelinesRequest, page *page) ([]engine.History, bool, error) {
	items, _, err := s.newest(ctx, r).Items(ctx, history.Query{Type: rules.TypeRule, Deleted: true, Fields: history.FieldsKey})
	if err != nil {
		return nil, false, err
	}
	var meant []history.Key
	for i := range items {
		k := items[i].Key
		if rules.Means(req.GetRule(), k.ID) && isOwner(rules.Owner{Account: k.Account, Region: k.Region}, req) {
			meant = append(meant, k)
		}
	}
	switch len(meant) {
	case 0:
		return nil, false, &history.Error{Kind: history.NotFound, Field: "rule", Value: req.GetRule(), Text: "is no rule of that owner"}
	case 1:
		return v.OfRule(ctx, rules.Owner{Account: meant[0].Account, Region: meant[0].Region}, meant[0].ID, page.afterKey(), page.size)
	}
	text := "is the name of several rules; say which one, and whose:"
	for i, k := range meant[:min(len(meant), shown)] {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprintf(" %s", (&report.Result{Rule: k.ID, Owner: rules.Owner{Account: k.Account, Region: k.Region}}).RuleName())
	}
	return nil, false, &history.Error{Kind: history.Ambiguous, Field: "rule", Value: req.GetRule(), Text: text}
}
