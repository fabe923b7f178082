package awsconfig_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/varvehq/varve/api/awsconfig"
	"github.com/varvehq/varve/api/awsconfig/sigv4"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/recorder"
	"github.com/varvehq/varve/recorder/settings"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/managed"
	"github.com/varvehq/varve/rules/recorded"
)

// BenchmarkCompliance asks about 20 rules on each of 5,000 groups, one in ten of which
// does not comply with one of them, in a store on disk; and about a pack of three.
func BenchmarkCompliance(b *testing.B) {
	const resources, many = 5000, 20
	linker := graph.NewLinker()
	store, err := bolt.Open(b.TempDir(), bolt.Options{Linker: linker, NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	take := recorder.New(store, recorder.Options{})
	e, err := engine.New(b.Context(), engine.Options{Store: store, Language: managed.Language{}, Graph: around{}})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- e.Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			b.Error(err)
		}
		_ = store.Close()
	}()
	var list []*rules.Rule
	for i := range many {
		r := &rules.Rule{Name: fmt.Sprintf("rule-%02d", i), Scope: rules.Scope{Types: []string{groups}}, Compliant: `resource.id != "none"`}
		if i == 7 {
			r.Compliant = `!resource.id.endsWith("0")`
		}
		list = append(list, r)
	}
	shelf := recorded.New(store)
	if _, _, err := shelf.PutRules(ctx, rules.Owner{Account: account, Region: region}, list, 0); err != nil {
		b.Fatal(err)
	}
	pack := packText(celOf("a", "true", groups), celOf("b", "!resource.id.endsWith('0')", groups), celOf("c", "true", groups))
	if _, _, err := shelf.PutPack(ctx, rules.Owner{Account: account, Region: region}, "base", []byte(pack), nil); err != nil {
		b.Fatal(err)
	}
	var receipt history.Receipt
	for i := 0; i < resources; i += 500 {
		var some []history.Observation
		for n := range 500 {
			some = append(some, history.Observation{Key: key(groups, fmt.Sprintf("sg-%05d", i+n)), State: history.State{Configuration: []byte(`{"ipPermissions":[]}`)}})
		}
		if receipt, err = take.Record(ctx, history.Batch{Observations: some}); err != nil {
			b.Fatal(err)
		}
	}
	if err := e.Wait(ctx, receipt.Position); err != nil {
		b.Fatal(err)
	}
	if err := store.Merge(); err != nil {
		b.Fatal(err)
	}
	door := awsconfig.New(awsconfig.Options{
		Store: store, Recorder: take, Settings: settings.New(store, time.Now), Authenticate: awsconfig.Signed(&sigv4.Verifier{Service: awsconfig.Service, Find: keys, Now: time.Now}),
		Rules: &awsconfig.Rules{Engine: e, Shelf: shelf, Graph: around{}, Linker: linker, Prepare: take.Prepare, Documents: store},
	})
	for _, c := range []struct{ operation, body string }{
		{"DescribeConfigRules", `{}`},
		{"DescribeComplianceByConfigRule", `{"ConfigRuleNames": ["rule-07"]}`},
		{"DescribeComplianceByConfigRule", `{"ConfigRuleNames": ["rule-08"]}`},
		{"DescribeComplianceByResource", `{}`},
		{"DescribeComplianceByResource", `{"ComplianceTypes": ["NON_COMPLIANT"], "Limit": 100}`},
		{"GetComplianceDetailsByConfigRule", `{"ConfigRuleName": "rule-08", "Limit": 100}`},
		{"GetComplianceDetailsByResource", `{"ResourceType": "AWS::EC2::SecurityGroup", "ResourceId": "sg-04990"}`},
		{"GetComplianceSummaryByConfigRule", `{}`},
		{"GetComplianceSummaryByResourceType", `{}`},
		{"DescribeConformancePackCompliance", `{"ConformancePackName": "base"}`},
		{"GetConformancePackComplianceDetails", `{"ConformancePackName": "base"}`},
		{"GetConformancePackComplianceSummary", `{"ConformancePackNames": ["base"]}`},
		{"ListConformancePackComplianceScores", `{}`},
	} {
		b.Run(c.operation+" "+c.body, func(b *testing.B) {
			for b.Loop() {
				r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.body))
				r.Header.Set("X-Amz-Target", "StarlingDoveService."+c.operation)
				signed(b, r, []byte(c.body), account, region, time.Now())
				w := httptest.NewRecorder()
				door.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
			}
		})
	}
}
