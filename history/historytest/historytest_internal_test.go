package historytest

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/varvehq/varve/history"
)

func TestInstanceDocument(t *testing.T) {
	for r := range 50 {
		for v := range benchVersions {
			doc := instanceDocument(r, v)
			var value any
			if err := json.Unmarshal(doc, &value); err != nil {
				t.Fatal(err)
			}
			canonical, err := json.Marshal(value) // the keys are ASCII: sorted is sorted
			if err != nil || string(canonical) != string(doc) {
				t.Fatalf("not in canonical form: %v\n%s\n%s", err, doc, canonical)
			}
			if len(doc) < 1800 || len(doc) > 2600 {
				t.Fatalf("%d bytes", len(doc))
			}
			if v > 0 && string(doc) == string(instanceDocument(r, v-1)) {
				t.Fatalf("version %d of %d changes nothing", v, r)
			}
		}
	}
}

func TestSteps(t *testing.T) {
	got := steps(" A@1  [5 b:A@5 A@6] [7]x -@8 ")
	if want := []string{"A@1", "[5 b:A@5 A@6]", "[7]x", "-@8"}; !slices.Equal(got, want) {
		t.Fatalf("%q", got)
	}
}

// The definition itself, on the examples of package history's own words.
func TestStory(t *testing.T) {
	tell := func(evidence string, missed ...history.Moment) (told string) {
		var facts []fact
		for i := 0; i < len(evidence); i += 2 {
			s := letter(evidence[i : i+1])
			facts = append(facts, fact{
				at: history.Moment(evidence[i+1] - '0'), rev: history.Revision(i), state: s, hash: history.HashContent(s.AppendContent(nil)),
			})
		}
		for _, v := range story(facts, missed) {
			name := "-"
			if !v.state.Deleted {
				name = v.state.Name[len("name-"):]
			}
			told += fmt.Sprint(name, int64(v.at))
		}
		return told
	}
	for _, c := range []struct {
		evidence string
		missed   []history.Moment
		want     string
	}{
		{"A1A4B6A9", nil, "A1B6A9"},
		{"A1C2A4B6A9", nil, "A1C2A4B6A9"},
		{"A3B3A3", nil, "A3B3A3"},
		{"A1A7", []history.Moment{5}, "A1-5A7"},
		{"A1A5", []history.Moment{5}, "A1"},
		{"A1-3", []history.Moment{5}, "A1-3"},
		{"A1-7", []history.Moment{5}, "A1-5"},
		{"A1B6", []history.Moment{5, 8}, "A1-5B6-8"},
		{"A3", []history.Moment{1, 2, 5, 8}, "A3-5"},
	} {
		if got := tell(c.evidence, c.missed...); got != c.want {
			t.Errorf("%s missed at %v: got %s, want %s", c.evidence, c.missed, got, c.want)
		}
	}
}
