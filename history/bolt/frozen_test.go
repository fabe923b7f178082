package bolt_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// A frozen store is a file as a released format has it, with what it answers:
// testdata/format<N>.db.gz and testdata/frozen.json, which is the same for all.
// Formats to come are frozen alike before the next one begins:
//
//	VARVE_FREEZE=3 go test -run TestFreeze ./history/bolt
func TestFreeze(t *testing.T) {
	format := os.Getenv("VARVE_FREEZE")
	if format == "" {
		return // it writes testdata
	}
	dir := t.TempDir()
	writeFrozen(t, dir)
	file, err := os.ReadFile(filepath.Join(dir, bolt.FileName))
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	z, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if _, err := z.Write(file); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	s, err := bolt.Open(dir, bolt.Options{Now: frozenNow})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	text, err := json.MarshalIndent(answersOf(t, s), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"format" + format + ".db.gz": packed.Bytes(), "frozen.json": append(text, '\n')} {
		if err := os.WriteFile(filepath.Join("testdata", name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// formats are those that were released before the present one.
var formats = []string{"format1", "format2"}

// TestFrozen opens the stores of every format that was ever released: they
// answer as they did when they were written, and are sound.
func TestFrozen(t *testing.T) {
	for _, format := range formats {
		t.Run(format, func(t *testing.T) {
			dir := t.TempDir()
			thaw(t, format, dir)
			want := frozenAnswers(t)
			for range 2 { // as it was, then merged
				s, err := bolt.Open(dir, bolt.Options{MergeIdle: time.Hour, Now: frozenNow})
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(want, answersOf(t, s)); d != "" {
					t.Errorf("answers (-want +got):\n%s", d)
				}
				if err := errors.Join(s.Merge(), s.Close()); err != nil {
					t.Fatal(err)
				}
				sound(t, dir)
			}
		})
	}
}

// thaw lays a frozen store into a folder.
func thaw(t testing.TB, format, dir string) {
	file, err := frozenFile(format)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, bolt.FileName), file, 0o600); err != nil {
		t.Fatal(err)
	}
}

func frozenFile(format string) ([]byte, error) {
	packed, err := os.ReadFile(filepath.Join("testdata", format+".db.gz"))
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func frozenAnswers(t testing.TB) answers {
	text, err := os.ReadFile(filepath.Join("testdata", "frozen.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want answers
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	return want
}

// sound asserts that verification finds nothing.
func sound(t testing.TB, dir string) bolt.Summary {
	t.Helper()
	sum, err := bolt.Verify(context.Background(), dir, testLinker, func(f bolt.Finding) { t.Error(f) })
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// answers is all that a small store tells.
type answers struct {
	Head     history.Head
	Runs     []history.Run
	Feed     []history.Change
	Versions map[string]version // by key and number
	Known    []known            // whenever it is not as at the revision before
}

type version struct {
	Deleted       bool
	Configuration string
	Supplementary map[string]string
	Tags          map[string]string
	Relationships []history.Relationship
	Name          string
	Given         history.Status
	Origin        string
	Hash          string
	RecordedAt    history.Moment
}

// known is how the history of a resource differs from what was known at the
// revision before: versions that go, and versions that come.
type known struct {
	At    history.Revision
	Key   string
	Gone  []string
	Comes []string
}

func answersOf(t testing.TB, s history.Store) answers {
	t.Helper()
	ctx := context.Background()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	a := answers{Versions: map[string]version{}}
	var err error
	a.Head, err = s.Head(ctx)
	check(err)
	a.Runs, _, err = s.Runs(ctx, "", 1000)
	check(err)
	a.Feed, _, err = s.Changes(ctx, "", 1<<20, 0)
	check(err)
	all, err := s.AsOf(ctx, history.At{})
	check(err)
	items, _, err := all.Items(ctx, history.Query{Deleted: true, Fields: history.FieldsHead})
	check(err)
	last := map[history.Key][]string{}
	for rev := history.Revision(1); rev <= a.Head.Revision; rev++ {
		reader, err := s.AsOf(ctx, history.At{Known: rev})
		check(err)
		for _, i := range items {
			list, _, err := reader.History(ctx, i.Key, history.HistoryQuery{})
			check(err)
			var lines []string
			for _, v := range list {
				lines = append(lines, fmt.Sprintf("v%d %d seen %d until %d, %s, revision %d",
					v.Version, v.CapturedAt, v.LastSeenAt, v.Until, v.Status, v.Revision))
				a.Versions[fmt.Sprintf("%s v%d", i.Key, v.Version)] = versionOf(&v)
			}
			if !slices.Equal(lines, last[i.Key]) {
				a.Known = append(a.Known, known{rev, i.Key.String(), without(last[i.Key], lines), without(lines, last[i.Key])})
				last[i.Key] = lines
			}
		}
	}
	return a
}

// without lists what is in a and not in b.
func without(a, b []string) (list []string) {
	for _, x := range a {
		if !slices.Contains(b, x) {
			list = append(list, x)
		}
	}
	return list
}

func versionOf(i *history.Item) version {
	v := version{
		Deleted: i.State.Deleted, Configuration: string(i.State.Configuration), Tags: i.State.Tags, Name: i.State.Name,
		Relationships: i.State.Relationships, Given: i.State.Status, Hash: fmt.Sprintf("%x", i.Hash), RecordedAt: i.RecordedAt,
		Origin: fmt.Sprintf("%s %s %s %v %s", i.Origin.Provider, i.Origin.Source, i.Origin.Run, i.Origin.Cause, i.Origin.Extras),
	}
	for name, doc := range i.State.Supplementary {
		if v.Supplementary == nil {
			v.Supplementary = map[string]string{}
		}
		v.Supplementary[name] = string(doc)
	}
	return v
}

func frozenNow() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// writeFrozen makes a small store with something of everything: late captures
// that split, extend and join runs of equal state, sightings with origins,
// deletions observed and derived, runs complete, aborted and open, receipts,
// part of it merged and part of it in the log.
func writeFrozen(t testing.TB, dir string) {
	now := frozenNow().Add(-24 * time.Hour)
	s, err := bolt.Open(dir, bolt.Options{
		StoreID: [16]byte{'f', 'r', 'o', 'z', 'e', 'n'}, MergeIdle: time.Hour,
		Now: func() time.Time { now = now.Add(time.Second); return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	recordFrozen(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func recordFrozen(t testing.TB, s *bolt.Store) {
	ctx := context.Background()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const second = 1_000_000
	base := history.MomentOf(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	op := byte(0)
	see := func(run history.RunID, list ...history.Observation) {
		t.Helper()
		op++
		r, err := s.Append(ctx, history.Batch{Op: history.OpID{op, 0xf0}, Run: run, Observations: list})
		check(err)
		for _, res := range r.Results {
			if res.Err != nil && run != "tainted" {
				t.Fatal(res.Err)
			}
		}
	}
	ob := func(id string, at int, doc string) history.Observation {
		o := history.Observation{
			Key:        history.Key{Account: "111122223333", Region: "eu-north-1", Type: "AWS::EC2::Instance", ID: id},
			CapturedAt: base + history.Moment(at)*second,
			Origin: history.Origin{Provider: "aws", Source: fmt.Sprint("at ", at), Extras: []byte(`{"n":1.0}`),
				Cause: history.Cause{Actor: "anna", EventID: fmt.Sprint("e", at), SourceIP: "192.0.2.7"}},
		}
		if doc == "-" {
			o.State = history.State{Deleted: true}
			return o
		}
		o.State = history.State{
			Name: "n-" + id, Tags: map[string]string{"team": "shop", "doc": doc},
			Configuration: fmt.Appendf(nil, `{"filler":"%s","state":"%s"}`, bytes.Repeat([]byte("abcdefgh"), 12), doc),
			Supplementary: map[string][]byte{"policy": []byte(`{"Version":"2012-10-17"}`)},
			Relationships: []history.Relationship{{Name: "Is contained in Vpc", Type: "AWS::EC2::VPC", ID: "vpc-1"}},
		}
		return o
	}
	for n := range 40 { // more than one segment
		see("", ob("long", 10*n, fmt.Sprint("s", n/2*n%7)))
	}
	see("", ob("a", 10, "A"), ob("b", 10, "A"), ob("c", 10, "A"), ob("d", 10, "A"), ob("e", 10, "A"))
	see("", ob("a", 40, "A"), ob("a", 90, "A"), ob("b", 60, "B"), ob("c", 60, "-"))
	see("", ob("a", 20, "C"), ob("b", 60, "C"), ob("b", 50, "B"), ob("c", 5, "A")) // splits; a tie; two that extend
	check(s.Merge())
	_, err := s.OpenRun(ctx, history.Run{ID: "complete", Moment: base + 100*second})
	check(err)
	see("complete", ob("a", 100, "A"), ob("b", 100, "D"), ob("long", 1000, "s0"), ob("c", 100, "E"), ob("d", 100, "A"))
	_, err = s.CloseRun(ctx, "complete", history.CompleteForced, "")
	check(err)
	_, err = s.OpenRun(ctx, history.Run{ID: "aborted", Moment: base + 110*second, Scope: history.Scope{Types: []string{"AWS::EC2::Instance"}}})
	check(err)
	see("aborted", ob("a", 110, "A"), ob("e", 95, "F")) // e was missed at 100
	check(s.Merge())
	_, err = s.CloseRun(ctx, "aborted", history.Abort, "the credentials ran out")
	check(err)
	see("", ob("e", 100, "F"), ob("f", 50, "A")) // takes a derived deletion away; one missed before it was known
	_, err = s.OpenRun(ctx, history.Run{ID: "open", Moment: base + 120*second, Scope: history.Scope{Accounts: []string{"111122223333"}}})
	check(err)
	see("open", ob("a", 120, "A"), ob("b", 120, "G"))
	_, err = s.Append(ctx, history.Batch{Op: history.OpID{op, 0xf1}, Run: "open", Refused: 2, Observations: []history.Observation{ob("b", 130, "")}})
	check(err)
	see("", ob("long", 15, "late"), ob("long", 395, "late"), ob("a", 25, "C"), ob("a", 30, "A"))
}
