package server_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/api/internal/apitest"
	"github.com/varvehq/varve/api/server"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/history/memory"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// watching is a stream of changes that a test reads.
type watching struct {
	testing.TB
	stream varvev1.WatchService_WatchChangesClient
	last   string // position

	previous uint64 // sequence that wantDense read last
}

// watch begins a stream and reads its first mark.
func watch(t testing.TB, d *apitest.Doors, req *varvev1.WatchChangesRequest) *watching {
	t.Helper()
	stream, err := d.Watch.WatchChanges(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	w := &watching{TB: t, stream: stream}
	m, err := stream.Recv()
	if err != nil || m.GetProgress().GetPosition() == "" {
		t.Fatalf("the stream begins with %v, %v", m, err)
	}
	w.last = m.GetProgress().GetPosition()
	return w
}

// next is the next change; marks before it are passed over.
func (w *watching) next() *varvev1.ChangeEvent {
	w.Helper()
	for {
		m, err := w.stream.Recv()
		if err != nil {
			w.Fatal(err)
		}
		if p := m.GetProgress(); p != nil {
			w.last = p.GetPosition()
			continue
		}
		w.last = m.GetChange().GetChange().GetPosition()
		return m.GetChange()
	}
}

// wantDense reads changes and holds them against a dense sequence.
func (w *watching) wantDense(from, to uint64) {
	w.Helper()
	for seq := from; seq <= to; seq++ {
		e := w.next()
		if e.GetChange().GetSequence() != seq || e.GetPrevious() != w.previous {
			w.Fatalf("sequence %d after %d, want %d after %d", e.GetChange().GetSequence(), e.GetPrevious(), seq, w.previous)
		}
		w.previous = seq
	}
}

func watchStores(t *testing.T, run func(*testing.T, history.Store)) {
	t.Run("memory", func(t *testing.T) { run(t, memory.New(memory.Options{Linker: graph.Linker{}, StoreID: [16]byte{1}})) })
	t.Run("bolt", func(t *testing.T) {
		s, err := bolt.Open(t.TempDir(), bolt.Options{NoSync: true, MergeRecords: 100, Linker: graph.Linker{}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		run(t, s)
	})
}

// Whoever begins to watch, whenever and wherever, while many record: no gap, and
// nothing twice.
func TestWatchReplaysAndGoesLive(t *testing.T) {
	watchStores(t, func(t *testing.T, store history.Store) {
		const writers, batches, perBatch = 4, 30, 5
		const all = writers*batches*perBatch + 1 // the last one when everybody watches
		d := open(t, apitest.Options{Store: store})
		var recording, begun, watching sync.WaitGroup
		follow := func(do func()) {
			begun.Add(1)
			watching.Go(do)
		}
		for writer := range writers {
			recording.Go(func() {
				for batch := range batches {
					var list []*varvev1.Observation
					for i := range perBatch {
						list = append(list, seen(fmt.Sprint(writer, "-", i), 1+batch%28, fmt.Sprint(batch)))
					}
					d.Record(t, list...)
					if batch%10 > 0 {
						continue
					}
					follow(func() {
						w := watch(t, d, &varvev1.WatchChangesRequest{Since: day(-1000)})
						begun.Done()
						w.wantDense(1, all)
					})
					follow(func() {
						w := watch(t, d, &varvev1.WatchChangesRequest{}) // from now, wherever that is
						begun.Done()
						w.previous = w.next().GetChange().GetSequence()
						w.wantDense(w.previous+1, all)
					})
					follow(func() {
						begun.Done()
						resuming(t, d, all)
					})
				}
			})
		}
		recording.Wait()
		begun.Wait()
		d.Record(t, seen("last", 1, `1`))
		watching.Wait()
	})
}

// resuming leaves after a few changes each time, and comes back.
func resuming(t *testing.T, d *apitest.Doors, all uint64) {
	from := &varvev1.WatchChangesRequest{Since: day(-1000)}
	for seq := uint64(0); seq < all; {
		ctx, leave := context.WithCancel(t.Context())
		stream, err := d.Watch.WatchChanges(ctx, from)
		for n := 0; err == nil && n < 37 && seq < all; {
			var m *varvev1.WatchChangesResponse
			if m, err = stream.Recv(); err != nil {
				break
			}
			position := m.GetProgress().GetPosition()
			if c := m.GetChange().GetChange(); c != nil {
				if seq++; c.GetSequence() != seq {
					t.Errorf("sequence %d, want %d", c.GetSequence(), seq)
				}
				position, n = c.GetPosition(), n+1
			}
			from = &varvev1.WatchChangesRequest{Position: position}
		}
		leave()
		if err != nil {
			t.Error(err)
			return
		}
	}
}

// A receiver that takes nothing holds up neither recording nor others, and then
// gets all of it.
func TestWatchSlowReader(t *testing.T) {
	d := open(t, apitest.Options{})
	slow := watch(t, d, &varvev1.WatchChangesRequest{})
	fast := watch(t, d, &varvev1.WatchChangesRequest{})
	const changes = 60
	large := `"` + strings.Repeat("x", 300_000) + `"` // more than the windows of a connection hold
	for i := range changes {
		d.Record(t, seen(fmt.Sprint(i), 1, large))
	}
	fast.wantDense(1, changes)
	slow.wantDense(1, changes)
}

// What is erased while a receiver takes nothing is not sent to it afterwards, but
// for what was on its way.
func TestWatchSlowReaderAndErasure(t *testing.T) {
	d := open(t, apitest.Options{})
	const changes = 50 // of one page
	large := `"` + strings.Repeat("x", 300_000) + `"`
	for i := range changes {
		d.Record(t, seen(fmt.Sprint(i), 1, large))
	}
	slow := watch(t, d, &varvev1.WatchChangesRequest{Since: day(-1000)})
	slow.wantDense(1, 1) // it has read a page, and cannot send all of it
	if _, err := d.Keep.EraseVersion(t.Context(), &varvev1.EraseVersionRequest{Key: &varvev1.ResourceKey{Type: "T", Id: fmt.Sprint(changes - 1)}, Version: 1}); err != nil {
		t.Fatal(err)
	}
	slow.wantDense(2, changes-1)
	if e := slow.next(); !e.GetAfter().GetErased() || e.GetChange().GetSequence() != changes {
		t.Errorf("what was erased is sent: %d", e.GetChange().GetSequence())
	}
}

func TestWatchTellsAll(t *testing.T) {
	watchStores(t, func(t *testing.T, store history.Store) {
		d := open(t, apitest.Options{Store: store})
		w := watch(t, d, &varvev1.WatchChangesRequest{})
		head := watch(t, d, &varvev1.WatchChangesRequest{View: varvev1.WatchChangesRequest_VIEW_HEAD})
		by := func(o *varvev1.Observation) { o.Cause = &varvev1.Cause{Actor: "ann"} }
		d.Record(t, seen("a", 2, `{"n":1.0,"big":12345678901234567890}`, by))
		d.Record(t, seen("a", 4, `{"n":1,"big":12345678901234567890}`))
		d.Record(t, seen("a", 3, `{"n":0}`, by)) // late
		run, err := d.Runs.CreateRun(t.Context(), &varvev1.CreateRunRequest{Run: &varvev1.Run{Moment: day(6)}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Runs.CompleteRun(t.Context(), &varvev1.CompleteRunRequest{Name: run.GetName()}); err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{
			`created 1 false: none → v1 {"big":12345678901234567890,"n":1.0}; ann; patch add "" {"big":12345678901234567890,"n":1.0}; paths ""`,
			`updated 2 false: v1 → v2 {"big":12345678901234567890,"n":1}; ; patch replace "/n" 1; paths "/configuration/n"`,
			`updated 3 true: v1 → v3 {"n":0}; ann; patch remove "/big" , replace "/n" 0; paths "/configuration/big" "/configuration/n"`,
			`deleted 4 false: v2 → v4 ; ; patch remove "" ; paths ""`,
		} {
			e := w.next()
			if got := telling(e); got != want {
				t.Errorf("change %d:\n got %s\nwant %s", i+1, got, want)
			}
			h := head.next()
			if h.GetChange().GetSequence() != e.GetChange().GetSequence() || h.GetCause().GetActor() != e.GetCause().GetActor() ||
				h.GetAfter().GetVersion() != e.GetAfter().GetVersion() || h.GetBefore().GetVersion() != e.GetBefore().GetVersion() ||
				h.GetAfter().GetConfiguration() != nil || h.GetBefore().GetConfiguration() != nil || h.GetPatch() != nil || h.GetPaths() != nil {
				t.Errorf("head of change %d: %v", i+1, h)
			}
		}
		if _, err := d.Keep.EraseVersion(t.Context(), &varvev1.EraseVersionRequest{Key: &varvev1.ResourceKey{Type: "T", Id: "a"}, Version: 2}); err != nil {
			t.Fatal(err)
		}
		again := watch(t, d, &varvev1.WatchChangesRequest{Since: day(-1000)})
		again.next()
		if e := again.next(); !e.GetAfter().GetErased() || e.GetAfter().GetConfiguration() != nil || len(e.GetPatch()) > 0 {
			t.Errorf("what was erased is told: %v", e)
		}
	})
}

// telling is a change in a line.
func telling(e *varvev1.ChangeEvent) string {
	var b bytes.Buffer
	before := "none"
	if e.GetBefore() != nil {
		before = fmt.Sprint("v", e.GetBefore().GetVersion())
	}
	fmt.Fprintf(&b, "%s %d %t: %s → v%d %s; %s; patch ", e.GetChange().GetKind(), e.GetChange().GetVersion(), e.GetChange().GetLate(),
		before, e.GetAfter().GetVersion(), e.GetAfter().GetConfiguration().GetRaw(), e.GetCause().GetActor())
	for i, op := range e.GetPatch() {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %q %s", op.GetOp(), op.GetPath(), op.GetValue().GetRaw())
	}
	b.WriteString("; paths")
	for _, path := range e.GetPaths() {
		fmt.Fprintf(&b, " %q", path)
	}
	return b.String()
}

func TestWatchReferences(t *testing.T) {
	d := open(t, apitest.Options{})
	w := watch(t, d, &varvev1.WatchChangesRequest{})
	uses := func(group string) *varvev1.Observation {
		o := seen("i-1", 2, `{"securityGroups":[{"groupId":"`+group+`"}]}`)
		o.Key.Type = "AWS::EC2::Instance"
		return o
	}
	d.Record(t, uses("sg-1"))
	o := uses("sg-2")
	o.CapturedAt = day(3)
	d.Record(t, o)
	w.next()
	e := w.next()
	opened, closed := e.GetOpened(), e.GetClosed()
	if len(opened) != 1 || opened[0].GetType() != "AWS::EC2::SecurityGroup" || opened[0].GetId() != "sg-2" || opened[0].GetName() == "" ||
		len(closed) != 1 || closed[0].GetId() != "sg-1" || opened[0].GetSources()[0] != "/securityGroups/0/groupId" {
		t.Errorf("opened %v, closed %v", opened, closed)
	}
}

func TestWatchFilter(t *testing.T) {
	d := open(t, apitest.Options{})
	w := watch(t, d, &varvev1.WatchChangesRequest{Filter: `after.configuration.n > 2 && kind == "updated"`})
	d.Record(t, seen("a", 1, `{"n":1}`), seen("b", 1, `{"n":5}`), seen("c", 1, `{"m":9}`))
	d.Record(t, seen("a", 2, `{"n":3}`), seen("b", 2, `{"n":2}`), seen("c", 2, `{"m":8}`))
	d.Record(t, seen("a", 3, `{"n":4}`), seen("b", 3, `{"n":1}`))
	first, second := w.next(), w.next()
	if first.GetChange().GetSequence() != 4 || first.GetPrevious() != 0 || second.GetChange().GetSequence() != 7 || second.GetPrevious() != 4 {
		t.Errorf("got %d after %d, %d after %d", first.GetChange().GetSequence(), first.GetPrevious(), second.GetChange().GetSequence(), second.GetPrevious())
	}
	t.Run("TellsHowFarItLooked", func(t *testing.T) {
		m, err := w.stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		status, err := d.History.GetStatus(t.Context(), &varvev1.GetStatusRequest{})
		if err != nil || m.GetProgress().GetPosition() != status.GetPosition() {
			t.Errorf("got %v, want a mark at %s, %v", m, status.GetPosition(), err)
		}
	})
	t.Run("TellsAgainAfterManyThatDoNotMatch", func(t *testing.T) {
		for i := range 3 {
			var list []*varvev1.Observation
			for j := range 1000 {
				list = append(list, seen(fmt.Sprint(j), 1+i, fmt.Sprint(i)))
			}
			d.Record(t, list...)
		}
		replay := watch(t, d, &varvev1.WatchChangesRequest{Since: day(-1000), Filter: `id == "none"`})
		for marks := 0; ; marks++ {
			status, err := d.History.GetStatus(t.Context(), &varvev1.GetStatusRequest{})
			if err != nil {
				t.Fatal(err)
			}
			m, err := replay.stream.Recv()
			if err != nil || m.GetChange() != nil {
				t.Fatal(m, err)
			}
			if m.GetProgress().GetPosition() == status.GetPosition() {
				if marks < 2 {
					t.Errorf("%d marks before the end", marks)
				}
				return
			}
		}
	})
	t.Run("SendsWhatItCannotDecide", func(t *testing.T) {
		if _, err := d.Keep.EraseVersion(t.Context(), &varvev1.EraseVersionRequest{Key: &varvev1.ResourceKey{Type: "T", Id: "a"}, Version: 3}); err != nil {
			t.Fatal(err)
		}
		again := watch(t, d, &varvev1.WatchChangesRequest{Since: day(-1000), Filter: `after.configuration.n == 4`})
		if e := again.next(); e.GetChange().GetSequence() != 7 || e.GetFilterError() == "" {
			t.Errorf("got %v", e)
		}
	})
}

// A daemon that stops says so, and what comes after it is read from where it was.
func TestWatchEndsWhenTheServerStops(t *testing.T) {
	watchStores(t, func(t *testing.T, store history.Store) {
		d := open(t, apitest.Options{Store: store})
		w := watch(t, d, &varvev1.WatchChangesRequest{})
		d.Record(t, seen("a", 1, `1`))
		w.wantDense(1, 1)
		d.Server.Drain()
		for {
			m, err := w.stream.Recv()
			if err != nil {
				wantCode(t, err, codes.Unavailable)
				refused(t, err, history.Unavailable)
				break
			}
			w.last = m.GetProgress().GetPosition()
		}
		next := open(t, apitest.Options{Store: store})
		next.Record(t, seen("b", 1, `1`))
		if e := watch(t, next, &varvev1.WatchChangesRequest{Position: w.last}).next(); e.GetChange().GetSequence() != 2 {
			t.Errorf("goes on with %v", e)
		}
	})
}

func TestWatchRefuses(t *testing.T) {
	now := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	d := open(t, apitest.Options{Store: memory.New(memory.Options{Now: clock}), Server: server.Options{Now: clock}})
	other := open(t, apitest.Options{Store: memory.New(memory.Options{StoreID: [16]byte{9}})})
	d.Record(t, seen("a", 1, `1`))
	d.Record(t, seen("a", 2, `2`))
	first := watch(t, d, &varvev1.WatchChangesRequest{Since: day(-1000)}).last
	foreign := watch(t, other, &varvev1.WatchChangesRequest{}).last
	if _, err := d.Store.(history.Pruner).Prune(t.Context(), history.PruneRequest{Floor: history.MomentOf(now)}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		req   *varvev1.WatchChangesRequest
		kind  history.Kind
		field string
	}{
		"Both":      {&varvev1.WatchChangesRequest{Position: first, Since: day(1)}, history.Invalid, "since"},
		"View":      {&varvev1.WatchChangesRequest{View: 9}, history.Invalid, "view"},
		"Future":    {&varvev1.WatchChangesRequest{Since: timestamppb.New(now.Add(time.Hour))}, history.Future, "since"},
		"Compacted": {&varvev1.WatchChangesRequest{Position: first}, history.Compacted, "position"},
		"Foreign":   {&varvev1.WatchChangesRequest{Position: foreign}, history.ForeignToken, "position"},
		"Filter":    {&varvev1.WatchChangesRequest{Filter: "type =="}, history.Invalid, "filter"},
		"Damaged":   {&varvev1.WatchChangesRequest{Position: "x"}, history.ForeignToken, "position"},
	} {
		t.Run(name, func(t *testing.T) {
			stream, err := d.Watch.WatchChanges(t.Context(), c.req)
			if err == nil {
				_, err = stream.Recv()
			}
			if meta := refused(t, err, c.kind); meta["field"] != c.field {
				t.Error(err)
			}
		})
	}
}
