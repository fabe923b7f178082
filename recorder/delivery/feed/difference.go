package feed

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/diff"
)

// patches are as short as LCS makes them: an element put into an array is one
// operation.
var patches = diff.Options{LCS: true}

func differenceOf(before, after *history.Item) (Difference, error) {
	var d Difference
	var err error
	if before.Version == 0 && after.Version == 0 {
		return d, nil // nothing is known of either
	}
	if !before.Exists() || !after.Exists() {
		d.Paths = []string{""}
	}
	if before.Erased || after.Erased {
		return d, nil
	}
	if d.Configuration, err = diff.Compute(before.State.Configuration, after.State.Configuration, patches); err != nil {
		return Difference{}, unreadable(after, err)
	}
	a, err := Attributes(before)
	if err != nil {
		return Difference{}, unreadable(before, err)
	}
	b, err := Attributes(after)
	if err != nil {
		return Difference{}, unreadable(after, err)
	}
	if d.Attributes, err = diff.Compute(a, b, patches); err != nil {
		return Difference{}, unreadable(after, err)
	}
	if d.Paths != nil {
		return d, nil
	}
	d.Paths = touched(nil, "/configuration", d.Configuration)
	d.Paths = touched(d.Paths, "", d.Attributes)
	return d, nil
}

func unreadable(item *history.Item, err error) error {
	return &history.Error{Kind: history.DataLoss, Field: item.Key.Type + " " + item.Key.ID,
		Text: "holds a document that cannot be read; run verify", Err: err}
}

// touched adds the places that a patch touches, each once.
func touched(paths []string, prefix string, p diff.Patch) []string {
	seen := make(map[string]bool, len(p))
	add := func(path string) {
		if !seen[path] {
			seen[path] = true
			paths = append(paths, prefix+path)
		}
	}
	for _, op := range p {
		if op.Op == diff.OpMove {
			add(op.From)
		}
		add(op.Path)
	}
	return paths
}

// Attributes is the JSON object of everything that is compared but the
// configuration, in the words of the protocol; nil for what does not exist. The
// status stands in it only if the source gave one.
func Attributes(item *history.Item) ([]byte, error) {
	if !item.Exists() {
		return nil, nil
	}
	type relationship struct {
		Name         string `json:"name"`
		Type         string `json:"type"`
		ID           string `json:"id,omitempty"`
		ResourceName string `json:"resourceName,omitempty"`
		Account      string `json:"account,omitempty"`
		Region       string `json:"region,omitempty"`
	}
	s := &item.State
	object := struct {
		Name             string                    `json:"name,omitempty"`
		ARN              string                    `json:"arn,omitempty"`
		AvailabilityZone string                    `json:"availabilityZone,omitempty"`
		CreatedAt        string                    `json:"createdAt,omitempty"`
		Tags             map[string]string         `json:"tags,omitempty"`
		Supplementary    map[string]jsontext.Value `json:"supplementary,omitempty"`
		Relationships    []relationship            `json:"relationships,omitempty"`
		Status           history.Status            `json:"status,omitempty"`
	}{
		Name: s.Name, ARN: s.ARN, AvailabilityZone: s.AvailabilityZone,
		CreatedAt: s.CreatedAt.String(), Tags: s.Tags, Status: s.Status,
	}
	for _, r := range s.Relationships {
		object.Relationships = append(object.Relationships, relationship(r))
	}
	if len(s.Supplementary) > 0 {
		object.Supplementary = make(map[string]jsontext.Value, len(s.Supplementary))
		for name, raw := range s.Supplementary {
			object.Supplementary[name] = raw
		}
	}
	return json.Marshal(object, json.Deterministic(true))
}
