package diff_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/varvehq/varve/history/diff"
)

var update = flag.Bool("update", false, "write what the cases in testdata give as what they should give")

// A testCase is a file in testdata: two documents (one that is missing does not
// exist), and what they give: the patch, the changes, and the text that a person
// sees, summary last.
type testCase struct {
	About   string `json:"about"`
	Options struct {
		LCS       bool   `json:"lcs,omitzero"`
		Factorize bool   `json:"factorize,omitzero"`
		Tests     bool   `json:"tests,omitzero"`
		Type      string `json:"type,omitzero"`
	} `json:"options,omitzero"`
	Before  jsontext.Value   `json:"before,omitzero"`
	After   jsontext.Value   `json:"after,omitzero"`
	Patch   []jsontext.Value `json:"patch"`
	Changes []jsontext.Value `json:"changes"`
	Text    []string         `json:"text"`
}

func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var want testCase
			if err := json.Unmarshal(raw, &want, json.RejectUnknownMembers(true)); err != nil {
				t.Fatal(err)
			}
			got := want
			got.run(t)
			if *update {
				if err := os.WriteFile(file, got.format(t), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(string(want.format(t)), string(got.format(t))); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// run fills in what the documents give.
func (c *testCase) run(t *testing.T) {
	before, after := string(c.Before), string(c.After)
	opts := diff.Options{LCS: c.Options.LCS, Factorize: c.Options.Factorize, Tests: c.Options.Tests}
	c.Patch = nil
	for _, op := range checkPatch(t, before, after, opts) {
		text := wire(t, diff.Patch{op})
		c.Patch = append(c.Patch, jsontext.Value(text[1:len(text)-1]))
	}

	changes := checkChanges(t, before, after, diff.ViewOptions{ResourceType: c.Options.Type})
	c.Changes = nil
	for _, change := range changes {
		raw, err := change.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		c.Changes = append(c.Changes, raw)
	}

	var text bytes.Buffer
	if err := diff.Render(&text, changes, false); err != nil {
		t.Fatal(err)
	}
	c.Text = strings.Split(text.String()+diff.Summary(changes), "\n")
}

// format writes a case for people: the documents as they were given, of the rest
// one thing a line.
func (c *testCase) format(t *testing.T) []byte {
	var out bytes.Buffer
	field := func(name string, value any) {
		raw, ok := value.(jsontext.Value)
		if !ok {
			var err error
			if raw, err = json.Marshal(value); err != nil {
				t.Fatal(err)
			}
		}
		out.WriteString(`"` + name + `": `)
		out.Write(raw)
		out.WriteString(",\n")
	}
	list := func(name string, values []jsontext.Value, end string) {
		out.WriteString(`"` + name + `": [`)
		for i, v := range values {
			if i > 0 {
				out.WriteByte(',')
			}
			out.WriteString("\n  ")
			for _, r := range string(v) { // what no one sees is written as an escape
				if unicode.IsPrint(r) {
					out.WriteRune(r)
				} else {
					fmt.Fprintf(&out, `\u%04x`, r)
				}
			}
		}
		out.WriteString("\n]" + end + "\n")
	}

	out.WriteString("{\n")
	field("about", c.About)
	if c.Options != (testCase{}).Options {
		field("options", c.Options)
	}
	if c.Before != nil {
		field("before", c.Before)
	}
	if c.After != nil {
		field("after", c.After)
	}
	list("patch", c.Patch, ",")
	list("changes", c.Changes, ",")
	var text []jsontext.Value
	for _, line := range c.Text {
		quoted, err := jsontext.AppendQuote(nil, line)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, quoted)
	}
	list("text", text, "")
	out.WriteString("}\n")
	return out.Bytes()
}
