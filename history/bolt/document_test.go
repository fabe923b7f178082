package bolt_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	bbolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

func putDocuments(t testing.TB, s *bolt.Store, writes ...history.DocumentWrite) []history.Document {
	t.Helper()
	list, err := s.PutDocuments(context.Background(), writes)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func document(collection, name, body string) history.DocumentWrite {
	return history.DocumentWrite{Collection: collection, Name: name, Body: []byte(body)}
}

func documentsOf(t testing.TB, s *bolt.Store, collection string) []history.Document {
	t.Helper()
	list, more, err := s.Documents(context.Background(), collection, "", 0)
	if err != nil || more {
		t.Fatal(more, err)
	}
	return list
}

// someDocuments puts documents of all sizes, deletes some, and returns those of
// each collection that are left.
func someDocuments(t testing.TB, s *bolt.Store) (left map[string][]history.Document) {
	t.Helper()
	for n := range 40 {
		putDocuments(t, s,
			document("state", fmt.Sprint(n%20), strings.Repeat(fmt.Sprint(n, " "), n*n)),
			document("dead", fmt.Sprint(n), fmt.Sprint(n)),
			history.DocumentWrite{Collection: "dead", Name: fmt.Sprint(n - 3)})
	}
	putDocuments(t, s, history.DocumentWrite{Collection: "empty", Name: "e", Body: []byte{}})
	putDocuments(t, s, document("went", "w", "w"))
	putDocuments(t, s, history.DocumentWrite{Collection: "went", Name: "w"}) // has the highest revision
	left = map[string][]history.Document{}
	for _, collection := range []string{"state", "dead", "empty", "went"} {
		left[collection] = documentsOf(t, s, collection)
	}
	if len(left["state"]) != 20 || len(left["dead"]) != 3 || len(left["empty"]) != 1 || len(left["went"]) != 0 {
		t.Fatalf("%d, %d, %d and %d documents are left", len(left["state"]), len(left["dead"]), len(left["empty"]), len(left["went"]))
	}
	return left
}

// TestDocumentsCopied compares the documents of copies with those that were
// copied. Revisions go on after that of a deletion, which is of no document.
func TestDocumentsCopied(t *testing.T) {
	dir := memoryDir(t)
	s := openWith(t, dir, bolt.Options{})
	plain := backupOf(t, s)
	want := someDocuments(t, s)
	backup := backupOf(t, s)
	for _, b := range []struct {
		name   string
		backup []byte
		want   uint32
	}{{"without documents", plain, 1}, {"with documents", backup, 2}} {
		if v := binary.BigEndian.Uint32(b.backup[16:]); v != b.want {
			t.Errorf("the backup %s has version %d, want %d", b.name, v, b.want)
		}
	}
	next := putDocuments(t, s, document("went", "w", "w"))[0].Revision
	putDocuments(t, s, history.DocumentWrite{Collection: "went", Name: "w"})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	same := func(t *testing.T, dir string, revision uint64) {
		t.Helper()
		if sum := sound(t, dir); sum.Documents != 24 {
			t.Errorf("verification reads %d documents", sum.Documents)
		}
		s := openWith(t, dir, bolt.Options{})
		for collection, list := range want {
			if d := cmp.Diff(list, documentsOf(t, s, collection)); d != "" && len(list) > 0 {
				t.Errorf("%s (-want +got):\n%s", collection, d)
			}
		}
		if got := putDocuments(t, s, document("went", "w", "w"))[0].Revision; got != revision {
			t.Errorf("the next put has revision %d, want %d", got, revision)
		}
	}
	t.Run("Compacted", func(t *testing.T) {
		if _, err := bolt.Compact(context.Background(), dir, bolt.CopyOptions{}); err != nil {
			t.Fatal(err)
		}
		same(t, dir, next+2)
	})
	t.Run("Restored", func(t *testing.T) {
		to := filepath.Join(memoryDir(t), "new")
		if _, err := bolt.Restore(context.Background(), bytes.NewReader(backup), to, bolt.CopyOptions{}); err != nil {
			t.Fatal(err)
		}
		same(t, to, next)
	})
}

// TestDocumentsInBackup puts the position of what was recorded into two documents
// at once while copies are begun. In each of these both are of one put, and their
// position is one that the copy knows; so it is where a backup is restored.
func TestDocumentsInBackup(t *testing.T) {
	ctx := context.Background()
	s := openWith(t, memoryDir(t), bolt.Options{MergeRecords: 50})
	step := func(n int) error {
		receipt, err := s.Append(ctx, history.Batch{Observations: []history.Observation{
			observed(n%50, firstMoment+history.Moment(n), fmt.Sprint(n)),
		}})
		if err != nil {
			return err
		}
		at := string(receipt.Position)
		_, err = s.PutDocuments(ctx, []history.DocumentWrite{document("state", "a", at), document("state", "b", at)})
		return err
	}
	if err := step(0); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	var recording sync.WaitGroup
	recording.Go(func() {
		defer close(ended)
		for n := 1; n < 4000; n++ {
			if err := step(n); err != nil {
				t.Error(err)
				return
			}
		}
	})
	var backup []byte
	for n, ending := 0, false; !ending; n++ {
		select {
		case <-ended:
			ending = true
		default:
		}
		if n == 0 {
			backup = backupOf(t, s)
		}
		list, err := s.BeginCopy(ctx)
		if err != nil {
			t.Error(err)
			break
		}
		if len(list) != 2 || !bytes.Equal(list[0].Body, list[1].Body) || list[0].Revision != list[1].Revision {
			t.Errorf("parts of several puts: %v", list)
			break
		}
	}
	recording.Wait()

	to := filepath.Join(memoryDir(t), "new")
	if _, err := bolt.Restore(ctx, bytes.NewReader(backup), to, bolt.CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	sound(t, to)
	restored := openWith(t, to, bolt.Options{})
	list := documentsOf(t, restored, "state")
	if len(list) != 2 {
		t.Fatalf("there are %v", list)
	}
	if _, _, err := restored.Changes(ctx, history.Position(list[0].Body), 1, 0); err != nil {
		t.Errorf("position %s is not known to the copy: %v", list[0].Body, err)
	}
}

// TestFileWithoutDocuments opens a file of a program that knew nothing of them.
func TestFileWithoutDocuments(t *testing.T) {
	ctx := context.Background()
	dir := memoryDir(t)
	s := openWith(t, dir, bolt.Options{})
	record(t, s, history.Batch{Observations: []history.Observation{observed(1, firstMoment, "1")}})
	if err := s.Edit(func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("doc")) }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	sound(t, dir)
	s = openWith(t, dir, bolt.Options{})
	if list := documentsOf(t, s, "c"); len(list) > 0 {
		t.Errorf("there are %v", list)
	}
	if _, err := s.Document(ctx, "c", "a"); !errors.Is(err, history.NotFound) {
		t.Errorf("got %v, want NotFound", err)
	}
	backupOf(t, s)
	none := uint64(0)
	first := document("c", "a", "1")
	first.Expect = &none
	putDocuments(t, s, first)
	if list := documentsOf(t, s, "c"); len(list) != 1 {
		t.Errorf("there are %v", list)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	sound(t, dir)
}

// TestDamagedDocument flips each byte of a stored document, and of the revision
// of the newest put.
func TestDamagedDocument(t *testing.T) {
	ctx := context.Background()
	dir := memoryDir(t)
	s := openWith(t, dir, bolt.Options{})
	putDocuments(t, s, document("c", "a", "1"), document("c", "good", "2"), document("long", "b", strings.Repeat("b", 300)))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// damagedBy opens the store with one byte of a value flipped, and returns what
	// verification says of it.
	damagedBy := func(t *testing.T, bucket, key string, at int) (*bolt.Store, []bolt.Finding) {
		t.Helper()
		s := openWith(t, dir, bolt.Options{})
		err := s.Edit(func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte(bucket))
			value := bytes.Clone(b.Get([]byte(key)))
			value[at%len(value)] ^= 1 << (at % 8)
			return b.Put([]byte(key), value)
		})
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		var findings []bolt.Finding
		if _, err := bolt.Verify(ctx, dir, testLinker, func(f bolt.Finding) { findings = append(findings, f) }); err != nil {
			t.Fatal(err)
		}
		return openWith(t, dir, bolt.Options{}), findings
	}
	t.Run("Document", func(t *testing.T) {
		for at := range 30 {
			for _, of := range [][2]string{{"c", "a"}, {"long", "b"}} {
				s, findings := damagedBy(t, "doc", of[0]+"\x00"+of[1], at)
				if len(findings) != 1 || !strings.Contains(findings[0].String(), fmt.Sprintf("%q", of[0]+"\x00"+of[1])) {
					t.Fatalf("byte %d of %v: found is %v", at, of, findings)
				}
				one := uint64(1)
				expecting := document(of[0], of[1], "")
				expecting.Expect = &one
				_, read := s.Document(ctx, of[0], of[1])
				_, _, listed := s.Documents(ctx, of[0], "", 0)
				_, expected := s.PutDocuments(ctx, []history.DocumentWrite{expecting})
				for question, err := range map[string]error{
					"read": read, "listed": listed, "expected": expected, "backed up": s.Backup(ctx, func([]byte) error { return nil }),
				} {
					if !errors.Is(err, history.DataLoss) {
						t.Errorf("%s: got %v, want DataLoss", question, err)
					}
				}
				if d, err := s.Document(ctx, "c", "good"); err != nil || string(d.Body) != "2" {
					t.Errorf("another document: %s, %v", d.Body, err)
				}
				putDocuments(t, s, document(of[0], of[1], strings.Repeat("b", 300))) // mends it
				if d, err := s.Document(ctx, of[0], of[1]); err != nil || len(d.Body) != 300 {
					t.Errorf("put anew: %s, %v", d.Body, err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				sound(t, dir)
			}
		}
	})
	t.Run("Revision", func(t *testing.T) {
		s, findings := damagedBy(t, "meta", "documents", 4)
		if len(findings) != 1 || findings[0].Bucket != "meta" || string(findings[0].Key) != "documents" {
			t.Errorf("found is %v", findings)
		}
		if _, err := s.PutDocuments(ctx, []history.DocumentWrite{document("c", "a", "3")}); !errors.Is(err, history.DataLoss) {
			t.Errorf("put: got %v, want DataLoss", err)
		}
		if list := documentsOf(t, s, "c"); len(list) != 2 {
			t.Errorf("there are %v", list)
		}
		record(t, s, history.Batch{Observations: []history.Observation{observed(1, firstMoment, "1")}})
	})
}

// TestDocumentsShareCommits has puts and appends wait until the writer is free: all
// of them become durable in one commit, which is a single transaction.
func TestDocumentsShareCommits(t *testing.T) {
	const each = 30
	ctx := context.Background()
	s := openWith(t, memoryDir(t), bolt.Options{})
	putDocuments(t, s, document("c", "a", "1"))
	state := func() (commits uint64, transaction int) {
		stats, err := s.Stats(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.ReadBare(func(tx *bbolt.Tx) error { transaction = tx.ID(); return nil }); err != nil {
			t.Fatal(err)
		}
		return stats.Commits, transaction
	}
	commits, transaction := state()
	var group sync.WaitGroup
	err := s.Alone(func() error {
		for n := range each {
			group.Go(func() {
				if _, err := s.PutDocuments(ctx, []history.DocumentWrite{document("c", "shared", fmt.Sprint(n)), document("c", fmt.Sprint(n), "x")}); err != nil {
					t.Error(err)
				}
			})
			group.Go(func() {
				if _, err := s.Append(ctx, history.Batch{Observations: []history.Observation{observed(n, firstMoment, "1")}}); err != nil {
					t.Error(err)
				}
			})
		}
		for s.Queued() < 2*each {
			if t.Failed() {
				return errors.New("one has failed before its time")
			}
			runtime.Gosched()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	group.Wait()
	gotCommits, gotTransaction := state()
	if n := gotCommits - commits; n != 1 {
		t.Errorf("%d puts and as many appends took %d commits, want one for all", each, n)
	}
	if n := gotTransaction - transaction; n != 1 {
		t.Errorf("they took %d transactions, want one", n)
	}
	list := documentsOf(t, s, "c")
	seen := map[uint64]bool{}
	for _, d := range list {
		if d.Name != "shared" && seen[d.Revision] {
			t.Errorf("two puts have revision %d", d.Revision)
		}
		seen[d.Revision] = true
	}
	if len(list) != each+2 {
		t.Errorf("there are %d documents", len(list))
	}
}

// TestStatsOfDocuments looks for them among the parts of the file.
func TestStatsOfDocuments(t *testing.T) {
	s := openWith(t, memoryDir(t), bolt.Options{})
	entries := func() uint64 {
		stats, err := s.Stats(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range stats.Buckets {
			if b.Name == "doc" {
				return b.Entries
			}
		}
		t.Fatal("they are no part of it")
		return 0
	}
	putDocuments(t, s, document("c", "a", "1"), document("c", "b", "2"))
	if n := entries(); n != 2 {
		t.Errorf("%d entries are told of 2", n)
	}
}

func FuzzDocument(f *testing.F) {
	key := []byte("c\x00a")
	for _, body := range []string{"", "a", strings.Repeat("a", 200)} {
		f.Add(key, bolt.DocumentValue(key, []byte(body), 1)[4:])
	}
	f.Add([]byte("c"), make([]byte, 9))
	f.Add(key, []byte("revision"))
	f.Add(key, append(make([]byte, 8), 1, 0xff, 0xff, 0xff, 0x7f)) // of more bytes than a document may have
	f.Fuzz(func(t *testing.T, key, value []byte) {
		framed := bolt.Seal(key, value)
		d, err := bolt.OpenDocument(key, framed)
		if err != nil {
			if !errors.Is(err, history.DataLoss) {
				t.Fatal(err)
			}
			return
		}
		if d.Body == nil || d.Collection+"\x00"+d.Name != string(key) {
			t.Fatalf("%q is read as %+v", key, d)
		}
		again, err := bolt.OpenDocument(key, bolt.DocumentValue(key, d.Body, d.Revision))
		if err != nil || !cmp.Equal(d, again) {
			t.Fatalf("written again %+v is %+v: %v", d, again, err)
		}
		if _, err := bolt.OpenDocument(append(key, 'x'), framed); !errors.Is(err, history.DataLoss) {
			t.Fatalf("it is read under another key: %v", err)
		}
	})
}
