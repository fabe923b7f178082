package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/history/bolt"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// TestStalledExport has a client ask for the whole inventory and not read what
// it is sent, while another records at full speed: the store's file grows as it
// does without, and nobody waits. VARVE_SCALE makes it stall for up to two minutes.
func TestStalledExport(t *testing.T) {
	scale, _ := strconv.ParseFloat(os.Getenv("VARVE_SCALE"), 64)
	stall := time.Duration(4*max(1, min(scale, 30))) * time.Second
	alone, beside := newFeeding(t), newFeeding(t)
	ctx, hangUp := context.WithCancel(context.Background())
	defer hangUp()
	stream, err := varvev1.NewHistoryServiceClient(beside.conn).ExportItems(ctx, &varvev1.ExportItemsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil { // it has begun, and is read no further
		t.Fatal(err)
	}

	alone.begin()
	beside.begin()
	const least = 2 * fedResources // on a slow machine the file has still to grow
	for begun := time.Now(); time.Since(begun) < stall || alone.n < alone.from+least; {
		alone.record() // by turns: what else the machine does slows both
		beside.record()
	}
	bytes, rate := beside.end()
	bytesAlone, rateAlone := alone.end()
	hangUp()
	for _, f := range []*feeding{alone, beside} {
		if err := f.d.stop(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	}
	t.Logf("stalled for %s: bytes of the file for an observation %.0f alone, ×%.2f beside a stalled export; observations a second %.0f alone, ×%.2f",
		stall, bytesAlone, bytes/bytesAlone, rateAlone, rate/rateAlone)
	if bytes > 2*bytesAlone {
		t.Error("a stalled export has the file grow")
	}
}

// feeding records batches of a few thousand resources into a daemon of its own.
type feeding struct {
	t    *testing.T
	dir  string
	d    *served
	conn *grpc.ClientConn

	n      int           // observations
	took   time.Duration // since begin
	from   int           // as they were then
	before float64
}

// newFeeding has recorded every resource twice.
func newFeeding(t *testing.T) *feeding {
	t.Helper()
	s := &scribe{t: t}
	f := &feeding{t: t, dir: filepath.Join(t.TempDir(), "store")}
	f.d = s.serving(f.dir)
	f.conn = s.conn
	for f.n < 2*fedResources {
		f.record()
	}
	return f
}

const fedResources, fedBatch = 3000, 250

func (f *feeding) record() {
	f.t.Helper()
	req := &varvev1.BatchRecordRequest{}
	for range fedBatch {
		req.Observations = append(req.Observations, &varvev1.Observation{
			Key:           &varvev1.ResourceKey{Type: "T", Id: fmt.Sprint(f.n % fedResources)},
			CapturedAt:    timestamppb.New(time.Date(2026, 1, 1, 0, 0, f.n/fedResources, 0, time.UTC)),
			Configuration: &varvev1.Json{Raw: fmt.Appendf(nil, `{"filler":"%04000d","n":%d}`, f.n%fedResources, f.n)},
		})
		f.n++
	}
	begin := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := varvev1.NewRecorderServiceClient(f.conn).BatchRecord(ctx, req); err != nil {
		f.t.Fatal(err)
	}
	f.took += time.Since(begin)
}

// begin begins to measure, and end gives what was measured: bytes of the file for an
// observation, and observations a second.
func (f *feeding) begin() { f.before, f.from, f.took = usedBytes(f.t, f.dir), f.n, 0 }

func (f *feeding) end() (bytes, rate float64) {
	n := float64(f.n - f.from)
	return (usedBytes(f.t, f.dir) - f.before) / n, n / f.took.Seconds()
}

// usedBytes is how much of a store's file was ever in use: its newest meta page
// tells how many pages.
func usedBytes(t *testing.T, dir string) float64 {
	t.Helper()
	b := make([]byte, 2*pageSize)
	f, err := os.Open(filepath.Join(dir, bolt.FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	const pages, transaction = 16 + 40, 16 + 48
	newest := b
	if order := binary.NativeEndian; order.Uint64(b[pageSize+transaction:]) > order.Uint64(b[transaction:]) {
		newest = b[pageSize:]
	}
	return float64(binary.NativeEndian.Uint64(newest[pages:]) * pageSize)
}
