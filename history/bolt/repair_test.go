package bolt_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// holdings are what a store holds, in a form in which two can be compared.
type holdings struct {
	histories map[history.Key][]history.Item
	feed      []history.Change
	runs      []history.Run
	documents []history.Document
	known     []history.Revision
	floors    history.Floors
}

func holdingsOf(t *testing.T, dir string) *holdings {
	t.Helper()
	s, err := bolt.Open(dir, bolt.Options{NoSync: true, MergeRecords: 1 << 30, MergeIdle: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, h := context.Background(), &holdings{histories: map[history.Key][]history.Item{}}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.AsOf(ctx, history.At{})
	must(err)
	heads, _, err := all.Items(ctx, history.Query{Deleted: true, Fields: history.FieldsKey})
	must(err)
	for _, head := range heads {
		h.histories[head.Key], _, err = all.History(ctx, head.Key, history.HistoryQuery{Fields: history.FieldsAll})
		must(err)
	}
	h.feed, _, err = s.Changes(ctx, "", 1<<20, 0)
	must(err)
	for i := range h.feed {
		h.feed[i].Position = "" // of another incarnation
	}
	h.runs, _, err = s.Runs(ctx, "", 1000)
	must(err)
	for _, collection := range []string{"state", "dead"} {
		list, _, err := s.Documents(ctx, collection, "", 0)
		must(err)
		h.documents = append(h.documents, list...)
	}
	for n := range 40 {
		rev, err := s.KnownAt(ctx, usedFirst+history.Moment(n)*250_000)
		if !errors.Is(err, history.Compacted) {
			must(err)
		}
		h.known = append(h.known, rev)
	}
	h.floors, err = s.Floors(ctx)
	must(err)
	return h
}

// prunedStore is usedStore of which the older half was pruned.
func prunedStore(t testing.TB, dir string) {
	usedStore(t, dir)
	s, err := bolt.Open(dir, bolt.Options{Linker: testLinker, NoSync: true, MergeIdle: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Prune(context.Background(), history.PruneRequest{Floor: usedFirst + 100_000_000}); err != nil {
		t.Fatal(err)
	}
	for _, batch := range batches(later(usedEstate()[:90]), 30) { // stay in the log
		if _, err := s.Append(context.Background(), history.Batch{Observations: batch}); err != nil {
			t.Fatal(err)
		}
	}
}

// erasedStore is usedStore, all of it merged, with a version erased of many resources.
func erasedStore(t testing.TB, dir string) {
	usedStore(t, dir)
	s, err := bolt.Open(dir, bolt.Options{Linker: testLinker, NoSync: true, MergeIdle: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i, k := range usedKeys()[:200] {
		if err := s.Erase(context.Background(), k, uint32(1+i%4)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Merge(); err != nil {
		t.Fatal(err)
	}
}

// A harm is done to some bytes of the pages in use of a file.
type harm struct {
	name string
	do   func(rnd *rand.Rand, file []byte, page int)
}

var harms = []harm{
	{"nothing", func(*rand.Rand, []byte, int) {}},
	{"a bit", func(rnd *rand.Rand, file []byte, _ int) { file[rnd.IntN(len(file))] ^= 1 << rnd.IntN(8) }},
	{"a bit of a header", func(rnd *rand.Rand, file []byte, page int) {
		file[rnd.IntN(len(file)/page)*page+rnd.IntN(512)] ^= 1 << rnd.IntN(8)
	}},
	{"a byte", func(rnd *rand.Rand, file []byte, _ int) { file[rnd.IntN(len(file))] ^= byte(1 + rnd.IntN(255)) }},
	{"three bytes", func(rnd *rand.Rand, file []byte, _ int) {
		for range 3 {
			file[rnd.IntN(len(file))] ^= byte(1 + rnd.IntN(255))
		}
	}},
	{"a header", func(rnd *rand.Rand, file []byte, page int) {
		file[rnd.IntN(len(file)/page)*page+rnd.IntN(256)] ^= byte(1 + rnd.IntN(255))
	}},
	{"64 bytes", func(rnd *rand.Rand, file []byte, _ int) {
		at := rnd.IntN(len(file) - 64)
		for i := range 64 {
			file[at+i] = byte(rnd.Uint32())
		}
	}},
	{"a sector of zeros", func(rnd *rand.Rand, file []byte, _ int) { clear(file[rnd.IntN(len(file)/512)*512:][:512]) }},
	{"a page of zeros", func(rnd *rand.Rand, file []byte, page int) { clear(file[rnd.IntN(len(file)/page)*page:][:page]) }},
	{"the directory", func(_ *rand.Rand, file []byte, page int) {
		for at := 0; at < len(file); at += page { // the pages that name buckets
			if bytes.Contains(file[at:at+page], []byte("lineage")) || bytes.Contains(file[at:at+page], []byte("segsight")) {
				clear(file[at:][:page])
			}
		}
	}},
	{"a bucket's name", func(rnd *rand.Rand, file []byte, page int) {
		names := []string{"feed", "group", "head", "seen", "sight", "span", "clock", "doc"}
		name := []byte(names[rnd.IntN(len(names))])
		for at := 0; at < len(file); at += page {
			if bytes.Contains(file[at:at+page], []byte("opage")) {
				if n := bytes.Index(file[at:at+page], name); n >= 0 {
					file[at+n] ^= 4
				}
			}
		}
	}},
	{"the count of free pages", func(rnd *rand.Rand, file []byte, page int) {
		clear(file[rnd.IntN(len(file)/page)*page:][:page])
		for at := 0; at < len(file); at += page {
			if b := file[at:]; binary.NativeEndian.Uint64(b) == uint64(at/page+2) && binary.NativeEndian.Uint16(b[8:]) == 16 {
				b[10] ^= byte(1 + rnd.IntN(31))
			}
		}
	}},
	{"eight pages", func(rnd *rand.Rand, file []byte, page int) {
		at := rnd.IntN(len(file)/page-8) * page
		for i := range 8 * page {
			file[at+i] = byte(rnd.Uint32())
		}
	}},
	{"a page number", func(rnd *rand.Rand, file []byte, page int) { // of a page that it follows
		for at := rnd.IntN(len(file)/page) * page; ; at = (at + page) % len(file) {
			b := file[at:]
			if binary.NativeEndian.Uint64(b) == uint64(at/page+2) && binary.NativeEndian.Uint16(b[8:]) == 1 {
				n := 16 + 16*rnd.IntN(int(binary.NativeEndian.Uint16(b[10:])))
				binary.NativeEndian.PutUint64(b[n+8:], uint64(2+rnd.IntN(len(file)/page)))
				return
			}
		}
	}},
	{"one page for another", func(rnd *rand.Rand, file []byte, page int) {
		copy(file[rnd.IntN(len(file)/page)*page:][:page], file[rnd.IntN(len(file)/page)*page:][:page])
	}},
}

// TestRepair damages used files, repairs them, and holds what is there then against
// what was there before: each answer is the right one, or what it lacks is reported.
func TestRepair(t *testing.T) {
	rounds, harms := 4*scale(), harms
	if testing.Short() {
		rounds, harms = 1, harms[:2]
	}
	outcomes := map[string]int{}
	for name, fill := range map[string]func(testing.TB, string){"Used": usedStore, "Pruned": prunedStore, "Erased": erasedStore} {
		if testing.Short() && name != "Used" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			dir := memoryDir(t)
			fill(t, dir)
			whole, err := os.ReadFile(filepath.Join(dir, bolt.FileName))
			if err != nil {
				t.Fatal(err)
			}
			page, pages := os.Getpagesize(), 0
			for meta := range 2 { // see pages.go
				pages = max(pages, int(binary.NativeEndian.Uint64(whole[meta*page+16+40:])))
			}
			want := holdingsOf(t, dir)
			for n, harm := range harms {
				for round := range rounds {
					rnd := rand.New(rand.NewPCG(uint64(n), uint64(round)))
					file := slices.Clone(whole)
					harm.do(rnd, file[2*page:pages*page], page)
					outcomes[repairAndJudge(t, fmt.Sprintf("%s, round %d", harm.name, round), file, want)]++
				}
			}
		})
	}
	t.Logf("repairs: %v", outcomes)
	for _, outcome := range []string{"nothing lost", "mended", "something lost"} {
		if outcomes[outcome] == 0 && !testing.Short() {
			t.Errorf("no repair after which %s", outcome)
		}
	}
}

// repairAndJudge repairs a file and says what came of it.
func repairAndJudge(t *testing.T, round string, file []byte, want *holdings) string {
	t.Helper()
	from, into := memoryDir(t), filepath.Join(memoryDir(t), "new")
	defer os.RemoveAll(from)
	defer os.RemoveAll(filepath.Dir(into))
	path := filepath.Join(from, bolt.FileName)
	if err := os.WriteFile(path, file, 0o400); err != nil {
		t.Fatal(err)
	}
	var losses []bolt.Loss
	content := 0
	_, err := bolt.Repair(context.Background(), from, into, func(l bolt.Loss) {
		if losses = append(losses, l); l.What == bolt.LostContent {
			content++
		}
	}, bolt.CopyOptions{})
	if strings.HasPrefix(round, "a bit") && content > 8 {
		t.Errorf("%s costs the content of %d resources: %v", round, content, losses)
	}
	if now, readErr := os.ReadFile(path); readErr != nil || string(now) != string(file) {
		t.Fatalf("%s: the damaged file was changed: %v", round, readErr)
	}
	if err != nil {
		if !strings.Contains(err.Error(), "restore a backup") && !errors.Is(err, history.NewerFormat) || strings.Contains(err.Error(), "contradict") {
			t.Errorf("%s: %v\n%v", round, err, losses)
		}
		if left, _ := os.ReadDir(into); len(left) > 0 {
			t.Errorf("%s: a repair that failed left %v", round, left)
		}
		t.Log(round, err)
		return "not to be repaired"
	}
	got := holdingsOf(t, into)
	for _, problem := range want.lacking(got, losses) {
		t.Errorf("%s: %s\nlosses: %v", round, problem, losses)
	}
	recordInto(t, into)
	outcome := "nothing lost"
	for _, l := range losses {
		if l.What != bolt.Mended {
			return "something lost"
		}
		outcome = "mended"
	}
	return outcome
}

// lacking lists what a repaired store lacks, or tells differently, without having
// said so.
func (h *holdings) lacking(got *holdings, losses []bolt.Loss) (problems []string) {
	lost := map[bolt.LossKind]bool{}
	content, origin := map[history.Key]bool{}, map[history.Key]bool{}
	for _, l := range losses {
		lost[l.What] = true
		content[l.Key] = content[l.Key] || l.What == bolt.LostContent
		origin[l.Key] = origin[l.Key] || l.What == bolt.LostOrigin
	}
	problem := func(format string, args ...any) {
		if len(problems) < 5 {
			problems = append(problems, fmt.Sprintf(format, args...))
		}
	}
	for k, list := range h.histories {
		is := map[uint32]history.Item{}
		for _, i := range got.histories[k] {
			is[i.Version] = i
		}
		for _, want := range list {
			i, ok := is[want.Version]
			delete(is, want.Version)
			if i.Lost {
				if !content[k] {
					problem("%v v%d is lost, which was not said", k, want.Version)
				}
				want.State, want.Origin, want.Erased, want.Lost = history.State{Deleted: want.State.Deleted}, history.Origin{}, true, true
				want.Hash, want.Status = i.Hash, i.Status
				if lost[bolt.LostClock] || lost[bolt.LostCommit] || want.Revision <= h.floors.Revision {
					want.RecordedAt = i.RecordedAt
				}
			}
			if origin[k] && reflect.DeepEqual(i.Origin, history.Origin{}) {
				want.Origin, want.RecordedAt = i.Origin, i.RecordedAt
			}
			if lost[bolt.LostSightings] || lost[bolt.LostRun] || lost[bolt.LostCommit] || lost[bolt.LostPage] {
				want.LastSeenAt = i.LastSeenAt
			}
			if lost[bolt.LostCommit] { // of what followed
				want.Until = i.Until
			}
			if ok {
				if d := differs(want, i, cmpopts.EquateEmpty()); d != "" {
					problem("%v v%d (-want +got):\n%s", k, want.Version, d)
				}
			} else if !lost[bolt.LostCommit] && !lost[bolt.LostName] && !content[k] {
				problem("%v v%d is missing", k, want.Version)
			}
		}
		for n := range is {
			problem("%v v%d was never recorded", k, n)
		}
	}
	for k := range got.histories {
		if _, ok := h.histories[k]; !ok && !lost[bolt.LostName] {
			problem("%v was never recorded", k)
		}
	}
	h.lackingBeside(got, lost, problem)
	return problems
}

func (h *holdings) lackingBeside(got *holdings, lost map[bolt.LossKind]bool, problem func(string, ...any)) {
	feed := h.feed
	if lost[bolt.LostChanges] || lost[bolt.LostCommit] {
		for len(feed) > 0 && (len(got.feed) == 0 || feed[0].Seq < got.feed[0].Seq) {
			feed = feed[1:]
		}
	}
	if lost[bolt.LostCommit] {
		feed = feed[:min(len(feed), len(got.feed))]
	}
	if lost[bolt.LostName] {
		feed, got.feed = nil, nil
	}
	if d := differs(feed, got.feed, cmpopts.EquateEmpty()); d != "" {
		problem("feed (-want +got):\n%s", d)
	}
	if d := differs(h.runs, got.runs, cmpopts.EquateEmpty()); d != "" && !lost[bolt.LostRun] && !lost[bolt.LostCommit] {
		problem("runs (-want +got):\n%s", d)
	}
	for _, want := range h.documents {
		i := slices.IndexFunc(got.documents, func(d history.Document) bool { return d.Collection == want.Collection && d.Name == want.Name })
		switch {
		case i < 0 && !lost[bolt.LostDocument] && !lost[bolt.LostPage]:
			problem("document %s of %s is missing", want.Name, want.Collection)
		case i >= 0 && differs(want, got.documents[i], cmpopts.EquateEmpty()) != "":
			problem("document (-want +got):\n%s", differs(want, got.documents[i], cmpopts.EquateEmpty()))
		}
	}
	if !lost[bolt.LostClock] && !lost[bolt.LostCommit] && !slices.Equal(h.known, got.known) {
		problem("known: %v, want %v", got.known, h.known)
	}
	if !lost[bolt.LostChanges] {
		if d := differs(h.floors, got.floors, cmpopts.EquateEmpty()); d != "" {
			problem("floors (-want +got):\n%s", d)
		}
	}
}

// recordInto records into a repaired store, merges and verifies it.
func recordInto(t *testing.T, dir string) {
	t.Helper()
	s, err := bolt.Open(dir, bolt.Options{Linker: testLinker, NoSync: true, MergeRecords: 1 << 30, MergeIdle: time.Hour, FutureSlack: 1e6 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	list := later(usedEstate()[:300])
	for i := range list {
		list[i].CapturedAt += 10_000_000_000
	}
	receipt, err := s.Append(ctx, history.Batch{Observations: list})
	for _, r := range receipt.Results {
		err = errors.Join(err, r.Err)
	}
	if err := errors.Join(err, s.Merge(), s.Close()); err != nil {
		t.Error(err)
	}
	if _, err := bolt.Verify(ctx, dir, testLinker, func(f bolt.Finding) { t.Error(f) }); err != nil {
		t.Error(err)
	}
}
