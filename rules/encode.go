package rules

import (
	"cmp"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/history"
)

// What follows is how rules and waivers are recorded: members are added, never
// changed, and one that has nothing to say is left out.

type ruleDocument struct {
	Name        string              `json:"name"`
	Description string              `json:"description,omitzero"`
	Identifier  string              `json:"identifier,omitzero"`
	Scope       scopeDocument       `json:"scope,omitzero"`
	Trigger     string              `json:"trigger"`
	Period      int64               `json:"periodMinutes"`
	Parameters  []parameterDocument `json:"parameters,omitempty"`
	Arguments   map[string]string   `json:"inputParameters,omitempty"`
	Severity    Severity            `json:"severity"`
	Mode        string              `json:"mode"`
	Frameworks  []string            `json:"frameworks,omitempty"`
	Applicable  string              `json:"applicable,omitzero"`
	Compliant   string              `json:"compliant,omitzero"`
	Annotation  string              `json:"annotation,omitzero"`
	External    bool                `json:"external,omitzero"`
	From        string              `json:"effectiveFrom,omitzero"`
}

type scopeDocument struct {
	Types    []string `json:"resourceTypes,omitempty"`
	IDs      []string `json:"resourceIds,omitempty"`
	TagKey   string   `json:"tagKey,omitzero"`
	TagValue string   `json:"tagValue,omitzero"`
	Accounts []string `json:"accounts,omitempty"`
	Regions  []string `json:"regions,omitempty"`
}

// IsZero leaves the scope of everything out.
func (s scopeDocument) IsZero() bool {
	return len(s.Types)+len(s.IDs)+len(s.Accounts)+len(s.Regions) == 0 && s.TagKey == ""
}

type parameterDocument struct {
	Name        string        `json:"name"`
	Type        ParameterType `json:"type"`
	Description string        `json:"description,omitzero"`
	Default     *string       `json:"default,omitzero"`
	Required    bool          `json:"required,omitzero"`
}

type waiverDocument struct {
	Name    string        `json:"name"`
	Rules   []string      `json:"rules,omitempty"`
	Scope   scopeDocument `json:"scope,omitzero"`
	Reason  string        `json:"reason"`
	Author  string        `json:"author"`
	Expires string        `json:"expires,omitzero"`
}

// EncodeRule is what a rule in normal form is recorded as: canonical JSON, the same
// bytes for the same rule. It is effective from a moment; zero: from when the version
// is captured.
func EncodeRule(r *Rule, from history.Moment) ([]byte, error) {
	d := ruleDocument{
		Name: r.Name, Description: r.Description, Identifier: r.Identifier, Scope: scopeDocument(r.Scope),
		Trigger: r.Trigger.String(), Period: int64(r.Period / time.Minute), Arguments: r.Arguments,
		Severity: r.Severity, Mode: r.Mode.String(), Frameworks: r.Frameworks,
		Applicable: r.Applicable, Compliant: r.Compliant, Annotation: r.Annotation, External: r.External,
		From: from.String(),
	}
	for _, p := range r.Parameters {
		d.Parameters = append(d.Parameters, parameterDocument(p))
	}
	return encode(d)
}

// DecodeRule is the rule that EncodeRule wrote, and from when it is effective; its
// error is history.DataLoss.
func DecodeRule(text []byte) (*Rule, history.Moment, error) {
	var d ruleDocument
	if err := decode(text, &d); err != nil {
		return nil, 0, lost("rule", err)
	}
	r := Rule{
		Name: d.Name, Description: d.Description, Identifier: d.Identifier, Scope: Scope(d.Scope),
		Period: time.Duration(d.Period) * time.Minute, Arguments: d.Arguments, Severity: d.Severity, Frameworks: d.Frameworks,
		Applicable: d.Applicable, Compliant: d.Compliant, Annotation: d.Annotation, External: d.External,
	}
	for _, p := range d.Parameters {
		r.Parameters = append(r.Parameters, Parameter(p))
	}
	trigger, err1 := ParseTrigger(d.Trigger)
	mode, err2 := ParseMode(d.Mode)
	from, err3 := parseMoment(d.From)
	r.Trigger, r.Mode = trigger, mode
	if err := cmp.Or(err1, err2, err3, r.Validate()); err != nil {
		return nil, 0, lost("rule", err)
	}
	return &r, from, nil
}

func parseMoment(text string) (history.Moment, error) {
	if text == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	return history.MomentOf(t), err
}

// EncodeWaiver is what a waiver is recorded as: see EncodeRule.
func EncodeWaiver(w *Waiver) ([]byte, error) {
	return encode(waiverDocument{w.Name, w.Rules, scopeDocument(w.Scope), w.Reason, w.Author, w.Expires.String()})
}

// DecodeWaiver is the waiver that EncodeWaiver wrote; its error is history.DataLoss.
func DecodeWaiver(text []byte) (*Waiver, error) {
	var d waiverDocument
	if err := decode(text, &d); err != nil {
		return nil, lost("waiver", err)
	}
	expires, err := parseMoment(d.Expires)
	w := Waiver{Name: d.Name, Rules: d.Rules, Scope: Scope(d.Scope), Reason: d.Reason, Author: d.Author, Expires: expires}
	if err := cmp.Or(err, w.Validate()); err != nil {
		return nil, lost("waiver", err)
	}
	return &w, nil
}

func encode(document any) ([]byte, error) {
	text, err := json.Marshal(document, json.Deterministic(true))
	if err != nil {
		return nil, &history.Error{Kind: history.Invalid, Text: "cannot be written as JSON", Err: err}
	}
	return jsontext.AppendFormat(nil, text,
		jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false), jsontext.ReorderRawObjects(true))
}

func decode(text []byte, document any) error {
	return json.Unmarshal(text, document, json.RejectUnknownMembers(true))
}

func lost(what string, err error) error {
	return &history.Error{Kind: history.DataLoss, Text: "a recorded " + what + " is not one that this version understands", Err: err}
}
