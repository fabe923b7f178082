package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// TypeEvaluation is the type of the resources as which evaluations are kept that
// were put on rules evaluated elsewhere. Like the types of package rules nobody
// else records it.
const TypeEvaluation = "Varve::Compliance::Evaluation"

// Record is what one state of a verdict, or of an evaluation, holds.
type Record struct {
	Owner    rules.Owner
	Rule     string
	Key      history.Key // of the resource that was judged
	Version  uint32      // of the rule; 0 in evaluations
	Severity rules.Severity
	rules.Verdict
}

// RuleKey names the resource of a rule.
func RuleKey(o rules.Owner, rule string) history.Key {
	return history.Key{Account: o.Account, Region: o.Region, Type: rules.TypeRule, ID: rule}
}

// VerdictKey names the resource of the verdicts of a rule on a resource. It lies
// in that one's account and region; verdicts of one rule lie side by side there.
func VerdictKey(o rules.Owner, rule string, k history.Key) history.Key {
	return history.Key{Account: k.Account, Region: k.Region, Type: rules.TypeVerdict, ID: rulePrefix(o, rule) + resourceID(k)}
}

// EvaluationKey names the resource of the evaluations put on a resource.
func EvaluationKey(o rules.Owner, rule string, k history.Key) history.Key {
	k = VerdictKey(o, rule, k)
	k.Type = TypeEvaluation
	return k
}

// rulePrefix begins the ids of all verdicts of a rule: account, region and name of
// the rule, each without a slash.
func rulePrefix(o rules.Owner, rule string) string {
	return part(o.Account, 256) + "/" + part(o.Region, 128) + "/" + part(rule, 512) + "/"
}

// packPrefix begins the ids of all verdicts of the rules of a pack: a name of two
// parts, each of at most 128 bytes, is never hashed.
func packPrefix(o rules.Owner, pack string) string {
	return part(o.Account, 256) + "/" + part(o.Region, 128) + "/" + part(pack+"/", 256)
}

// resourceID is type and id of a resource, the latter as it is, unless it is very
// long or may be taken for a hash.
func resourceID(k history.Key) string {
	id := k.ID
	if len(id) > 1024 || strings.HasPrefix(id, "#") {
		id = hashed(id)
	}
	return part(k.Type, 512) + "/" + id
}

// part is a text without slashes, of so many bytes at most.
func part(s string, most int) string {
	if e := url.PathEscape(s); len(e) <= most {
		return e
	}
	return hashed(s)
}

// hashed begins with a character that a part has only in front of a hash.
func hashed(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "#" + hex.EncodeToString(sum[:])
}

// tagKnown is the tag that tells apart states that say the same: the revision as
// known at which they were worked out. Without it a verdict that is withdrawn and
// given again for one moment would be taken for the first one.
const tagKnown = "known"

// document is the configuration of a verdict. Its members stand in the order of
// the canonical form.
type document struct {
	Account    string           `json:"account,omitempty"`
	Annotation string           `json:"annotation,omitempty"`
	Compliance rules.Compliance `json:"compliance"`
	ID         string           `json:"id"`
	Owner      *owner           `json:"owner,omitempty"`
	Region     string           `json:"region,omitempty"`
	Rule       string           `json:"rule"`
	Version    uint32           `json:"ruleVersion,omitzero"`
	Severity   rules.Severity   `json:"severity,omitempty"`
	Type       string           `json:"type"`
}

type owner struct {
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`
}

// state is what is recorded of a verdict that was worked out as known at a
// revision; nil: it ended.
func (r *Record) state(known history.Revision) history.State {
	tags := map[string]string{tagKnown: known.String()}
	if r == nil {
		return history.State{Deleted: true, Tags: tags}
	}
	d := document{
		Account: r.Key.Account, Annotation: r.Annotation, Compliance: r.Compliance, ID: r.Key.ID, Region: r.Key.Region,
		Rule: r.Rule, Version: r.Version, Severity: r.Severity, Type: r.Key.Type,
	}
	if r.Owner != (rules.Owner{}) {
		d.Owner = &owner{r.Owner.Account, r.Owner.Region}
	}
	configuration, err := json.Marshal(d, json.Deterministic(true))
	if err != nil {
		panic(err) // texts that were checked, and a number
	}
	return history.State{Name: r.Rule, Tags: tags, Configuration: configuration}
}

// ReadRecord reads a version of a verdict or of an evaluation. DataLoss if it is
// none, or erased.
func ReadRecord(i *history.Item) (Record, error) {
	var d document
	if err := json.Unmarshal(i.State.Configuration, &d); err != nil {
		return Record{}, &history.Error{Kind: history.DataLoss, Field: i.Key.String(), Text: "holds no verdict that can be read", Err: err}
	}
	r := Record{
		Rule: d.Rule, Key: history.Key{Account: d.Account, Region: d.Region, Type: d.Type, ID: d.ID}, Version: d.Version,
		Severity: d.Severity, Verdict: rules.Verdict{Compliance: d.Compliance, Annotation: d.Annotation},
	}
	if d.Owner != nil {
		r.Owner = rules.Owner{Account: d.Owner.Account, Region: d.Owner.Region}
	}
	return r, nil
}
