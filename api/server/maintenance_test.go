package server_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/api/internal/apitest"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/history/historytest"
	"github.com/varvehq/varve/history/memory"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// durable opens a store in a folder until the test ends.
func durable(t testing.TB, dir string) *bolt.Store {
	t.Helper()
	s, err := bolt.Open(dir, bolt.Options{Linker: graph.Linker{}, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// backupOf reads a whole backup from the door.
func backupOf(t testing.TB, d *apitest.Doors) []byte {
	t.Helper()
	stream, err := d.Keep.Backup(t.Context(), &varvev1.BackupRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return b.Bytes()
		}
		if err != nil {
			t.Fatal(err)
		}
		b.Write(part.GetChunk())
	}
}

// plain is a store without any optional power.
type plain struct{ history.Store }

// wrapped is a store that lets its own powers be found.
type wrapped struct{ history.Store }

func (w wrapped) Unwrap() history.Store { return w.Store }

func TestPowers(t *testing.T) {
	t.Run("LackingIsUnimplemented", func(t *testing.T) {
		d := open(t, apitest.Options{Wrap: func(s history.Store) history.Store { return plain{s} }})
		backup, err := d.Keep.Backup(t.Context(), &varvev1.BackupRequest{})
		if err == nil {
			_, err = backup.Recv()
		}
		wantCode(t, err, codes.Unimplemented)
		prune, err := d.Keep.Prune(t.Context(), &varvev1.PruneRequest{Floor: day(1)})
		if err == nil {
			_, err = prune.Recv()
		}
		wantCode(t, err, codes.Unimplemented)
		_, err = d.Keep.EraseVersion(t.Context(), &varvev1.EraseVersionRequest{Key: &varvev1.ResourceKey{Type: "T", Id: "a"}, Version: 1})
		refused(t, err, history.Unimplemented)
		status, err := d.History.GetStatus(t.Context(), &varvev1.GetStatusRequest{})
		if err != nil || status.GetFloors() != nil || status.GetSizes() != nil || status.GetLag() != nil {
			t.Errorf("status: %v, %v", status, err)
		}
	})
	t.Run("FoundWithinWrappers", func(t *testing.T) {
		d := open(t, apitest.Options{Store: durable(t, t.TempDir()), Wrap: func(s history.Store) history.Store { return wrapped{wrapped{s}} }})
		d.Record(t, seen("a", 1, `1`))
		if len(backupOf(t, d)) == 0 {
			t.Error("an empty backup")
		}
	})
}

// TestBackupAndRestore reads a list page by page across a restore: tokens and
// positions from before the backup go on in the restored store, those that were
// given after it do not.
func TestBackupAndRestore(t *testing.T) {
	d := open(t, apitest.Options{Store: durable(t, t.TempDir())})
	d.Record(t, seen("a", 1, `1`), seen("b", 1, `1`), seen("c", 1, `1`))
	ask := func(d *apitest.Doors, token string) (*varvev1.ListItemsResponse, error) {
		return d.History.ListItems(t.Context(), &varvev1.ListItemsRequest{PageSize: 1, PageToken: token})
	}
	before, err := ask(d, "")
	if err != nil {
		t.Fatal(err)
	}
	backup := backupOf(t, d)
	d.Record(t, seen("d", 1, `1`))
	after, err := ask(d, "")
	if err != nil {
		t.Fatal(err)
	}

	dir := t.TempDir()
	if _, err := bolt.Restore(context.Background(), bytes.NewReader(backup), dir, bolt.CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	r := open(t, apitest.Options{Store: durable(t, dir)})
	r.Record(t, seen("bb", 1, `1`)) // not known when the first page was read
	next, err := ask(r, before.GetNextPageToken())
	if err != nil || next.GetItems()[0].GetKey().GetId() != "b" {
		t.Fatalf("the second page: %v, %v", next, err)
	}
	last, err := ask(r, next.GetNextPageToken())
	if err != nil || last.GetItems()[0].GetKey().GetId() != "c" || last.GetNextPageToken() != "" {
		t.Errorf("the third page: %v, %v", last, err)
	}
	_, err = ask(r, after.GetNextPageToken())
	refused(t, err, history.ForeignToken)
	_, err = ask(d, next.GetNextPageToken())
	refused(t, err, history.ForeignToken)
}

// slow is a store whose backup never ends by itself.
type slow struct {
	history.Store
	begun chan struct{}
}

func (s slow) Backup(ctx context.Context, write func([]byte) error) error {
	if err := write([]byte("the first bytes")); err != nil {
		return err
	}
	close(s.begun)
	<-ctx.Done()
	return ctx.Err()
}

func TestBackupEndsWhenDraining(t *testing.T) {
	s := slow{memory.New(memory.Options{}), make(chan struct{})}
	d := open(t, apitest.Options{Store: s})
	stream, err := d.Keep.Backup(t.Context(), &varvev1.BackupRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	<-s.begun
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if !d.Server.Stop(ctx) {
		t.Error("the server had to cut the backup off")
	}
	_, err = stream.Recv()
	wantCode(t, err, codes.Unavailable)
}

// pruned runs a prune to its end and returns its result, and how often it told
// of its progress.
func pruned(t testing.TB, d *apitest.Doors, req *varvev1.PruneRequest) (*varvev1.PruneResponse_Result, int, error) {
	t.Helper()
	stream, err := d.Keep.Prune(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	var result *varvev1.PruneResponse_Result
	for progress := 0; ; {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			if result == nil {
				t.Fatal("the stream ended without a result")
			}
			return result, progress, nil
		}
		if err != nil {
			return nil, progress, err
		}
		if p := part.GetProgress(); p != nil {
			progress++
			if p.GetDone() > p.GetTotal() {
				t.Errorf("%d of %d", p.GetDone(), p.GetTotal())
			}
		}
		result = part.GetResult()
	}
}

func TestPrune(t *testing.T) {
	clock := historytest.NewClock(day(1).AsTime())
	inFile, err := bolt.Open(t.TempDir(), bolt.Options{Linker: graph.Linker{}, NoSync: true, Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer inFile.Close()
	for name, store := range map[string]history.Store{"Memory": memory.New(memory.Options{Now: clock.Now}), "Bolt": inFile} {
		t.Run(name, func(t *testing.T) {
			// Recorded as it was captured: what was not known at the floor
			// would be kept, since it changed what was believed above it.
			d := open(t, apitest.Options{Store: store})
			for _, o := range []*varvev1.Observation{
				seen("a", 1, `1`), seen("b", 1, `1`), gone("b", 2), seen("a", 3, `2`), seen("a", 8, `3`),
			} {
				clock.Advance(o.GetCapturedAt().AsTime().Sub(clock.Now()))
				d.Record(t, o)
			}
			status := func() *varvev1.GetStatusResponse {
				s, err := d.History.GetStatus(t.Context(), &varvev1.GetStatusRequest{})
				if err != nil {
					t.Fatal(err)
				}
				return s
			}
			if f := status().GetFloors(); f == nil || f.GetCaptured() != nil || f.GetRevision() != 0 {
				t.Errorf("floors of a store that was never pruned: %v", f)
			}
			check := func(r *varvev1.PruneResponse_Result) {
				t.Helper()
				if r.GetResources() != 1 || r.GetVersions() != 3 {
					t.Errorf("pruned %v, want one resource and three versions: a's first, and both of b", r)
				}
				if got := r.GetFloors().GetCaptured().AsTime(); !got.Equal(day(5).AsTime()) {
					t.Errorf("the floor is %v", got)
				}
			}
			dry, _, err := pruned(t, d, &varvev1.PruneRequest{Floor: day(5), DryRun: true})
			if err != nil {
				t.Fatal(err)
			}
			check(dry)
			if f := status().GetFloors(); f.GetCaptured() != nil {
				t.Errorf("a dry run raised the floor: %v", f)
			}
			was, progress, err := pruned(t, d, &varvev1.PruneRequest{Floor: day(5)})
			if err != nil {
				t.Fatal(err)
			}
			check(was)
			if progress == 0 && name == "Bolt" {
				t.Error("it told of no progress")
			}
			if f := status().GetFloors(); !f.GetCaptured().AsTime().Equal(day(5).AsTime()) {
				t.Errorf("floors afterwards: %v", f)
			}
			item, err := d.History.LookupItem(t.Context(), &varvev1.LookupItemRequest{Type: "T", Id: "a", At: day(5)})
			if err != nil || item.GetVersion() != 2 {
				t.Errorf("the state at the floor: %v, %v", item, err)
			}
			_, err = d.History.LookupItem(t.Context(), &varvev1.LookupItemRequest{Type: "T", Id: "a", At: day(4)})
			refused(t, err, history.Compacted)
			_, err = d.History.ListItemHistory(t.Context(), &varvev1.ListItemHistoryRequest{Type: "T", Id: "a", To: day(4)})
			refused(t, err, history.Compacted)
			past, err := d.History.ListItemHistory(t.Context(), &varvev1.ListItemHistoryRequest{Type: "T", Id: "a", To: day(5)})
			if err != nil || len(past.GetItems()) == 0 {
				t.Errorf("the history up to the floor: %v, %v", past, err)
			}
			for from, told := range map[*timestamppb.Timestamp]bool{nil: true, day(4): true, day(5): false, day(6): false} {
				list, err := d.History.ListItemHistory(t.Context(), &varvev1.ListItemHistoryRequest{Type: "T", Id: "a", From: from})
				if err != nil || told != list.GetFloor().AsTime().Equal(day(5).AsTime()) || told != (list.GetFloor() != nil) {
					t.Errorf("the history from %v: floor %v, %v", from, list.GetFloor(), err)
				}
			}
			typed, _, err := pruned(t, d, &varvev1.PruneRequest{Floor: day(8), Type: "T"})
			if err != nil || len(typed.GetFloors().GetTypes()) != 1 || typed.GetFloors().GetTypes()[0].GetType() != "T" {
				t.Errorf("by type: %v, %v", typed, err)
			}

			_, err = d.History.ListChanges(t.Context(), &varvev1.ListChangesRequest{Since: day(1)})
			refused(t, err, history.Compacted)
			if _, err := d.History.ListChanges(t.Context(), &varvev1.ListChangesRequest{Since: day(6)}); err != nil {
				t.Errorf("changes since a moment above the floor: %v", err)
			}
		})
	}
	t.Run("FloorIsNeeded", func(t *testing.T) {
		d := open(t, apitest.Options{})
		_, _, err := pruned(t, d, &varvev1.PruneRequest{})
		refused(t, err, history.Invalid)
	})
	t.Run("FutureIsRefused", func(t *testing.T) {
		d := open(t, apitest.Options{})
		future := timestamppb.New(time.Now().Add(time.Hour))
		_, _, err := pruned(t, d, &varvev1.PruneRequest{Floor: future})
		refused(t, err, history.Future)
		_, _, err = pruned(t, d, &varvev1.PruneRequest{Floor: day(5), Recorded: future})
		refused(t, err, history.Future)
	})
	t.Run("UnknownTypeIsRefused", func(t *testing.T) {
		d := open(t, apitest.Options{})
		d.Record(t, seen("a", 1, `1`))
		for _, dry := range []bool{true, false} {
			_, _, err := pruned(t, d, &varvev1.PruneRequest{Floor: day(5), Type: "t", DryRun: dry})
			if meta := refused(t, err, history.NotFound); meta["field"] != "type" || !strings.Contains(err.Error(), "near it: T") {
				t.Error(err)
			}
		}
		status, err := d.History.GetStatus(t.Context(), &varvev1.GetStatusRequest{})
		if err != nil || len(status.GetFloors().GetTypes()) > 0 {
			t.Errorf("floors: %v, %v", status.GetFloors(), err)
		}
		if _, err := d.Store.(history.Pruner).Prune(t.Context(), history.PruneRequest{Floor: history.MomentOf(day(5).AsTime()), Type: "Went"}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := pruned(t, d, &varvev1.PruneRequest{Floor: day(6), Type: "Went"}); err != nil {
			t.Errorf("a type that has a floor: %v", err)
		}
		if _, _, err := pruned(t, d, &varvev1.PruneRequest{Floor: day(7)}); err != nil {
			t.Fatal(err)
		}
		_, _, err = pruned(t, d, &varvev1.PruneRequest{Floor: day(8), Type: "Went"}) // as the protocol says
		refused(t, err, history.NotFound)
	})
	t.Run("MalformedIsRefused", func(t *testing.T) {
		d := open(t, apitest.Options{})
		_, _, err := pruned(t, d, &varvev1.PruneRequest{Floor: day(5), Recorded: &timestamppb.Timestamp{Nanos: -1}})
		refused(t, err, history.Invalid)
	})
}

// TestPruneRecorded prunes old history that was recorded just now: the first
// version stood at the floor until the next one was recorded, and stays until
// that belief is forgotten.
func TestPruneRecorded(t *testing.T) {
	for name, store := range map[string]history.Store{
		"Memory": memory.New(memory.Options{}), "Bolt": durable(t, t.TempDir()),
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, apitest.Options{Store: store})
			for _, o := range []*varvev1.Observation{seen("a", 1, `1`), seen("a", 3, `3`), seen("a", 8, `8`)} {
				d.Record(t, o)
			}
			for recorded, want := range map[*timestamppb.Timestamp]uint64{nil: 0, day(7): 0, timestamppb.Now(): 1} {
				got, _, err := pruned(t, d, &varvev1.PruneRequest{Floor: day(5), Recorded: recorded, DryRun: true})
				if err != nil || got.GetVersions() != want {
					t.Errorf("recorded %v: %v, %v; want %d versions to go", recorded, got, err, want)
				}
			}
		})
	}
}

func TestEraseVersion(t *testing.T) {
	for name, store := range map[string]history.Store{
		"Memory": memory.New(memory.Options{}), "Bolt": durable(t, t.TempDir()),
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, apitest.Options{Store: store})
			d.Record(t, seen("a", 1, `{"password":"hunter2"}`), seen("a", 2, `2`))
			erase := func(id string, version uint32) error {
				_, err := d.Keep.EraseVersion(t.Context(), &varvev1.EraseVersionRequest{Key: &varvev1.ResourceKey{Type: "T", Id: id}, Version: version})
				return err
			}
			if err := errors.Join(erase("a", 1), erase("a", 1)); err != nil {
				t.Fatal(err)
			}
			h, err := d.History.ListItemHistory(t.Context(), &varvev1.ListItemHistoryRequest{Type: "T", Id: "a"})
			if err != nil || len(h.GetItems()) != 2 {
				t.Fatal(h, err)
			}
			if newer, older := h.GetItems()[0], h.GetItems()[1]; newer.GetErased() || newer.GetConfiguration() == nil ||
				!older.GetErased() || older.GetConfiguration() != nil || older.GetVersion() != 1 {
				t.Errorf("history: %v", h)
			}
			if again := d.Record(t, seen("a", 1, `{"password":"hunter2"}`)); again.GetResults()[0].GetOutcome() != varvev1.RecordResult_OUTCOME_UNCHANGED {
				t.Errorf("the same again: %v", again)
			}
			refused(t, erase("a", 9), history.NotFound)
			refused(t, erase("z", 1), history.NotFound)
			refused(t, erase("a", 0), history.Invalid)
			_, err = d.Keep.EraseVersion(t.Context(), &varvev1.EraseVersionRequest{Version: 1})
			refused(t, err, history.Invalid)
		})
	}
}
