package format_test

import (
	"strings"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/feed"
	"github.com/varvehq/varve/recorder/delivery/format"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
)

// TestComplianceChange: a verdict's change is told as AWS Config tells it.
func TestComplianceChange(t *testing.T) {
	resource := history.Key{Account: "1", Region: "eu-west-1", Type: "AWS::EC2::SecurityGroup", ID: "sg-1"}
	key := engine.VerdictKey(rules.Owner{}, "restricted-ssh", resource)
	verdict := func(version uint32, compliance, annotation string) history.Item {
		i := history.Item{Key: key, Version: version, CapturedAt: 1_784_000_000_000_000 + history.Moment(version), RecordedAt: 1_784_000_001_000_000}
		if compliance == "" {
			i.State.Deleted = true
			return i
		}
		text := `{"account":"1",` + annotation + `"compliance":"` + compliance + `","id":"sg-1","region":"eu-west-1","rule":"restricted-ssh","ruleVersion":1,"type":"AWS::EC2::SecurityGroup"}`
		i.State.Configuration = []byte(text)
		return i
	}
	const why = `"annotation":"Port 22 is open to the world.",`
	encode := func(before, after history.Item) string {
		t.Helper()
		c := history.Change{Seq: 9, Revision: 9, Kind: history.Updated, Key: key, Version: after.Version, CapturedAt: after.CapturedAt, RecordedAt: after.RecordedAt}
		f, err := format.New("aws-config", format.Options{})
		if err != nil {
			t.Fatal(err)
		}
		m, err := f.Encode([]*delivery.Notice{{Event: feed.New(c, before, after), Subscription: "a"}}, time.Unix(1_784_000_002, 0))
		if err != nil {
			t.Fatal(err)
		}
		return string(m.Body)
	}
	result := func(compliance, annotation string) string {
		return `{"evaluationResultIdentifier":{"evaluationResultQualifier":{"configRuleName":"restricted-ssh","resourceType":"AWS::EC2::SecurityGroup","resourceId":"sg-1","evaluationMode":"DETECTIVE"},"orderingTimestamp":"2026-07-14T03:33:20.000Z"},"complianceType":"` + compliance +
			`","resultRecordedTime":"2026-07-14T03:33:21.000Z","configRuleInvokedTime":"2026-07-14T03:33:21.000Z","annotation":` + annotation + `,"resultToken":null}`
	}
	want := func(fresh, old string) string {
		return `{"awsAccountId":"1","configRuleName":"restricted-ssh","configRuleARN":"` + rules.ConfigRuleARN(rules.Owner{}, "restricted-ssh", "1", "eu-west-1") +
			`","resourceType":"AWS::EC2::SecurityGroup","resourceId":"sg-1","awsRegion":"eu-west-1","newEvaluationResult":` + fresh + `,"oldEvaluationResult":` + old +
			`,"notificationCreationTime":"2026-07-14T03:33:22.000Z","messageType":"ComplianceChangeNotification","recordVersion":"1.0"}`
	}
	text := `"Port 22 is open to the world."`
	for name, tt := range map[string]struct {
		before, after history.Item
		want          string
	}{
		"First":  {history.Item{}, verdict(1, "COMPLIANT", ""), want(result("COMPLIANT", "null"), "null")},
		"Change": {verdict(1, "COMPLIANT", ""), verdict(2, "NON_COMPLIANT", why), want(result("NON_COMPLIANT", text), result("COMPLIANT", "null"))},
		"Ended":  {verdict(2, "NON_COMPLIANT", why), verdict(3, "", ""), want(result("NOT_APPLICABLE", "null"), result("NON_COMPLIANT", text))},
		"Error":  {history.Item{}, verdict(1, "ERROR", why), want(result("INSUFFICIENT_DATA", text), "null")},
	} {
		if got := encode(tt.before, tt.after); got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, tt.want)
		}
	}
	// What was erased, or is a rule, is told like any other resource.
	erased := history.Item{Key: key, Version: 2, CapturedAt: 1, RecordedAt: 1, Erased: true}
	if got := encode(history.Item{}, erased); !strings.Contains(got, `"messageType":"ConfigurationItemChangeNotification"`) {
		t.Error(got)
	}
}
