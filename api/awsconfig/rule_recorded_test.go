package awsconfig_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/history"
)

// recordedAnswer is one that AWS gave.
type recordedAnswer struct {
	From      string         `json:"from"`
	Operation string         `json:"operation"`
	Status    int            `json:"status"`
	Body      jsontext.Value `json:"body"`
}

// recordedAnswers are those to an operation that succeeded.
func recordedAnswers(t *testing.T, operation string) (list []recordedAnswer) {
	t.Helper()
	for _, a := range parse[[]recordedAnswer](t, needShared(t, "recorded-responses.json.gz")) {
		if a.Operation == operation && a.Status == http.StatusOK {
			list = append(list, a)
		}
	}
	return list
}

// ask posts a request, and reads the answer.
func (w *world) ask(operation string, in any) members {
	w.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		w.t.Fatal(err)
	}
	status, text := w.answer(operation, string(body))
	if status != http.StatusOK {
		w.t.Fatalf("%s: %d %s", operation, status, text)
	}
	if len(text) == 0 {
		return nil
	}
	return parse[members](w.t, text)
}

// Rules that AWS described are put, and described as AWS did.
func TestRecordedRules(t *testing.T) {
	compared, unknown := 0, 0
	for _, a := range recordedAnswers(t, "DescribeConfigRules") {
		w := open(t)
		w.sdk().must(w.sdk().putRecorder(nil))
		for _, want := range parse[struct{ ConfigRules []members }](t, a.Body).ConfigRules {
			put := members{}
			for name, value := range want {
				switch name {
				case "ConfigRuleArn", "ConfigRuleId", "ConfigRuleState", "CreatedBy": // AWS's own
				default:
					put[name] = value
				}
			}
			body, err := json.Marshal(map[string]members{"ConfigRule": put})
			if err != nil {
				t.Fatal(err)
			}
			if status, text := w.answer("PutConfigRule", string(body)); status != http.StatusOK {
				if strings.Contains(string(text), "is no managed rule that this version computes") {
					unknown++
					continue
				}
				t.Errorf("%s: %s\n%s", a.From, text, body)
				continue
			}
			name := parse[string](t, want["ConfigRuleName"])
			out := w.ask("DescribeConfigRules", map[string]any{"ConfigRuleNames": []string{name}})
			got := parse[[]members](t, out["ConfigRules"])[0]
			for member, value := range want {
				a, b := form(t, got[member]), form(t, value)
				switch member {
				case "ConfigRuleArn", "ConfigRuleId":
					a, b = fmt.Sprint(len(a) > 2), "true"
				case "ConfigRuleState", "CreatedBy":
					continue
				}
				if a != b {
					t.Errorf("%s of %s: %s, AWS %s", member, name, a, b)
				}
			}
			for member := range got {
				usual := member == "InputParameters" || member == "EvaluationModes" // which AWS tells since some time
				if want[member] == nil && !usual {
					t.Errorf("%s of %s: %s, AWS none", member, name, got[member])
				}
			}
			compared++
		}
	}
	if compared < 20 {
		t.Errorf("%d rules were compared", compared)
	}
	t.Logf("%d rules compared, %d are managed rules that are not computed", compared, unknown)
}

// Results that AWS told are put, and told as AWS did.
func TestRecordedResults(t *testing.T) {
	compared := 0
	for _, a := range recordedAnswers(t, "GetComplianceDetailsByConfigRule") {
		w := open(t)
		w.sdk().must(w.sdk().putRecorder(nil))
		type qualifier struct{ ConfigRuleName, ResourceType, ResourceId string }
		type result struct {
			EvaluationResultIdentifier struct {
				EvaluationResultQualifier qualifier
				OrderingTimestamp         jsontext.Value
			}
			ComplianceType, Annotation string
		}
		list := parse[struct{ EvaluationResults []result }](t, a.Body).EvaluationResults
		if len(list) == 0 {
			continue
		}
		name := list[0].EvaluationResultIdentifier.EvaluationResultQualifier.ConfigRuleName
		w.sdk().must(w.sdk().putRule(functionRule(name)))
		for _, r := range list {
			q := r.EvaluationResultIdentifier.EvaluationResultQualifier
			w.record(state(key(q.ResourceType, q.ResourceId), history.Moment(1_000_000), 1))
		}
		w.settle()
		told := func() []members {
			out := w.ask("GetComplianceDetailsByConfigRule", map[string]any{"ConfigRuleName": name, "Limit": 100})
			return parse[[]members](t, out["EvaluationResults"])
		}
		token := told()[0]["ResultToken"]
		var put []map[string]any
		for _, r := range list {
			id := r.EvaluationResultIdentifier
			e := map[string]any{
				"ComplianceResourceType": id.EvaluationResultQualifier.ResourceType, "ComplianceResourceId": id.EvaluationResultQualifier.ResourceId,
				"ComplianceType": r.ComplianceType, "OrderingTimestamp": id.OrderingTimestamp,
			}
			if r.Annotation != "" {
				e["Annotation"] = r.Annotation
			}
			put = append(put, e)
		}
		w.ask("PutEvaluations", map[string]any{"ResultToken": token, "Evaluations": put})
		w.settle()
		got := map[string]members{}
		for _, one := range told() {
			got[parse[result](t, mustMarshal(t, one)).EvaluationResultIdentifier.EvaluationResultQualifier.ResourceId] = one
		}
		for _, want := range parse[struct{ EvaluationResults []members }](t, a.Body).EvaluationResults {
			id := parse[result](t, mustMarshal(t, want)).EvaluationResultIdentifier.EvaluationResultQualifier.ResourceId
			for member, value := range want {
				a, b := form(t, got[id][member]), form(t, value)
				switch member {
				case "ResultRecordedTime", "ConfigRuleInvokedTime": // it was not now
					if jsontext.Value(a).Kind() != '0' {
						t.Errorf("%s of %s: %s", member, id, a)
					}
					continue
				case "EvaluationResultIdentifier": // AWS tells the mode since some time
					a = strings.Replace(a, `,"EvaluationMode":"DETECTIVE"`, "", 1)
					a = strings.Replace(a, `"EvaluationMode":"DETECTIVE",`, "", 1)
				}
				if canonicalText(t, a) != canonicalText(t, b) {
					t.Errorf("%s of %s: %s, AWS %s", member, id, a, b)
				}
			}
			compared++
		}
	}
	if compared < 5 {
		t.Errorf("%d results were compared", compared)
	}
}

func mustMarshal(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// canonicalText is a JSON text with its numbers as they are meant.
func canonicalText(t *testing.T, text string) string {
	t.Helper()
	v := jsontext.Value(text)
	if err := v.Canonicalize(); err != nil {
		t.Fatal(err)
	}
	return string(v)
}
