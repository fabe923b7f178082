package realdata_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/recorder"
	"github.com/varvehq/varve/recorder/source"
	"github.com/varvehq/varve/recorder/source/ndjson"
)

const data = "../../../../shared/data"

// sets lists the real sets. Without them there is nothing to test, in CI
// neither: a clone has no such neighbour.
func sets(t *testing.T) []string {
	t.Helper()
	if testing.Short() {
		t.Skip("reads megabytes of real data")
	}
	list, _ := filepath.Glob(filepath.Join(data, "*.ndjson.gz"))
	if len(list) == 0 {
		t.Skip("SKIP: ../shared/data is not there: no real configuration histories to test with")
	}
	return list
}

// line is a line of a set as an independent reader sees it.
type line struct {
	Time          time.Time
	Account       string
	Region        string
	Type          string
	ID            string
	Name          string
	Tags          map[string]string
	Configuration json.RawMessage
	Deleted       bool
}

func (l *line) key() history.Key {
	return history.Key{Account: l.Account, Region: l.Region, Type: l.Type, ID: l.ID}
}

// same reports whether two lines tell the same state.
func (l *line) same(o *line) bool {
	return l.Deleted == o.Deleted && l.Name == o.Name && fmt.Sprint(l.Tags) == fmt.Sprint(o.Tags) &&
		bytes.Equal(l.Configuration, o.Configuration)
}

// replay is the plainest history there is: the lines of each resource in order.
type replay struct {
	keys  []history.Key
	lines map[history.Key][]line
	first time.Time
	last  time.Time
}

func readSet(t *testing.T, path string) ([]byte, *replay) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	r := &replay{lines: map[history.Key][]line{}}
	for text := range bytes.Lines(raw) {
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			t.Fatal(err)
		}
		l.Configuration = canonical(t, l.Configuration)
		if l.Deleted {
			l.Configuration = nil
		}
		k := l.key()
		if r.lines[k] == nil {
			r.keys = append(r.keys, k)
		}
		r.lines[k] = append(r.lines[k], l)
		if r.first.IsZero() {
			r.first = l.Time
		}
		r.last = l.Time
	}
	slices.SortFunc(r.keys, history.Key.Compare)
	return raw, r
}

// canonical is the oracle's form: jsontext with the numbers left as they are.
func canonical(t *testing.T, raw []byte) []byte {
	v := jsontext.Value(bytes.Clone(raw))
	if err := v.Canonicalize(jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false)); err != nil {
		t.Fatal(err)
	}
	return v
}

// at is the line that holds at a moment, and the one its version begins with.
func (r *replay) at(k history.Key, moment time.Time) (now, begin *line) {
	for i := range r.lines[k] {
		l := &r.lines[k][i]
		if l.Time.After(moment) {
			break
		}
		if now == nil || !now.same(l) {
			begin = l
		}
		now = l
	}
	return now, begin
}

// record imports lines and returns what became of them.
func record(t *testing.T, s history.Store, raw []byte) (recorded, unchanged int) {
	rec := recorder.New(s, recorder.Options{})
	in := ndjson.NewReader(bytes.NewReader(raw), ndjson.Options{})
	var batch history.Batch
	flush := func() {
		receipt, err := rec.Record(context.Background(), batch)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range receipt.Results {
			switch {
			case r.Err != nil:
				t.Fatalf("%v: %v", batch.Observations[i].Key, r.Err)
			case r.Unchanged:
				unchanged++
			default:
				recorded++
			}
		}
		batch.Observations = batch.Observations[:0]
	}
	for {
		o, _, err := in.Next()
		var bad *source.LineError
		switch {
		case errors.Is(err, io.EOF):
			flush()
			return recorded, unchanged
		case errors.As(err, &bad):
			t.Fatalf("line %d: %v", bad.Line, bad.Err)
		case err != nil:
			t.Fatal(err)
		}
		if batch.Observations = append(batch.Observations, o); len(batch.Observations) == 1000 {
			flush()
		}
	}
}

func open(t *testing.T) (*bolt.Store, string) {
	dir := t.TempDir()
	s, err := bolt.Open(dir, bolt.Options{NoSync: true, Linker: graph.NewLinker()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, dir
}

// TestSets records every set in order and shuffled, and compares both stores
// with a plain replay of the file: single resources at random moments, and
// whole inventories.
func TestSets(t *testing.T) {
	for _, path := range sets(t) {
		name := strings.TrimSuffix(filepath.Base(path), ".ndjson.gz")
		t.Run(name, func(t *testing.T) {
			raw, truth := readSet(t, path)
			begin := time.Now()
			s, dir := open(t)
			recorded, unchanged := record(t, s, raw)
			took := time.Since(begin)

			lines := slices.Collect(bytes.Lines(raw))
			rnd := rand.New(rand.NewPCG(1, uint64(len(lines))))
			rnd.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
			begin = time.Now()
			shuffled, _ := open(t)
			record(t, shuffled, bytes.Join(lines, nil))
			tookShuffled := time.Since(begin)

			checkPoints(t, rnd, s, truth, 1000)
			checkPoints(t, rnd, shuffled, truth, 1000)
			checkInventories(t, rnd, s, truth, 20)
			checkInventories(t, rnd, shuffled, truth, 20)
			if again, _ := record(t, s, raw); again != 0 {
				t.Errorf("importing the same again recorded %d", again)
			}
			if err := s.Merge(); err != nil {
				t.Fatal(err)
			}
			checkPoints(t, rnd, s, truth, 200)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			sum, err := bolt.Verify(context.Background(), dir, graph.Linker{}, func(f bolt.Finding) { t.Error(f) })
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d lines: %d recorded, %d unchanged in %v, shuffled in %v; contents take %d bytes, %d bytes in use of %d",
				len(lines), recorded, unchanged, took.Round(time.Millisecond), tookShuffled.Round(time.Millisecond), sum.ContentBytes, sum.LiveBytes, sum.FileBytes)
		})
	}
}

// checkPoints asks for random resources at random moments.
func checkPoints(t *testing.T, rnd *rand.Rand, s history.Store, truth *replay, n int) {
	t.Helper()
	for range n {
		k := truth.keys[rnd.IntN(len(truth.keys))]
		moment := truth.moment(rnd, k)
		reader, err := s.AsOf(context.Background(), history.At{Captured: history.MomentOf(moment)})
		if err != nil {
			t.Fatal(err)
		}
		items, err := reader.Get(context.Background(), []history.Key{k}, history.FieldsAll)
		if err != nil {
			t.Fatal(err)
		}
		truth.compare(t, &items[0], moment)
	}
}

// moment picks one near a line of the resource, or anywhere in the set.
func (r *replay) moment(rnd *rand.Rand, k history.Key) time.Time {
	lines := r.lines[k]
	switch t := lines[rnd.IntN(len(lines))].Time; rnd.IntN(4) {
	case 0:
		return t
	case 1:
		return t.Add(-time.Microsecond)
	case 2:
		return t.Add(time.Microsecond)
	}
	return r.first.Add(time.Duration(rnd.Int64N(int64(r.last.Sub(r.first)) + 1)))
}

func (r *replay) compare(t *testing.T, item *history.Item, moment time.Time) {
	t.Helper()
	want, begin := r.at(item.Key, moment)
	switch {
	case want == nil:
		if item.Version != 0 {
			t.Fatalf("%v at %v: version %d, want none yet", item.Key, moment, item.Version)
		}
	case item.Version == 0:
		t.Fatalf("%v at %v: none, want one since %v", item.Key, moment, begin.Time)
	case item.State.Deleted != want.Deleted:
		t.Fatalf("%v at %v: deleted %v, want %v", item.Key, moment, item.State.Deleted, want.Deleted)
	case !bytes.Equal(item.State.Configuration, want.Configuration):
		t.Fatalf("%v at %v: configuration\n%s\nwant\n%s", item.Key, moment, item.State.Configuration, want.Configuration)
	case !item.CapturedAt.Time().Equal(begin.Time):
		t.Fatalf("%v at %v: captured at %v, want %v", item.Key, moment, item.CapturedAt, begin.Time)
	case want.Name != "" && item.State.Name != want.Name:
		t.Fatalf("%v at %v: name %q, want %q", item.Key, moment, item.State.Name, want.Name)
	case len(want.Tags) > 0 && fmt.Sprint(item.State.Tags) != fmt.Sprint(want.Tags):
		t.Fatalf("%v at %v: tags %v, want %v", item.Key, moment, item.State.Tags, want.Tags)
	}
}

// checkInventories asks for everything at random moments.
func checkInventories(t *testing.T, rnd *rand.Rand, s history.Store, truth *replay, n int) {
	t.Helper()
	for range n {
		moment := truth.moment(rnd, truth.keys[rnd.IntN(len(truth.keys))])
		reader, err := s.AsOf(context.Background(), history.At{Captured: history.MomentOf(moment)})
		if err != nil {
			t.Fatal(err)
		}
		items, _, err := reader.Items(context.Background(), history.Query{})
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		for _, k := range truth.keys {
			want, _ := truth.at(k, moment)
			if want == nil || want.Deleted {
				continue
			}
			if i == len(items) || items[i].Key != k {
				t.Fatalf("at %v: %v is missing from the inventory", moment, k)
			}
			truth.compare(t, &items[i], moment)
			i++
		}
		if i != len(items) {
			t.Fatalf("at %v: %v should not be in the inventory", moment, items[i].Key)
		}
	}
}

// TestAnswers compares with answers that were found by other means.
func TestAnswers(t *testing.T) {
	sets(t)
	text, err := os.ReadFile(filepath.Join(data, "answers-sample", "aws-managed-policies.json"))
	if err != nil {
		t.Fatal(err)
	}
	var answers struct {
		Points []struct {
			Account, Type, ID, Status, SHA256 string
			At                                time.Time
		} `json:"point_in_time"`
		Inventory []struct {
			At        time.Time
			Resources uint64
		}
		Versions []struct {
			Account, Type, ID   string
			Versions, Deletions int
		} `json:"version_counts"`
	}
	if err := json.Unmarshal(text, &answers); err != nil || len(answers.Points) == 0 || len(answers.Inventory) == 0 || len(answers.Versions) == 0 {
		t.Fatal("the sample answers hold no answers", err)
	}
	raw, _ := readSet(t, filepath.Join(data, "aws-managed-policies.ndjson.gz"))
	s, _ := open(t)
	record(t, s, raw)
	for _, p := range answers.Points {
		reader, err := s.AsOf(context.Background(), history.At{Captured: history.MomentOf(p.At)})
		if err != nil {
			t.Fatal(err)
		}
		items, err := reader.Get(context.Background(), []history.Key{{Account: p.Account, Region: "global", Type: p.Type, ID: p.ID}}, history.FieldsAll)
		if err != nil {
			t.Fatal(err)
		}
		status, sum := "found", sha256.Sum256(items[0].State.Configuration)
		switch {
		case items[0].Version == 0:
			status = "not-yet"
		case items[0].State.Deleted:
			status = "deleted"
		}
		if status != p.Status || status == "found" && hex.EncodeToString(sum[:]) != p.SHA256 {
			t.Errorf("%s at %v: %s %x, want %s %s", p.ID, p.At, status, sum, p.Status, p.SHA256)
		}
	}
	for _, inv := range answers.Inventory {
		reader, err := s.AsOf(context.Background(), history.At{Captured: history.MomentOf(inv.At)})
		if err != nil {
			t.Fatal(err)
		}
		groups, err := reader.Count(context.Background(), history.Query{}, history.ByNothing)
		if err != nil {
			t.Fatal(err)
		}
		if len(groups) != 1 || groups[0].Count != inv.Resources {
			t.Errorf("at %v: %v resources, want %d", inv.At, groups, inv.Resources)
		}
	}
	reader, err := s.AsOf(context.Background(), history.At{})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range answers.Versions {
		items, _, err := reader.History(context.Background(), history.Key{Account: v.Account, Region: "global", Type: v.Type, ID: v.ID}, history.HistoryQuery{})
		if err != nil {
			t.Fatal(err)
		}
		deletions := 0
		for _, i := range items {
			if i.State.Deleted {
				deletions++
			}
		}
		if len(items)-deletions != v.Versions || deletions != v.Deletions {
			t.Errorf("%s: %d versions and %d deletions, want %d and %d", v.ID, len(items)-deletions, deletions, v.Versions, v.Deletions)
		}
	}
}
