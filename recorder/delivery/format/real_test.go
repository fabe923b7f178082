package format_test

import (
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/recorder/internal/realdata"
	"github.com/varvehq/varve/recorder/source/awsconfig"
)

// TestRealNotification: of a change that AWS Config told of, we tell the same, in
// an item with the same members.
func TestRealNotification(t *testing.T) {
	text, err := os.ReadFile(realdata.Path(t, "native/aws-config/events-and-items/config__app-elb-config-event.json"))
	if err != nil {
		t.Fatal(err)
	}
	var event struct {
		InvokingEvent string `json:"invokingEvent"`
	}
	type notification struct {
		Diff struct {
			Changed map[string]jsontext.Value `json:"changedProperties"`
			Type    string                    `json:"changeType"`
		} `json:"configurationItemDiff"`
		Item        map[string]jsontext.Value `json:"configurationItem"`
		MessageType string                    `json:"messageType"`
		Version     string                    `json:"recordVersion"`
	}
	var real, ours notification
	decode(t, text, &event)
	decode(t, []byte(event.InvokingEvent), &real)
	if len(real.Diff.Changed) != 2 {
		t.Fatalf("it tells of %d changes", len(real.Diff.Changed))
	}

	f, err := os.Open(realdata.Path(t, "native/aws-config/events-and-items/config__app-elb-config-event.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	after, _, err := awsconfig.NewReader(f, awsconfig.Options{}).Next()
	if err != nil {
		t.Fatal(err)
	}
	before := after
	before.State.Supplementary = maps.Clone(after.State.Supplementary)
	before.State.Supplementary["Tags"] = []byte("[]") // both were added
	decode(t, encode(t, "aws-config", noticeOf(t, &before, &after)).Body, &ours)

	if ours.Diff.Type != real.Diff.Type || ours.MessageType != real.MessageType || ours.Version != real.Version {
		t.Errorf("%s %s %s, AWS %s %s %s", ours.Diff.Type, ours.MessageType, ours.Version, real.Diff.Type, real.MessageType, real.Version)
	}
	if !slices.Equal(slices.Sorted(maps.Keys(ours.Diff.Changed)), slices.Sorted(maps.Keys(real.Diff.Changed))) {
		t.Errorf("we tell of %q, AWS of %q", slices.Sorted(maps.Keys(ours.Diff.Changed)), slices.Sorted(maps.Keys(real.Diff.Changed)))
	}
	for path, want := range real.Diff.Changed {
		if got := canonicalOf(t, ours.Diff.Changed[path]); string(got) != string(canonicalOf(t, want)) {
			t.Errorf("%s: %s, AWS %s", path, got, want)
		}
	}
	delete(ours.Item, "varve")
	if !slices.Equal(slices.Sorted(maps.Keys(ours.Item)), slices.Sorted(maps.Keys(real.Item))) {
		t.Errorf("members %q, AWS %q", slices.Sorted(maps.Keys(ours.Item)), slices.Sorted(maps.Keys(real.Item)))
	}
	for name, want := range real.Item {
		if got := canonicalOf(t, ours.Item[name]); name != "varve" && string(got) != string(canonicalOf(t, want)) {
			t.Errorf("%s: %s, AWS %s", name, got, want)
		}
	}
}
