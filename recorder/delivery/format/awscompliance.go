package format

import (
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
)

// compliance writes AWS Config's ComplianceChangeNotification of an event that is a
// verdict's. False: it is none, or no longer kept.
//
// A verdict that ended (the resource left the scope, or is gone) is NOT_APPLICABLE,
// as AWS tells it. ERROR, which AWS has no word for, is INSUFFICIENT_DATA with what
// went wrong as its annotation.
func (e *encoder) compliance(n *delivery.Notice, now time.Time) bool {
	if n.Key.Type != rules.TypeVerdict || n.Compacted {
		return false
	}
	var old, fresh *engine.Record
	for _, side := range []struct {
		item *history.Item
		to   **engine.Record
	}{{&n.Before, &old}, {&n.After, &fresh}} {
		if !side.item.Exists() {
			continue
		}
		r, err := engine.ReadRecord(side.item)
		if err != nil { // it was erased
			return false
		}
		*side.to = &r
	}
	of := fresh
	if of == nil {
		of = old
	}
	if of == nil {
		return false
	}
	if fresh == nil {
		ended := *old
		ended.Verdict = rules.Verdict{Compliance: rules.NotApplicable}
		fresh = &ended
	}
	e.open('{')
	e.text("awsAccountId", of.Key.Account)
	e.text("configRuleName", of.Rule)
	e.text("configRuleARN", rules.ConfigRuleARN(of.Owner, of.Rule, of.Key.Account, of.Key.Region))
	e.text("resourceType", of.Key.Type)
	e.text("resourceId", of.Key.ID)
	e.text("awsRegion", of.Key.Region)
	e.evaluationResult("newEvaluationResult", fresh, &n.After)
	e.evaluationResult("oldEvaluationResult", old, &n.Before)
	e.about(now, "ComplianceChangeNotification", "1.0")
	e.close('}')
	return true
}

func (e *encoder) evaluationResult(name string, r *engine.Record, item *history.Item) {
	if r == nil {
		e.raw(name, null)
		return
	}
	compliance := r.Compliance
	if compliance == rules.Error {
		compliance = rules.InsufficientData
	}
	e.member(name)
	e.open('{')
	e.member("evaluationResultIdentifier")
	e.open('{')
	e.member("evaluationResultQualifier")
	e.open('{')
	e.text("configRuleName", r.Rule)
	e.text("resourceType", r.Key.Type)
	e.text("resourceId", r.Key.ID)
	e.text("evaluationMode", "DETECTIVE")
	e.close('}')
	e.text("orderingTimestamp", awsTime(item.CapturedAt))
	e.close('}')
	e.text("complianceType", string(compliance))
	e.text("resultRecordedTime", awsTime(item.RecordedAt))
	e.text("configRuleInvokedTime", awsTime(item.RecordedAt))
	if r.Annotation == "" {
		e.raw("annotation", null)
	} else {
		e.text("annotation", r.Annotation)
	}
	e.raw("resultToken", null)
	e.close('}')
}

func awsTime(m history.Moment) string { return m.Time().Format(timeLayout) }
