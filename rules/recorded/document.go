package recorded

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/conformance"
)

// What follows is how packs are recorded: members are added, never changed.

type packDocument struct {
	Name         string            `json:"name"`
	Description  string            `json:"description,omitzero"`
	Parameters   []packParameter   `json:"parameters,omitempty"`
	Rules        []packRule        `json:"rules"`
	Remediations []packRemediation `json:"remediations,omitempty"`
	Notes        []packNote        `json:"notes,omitempty"`
	Template     string            `json:"template"`
}

type packParameter struct {
	Name        string  `json:"name"`
	Type        string  `json:"type"`
	Description string  `json:"description,omitzero"`
	Value       *string `json:"value,omitzero"`
	Given       bool    `json:"given,omitzero"`
}

type packRule struct {
	Name        string             `json:"name"`
	LogicalID   string             `json:"logicalId"`
	Identifier  string             `json:"identifier,omitzero"`
	Description string             `json:"description,omitzero"`
	State       conformance.State  `json:"state"`
	Reason      string             `json:"reason,omitzero"`
	Severity    rules.Severity     `json:"severity,omitzero"`
	Controls    []string           `json:"controls,omitempty"`
	Check       string             `json:"check,omitzero"`
	Status      conformance.Status `json:"status,omitzero"`
}

type packRemediation struct {
	LogicalID  string         `json:"logicalId"`
	Rule       string         `json:"rule"`
	TargetType string         `json:"targetType"`
	TargetID   string         `json:"targetId"`
	Properties jsontext.Value `json:"properties,omitzero"`
}

type packNote struct {
	Field  string `json:"field"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Text   string `json:"text"`
}

// observation is what is to be appended to put the pack itself.
func (p *Pack) observation() (history.Observation, error) {
	d := packDocument{Name: p.Name, Description: p.Description, Rules: []packRule{}, Template: p.Template}
	for _, one := range p.Parameters {
		d.Parameters = append(d.Parameters, packParameter(one))
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		d.Rules = append(d.Rules, packRule{
			Name: r.Name, LogicalID: r.LogicalID, Identifier: r.Identifier, Description: r.Description, State: r.State, Reason: r.Reason,
			Severity: r.Severity, Controls: r.Controls, Check: r.Check, Status: r.Status,
		})
	}
	for _, one := range p.Remediations {
		d.Remediations = append(d.Remediations, packRemediation(one))
	}
	for _, one := range p.Notes {
		d.Notes = append(d.Notes, packNote(one))
	}
	o := history.Observation{Key: p.Key(), State: history.State{Name: p.Name}}
	if len(p.AsTold) > 0 {
		o.State.Supplementary = p.AsTold
	}
	text, err := json.Marshal(d, json.Deterministic(true))
	if err != nil {
		return o, &history.Error{Kind: history.Invalid, Field: "template", Text: "cannot be written as JSON", Err: err}
	}
	o.State.Configuration, err = jsontext.AppendFormat(nil, text,
		jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false), jsontext.ReorderRawObjects(true))
	return o, err
}

// ReadPack reads a version of a pack. Of its rules it has what tells them apart;
// those that are judged are recorded beside it. DataLoss if it is none.
func ReadPack(i *history.Item) (Pack, error) {
	var d packDocument
	if err := json.Unmarshal(i.State.Configuration, &d); err != nil {
		return Pack{}, lostPack(i, err)
	}
	p := Pack{Owner: ownerOf(i.Key), Template: d.Template, PutAt: i.CapturedAt, Version: i.Version, AsTold: i.State.Supplementary}
	p.Name, p.Description = d.Name, d.Description
	for _, one := range d.Parameters {
		p.Parameters = append(p.Parameters, conformance.Parameter(one))
	}
	for _, r := range d.Rules {
		p.Rules = append(p.Rules, conformance.Rule{
			Rule:      rules.Rule{Name: r.Name, Identifier: r.Identifier, Description: r.Description, Severity: r.Severity},
			LogicalID: r.LogicalID, State: r.State, Reason: r.Reason, Controls: r.Controls, Check: r.Check, Status: r.Status,
		})
	}
	for _, one := range d.Remediations {
		p.Remediations = append(p.Remediations, conformance.Remediation(one))
	}
	for _, one := range d.Notes {
		p.Notes = append(p.Notes, conformance.Note(one))
	}
	return p, nil
}
