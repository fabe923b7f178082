package graph_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
)

var update = flag.Bool("update", false, "write the edges found into testdata/edges; then read them")

// item is a live resource in a case.
type item struct {
	Account, Region, Type, ID, Name, ARN string
	Tags                                 map[string]string
	Configuration                        json.RawMessage
	Supplementary                        map[string]json.RawMessage
	Relationships                        []history.Relationship
}

// owner is what the item claims.
func (i *item) owner(t *testing.T) graph.Owner {
	t.Helper()
	k := history.Key{Account: i.Account, Region: i.Region, Type: i.Type, ID: i.ID}
	s := history.State{Name: i.Name, ARN: i.ARN, Tags: i.Tags, Relationships: i.Relationships}
	if i.Configuration != nil {
		s.Configuration = canonical(t, i.Configuration)
	}
	if i.Supplementary != nil {
		s.Supplementary = map[string][]byte{}
		for name, doc := range i.Supplementary {
			s.Supplementary[name] = canonical(t, doc)
		}
	}
	s.Normalize()
	return graph.Owner{Key: k, Claims: graph.Extract(k, &s)}
}

func readOwners(t *testing.T, text []byte) []graph.Owner {
	t.Helper()
	var owners []graph.Owner
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	for {
		var i item
		if err := d.Decode(&i); errors.Is(err, io.EOF) {
			return owners
		} else if err != nil {
			t.Fatal(err)
		}
		owners = append(owners, i.owner(t))
	}
}

// edgeLines writes edges as cases do: user, relationship, used, reasons.
func edgeLines(edges []graph.Relationship) string {
	var b strings.Builder
	for _, e := range edges {
		fmt.Fprintf(&b, "%s | %s | %s |", e.From, e.Name, e.To)
		for _, r := range e.Reasons {
			fmt.Fprintf(&b, " %s", r)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// TestEdges joins the resources of each case in testdata/edges and compares
// with the edges which stand there: all of them, so that what looks like a
// reference and is none belongs into a case as well. A file NAME is followed by
// the file NAME.edges.
func TestEdges(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "edges", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i+1 < len(archive.Files); i += 2 {
				given, want := archive.Files[i], &archive.Files[i+1]
				t.Run(given.Name, func(t *testing.T) {
					if want.Name != given.Name+".edges" {
						t.Fatalf("%s is followed by %s", given.Name, want.Name)
					}
					all := readOwners(t, given.Data)
					got := edgeLines(graph.Join(all, graph.Populate(all)))
					if *update {
						want.Data = []byte(got)
					}
					if diff := cmp.Diff(string(want.Data), got); diff != "" {
						t.Errorf("edges (-want +got)\n%s", diff)
					}
				})
			}
			if *update {
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
