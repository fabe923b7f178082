package answer

import (
	"strconv"

	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// Event is a change of the feed with all there is to tell of it. Before and After
// are null where there is no version, or it was pruned.
type Event struct {
	Change
	Previous    string      `json:"previous"` // sequence that was chosen before; 0: none
	Cause       *Cause      `json:"cause,omitzero"`
	Before      *Item       `json:"before"`
	After       *Item       `json:"after"`
	Patch       []Operation `json:"patch"`
	Attributes  []Operation `json:"attributes"`
	Paths       []string    `json:"paths"`
	Opened      []Reference `json:"opened"`
	Closed      []Reference `json:"closed"`
	Compacted   bool        `json:"compacted,omitzero"`
	Reduced     bool        `json:"reduced,omitzero"`
	FilterError string      `json:"filterError,omitempty"`
}

// Reference is what a version says that its resource uses, or is used by.
type Reference struct {
	Name         string        `json:"name"`
	Inverse      bool          `json:"inverse"`
	Type         string        `json:"type,omitempty"`
	ID           string        `json:"id,omitempty"`
	ResourceName string        `json:"resourceName,omitempty"`
	Identifier   string        `json:"identifier,omitempty"`
	Scope        string        `json:"scope,omitempty"`
	Selector     []Requirement `json:"selector,omitempty"`
	Account      string        `json:"account,omitempty"`
	Region       string        `json:"region,omitempty"`
	Sources      []string      `json:"sources"`
}

// Requirement is what a selector asks of one label.
type Requirement struct {
	Key      string   `json:"key"`
	Operator string   `json:"operator"`
	Values   []string `json:"values"`
}

// EventOf reads a change of the feed.
func EventOf(p *varvev1.ChangeEvent) Event {
	e := Event{
		Change:      ChangeOf(p.GetChange()),
		Previous:    strconv.FormatUint(p.GetPrevious(), 10),
		Cause:       causeOf(p),
		Before:      versionOf(p.GetBefore()),
		After:       versionOf(p.GetAfter()),
		Patch:       operations(p.GetPatch()),
		Attributes:  operations(p.GetAttributes()),
		Paths:       texts(p.GetPaths()),
		Opened:      referencesOf(p.GetOpened()),
		Closed:      referencesOf(p.GetClosed()),
		Compacted:   p.GetCompacted(),
		Reduced:     p.GetReduced(),
		FilterError: p.GetFilterError(),
	}
	return e
}

func versionOf(p *varvev1.Item) *Item {
	if p == nil {
		return nil
	}
	return new(ItemOf(p))
}

func referencesOf(list []*varvev1.Reference) []Reference {
	out := make([]Reference, len(list))
	for i, p := range list {
		out[i] = Reference{
			Name: p.GetName(), Inverse: p.GetInverse(), Type: p.GetType(), ID: p.GetId(), ResourceName: p.GetResourceName(),
			Identifier: p.GetIdentifier(), Scope: p.GetScope(), Account: p.GetAccount(), Region: p.GetRegion(), Sources: texts(p.GetSources()),
		}
		for _, r := range p.GetSelector() {
			out[i].Selector = append(out[i].Selector, Requirement{Key: r.GetKey(), Operator: r.GetOperator(), Values: texts(r.GetValues())})
		}
	}
	return out
}

// texts are never null.
func texts(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
