package bolt_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	bbolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/history/historytest"
)

// opened remembers under which options and in which folder the suite's stores
// were opened.
type opened struct {
	dir string
	o   bolt.Options
}

// backend is the store as the suite sees it: merging all the time, on a disk
// that is not waited for.
func backend() historytest.Backend { return backendWith(nil) }

// backendWith is a backend that does something to a store before it is closed
// and opened again, where it then says.
func backendWith(between func(t testing.TB, s *bolt.Store, at opened) opened) historytest.Backend {
	return backendOn(bolt.Options{MergeRecords: 24, MergeIdle: 20 * time.Millisecond, NoSync: true}, between)
}

// backendOn is a backend of which every store is opened under options.
func backendOn(under bolt.Options, between func(t testing.TB, s *bolt.Store, at opened) opened) historytest.Backend {
	stores := map[history.Store]opened{}
	open := func(t testing.TB, at opened) history.Store {
		s, err := bolt.Open(at.dir, at.o)
		if err != nil {
			t.Fatal(err)
		}
		stores[s] = at
		return s
	}
	reopen := func(t testing.TB, s history.Store, change func(o *bolt.Options)) history.Store {
		at := stores[s]
		if between != nil {
			at = between(t, s.(*bolt.Store), at)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		change(&at.o)
		return open(t, at)
	}
	return historytest.Backend{
		Open: func(t testing.TB, o historytest.Options) history.Store {
			own := under
			own.Now, own.FutureSlack, own.StoreID, own.Linker = o.Now, o.FutureSlack, o.StoreID, o.Linker
			return open(t, opened{memoryDir(t), own})
		},
		Reopen: func(t testing.TB, s history.Store) history.Store {
			return reopen(t, s, func(*bolt.Options) {})
		},
		Relinked: func(t testing.TB, s history.Store, l history.Linker) history.Store {
			return reopen(t, s, func(o *bolt.Options) { o.Linker = l })
		},
		Kill: func(t testing.TB, s history.Store) history.Store {
			// What a killed process leaves is what its last commit left; the old
			// store keeps its own file and is closed at the end.
			at := stores[s]
			t.Cleanup(func() { s.Close() })
			dir := memoryDir(t)
			if err := s.(*bolt.Store).CopyFile(filepath.Join(dir, bolt.FileName)); err != nil {
				t.Fatal(err)
			}
			return open(t, opened{dir, at.o})
		},
		Check: func(t testing.TB, s history.Store) {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			_, err := bolt.Verify(context.Background(), stores[s].dir, stores[s].o.Linker, func(f bolt.Finding) { t.Error(f) })
			if err != nil {
				t.Fatal(err)
			}
		},
	}
}

// roots holds a folder for each test, made at its first use, so that it outlives
// whatever the test cleans up afterwards.
var roots sync.Map

// memoryDir is a folder that needs no disk, where there is one.
func memoryDir(t testing.TB) string {
	root, ok := roots.Load(t)
	if !ok {
		dir, err := os.MkdirTemp("/dev/shm", "varve-test-")
		if err != nil {
			return t.TempDir()
		}
		t.Cleanup(func() {
			roots.Delete(t)
			os.RemoveAll(dir)
		})
		roots.Store(t, dir)
		root = dir
	}
	dir, err := os.MkdirTemp(root.(string), "")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestSuite(t *testing.T) { historytest.Run(t, backend()) }

func TestModel(t *testing.T) { historytest.Model(t, backend(), 40, 60) }

// TestModelCutShort merges all but once more: the log is there still.
func TestModelCutShort(t *testing.T) {
	historytest.Model(t, backendWith(func(t testing.TB, s *bolt.Store, at opened) opened {
		if err := s.MergeUncut(); err != nil {
			t.Fatal(err)
		}
		return at
	}), 10, 60)
}

func TestOpen(t *testing.T) {
	t.Run("ErrLocked", func(t *testing.T) {
		dir := t.TempDir()
		s, err := bolt.Open(dir, bolt.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		_, err = bolt.Open(dir, bolt.Options{LockTimeout: 50 * time.Millisecond})
		if !errors.Is(err, history.Locked) || !strings.Contains(err.Error(), dir) {
			t.Errorf("got %v, want Locked naming %s", err, dir)
		}
		_, err = bolt.Verify(context.Background(), dir, nil, func(bolt.Finding) {})
		if !errors.Is(err, history.Locked) {
			t.Errorf("verify: got %v, want Locked", err)
		}
	})
	t.Run("ErrNewerFormat", func(t *testing.T) {
		dir := newStore(t)
		edit(t, dir, func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("meta")).Put([]byte("format"), binary.BigEndian.AppendUint32(nil, 99))
		})
		if _, err := bolt.Open(dir, bolt.Options{}); !errors.Is(err, history.NewerFormat) || !strings.Contains(err.Error(), "99") {
			t.Errorf("got %v, want NewerFormat naming 99", err)
		}
	})
	t.Run("NotAStore", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, bolt.FileName), []byte(strings.Repeat("no store ", 4096)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := bolt.Open(dir, bolt.Options{}); err == nil {
			t.Error("opened a file that is no store")
		}
	})
	t.Run("MakesTheFolder", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "a", "b")
		s, err := bolt.Open(dir, bolt.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
	})
}

// newStore makes a closed, merged store that holds a little of everything.
func newStore(t testing.TB) string {
	dir := t.TempDir()
	s, err := bolt.Open(dir, bolt.Options{MergeIdle: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if _, err := s.OpenRun(ctx, history.Run{ID: "one"}); err != nil {
		t.Fatal(err)
	}
	list := estate(20, 3)
	for _, b := range []history.Batch{
		{Observations: list, Op: history.OpID{1}},
		{Observations: list[:20], Run: "one"},
	} {
		if _, err := s.Append(ctx, b); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Merge(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(ctx, history.Batch{Observations: estate(20, 4)[60:]}); err != nil {
		t.Fatal(err) // stays in the log
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// edit changes a store behind its back.
func edit(t testing.TB, dir string, f func(*bbolt.Tx) error) {
	db, err := bbolt.Open(filepath.Join(dir, bolt.FileName), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(f), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestVerify flips a byte in every bucket in turn and drops a key from it:
// verification names the bucket, and a sound store has nothing to name.
func TestVerify(t *testing.T) {
	verify := func(t *testing.T, dir string) (list []bolt.Finding) {
		sum, err := bolt.Verify(context.Background(), dir, nil, func(f bolt.Finding) { list = append(list, f) })
		if err != nil {
			t.Fatal(err)
		}
		if int(sum.Findings) != len(list) {
			t.Errorf("the summary counts %d findings of %d", sum.Findings, len(list))
		}
		return list
	}
	t.Run("Sound", func(t *testing.T) {
		if list := verify(t, newStore(t)); len(list) > 0 {
			t.Error(list)
		}
	})
	for _, bucket := range []string{"log", "group", "dict", "name", "span", "head", "seg", "feed", "run", "seen", "op"} {
		t.Run("Flipped/"+bucket, func(t *testing.T) {
			dir := newStore(t)
			edit(t, dir, func(tx *bbolt.Tx) error {
				b := tx.Bucket([]byte(bucket))
				k, v := b.Cursor().First()
				value := append([]byte(nil), v...)
				value[len(value)/2] ^= 0x20
				return b.Put(append([]byte(nil), k...), value)
			})
			if !named(verify(t, dir), bucket) {
				t.Errorf("a flipped byte in %s was not found", bucket)
			}
		})
		if bucket == "log" || bucket == "dict" || bucket == "run" || bucket == "op" || bucket == "seen" {
			continue // nothing else tells that the last one was there
		}
		t.Run("Dropped/"+bucket, func(t *testing.T) {
			dir := newStore(t)
			edit(t, dir, func(tx *bbolt.Tx) error {
				c := tx.Bucket([]byte(bucket)).Cursor()
				c.First()
				return c.Delete()
			})
			if len(verify(t, dir)) == 0 {
				t.Errorf("a dropped key of %s was not found", bucket)
			}
		})
	}
}

// TestVerifyTellsOnce damages one value, or one page: each is told once, with the
// resource if it is of one, and what does not agree with it for want of it is not
// told at all.
func TestVerifyTellsOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short: it verifies a store more than a hundred times, one after the other")
	}
	origin := memoryDir(t)
	usedStore(t, origin)
	whole, err := os.ReadFile(filepath.Join(origin, bolt.FileName))
	if err != nil {
		t.Fatal(err)
	}
	verify := func(t *testing.T, f func(*bbolt.Tx) error, page ...func(file []byte)) (list []bolt.Finding) {
		dir := memoryDir(t)
		path := filepath.Join(dir, bolt.FileName)
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		edit(t, dir, f)
		for _, f := range page {
			file, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			f(file)
			if err := os.WriteFile(path, file, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := bolt.Verify(context.Background(), dir, testLinker, func(f bolt.Finding) { list = append(list, f) }); err != nil {
			t.Fatal(err)
		}
		return list
	}
	flip := func(tx *bbolt.Tx, bucket string, n int) []byte {
		c := tx.Bucket([]byte(bucket)).Cursor()
		k, v := c.First()
		for range n {
			k, v = c.Next()
		}
		value := bytes.Clone(v)
		value[len(value)/2] ^= 0x20
		k = bytes.Clone(k)
		if err := tx.Bucket([]byte(bucket)).Put(k, value); err != nil {
			t.Fatal(err)
		}
		return k
	}
	keys := map[history.Key]bool{}
	for _, k := range usedKeys() {
		keys[k] = true
	}
	const values, pages = 12, 3 // of a bucket
	for _, bucket := range []string{"seg", "head", "name", "span"} {
		for n := range min(values, 5) {
			list := verify(t, func(tx *bbolt.Tx) error { flip(tx, bucket, n*n); return nil })
			if len(list) != 1 || list[0].Bucket != bucket || keys[list[0].Resource] == (bucket == "span") {
				t.Errorf("%s %d: found %v", bucket, n, list)
			}
			if bucket == "span" {
				break // there are no more
			}
		}
	}

	length := func(bucket string) (n int) {
		edit(t, origin, func(tx *bbolt.Tx) error {
			n = tx.Bucket([]byte(bucket)).Stats().KeyN
			return nil
		})
		return n
	}
	for _, bucket := range []string{"dict", "group", "link", "log", "feed", "sight", "clock", "run", "seen", "op", "doc"} {
		for n := range min(length(bucket), values) {
			list := verify(t, func(tx *bbolt.Tx) error { flip(tx, bucket, n); return nil })
			if len(list) != 1 || list[0].Bucket != bucket {
				t.Errorf("%s %d: %d findings: %.600v", bucket, n, len(list), list)
			}
		}
	}
	list := verify(t, func(tx *bbolt.Tx) error { flip(tx, "dict", 0); return nil })
	if len(list) != 1 || !regexp.MustCompile(`; [1-9][0-9]{2,} contents were written with it$`).MatchString(list[0].Text) {
		t.Errorf("a dictionary: found %v", list)
	}

	// Of a page are told besides those that it took, how far its bucket can be read,
	// and how much was written with the dictionary on it.
	for _, bucket := range []string{"seg", "head", "name", "span", "feed", "link", "log", "dict"} {
		for _, part := range []int{8, 10} { // its flags, the number of its elements
			for n := range pages {
				var k, v []byte
				list := verify(t, func(tx *bbolt.Tx) error {
					c := tx.Bucket([]byte(bucket)).Cursor()
					k, v = c.First()
					for range n * length(bucket) / pages {
						k, v = c.Next()
					}
					k, v = bytes.Clone(k), bytes.Clone(v)
					return nil
				}, func(file []byte) {
					size := os.Getpagesize()
					for from, kv := 0, append(k, v...); ; from++ { // on free pages, too
						i := bytes.Index(file[from:], kv)
						if i < 0 {
							return
						}
						from += i
						at := from / size * size
						for binary.NativeEndian.Uint64(file[at:]) != uint64(at/size) {
							at -= size
						}
						file[at+part] ^= 0x40
					}
				})
				if len(list) == 0 || len(list) > 4 {
					t.Errorf("page %d of %s, byte %d: %d findings: %.600v", n, bucket, part, len(list), list)
				}
			}
		}
	}

	// Damage of something else of the resource is told beside it.
	for bucket, want := range map[string]string{"head": "name", "name": "head", "span": "span", "link": "link"} {
		list = verify(t, func(tx *bbolt.Tx) error {
			of := flip(tx, "seg", 0)[:4]
			b := tx.Bucket([]byte(bucket))
			k, _ := b.Cursor().First()
			if bucket == "head" {
				k = of
			}
			return b.Delete(k)
		})
		if !named(list, "seg") || !named(list, want) {
			t.Errorf("a segment, and a key of %s that is dropped: found %v", bucket, list)
		}
	}
}

func named(list []bolt.Finding, bucket string) bool {
	for _, f := range list {
		if f.Bucket == bucket {
			return true
		}
	}
	return false
}

// TestDamageIsAnError reads a store of which a value is damaged: the answer is
// DataLoss, never a wrong one.
func TestDamageIsAnError(t *testing.T) {
	dir := newStore(t)
	edit(t, dir, func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("seg"))
		k, v := b.Cursor().First()
		value := append([]byte(nil), v...)
		value[len(value)-1] ^= 1
		return b.Put(append([]byte(nil), k...), value)
	})
	s := openStore(t, dir)
	reader, err := s.AsOf(context.Background(), history.At{Captured: 1_700_000_030_000_000})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err = reader.Items(context.Background(), history.Query{}); !errors.Is(err, history.DataLoss) {
		t.Errorf("got %v, want DataLoss", err)
	}
}

// TestDamagedPages damages what bbolt itself stands on.
func TestDamagedPages(t *testing.T) {
	page := os.Getpagesize()
	damage := func(t *testing.T, f func(b []byte) []byte) string {
		dir := newStore(t)
		path := filepath.Join(dir, bolt.FileName)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f(b), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	t.Run("OneMetaPageIsAFinding", func(t *testing.T) {
		for meta := range 2 {
			dir := damage(t, func(b []byte) []byte {
				b[meta*page+70] ^= 1
				return b
			})
			found := false
			_, err := bolt.Verify(context.Background(), dir, nil, func(f bolt.Finding) {
				found = found || strings.Contains(f.Text, "meta page")
			})
			if err != nil || !found {
				t.Errorf("meta page %d: %v, found %v", meta, err, found)
			}
		}
	})
	t.Run("BothMetaPagesAreRefused", func(t *testing.T) {
		dir := damage(t, func(b []byte) []byte {
			b[70] ^= 1
			b[page+70] ^= 1
			return b
		})
		if _, err := bolt.Open(dir, bolt.Options{}); !errors.Is(err, history.DataLoss) {
			t.Errorf("got %v, want DataLoss", err)
		}
	})
	t.Run("AFolderIsRefused", func(t *testing.T) {
		dir := t.TempDir()
		path := filepath.Join(dir, bolt.FileName)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		_, err := bolt.Open(dir, bolt.Options{})
		_, verifyErr := bolt.Verify(context.Background(), dir, nil, func(bolt.Finding) {})
		for _, err := range []error{err, verifyErr} {
			if err == nil || strings.Count(err.Error(), path) != 1 {
				t.Errorf("got %v, want the path once", err)
			}
		}
	})
	t.Run("CutShortIsRefused", func(t *testing.T) {
		dir := damage(t, func(b []byte) []byte { return b[:8*page] })
		if _, err := bolt.Open(dir, bolt.Options{}); !errors.Is(err, history.DataLoss) {
			t.Errorf("got %v, want DataLoss", err)
		}
		if _, err := bolt.Verify(context.Background(), dir, nil, func(bolt.Finding) {}); !errors.Is(err, history.DataLoss) {
			t.Errorf("verify: got %v, want DataLoss", err)
		}
	})
}

// testLinker reads the links of stores that are killed or damaged.
var testLinker = historytest.Linker("first")
