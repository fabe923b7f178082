package awsconfig_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/recorded"
)

// packCompliance tells of each rule of a pack its name, compliance and controls, by
// pages of a size.
func (c sdk) packCompliance(name string, size int32, filters ...*types.ConformancePackComplianceFilters) []string {
	c.t.Helper()
	in := &configservice.DescribeConformancePackComplianceInput{ConformancePackName: aws.String(name), Limit: size}
	for _, f := range filters {
		in.Filters = f
	}
	var list []string
	pages := configservice.NewDescribeConformancePackCompliancePaginator(c.Client, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(c.ctx)
		c.must(err)
		if *page.ConformancePackName != name || size > 0 && len(page.ConformancePackRuleComplianceList) > int(size) {
			c.t.Errorf("%d rules of %s on a page of %d", len(page.ConformancePackRuleComplianceList), *page.ConformancePackName, size)
		}
		for _, r := range page.ConformancePackRuleComplianceList {
			list = append(list, strings.TrimSpace(fmt.Sprintf("%s %s %s", *r.ConfigRuleName, r.ComplianceType, strings.Join(r.Controls, ","))))
		}
	}
	return list
}

// summaries are names of packs, each with its status.
func (c sdk) summaries(names ...string) string {
	c.t.Helper()
	var list []string
	pages := configservice.NewGetConformancePackComplianceSummaryPaginator(c.Client, &configservice.GetConformancePackComplianceSummaryInput{ConformancePackNames: names, Limit: 2})
	for pages.HasMorePages() {
		page, err := pages.NextPage(c.ctx)
		c.must(err)
		for _, s := range page.ConformancePackComplianceSummaryList {
			list = append(list, fmt.Sprintf("%s %s", *s.ConformancePackName, s.ConformancePackComplianceStatus))
		}
	}
	return strings.Join(list, ", ")
}

// packDetails are the results of a pack, as rule, id and compliance, with how many pages
// of a size they take.
func (c sdk) packDetails(name string, size int32, f *types.ConformancePackEvaluationFilters) (list []string, pages int) {
	c.t.Helper()
	in := &configservice.GetConformancePackComplianceDetailsInput{ConformancePackName: aws.String(name), Limit: size, Filters: f}
	for {
		out, err := c.GetConformancePackComplianceDetails(c.ctx, in)
		c.must(err)
		pages++
		if size > 0 && len(out.ConformancePackRuleEvaluationResults) > int(size) {
			c.t.Errorf("%d results on a page of %d", len(out.ConformancePackRuleEvaluationResults), size)
		}
		for _, r := range out.ConformancePackRuleEvaluationResults {
			q := r.EvaluationResultIdentifier.EvaluationResultQualifier
			if q.EvaluationMode != types.EvaluationModeDetective || r.ConfigRuleInvokedTime == nil || r.ResultRecordedTime == nil {
				c.t.Errorf("%+v", r)
			}
			rule, _, _ := strings.Cut(*q.ConfigRuleName, "-conformance-pack-")
			list = append(list, fmt.Sprintf("%s %s %s", rule, *q.ResourceId, r.ComplianceType))
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return list, pages
		}
	}
}

// scores are names of packs, each with its score, by pages of two.
func (c sdk) scores(in configservice.ListConformancePackComplianceScoresInput) string {
	c.t.Helper()
	var list []string
	for in.Limit = 2; ; {
		out, err := c.ListConformancePackComplianceScores(c.ctx, &in)
		c.must(err)
		if len(out.ConformancePackComplianceScores) > 2 {
			c.t.Errorf("%d scores on a page of 2", len(out.ConformancePackComplianceScores))
		}
		for _, s := range out.ConformancePackComplianceScores {
			list = append(list, fmt.Sprintf("%s %s", *s.ConformancePackName, *s.Score))
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return strings.Join(list, ", ")
		}
	}
}

// judgedPacks is a world of security groups, of which one of four is open, and of packs
// that judge them.
func judgedPacks(t *testing.T) (*world, sdk) {
	w := open(t)
	for i := range 4 {
		port := 0
		if i == 0 {
			port = 22
		}
		w.group(key(groups, fmt.Sprint("sg-", i)), port)
	}
	w.group(history.Key{Account: "999999999999", Region: region, Type: groups, ID: "sg-other"}, 22)
	c := w.sdk()
	named := celOf("named", "resource.id != 'sg-1' && resource.id != 'sg-2'", groups)
	fine := celOf("fine", "true", groups)
	c.must(c.putPack("fine", packText(fine, keysOf)))
	c.must(c.putPack("mixed", packText(sshOf, named, noneOf, keysOf)))
	c.must(c.putPack("nothing", packText(noneOf)))
	c.must(c.putPack("open", packText(sshOf, fine)))
	c.must(c.putPack("partly", packText(fine, noneOf)))
	w.settle()
	return w, c
}

func TestPackCompliance(t *testing.T) {
	w, c := judgedPacks(t)
	end := func(pack string) string {
		return "-" + rules.ConformancePackID(rules.Owner{Account: account, Region: region}, pack)
	}
	of := end("mixed")
	all := []string{"keys" + of + " INSUFFICIENT_DATA A.1,B.2", "named" + of + " NON_COMPLIANT", "none" + of + " INSUFFICIENT_DATA", "ssh" + of + " NON_COMPLIANT"}
	for _, size := range []int32{0, 1, 3} {
		if got := c.packCompliance("mixed", size); !slices.Equal(got, all) {
			t.Errorf("by %d: %q", size, got)
		}
	}
	if got := c.packCompliance("mixed", 1, &types.ConformancePackComplianceFilters{ComplianceType: types.ConformancePackComplianceTypeNonCompliant}); !slices.Equal(got, []string{all[1], all[3]}) {
		t.Errorf("not compliant: %q", got)
	}
	if got := c.packCompliance("mixed", 0, &types.ConformancePackComplianceFilters{ConfigRuleNames: []string{"none" + of, "ssh" + of}}); !slices.Equal(got, all[2:]) {
		t.Errorf("by name: %q", got)
	}
	if got := c.packCompliance("fine", 0, &types.ConformancePackComplianceFilters{ComplianceType: types.ConformancePackComplianceTypeCompliant}); !slices.Equal(got, []string{"fine" + end("fine") + " COMPLIANT"}) {
		t.Errorf("compliant: %q", got)
	}

	t.Run("Summary", func(t *testing.T) {
		if got, want := c.summaries("open", "fine", "nothing", "mixed", "partly"), "fine COMPLIANT, mixed NON_COMPLIANT, nothing INSUFFICIENT_DATA, open NON_COMPLIANT, partly INSUFFICIENT_DATA"; got != want {
			t.Errorf("%s; want %s", got, want)
		}
	})
	t.Run("Scores", func(t *testing.T) {
		// Of mixed: 3 of 4 groups by ssh and 2 of 4 by named; of open: 3 and 4 of 4.
		for _, test := range []struct{ by, order, want string }{
			{"", "", "fine 100.00, mixed 62.50, nothing INSUFFICIENT_DATA, open 87.50, partly 100.00"},
			{"", "DESCENDING", "partly 100.00, open 87.50, nothing INSUFFICIENT_DATA, mixed 62.50, fine 100.00"},
			{"SCORE", "", "nothing INSUFFICIENT_DATA, mixed 62.50, open 87.50, fine 100.00, partly 100.00"},
			{"SCORE", "ASCENDING", "nothing INSUFFICIENT_DATA, mixed 62.50, open 87.50, fine 100.00, partly 100.00"},
			{"SCORE", "DESCENDING", "fine 100.00, partly 100.00, open 87.50, mixed 62.50, nothing INSUFFICIENT_DATA"},
		} {
			if got := c.scores(configservice.ListConformancePackComplianceScoresInput{SortBy: types.SortBy(test.by), SortOrder: types.SortOrder(test.order)}); got != test.want {
				t.Errorf("by %q, %q: %s", test.by, test.order, got)
			}
		}
		named := &types.ConformancePackComplianceScoresFilters{ConformancePackNames: []string{"open", "gone", "mixed"}}
		if got := c.scores(configservice.ListConformancePackComplianceScoresInput{Filters: named}); got != "mixed 62.50, open 87.50" {
			t.Error(got)
		}
	})
	t.Run("ScoresAreUpdated", func(t *testing.T) {
		updated := func(name string) time.Time {
			t.Helper()
			out, err := c.ListConformancePackComplianceScores(c.ctx, &configservice.ListConformancePackComplianceScoresInput{
				Filters: &types.ConformancePackComplianceScoresFilters{ConformancePackNames: []string{name}}})
			c.must(err)
			return *out.ConformancePackComplianceScores[0].LastUpdatedTime
		}
		before, never := updated("open"), updated("nothing")
		w.clock.advance(time.Hour)
		w.group(key(groups, "sg-0"), 0)
		w.settle()
		if got := updated("open"); !got.Equal(w.clock.Now()) || !before.Before(got) {
			t.Errorf("%v, before %v", got, before)
		}
		if got := updated("nothing"); !got.Equal(never) {
			t.Errorf("%v, before %v", got, never)
		}
		if got := c.summaries("open"); got != "open COMPLIANT" {
			t.Error(got)
		}
	})
}

func TestPackDetails(t *testing.T) {
	w, c := judgedPacks(t)
	all := []string{
		"named sg-0 COMPLIANT", "named sg-1 NON_COMPLIANT", "named sg-2 NON_COMPLIANT", "named sg-3 COMPLIANT",
		"ssh sg-0 NON_COMPLIANT", "ssh sg-1 COMPLIANT", "ssh sg-2 COMPLIANT", "ssh sg-3 COMPLIANT",
	}
	for size, want := range map[int32]int{0: 1, 1: 8, 3: 3, 4: 2, 5: 2, 100: 1} {
		got, pages := c.packDetails("mixed", size, nil)
		if !slices.Equal(got, all) {
			t.Errorf("by %d: %q", size, got)
		}
		if pages != want {
			t.Errorf("by %d: %d pages; want %d", size, pages, want)
		}
	}
	ssh := "ssh-" + rules.ConformancePackID(rules.Owner{Account: account, Region: region}, "mixed")
	for name, test := range map[string]struct {
		f    types.ConformancePackEvaluationFilters
		want []string
	}{
		"OfARule":         {types.ConformancePackEvaluationFilters{ConfigRuleNames: []string{ssh}}, all[4:]},
		"NotCompliant":    {types.ConformancePackEvaluationFilters{ComplianceType: types.ConformancePackComplianceTypeNonCompliant}, []string{all[1], all[2], all[4]}},
		"OfAType":         {types.ConformancePackEvaluationFilters{ResourceType: aws.String(groups)}, all},
		"OfAnotherType":   {types.ConformancePackEvaluationFilters{ResourceType: aws.String(buckets)}, nil},
		"OfResources":     {types.ConformancePackEvaluationFilters{ResourceType: aws.String(groups), ResourceIds: []string{"sg-0", "sg-3", "none"}}, []string{all[0], all[3], all[4], all[7]}},
		"OfAllAtOnce":     {types.ConformancePackEvaluationFilters{ConfigRuleNames: []string{ssh}, ComplianceType: types.ConformancePackComplianceTypeCompliant, ResourceType: aws.String(groups), ResourceIds: []string{"sg-0", "sg-1"}}, []string{all[5]}},
		"ThatAreNotKnown": {types.ConformancePackEvaluationFilters{ComplianceType: types.ConformancePackComplianceTypeInsufficientData}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int32{1, 100} {
				if got, _ := c.packDetails("mixed", size, &test.f); !slices.Equal(got, test.want) {
					t.Errorf("by %d: %q", size, got)
				}
			}
		})
	}
	t.Run("WithAnnotationAndTimes", func(t *testing.T) {
		out, err := c.GetConformancePackComplianceDetails(c.ctx, &configservice.GetConformancePackComplianceDetailsInput{
			ConformancePackName: aws.String("mixed"), Limit: 1,
			Filters: &types.ConformancePackEvaluationFilters{ConfigRuleNames: []string{ssh}, ComplianceType: types.ConformancePackComplianceTypeNonCompliant},
		})
		c.must(err)
		r := out.ConformancePackRuleEvaluationResults[0]
		if !strings.Contains(aws.ToString(r.Annotation), "22") || *r.EvaluationResultIdentifier.EvaluationResultQualifier.ConfigRuleName != ssh ||
			!r.ResultRecordedTime.Equal(w.clock.Now()) || r.EvaluationResultIdentifier.OrderingTimestamp == nil {
			t.Errorf("%+v, %q", r, aws.ToString(r.Annotation))
		}
	})
	t.Run("OfOneMoment", func(t *testing.T) {
		in := &configservice.GetConformancePackComplianceDetailsInput{ConformancePackName: aws.String("mixed"), Limit: 4}
		first, err := c.GetConformancePackComplianceDetails(c.ctx, in)
		c.must(err)
		w.group(key(groups, "sg-0"), 0)
		w.settle()
		in.NextToken = first.NextToken
		second, err := c.GetConformancePackComplianceDetails(c.ctx, in)
		c.must(err)
		if got := second.ConformancePackRuleEvaluationResults[0].ComplianceType; got != types.ConformancePackComplianceTypeNonCompliant {
			t.Error(got)
		}
	})
	t.Run("OfAnotherAccount", func(t *testing.T) {
		all := rules.Owner{}
		_, _, err := recorded.New(w.store).PutPack(t.Context(), all, "all", []byte(packText(sshOf)), nil)
		c.must(err)
		w.settle()
		other := sdk{w.clientOf("999999999999", region), t, t.Context()}
		if got, _ := other.packDetails("all", 0, nil); !slices.Equal(got, []string{"ssh sg-other NON_COMPLIANT"}) {
			t.Errorf("%q", got)
		}
		if got, _ := c.packDetails("all", 2, nil); len(got) != 4 {
			t.Errorf("%q", got)
		}
	})
}

// Results that were deleted with DeleteEvaluationResults are gone from packs as well.
func TestPackResultsAreDeleted(t *testing.T) {
	_, c := judgedPacks(t)
	ssh := "ssh-" + rules.ConformancePackID(rules.Owner{Account: account, Region: region}, "open")
	_, err := c.DeleteEvaluationResults(c.ctx, &configservice.DeleteEvaluationResultsInput{ConfigRuleName: aws.String(ssh)})
	c.must(err)
	if got, _ := c.packDetails("open", 0, &types.ConformancePackEvaluationFilters{ConfigRuleNames: []string{ssh}}); len(got) != 0 {
		t.Errorf("%q", got)
	}
	if got := c.scores(configservice.ListConformancePackComplianceScoresInput{}); !strings.HasSuffix(got, "open 100.00, partly 100.00") {
		t.Error(got)
	}
	if got := c.summaries("open"); got != "open COMPLIANT" {
		t.Error(got)
	}
}
