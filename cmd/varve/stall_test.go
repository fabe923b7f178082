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

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/history/bolt"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// TestStalledExport has a client ask for the whole inventory and not read what
// it is sent, while another records at full speed: the store's file grows as it
// does without, and nobody waits. VARVE_SCALE makes it stall for up to a minute.
func TestStalledExport(t *testing.T) {
	scale, _ := strconv.ParseFloat(os.Getenv("VARVE_SCALE"), 64)
	stall := time.Duration(2*max(1, min(scale, 30))) * time.Second
	const resources, each = 3000, 250

	// Bytes of the file for an observation, and observations a second.
	measure := func(t *testing.T, stalled bool) (bytes, rate float64) {
		dir := filepath.Join(t.TempDir(), "store")
		s := &scribe{t: t}
		d := s.serving(dir)
		recorder := varvev1.NewRecorderServiceClient(s.conn)
		n := 0
		record := func() {
			req := &varvev1.BatchRecordRequest{}
			for range each {
				req.Observations = append(req.Observations, &varvev1.Observation{
					Key:           &varvev1.ResourceKey{Type: "T", Id: fmt.Sprint(n % resources)},
					CapturedAt:    timestamppb.New(time.Date(2026, 1, 1, 0, 0, n/resources, 0, time.UTC)),
					Configuration: &varvev1.Json{Raw: fmt.Appendf(nil, `{"filler":"%04000d","n":%d}`, n%resources, n)},
				})
				n++
			}
			if _, err := recorder.BatchRecord(context.Background(), req); err != nil {
				t.Fatal(err)
			}
		}
		for n < 2*resources {
			record()
		}
		ctx, hangUp := context.WithCancel(context.Background())
		defer hangUp()
		if stalled {
			stream, err := varvev1.NewHistoryServiceClient(s.conn).ExportItems(ctx, &varvev1.ExportItemsRequest{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := stream.Recv(); err != nil { // it has begun, and is read no further
				t.Fatal(err)
			}
		}
		before, from, begin := usedBytes(t, dir), n, time.Now()
		for time.Since(begin) < stall {
			record()
		}
		took := time.Since(begin)
		grown := usedBytes(t, dir) - before
		hangUp()
		if err := d.stop(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		return grown / float64(n-from), float64(n-from) / took.Seconds()
	}

	bytesAlone, rateAlone := measure(t, false)
	bytes, rate := measure(t, true)
	t.Logf("stalled for %s: bytes of the file for an observation %.0f alone, ×%.2f beside a stalled export; observations a second %.0f alone, ×%.2f",
		stall, bytesAlone, bytes/bytesAlone, rateAlone, rate/rateAlone)
	if bytes > 2*bytesAlone {
		t.Error("a stalled export has the file grow")
	}
	if rate < rateAlone/5 {
		t.Error("a stalled export holds the writer up")
	}
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
