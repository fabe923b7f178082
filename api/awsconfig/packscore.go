package awsconfig

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/report"
)

const (
	byScore    = "SCORE"
	descending = "DESCENDING"
)

// listConformancePackComplianceScores passes over names of no pack: AWS Config has no
// exception for them here.
func (d *Door) listConformancePackComplianceScores(ctx context.Context, c Caller, in *shape.ListConformancePackComplianceScoresInput) (*shape.ListConformancePackComplianceScoresOutput, error) {
	most, err := entries(in.Limit, packsPage, packsPage)
	if err != nil {
		return nil, err
	}
	j, at, err := d.judgedPage(ctx, c, in, in.NextToken)
	if err != nil {
		return nil, err
	}
	var names []string
	if in.Filters != nil {
		names = in.Filters.ConformancePackNames
	}
	seen, err := d.packsSeen(ctx, c, j.r, names)
	if err != nil {
		return nil, err
	}
	list := seen.list
	// Only an order by score needs those of other pages.
	if in.SortBy != byScore {
		if in.SortOrder == descending {
			slices.Reverse(list)
		}
		list = afterPack(list, at.after)
		list = list[:min(len(list), most+1)]
	}
	scores := make([]shape.ConformancePackComplianceScore, len(list))
	for i, one := range list {
		if scores[i], err = j.score(ctx, one); err != nil {
			return nil, err
		}
	}
	if in.SortBy == byScore {
		slices.SortStableFunc(scores, func(a, b shape.ConformancePackComplianceScore) int {
			order := cmp.Compare(number(a.Score), number(b.Score))
			if in.SortOrder == descending {
				order = -order
			}
			return order
		})
		if i := slices.IndexFunc(scores, func(s shape.ConformancePackComplianceScore) bool { return s.ConformancePackName == at.after }); i >= 0 {
			scores = scores[i+1:]
		}
	}
	out := &shape.ListConformancePackComplianceScoresOutput{ConformancePackComplianceScores: scores[:min(len(scores), most)]}
	if len(scores) > most {
		out.NextToken = next(c, in, cursor{known: j.known(), after: scores[most-1].ConformancePackName})
	}
	return out, nil
}

// afterPack are the packs that follow one, in whatever order they are.
func afterPack(list []*packSeen, name string) []*packSeen {
	if name == "" {
		return list
	}
	return list[slices.IndexFunc(list, func(p *packSeen) bool { return p.Name == name })+1:]
}

// number is a score as it is ordered: insufficient data before all others.
func number(score string) float64 {
	n, err := strconv.ParseFloat(score, 64)
	if err != nil {
		return -1
	}
	return n
}

// score is the share of pairs of a rule and a resource that comply, as of when that
// was last found out.
func (j *judged) score(ctx context.Context, p *packSeen) (shape.ConformancePackComplianceScore, error) {
	of := map[string]*ruleSeen{}
	for _, r := range j.rules.list {
		if r.Owner == p.Owner && r.Pack == p.Name {
			of[r.Recorded()] = r
		}
	}
	var counts report.Counts
	out := shape.ConformancePackComplianceScore{ConformancePackName: p.Name, LastUpdatedTime: p.PutAt}
	err := j.each(ctx, engine.Question{Owner: &p.Owner, Pack: p.Name}, nil, func(recorded string) *ruleSeen { return of[recorded] }, func(v *engine.Result) (bool, error) {
		if v.Compliance != rules.NotApplicable {
			counts.Add(&report.Result{Verdict: v.Verdict})
			out.LastUpdatedTime = max(out.LastUpdatedTime, v.Learned)
		}
		return true, nil
	})
	out.Score = counts.Score()
	return out, err
}
