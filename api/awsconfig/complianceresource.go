package awsconfig

import (
	"context"
	"slices"
	"strings"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/report"
)

// judgedResource is a resource with what its verdicts come to.
type judgedResource struct {
	key    history.Key
	counts report.Counts
}

// resourcesAtOnce is how many resources are looked at together, and mostLookedAt how
// many for one page: it ends there, whether it is full or not.
const (
	resourcesFirst  = 16 // with more each time
	resourcesAtOnce = 256
	mostLookedAt    = 4096
)

// resources calls f with the resources of a type ("" = any) and an id (likewise) that
// the caller sees and on which rules have verdicts, until it returns false: first the
// recorded ones by key, then those that only evaluations were put on. It goes on after
// a place, and tells the one after which there is more; "": there is none.
func (j *judged) resources(ctx context.Context, typ, id, place string, f func(*judgedResource) bool) (rest string, err error) {
	looked := 0
	// take looks at some resources; the place after the last one that was taken.
	take := func(phase string, keys []history.Key) (at string, on bool, err error) {
		verdicts, err := j.on(ctx, keys)
		if err != nil {
			return "", false, err
		}
		for i, k := range keys {
			one := &judgedResource{key: k}
			for _, v := range verdicts[i] {
				one.counts.Add(&report.Result{Verdict: v.Verdict})
			}
			at = phase + wholeKey(k)
			if looked++; one.counts.Total() > 0 && !f(one) || looked >= mostLookedAt {
				return at, false, nil
			}
		}
		return at, true, nil
	}
	phase, after := phaseRecorded, (*history.Key)(nil)
	if place != "" {
		phase, after = place[:1], readWholeKey(place[1:])
	}
	if phase == phaseRecorded {
		for _, q := range j.c.owner().Questions(history.Query{Type: typ, IDPrefix: id, Fields: history.FieldsKey, Limit: resourcesFirst}) {
			if after != nil && (history.Key{Account: q.Account, Region: q.Region}).Compare(history.Key{Account: after.Account, Region: after.Region}) < 0 {
				continue
			}
			if after != nil && after.Account == q.Account && after.Region == q.Region {
				q.After = after
			}
			for more := true; more; {
				var items []history.Item
				if items, more, err = j.r.Items(ctx, q); err != nil {
					return "", err
				}
				var keys []history.Key
				for i := range items {
					if id == "" || id == items[i].Key.ID {
						keys = append(keys, items[i].Key)
					}
				}
				if n := len(items); n > 0 {
					q.After, q.Limit = &items[n-1].Key, min(2*q.Limit, resourcesAtOnce)
				}
				if at, on, err := take(phaseRecorded, keys); err != nil || !on {
					return at, err
				}
			}
		}
		after = nil
	}
	keys, err := j.unrecorded(ctx, typ, id, after)
	if err != nil {
		return "", err
	}
	for len(keys) > 0 {
		n := min(len(keys), resourcesAtOnce)
		if at, on, err := take(phaseEvaluated, keys[:n]); err != nil || !on {
			return at, err
		}
		keys = keys[n:]
	}
	return "", nil
}

// The phases of resources, as a place begins with them.
const (
	phaseRecorded  = "r"
	phaseEvaluated = "e"
)

// unrecorded are the resources that are not recorded, but have evaluations, by key.
func (j *judged) unrecorded(ctx context.Context, typ, id string, after *history.Key) ([]history.Key, error) {
	if !slices.ContainsFunc(j.rules.list, func(r *ruleSeen) bool { return r.External }) {
		return nil, nil
	}
	var keys []history.Key
	for _, q := range j.c.owner().Questions(history.Query{Type: engine.TypeEvaluation}) {
		items, err := history.Few(ctx, j.r, q)
		if err != nil {
			return nil, err
		}
		for i := range items {
			put, err := engine.ReadRecord(&items[i])
			if err != nil {
				return nil, err
			}
			k := put.Key
			if (typ == "" || typ == k.Type) && (id == "" || id == k.ID) && (after == nil || k.Compare(*after) > 0) {
				keys = append(keys, k)
			}
		}
	}
	slices.SortFunc(keys, history.Key.Compare)
	keys = slices.Compact(keys)
	items, err := j.r.Get(ctx, keys, history.FieldsKey)
	if err != nil {
		return nil, err
	}
	keys = keys[:0]
	for i := range items {
		if items[i].Version == 0 {
			keys = append(keys, items[i].Key)
		}
	}
	return keys, nil
}

// wholeKey writes a key: no part of one holds a NUL.
func wholeKey(k history.Key) string {
	return strings.Join([]string{k.Account, k.Region, k.Type, k.ID}, "\x00")
}

// readWholeKey reads what wholeKey wrote; nil: it is none.
func readWholeKey(text string) *history.Key {
	parts := strings.Split(text, "\x00")
	if len(parts) != 4 {
		return nil
	}
	return &history.Key{Account: parts[0], Region: parts[1], Type: parts[2], ID: parts[3]}
}

// resourcesPage is how many resources a page has that was asked for without a limit.
const resourcesPage = 10

func (d *Door) describeComplianceByResource(ctx context.Context, c Caller, in *shape.DescribeComplianceByResourceInput) (*shape.DescribeComplianceByResourceOutput, error) {
	if in.ResourceID != "" && in.ResourceType == "" {
		return nil, refuse("InvalidParameterValueException", "A resourceType should be provided when resourceId is provided")
	}
	j, at, err := d.judgedPage(ctx, c, in, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &shape.DescribeComplianceByResourceOutput{}
	size := pageOf(in.Limit, resourcesPage)
	rest, err := j.resources(ctx, in.ResourceType, in.ResourceID, at.after, func(one *judgedResource) bool {
		is := described(one.counts)
		applies := one.counts.Total() > one.counts.NotApplicable
		if !applies {
			is.ComplianceType = string(rules.NotApplicable)
		}
		if applies && len(in.ComplianceTypes) == 0 || slices.Contains(in.ComplianceTypes, is.ComplianceType) {
			out.ComplianceByResources = append(out.ComplianceByResources, shape.ComplianceByResource{
				ResourceType: one.key.Type, ResourceID: one.key.ID, Compliance: is,
			})
		}
		return len(out.ComplianceByResources) < size
	})
	if err == nil && rest != "" {
		out.NextToken = next(c, in, cursor{known: j.known(), after: rest})
	}
	return out, err
}

func (d *Door) getComplianceSummaryByResourceType(ctx context.Context, c Caller, in *shape.GetComplianceSummaryByResourceTypeInput) (*shape.GetComplianceSummaryByResourceTypeOutput, error) {
	j, err := d.judged(ctx, c, cursor{})
	if err != nil {
		return nil, err
	}
	out := &shape.GetComplianceSummaryByResourceTypeOutput{}
	types := in.ResourceTypes
	if len(types) == 0 {
		types = []string{""} // all of them together
	}
	for _, typ := range types {
		compliant, not := 0, 0
		for place, more := "", true; more; more = place != "" && (compliant <= mostResources || not <= mostResources) {
			place, err = j.resources(ctx, typ, "", place, func(one *judgedResource) bool {
				switch rules.Compliance(total(one.counts)) {
				case rules.Compliant:
					compliant++
				case rules.NonCompliant:
					not++
				}
				return compliant <= mostResources || not <= mostResources
			})
			if err != nil {
				return nil, err
			}
		}
		out.ComplianceSummariesByResourceType = append(out.ComplianceSummariesByResourceType, shape.ComplianceSummaryByResourceType{
			ResourceType: typ, ComplianceSummary: j.summary(compliant, not, mostResources),
		})
	}
	return out, nil
}
