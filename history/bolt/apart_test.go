package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// TestDamagedIsSetApart damages what is merged of one resource and records more of it
// and of others: all that is sound is merged and told, again and again, and when the
// damage is mended nothing that was acknowledged is missing.
func TestDamagedIsSetApart(t *testing.T) {
	const others = 200
	ctx, dir := context.Background(), memoryDir(t)
	path := filepath.Join(dir, bolt.FileName)
	replace := func(old, with string) {
		t.Helper()
		file, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(file, []byte(old)) {
			t.Fatal("nothing to replace", err)
		}
		if err := os.WriteFile(path, bytes.ReplaceAll(file, []byte(old), []byte(with)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var s *bolt.Store
	open := func() {
		s = openWith(t, dir, bolt.Options{Linker: graph.NewLinker(), MergeIdle: time.Hour})
	}
	closeIt := func() {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	moment, versions := firstMoment, 0
	acknowledged, captured := []string{}, history.Moment(0) // of the damaged resource
	write := func() {
		t.Helper()
		versions++
		moment += 1_000_000
		text := fmt.Sprintf(`{"a":"version %d, DAMAGE-ME"}`, versions)
		if versions > 1 {
			text = fmt.Sprintf(`{"a":"version %d"}`, versions)
		}
		b := history.Batch{Observations: []history.Observation{observed(0, moment, text)}}
		for r := range others {
			b.Observations = append(b.Observations, observed(1+r, moment, fmt.Sprintf(`{"n":%d}`, versions)))
		}
		b.Observations = append(b.Observations, observed(10_000+versions, moment, `{}`)) // a new one each time
		receipt, err := s.Append(ctx, b)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range receipt.Results {
			switch {
			case r.Err == nil && i == 0:
				acknowledged, captured = append(acknowledged, text), moment
			case r.Err != nil && (i > 0 || !errors.Is(r.Err, history.DataLoss)):
				t.Fatal(i, r.Err)
			}
		}
	}
	merge := func() {
		t.Helper()
		if err := s.Merge(); !errors.Is(err, history.DataLoss) {
			t.Fatalf("merge: got %v, want DataLoss", err)
		}
		if err := s.Merge(); !errors.Is(err, history.DataLoss) {
			t.Fatalf("merge of nothing: got %v, want DataLoss", err)
		}
	}
	look := func() {
		t.Helper()
		reader, err := s.AsOf(ctx, history.At{})
		if err != nil {
			t.Fatal(err)
		}
		for r := range others {
			items, _, err := reader.History(ctx, observed(1+r, 0, "").Key, history.HistoryQuery{Fields: history.FieldsAll})
			if err != nil || len(items) != versions || string(items[0].State.Configuration) != fmt.Sprintf(`{"n":%d}`, versions) {
				t.Fatalf("%d versions of %d: %v", len(items), versions, err)
			}
		}
		for v := range versions {
			items, err := reader.Get(ctx, []history.Key{observed(10_001+v, 0, "").Key}, history.FieldsKey)
			if err != nil || !items[0].Exists() {
				t.Fatal("a new resource is missing", err)
			}
		}
		if _, _, err := reader.History(ctx, observed(0, 0, "").Key, history.HistoryQuery{Fields: history.FieldsAll}); !errors.Is(err, history.DataLoss) {
			t.Fatalf("the damaged one: got %v, want DataLoss", err)
		}
		damaged, err := reader.Get(ctx, []history.Key{observed(0, 0, "").Key}, history.FieldsKey)
		if err != nil || damaged[0].Version != uint32(len(acknowledged)) || damaged[0].CapturedAt != captured {
			t.Fatalf("what there is of the damaged one: got %+v, want version %d of %d, %v", damaged, len(acknowledged), captured, err)
		}
		changes, _, err := s.Changes(ctx, "", 1<<20, 0)
		if want := versions*(others+1) + len(acknowledged); err != nil || len(changes) != want {
			t.Fatalf("%d changes, want %d, %v", len(changes), want, err)
		}
	}

	open()
	write()
	if err := s.Merge(); err != nil {
		t.Fatal(err)
	}
	closeIt()
	replace("DAMAGE-ME", "damaged!!")

	for range 3 {
		open()
		for range 2 {
			write()
			write()
			look()
			merge()
			look()
			if stats, err := s.Stats(ctx); err != nil || stats.Unmerged > 20 || stats.Apart != 1 {
				t.Fatalf("%d records are not merged, %d resources are apart, %v", stats.Unmerged, stats.Apart, err)
			}
			write()
			merge()
			look()
		}
		if err := s.Erase(ctx, observed(1, 0, "").Key, 1); err != nil {
			t.Fatal("erase of another one:", err)
		}
		if err := s.Erase(ctx, observed(0, 0, "").Key, uint32(len(acknowledged))); !errors.Is(err, history.DataLoss) {
			t.Fatalf("erase of the damaged one: got %v, want DataLoss", err)
		}
		write()
		closeIt()
		found := false
		_, err := bolt.Verify(ctx, dir, nil, func(f bolt.Finding) { found = found || f.Bucket == "seg" })
		if err != nil || !found {
			t.Fatal("verify finds no damage", err)
		}
	}

	repaired := filepath.Join(memoryDir(t), "new")
	var lost []string
	if _, err := bolt.Repair(ctx, dir, repaired, func(l bolt.Loss) { lost = append(lost, l.Text) }, bolt.CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	if len(lost) != 1 || lost[0] != "the content of version 1" {
		t.Fatalf("a repair loses %q", lost)
	}
	s = openWith(t, repaired, bolt.Options{})
	whole := historyOf(t, s, observed(0, 0, "").Key)
	if first := whole[len(whole)-1]; len(whole) != len(acknowledged) || !first.Lost || first.Version != 1 {
		t.Fatalf("%d versions of %d after a repair; the first is %+v", len(whole), len(acknowledged), first)
	}
	for i, item := range whole[:len(whole)-1] {
		if want := acknowledged[len(acknowledged)-1-i]; string(item.State.Configuration) != want || item.Lost {
			t.Fatalf("after a repair version %d is %s, want %s", item.Version, item.State.Configuration, want)
		}
	}
	for r := range others {
		if n := len(historyOf(t, s, observed(1+r, 0, "").Key)); n != versions {
			t.Fatalf("%d versions of %d after a repair", n, versions)
		}
	}
	closeIt()

	replace("damaged!!", "DAMAGE-ME")
	open()
	if err := s.Merge(); err != nil {
		t.Fatal("merge after the damage was mended:", err)
	}
	if stats, err := s.Stats(ctx); err != nil || stats.Apart != 0 {
		t.Fatalf("%d resources are still apart, %v", stats.Apart, err)
	}
	items := historyOf(t, s, observed(0, 0, "").Key)
	if len(items) != len(acknowledged) || len(items) < 5 {
		t.Fatalf("%d versions of %d", len(items), len(acknowledged))
	}
	for i, item := range items {
		if want := acknowledged[len(acknowledged)-1-i]; string(item.State.Configuration) != want {
			t.Fatalf("version %d is %s, want %s", item.Version, item.State.Configuration, want)
		}
	}
	closeIt()
	if _, err := bolt.Verify(ctx, dir, nil, func(f bolt.Finding) { t.Error(f) }); err != nil {
		t.Fatal(err)
	}
}

// TestApartIsCounted mends damage while the store is open: what was set apart counts
// until it is merged.
func TestApartIsCounted(t *testing.T) {
	ctx, dir := context.Background(), memoryDir(t)
	s := openWith(t, dir, bolt.Options{MergeIdle: time.Hour})
	add := func(n history.Moment, text string) {
		t.Helper()
		if _, err := s.Append(ctx, history.Batch{Observations: []history.Observation{observed(0, firstMoment+n*1_000_000, text)}}); err != nil {
			t.Fatal(err)
		}
	}
	apart := func(want uint64) {
		t.Helper()
		if stats, err := s.Stats(ctx); err != nil || stats.Apart != want {
			t.Errorf("%d resources are apart, want %d; %v", stats.Apart, want, err)
		}
	}
	replace := func(old, with string) {
		t.Helper()
		file, err := os.OpenFile(filepath.Join(dir, bolt.FileName), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		whole, err := os.ReadFile(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; ; {
			i := bytes.Index(whole[at:], []byte(old))
			if i < 0 {
				return
			}
			if _, err := file.WriteAt([]byte(with), int64(at+i)); err != nil {
				t.Fatal(err)
			}
			at += i + len(old)
		}
	}
	add(1, `{"a":"DAMAGE-ME"}`)
	if err := s.Merge(); err != nil {
		t.Fatal(err)
	}
	add(2, `{"a":2}`)
	replace("DAMAGE-ME", "damaged!!")
	if err := s.Merge(); !errors.Is(err, history.DataLoss) {
		t.Fatalf("merge: got %v, want DataLoss", err)
	}
	apart(1)
	replace("damaged!!", "DAMAGE-ME")
	if err := s.TakeUpHeld(); err != nil {
		t.Fatal(err)
	}
	apart(1)
	if err := s.Merge(); err != nil {
		t.Fatal(err)
	}
	apart(0)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// historyOf is all that there is of a resource, newest first.
func historyOf(t *testing.T, s *bolt.Store, k history.Key) []history.Item {
	t.Helper()
	reader, err := s.AsOf(context.Background(), history.At{})
	if err != nil {
		t.Fatal(err)
	}
	items, _, err := reader.History(context.Background(), k, history.HistoryQuery{Fields: history.FieldsAll})
	if err != nil {
		t.Fatal(err)
	}
	return items
}
