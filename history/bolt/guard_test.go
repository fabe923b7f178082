package bolt_test

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bbolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// TestCutShortWhileOpen takes pages away from under an open store: what bbolt
// reads there is a fault of memory.
func TestCutShortWhileOpen(t *testing.T) {
	page := int64(os.Getpagesize())
	for name, size := range map[string]int64{"Nothing": 0, "OnePage": page, "MetaPages": 2 * page, "TenPages": 10 * page} {
		t.Run(name, func(t *testing.T) {
			dir := memoryDir(t)
			usedStore(t, dir)
			s, err := bolt.Open(dir, bolt.Options{NoSync: true, MergeIdle: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(filepath.Join(dir, bolt.FileName), size); err != nil {
				t.Fatal(err)
			}
			ctx := context.Background()
			reader, err := s.AsOf(ctx, history.At{})
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if _, _, err := reader.Items(ctx, history.Query{}); !errors.Is(err, history.DataLoss) {
					t.Errorf("items: got %v, want DataLoss", err)
				}
			}
			_, err = s.Append(ctx, history.Batch{Observations: later(usedEstate()[:10])})
			if !errors.Is(err, history.DataLoss) && !errors.Is(err, history.Unavailable) {
				t.Errorf("append: got %v", err)
			}
			if err := s.Merge(); !errors.Is(err, history.DataLoss) && !errors.Is(err, history.Unavailable) {
				t.Errorf("merge: got %v", err)
			}
			if _, err := s.Head(ctx); err != nil {
				t.Errorf("head: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
}

// damageUsed makes a store whose file f has changed; newest is its newest meta
// page, from the magic number on.
func damageUsed(t *testing.T, f func(b, newest []byte)) string {
	dir := memoryDir(t)
	usedStore(t, dir)
	path := filepath.Join(dir, bolt.FileName)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	newest := b[16:]
	if other := b[os.Getpagesize()+16:]; order.Uint64(other[48:]) > order.Uint64(newest[48:]) {
		newest = other
	}
	f(b, newest)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

var order = binary.NativeEndian

// TestCircle leads branch pages back to themselves: whoever followed them would
// overflow the stack.
func TestCircle(t *testing.T) {
	dir := damageUsed(t, func(b, _ []byte) {
		page := os.Getpagesize()
		for at := 2 * page; at < len(b); at += page {
			if order.Uint64(b[at:]) == uint64(at/page) && order.Uint16(b[at+8:]) == 1 {
				order.PutUint64(b[at+16+8:], uint64(at/page))
			}
		}
	})
	for range 2 { // the second time: the file was let go
		if _, err := bolt.Open(dir, bolt.Options{}); !errors.Is(err, history.DataLoss) {
			t.Errorf("got %v, want DataLoss", err)
		}
	}
	if _, err := bolt.Verify(context.Background(), dir, nil, func(bolt.Finding) {}); err != nil {
		t.Errorf("verify: %v", err)
	}
}

func TestFreeList(t *testing.T) {
	free := func(b, newest []byte) []byte { return b[int(order.Uint64(newest[32:]))*os.Getpagesize():] }
	t.Run("NamesPagesInUse", func(t *testing.T) {
		dir := damageUsed(t, func(b, newest []byte) {
			list := free(b, newest)
			if order.Uint16(list[10:]) == 0 {
				t.Fatal("the store has no free page")
			}
			order.PutUint64(list[16:], order.Uint64(newest[16:])) // the root
		})
		s := openStore(t, dir)
		ctx := context.Background()
		if !errors.Is(s.Failed(), history.DataLoss) {
			t.Errorf("failed: got %v, want DataLoss", s.Failed())
		}
		if _, err := s.Append(ctx, history.Batch{Observations: later(usedEstate()[:1])}); !errors.Is(err, history.DataLoss) {
			t.Errorf("append: got %v, want DataLoss", err)
		}
		reader, err := s.AsOf(ctx, history.At{})
		if err != nil {
			t.Fatal(err)
		}
		if items, _, err := reader.Items(ctx, history.Query{}); err != nil || len(items) == 0 {
			t.Errorf("reads do not go on: %d items, %v", len(items), err)
		}
	})
	t.Run("IsNone", func(t *testing.T) {
		dir := damageUsed(t, func(b, newest []byte) { order.PutUint16(free(b, newest)[8:], 2) })
		for range 2 {
			if _, err := bolt.Open(dir, bolt.Options{}); !errors.Is(err, history.DataLoss) {
				t.Errorf("got %v, want DataLoss", err)
			}
		}
	})
}

// TestPanics tells mistakes in our code from damage, and clients nothing of where
// the file lies.
func TestPanics(t *testing.T) {
	dir := memoryDir(t)
	s := openWith(t, dir, bolt.Options{})
	ours := func(f func(*bbolt.Tx)) (p any) {
		defer func() { p = recover() }()
		err := s.Read(func(tx *bbolt.Tx) error { f(tx); return nil })
		var e *history.Error
		if !errors.As(err, &e) || e.Kind != history.DataLoss {
			t.Errorf("got %v, want DataLoss or a panic", err)
		} else if strings.Contains(e.Message(), dir) || !strings.Contains(e.Error(), dir) {
			t.Errorf("clients are told %q, the log %q", e.Message(), e)
		}
		return nil
	}
	var none []int
	for name, f := range map[string]func(*bbolt.Tx){
		"said":    func(*bbolt.Tx) { panic("ours") },
		"indexed": func(*bbolt.Tx) { none[len(none)]++ },
		"nil":     func(*bbolt.Tx) { var o *history.Item; o.Version++ },
		"divided": func(*bbolt.Tx) { _ = 1 / len(none) },
	} {
		if p := ours(f); p == nil {
			t.Errorf("%s: a panic of ours was hidden", name)
		}
	}
	if p := ours(func(tx *bbolt.Tx) { tx.Bucket([]byte("no such bucket")).Get([]byte("k")) }); p != nil {
		t.Errorf("a bucket that is gone: panic %v", p)
	}
	record(t, s, history.Batch{Observations: usedEstate()[:3]}) // no transaction was left open
}

// BenchmarkGuard is what the guard costs a transaction that reads nothing.
func BenchmarkGuard(b *testing.B) {
	s := openStore(b, memoryDir(b))
	nothing := func(*bbolt.Tx) error { return nil }
	b.Run("guarded", func(b *testing.B) {
		for b.Loop() {
			_ = s.Read(nothing)
		}
	})
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			_ = s.ReadBare(nothing)
		}
	})
}

// BenchmarkWalkPages is what looking at the pages adds to the opening of a
// store; VARVE_STORE names one, instead of a small one made here.
func BenchmarkWalkPages(b *testing.B) {
	dir := os.Getenv("VARVE_STORE")
	if dir == "" {
		dir = memoryDir(b)
		usedStore(b, dir)
	}
	pages := uint64(0)
	for b.Loop() {
		n, findings, err := bolt.WalkPages(filepath.Join(dir, bolt.FileName))
		if err != nil || findings > 0 {
			b.Fatal(findings, err)
		}
		pages = n
	}
	b.ReportMetric(float64(pages), "pages")
}
