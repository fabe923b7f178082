package bolt_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// TestFlippedBytes flips bits and bytes all over a used file, one at a time, and
// each time verifies it and asks it everything. What verification does not find
// must change no answer; what it finds may make an answer DataLoss. Nothing may
// kill the process: it is a process of its own, so that its death would be seen.
func TestFlippedBytes(t *testing.T) {
	flips := 80 * scale()
	if testing.Short() {
		flips = 6
	}
	dir := memoryDir(t)
	usedStore(t, dir)
	outcomes := map[string]int{}
	for from := 0; from < flips; {
		from = flipSome(t, dir, from, flips, outcomes)
	}
	t.Logf("%d flips: %v", flips, outcomes)
	for outcome, n := range outcomes {
		if strings.HasPrefix(outcome, "BAD") {
			t.Errorf("%s: %d", outcome, n)
		}
	}
	if !testing.Short() && (outcomes["found, DataLoss or right"] == 0 || outcomes["not found, all right"] == 0) {
		t.Error("the flips do not reach what they should")
	}
}

// flipSome runs the child from one flip on and returns with which one to go on:
// after the one that killed it.
func flipSome(t *testing.T, dir string, from, to int, outcomes map[string]int) int {
	cmd := exec.Command(os.Args[0], "-test.run=^TestFlippingChild$")
	cmd.Env = append(os.Environ(), "VARVE_TEST_FLIPS="+dir, fmt.Sprint("VARVE_TEST_FROM=", from), fmt.Sprint("VARVE_TEST_TO=", to))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	patience := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	flip := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		patience.Reset(time.Minute)
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "flip":
			flip = rest
			from++
		case "outcome":
			outcomes[rest]++
			if strings.HasPrefix(rest, "BAD") {
				t.Errorf("%s: %s", flip, rest)
			}
		case "note":
			t.Logf("%s: %s", flip, rest)
		}
	}
	if err := cmd.Wait(); err != nil {
		outcomes["BAD: the process died"]++
		text := stderr.String()
		t.Errorf("%s: %v\n%s", flip, err, text[:min(len(text), 4000)])
	}
	return from
}

// TestFlippingChild is the process of TestFlippedBytes.
func TestFlippingChild(t *testing.T) {
	origin := os.Getenv("VARVE_TEST_FLIPS")
	if origin == "" {
		return // not asked to be one
	}
	from, _ := strconv.Atoi(os.Getenv("VARVE_TEST_FROM"))
	to, _ := strconv.Atoi(os.Getenv("VARVE_TEST_TO"))
	whole, err := os.ReadFile(filepath.Join(origin, bolt.FileName))
	if err != nil {
		t.Fatal(err)
	}
	dir := memoryDir(t)
	path := filepath.Join(dir, bolt.FileName)
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	right, err := askEverything(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for i := from; i < to; i++ {
		at, mask := flipOf(i, whole)
		fmt.Printf("flip %d: byte %d of page %d ^ %#02x\n", i, at%int64(os.Getpagesize()), at/int64(os.Getpagesize()), mask)
		if _, err := file.WriteAt([]byte{whole[at] ^ mask}, at); err != nil {
			t.Fatal(err)
		}
		findings := 0
		if _, err := bolt.Verify(context.Background(), dir, testLinker, func(bolt.Finding) { findings++ }); err != nil {
			findings++
		}
		fmt.Println("outcome", judgeFlip(dir, right, findings > 0))
		if i%4 == 0 {
			writeInto(t, path)
		}
		if _, err := file.WriteAt(whole[at:at+1], at); err != nil {
			t.Fatal(err)
		}
	}
	if now, err := os.ReadFile(path); err != nil || sha256.Sum256(now) != sha256.Sum256(whole) {
		fmt.Println("outcome BAD: questions changed the file")
	}
}

// flipOf chooses a byte of the pages in use, every third time where a page's
// header and elements stand, every fifth where small buckets do, and what to flip
// in it.
func flipOf(i int, whole []byte) (at int64, mask byte) {
	rnd := rand.New(rand.NewPCG(7, uint64(i)))
	page := os.Getpagesize()
	pages := 0
	for meta := range 2 { // see pages.go
		pages = max(pages, int(binary.NativeEndian.Uint64(whole[meta*page+16+40:])))
	}
	mask = byte(1) << rnd.IntN(8)
	if rnd.IntN(2) == 0 {
		mask = byte(1 + rnd.IntN(255))
	}
	if i%3 == 0 {
		return int64(rnd.IntN(pages)*page + rnd.IntN(256)), mask
	}
	if i%5 == 1 { // where buckets stand within the page of another
		for n := range pages {
			if at := n * page; bytes.HasPrefix(whole[at+8:], []byte{2, 0}) && bytes.Contains(whole[at:at+page], []byte("opage")) {
				return int64(at + rnd.IntN(page/2)), mask
			}
		}
	}
	return int64(rnd.IntN(pages * page)), mask
}

func judgeFlip(dir string, right map[string]string, found bool) string {
	answers, err := askEverything(dir, right)
	if errors.Is(err, history.DataLoss) {
		if !found {
			return "BAD: not to be opened, but verification finds nothing"
		}
		return "found, DataLoss when opened"
	}
	if err != nil {
		return "BAD: " + err.Error()
	}
	loss, wrong := 0, ""
	for question, answer := range answers {
		switch {
		case answer == right[question]:
		case answer == dataLoss:
			loss++
		default:
			wrong = question + ": " + answer
		}
	}
	switch {
	case wrong != "" && !found:
		return "BAD: not found, wrong: " + wrong
	case wrong != "" && strings.Contains(wrong, "error"):
		return "BAD: " + wrong
	case wrong != "":
		fmt.Println("note wrong", wrong[:min(len(wrong), 60)])
		return "found, answers wrong"
	case loss > 0 && !found:
		return "BAD: DataLoss, but verification finds nothing"
	case loss > 0:
		return "found, DataLoss or right"
	case found:
		return "found, all right"
	}
	return "not found, all right"
}

const dataLoss = "DataLoss"

// askEverything opens a store and asks it for all it knows. The questions are
// named; answers are in short. With the right answers given it asks for the
// resources that those name.
func askEverything(dir string, right map[string]string) (map[string]string, error) {
	s, err := bolt.Open(dir, bolt.Options{Linker: testLinker, MergeRecords: 1 << 30, MergeBytes: 1 << 40, MergeIdle: time.Hour})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	ctx := context.Background()
	answers := map[string]string{}
	note := func(question string, answer any, err error) {
		switch {
		case errors.Is(err, history.DataLoss):
			answers[question] = dataLoss
		case err != nil:
			answers[question] = "error " + err.Error()
		default:
			answers[question] = digest(answer)
		}
	}
	head, err := s.Head(ctx)
	note("head", head, err)
	for _, at := range []history.At{
		{}, {Captured: usedFirst + 100_000_000}, {Captured: usedFirst + 1_500_000_000}, {Captured: usedFirst + 3_000_000_000, Known: 1900},
		{Known: 900}, {Known: 1}, // without the last commit, which a damaged meta page hides, none is ahead
	} {
		r, err := s.AsOf(ctx, at)
		if err != nil {
			note(fmt.Sprint("reader ", at), nil, err)
			continue
		}
		items, _, err := r.Items(ctx, history.Query{Deleted: true})
		note(fmt.Sprint("items ", at), items, err)
		heads, _, err := r.Items(ctx, history.Query{Type: "AWS::EC2::Instance", Fields: history.FieldsHead})
		note(fmt.Sprint("heads ", at), heads, err)
		groups, err := r.Count(ctx, history.Query{}, history.ByType)
		note(fmt.Sprint("count ", at), groups, err)
		for n, k := range usedKeys() {
			all, _, err := r.History(ctx, k, history.HistoryQuery{})
			if at == (history.At{}) || n%16 == 0 {
				note(fmt.Sprint("history ", k, at), all, err)
			}
			got, err := r.Get(ctx, []history.Key{k}, history.FieldsAll)
			note(fmt.Sprint("get ", k, at), got, err)
			if n%16 == 0 {
				found, err := r.Find(ctx, k.Type, k.ID)
				note(fmt.Sprint("find ", k, at), found, err)
				v, err := r.Version(ctx, k, 1)
				if errors.Is(err, history.NotFound) {
					err = nil
				}
				note(fmt.Sprint("version ", k, at), v, err)
			}
		}
	}
	var feed []history.Change
	position, err := s.PositionAt(ctx, 1)
	note("start", position, err)
	for err == nil {
		var list []history.Change
		if list, position, err = s.Changes(ctx, position, 500, 0); len(list) == 0 {
			break
		}
		feed = append(feed, list...)
	}
	note("feed", feed, err)
	runs, _, err := s.Runs(ctx, "", 100)
	note("runs", runs, err)
	for _, collection := range []string{"state", "dead", "empty"} {
		list, _, err := s.Documents(ctx, collection, "", 0)
		note("documents "+collection, list, err)
		for n := range 20 {
			doc, err := s.Document(ctx, collection, fmt.Sprint(2*n))
			if errors.Is(err, history.NotFound) {
				err = nil
			}
			note(fmt.Sprint("document ", collection, n), doc, err)
		}
	}
	for n := range 20 {
		rev, err := s.KnownAt(ctx, usedFirst+history.Moment(n)*1_000_000)
		note(fmt.Sprint("known ", n), rev, err)
	}
	return answers, nil
}

// digest is an answer in short.
func digest(answer any) string {
	var b []byte
	switch answer := answer.(type) {
	case []history.Item:
		for _, item := range answer {
			b = append(b, digest(item)...)
		}
	case history.Item:
		b = answer.State.AppendContent(b)
		answer.State = history.State{}
		b = fmt.Appendf(b, "%+v", answer)
	default:
		b = fmt.Appendf(b, "%+v", answer)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// writeInto records into a copy of a damaged store, repeats an operation, and
// merges: that may be refused, and must end.
func writeInto(t *testing.T, path string) {
	dir := memoryDir(t)
	defer os.RemoveAll(dir)
	from, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.Create(filepath.Join(dir, bolt.FileName))
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(to, from)
	if err := errors.Join(err, to.Close()); err != nil {
		t.Fatal(err)
	}
	s, err := bolt.Open(dir, bolt.Options{Linker: testLinker, NoSync: true, MergeRecords: 1 << 30, MergeIdle: time.Hour})
	if err != nil {
		return
	}
	defer s.Close()
	ctx := context.Background()
	list := usedEstate()
	for _, b := range []history.Batch{
		{Op: history.OpID{1}, Observations: list[:100]},
		{Op: history.OpID{99}, Observations: later(list[:300])},
	} {
		if _, err := s.Append(ctx, b); err != nil && !errors.Is(err, history.DataLoss) && !errors.Is(err, history.Unavailable) {
			fmt.Println("outcome BAD: append:", err)
		}
	}
	if err := s.Merge(); err != nil && !errors.Is(err, history.DataLoss) && !errors.Is(err, history.Unavailable) {
		fmt.Println("outcome BAD: merge:", err)
	}
	_, err = s.PutDocuments(ctx, []history.DocumentWrite{document("state", "1", "again"), document("new", "1", "new"), {Collection: "dead", Name: "38"}})
	if err != nil && !errors.Is(err, history.DataLoss) && !errors.Is(err, history.Unavailable) {
		fmt.Println("outcome BAD: put:", err)
	}
}

const (
	usedFirst     = history.Moment(1_700_000_000_000_000)
	usedResources = 300
)

var (
	usedEstate = sync.OnceValue(func() []history.Observation { return estate(usedResources, 5) })

	usedKeys = sync.OnceValue(func() []history.Key {
		var keys []history.Key
		for _, o := range usedEstate()[:usedResources] {
			keys = append(keys, o.Key)
		}
		return append(keys, history.Key{Type: "T", ID: "never recorded"})
	})
)

// later makes new versions of what was observed.
func later(list []history.Observation) []history.Observation {
	list = append([]history.Observation(nil), list...)
	for i := range list {
		list[i].CapturedAt += 10_000_000_000
		list[i].State.Configuration = fmt.Appendf(nil, `{"later":%d}`, i)
	}
	return list
}

// usedStore makes a closed store that has everything in it: merged versions and
// sightings, late ones, deletions, runs and their sets, operations, pages that
// were freed, and commits that are only in the log.
func usedStore(t testing.TB, dir string) {
	now := usedFirst
	s, err := bolt.Open(dir, bolt.Options{
		Linker: testLinker,
		NoSync: true, MergeRecords: 1 << 30, MergeIdle: time.Hour, FutureSlack: 1000 * time.Hour, StoreID: [16]byte{1},
		Now: func() time.Time { now += 250_000; return now.Time() },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	add := func(b history.Batch) {
		receipt, err := s.Append(ctx, b)
		for _, r := range receipt.Results {
			err = errors.Join(err, r.Err)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	list := usedEstate()
	for n, batch := range batches(list, 100) {
		if n == len(list)/100-1 {
			break
		}
		add(history.Batch{Op: history.OpID{byte(n + 1)}, Observations: batch})
		if n%3 == 2 {
			if err := s.Merge(); err != nil {
				t.Fatal(err)
			}
		}
		if n%4 == 3 { // seen again, in a run and outside of one
			id := history.RunID(fmt.Sprint("run-", n))
			if _, err := s.OpenRun(ctx, history.Run{ID: id}); err != nil {
				t.Fatal(err)
			}
			again := append([]history.Observation(nil), batch...)
			for i := range again {
				again[i].CapturedAt += 500_000
			}
			add(history.Batch{Run: id, Observations: again[:75]})
			add(history.Batch{Observations: again[50:]})
			if _, err := s.CloseRun(ctx, id, history.CompleteForced, ""); err != nil {
				t.Fatal(err)
			}
		}
	}
	someDocuments(t, s)
	late := append([]history.Observation(nil), list[600:700]...)
	for i := range late {
		late[i].CapturedAt -= 100_500_000
		late[i].State.Configuration = []byte(`{"late":true}`)
	}
	add(history.Batch{Observations: late})
	if err := s.Merge(); err != nil {
		t.Fatal(err)
	}
	for _, batch := range batches(list[len(list)-100:], 30) { // stay in the log
		add(history.Batch{Observations: batch})
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := bolt.Verify(ctx, dir, testLinker, func(f bolt.Finding) { t.Error(f) }); err != nil || t.Failed() {
		t.Fatal("the store is damaged before anything was done to it", err)
	}
}
