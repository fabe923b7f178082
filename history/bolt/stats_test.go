package bolt_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/varvehq/varve/history/bolt"
)

// TestStatsSizes compares the sizes that an open store tells with its file and
// with the pages that verification walks over.
func TestStatsSizes(t *testing.T) {
	ctx := context.Background()
	s, dir := estateStore(t, 300, 10)
	if err := s.Merge(); err != nil {
		t.Fatal(err)
	}
	got, err := s.Stats(ctx)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Stat(filepath.Join(dir, bolt.FileName))
	if err != nil {
		t.Fatal(err)
	}
	used, err := bolt.HighWater(dir)
	if err != nil {
		t.Fatal(err)
	}
	if used >= file.Size() {
		t.Fatalf("all %d bytes of the file were used: nothing was grown ahead", used)
	}
	if got.FileBytes != file.Size() {
		t.Errorf("the file has %d bytes, %d are told", file.Size(), got.FileBytes)
	}
	if got.LiveBytes+got.FreeBytes != used {
		t.Errorf("%d bytes in use and %d free, of %d", got.LiveBytes, got.FreeBytes, used)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	sum := sound(t, dir)
	if d := got.LiveBytes - sum.LiveBytes; d < 0 || d > 64<<10 {
		t.Errorf("%d bytes are told to be in use, verification walks over %d", got.LiveBytes, sum.LiveBytes)
	}
}
