package engine_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
)

// flipped is a store of which each test damages one value.
type flipped struct {
	dir       string
	file      []byte
	resources []history.Key
	numbers   map[history.Key]uint32 // that the file has for them
	values    map[string][][]byte    // keys by bucket
}

// TestFlippedValues flips a byte of one value after another of a store that is merged.
// Each time something is recorded of a sound resource, a rule is put, and all that
// does not hang on what is damaged is judged soon.
func TestFlippedValues(t *testing.T) {
	f := newFlipped(t)
	most := 24
	if testing.Short() {
		most = 4
	}
	for _, name := range []string{"name", "head", "seg", "span", "sight", "feed", "link", "doc", "run", "seen", "clock", "op", "dict", "group"} {
		list := f.values[name]
		if len(list) == 0 {
			t.Errorf("bucket %s is empty", name)
		}
		for n := range list {
			key := list[n]
			if n*most/len(list) == (n-1)*most/len(list) && n > 0 && !f.certain(name, key) {
				continue
			}
			t.Run(fmt.Sprintf("%s/%x", name, key), func(t *testing.T) { f.flip(t, name, key) })
		}
	}
}

// certain are values that no sample leaves out: a verdict that is to change, and a
// resource, of which it is not known where they stand.
func (f *flipped) certain(bucket string, key []byte) bool {
	for _, k := range []history.Key{engine.VerdictKey(rules.Owner{}, ruleA.ID, f.resources[0]), f.resources[57]} {
		if bucket == "head" && binary.BigEndian.Uint32(key) == f.numbers[k] || bucket == "name" && string(key[4:]) == k.ID {
			return true
		}
	}
	return false
}

// newFlipped makes the store: two rules, one of which looks at what is related, over
// resources with links, some seen again and some in a run; and one that is evaluated
// elsewhere.
func newFlipped(t *testing.T) *flipped {
	f := &flipped{dir: t.TempDir(), numbers: map[history.Key]uint32{}, values: map[string][][]byte{}}
	w := newWorld(t, links{})
	s, err := f.open(w, f.dir)
	if err != nil {
		t.Fatal(err)
	}
	w.store = s
	w.clock.Advance(time.Hour)
	w.start()
	external := history.Key{Type: rules.TypeRule, ID: "c"}
	w.put(ruleA, definition{From: at(0), Rule: rules.Rule{Compliant: "self"}})
	w.put(history.Key{Type: rules.TypeRule, ID: "b"}, definition{From: at(0), Rule: rules.Rule{Compliant: "related"}})
	w.put(external, definition{From: at(0), Rule: rules.Rule{External: true, Scope: rules.Scope{Types: []string{"U"}}}})
	run, err := w.store.OpenRun(w.ctx, history.Run{ID: "run", Scope: history.Scope{Types: []string{"U"}}})
	if err != nil {
		t.Fatal(err)
	}
	var list, found []history.Observation
	for n := range 100 {
		k := history.Key{Account: strconv.Itoa(n % 2), Type: "T", ID: fmt.Sprint("resource-", n)}
		c := content{V: "A", W: fmt.Sprint(n), Bears: []string{fmt.Sprint(n)}, Refers: [][2]string{{fmt.Sprint(n / 2), ""}}}
		if n%4 == 3 {
			k.Type = "U"
			found = append(found, history.Observation{Key: k, State: c.state()})
		}
		f.resources = append(f.resources, k)
		list = append(list, history.Observation{Key: k, CapturedAt: at(1), State: c.state()})
	}
	w.record(list...)
	for i := range list {
		list[i].CapturedAt = at(50) // seen again
	}
	w.record(list...)
	op := history.Batch{Op: history.OpID{1}, Run: run.ID, Observations: found}
	if _, err := w.store.Append(w.ctx, op); err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.CloseRun(w.ctx, run.ID, history.Complete, ""); err != nil {
		t.Fatal(err)
	}
	for i := range found {
		err := engine.PutEvaluation(w.ctx, w.store, rules.Evaluation{Rule: external.ID, Key: found[i].Key, At: at(2), Verdict: rules.Verdict{Compliance: rules.Compliant}})
		if err != nil {
			t.Fatal(err)
		}
	}
	w.settle()
	w.stop()
	if err := errors.Join(s.Merge(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if f.file, err = os.ReadFile(filepath.Join(f.dir, bolt.FileName)); err != nil {
		t.Fatal(err)
	}
	f.read(t)
	return f
}

func (f *flipped) open(w *world, dir string) (*bolt.Store, error) {
	return bolt.Open(dir, bolt.Options{NoSync: true, Now: w.clock.Now, Linker: linker, MergeRecords: 1 << 30, MergeIdle: time.Hour})
}

// read takes down what keys there are, and which resource has which number.
func (f *flipped) read(t *testing.T) {
	db, err := bbolt.Open(filepath.Join(f.dir, bolt.FileName), 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	err = db.View(func(tx *bbolt.Tx) error {
		groups := map[string]history.Key{}
		err := tx.Bucket([]byte("group")).ForEach(func(k, v []byte) error {
			var parts [3]string
			v = v[4:]
			for i := range parts {
				n, size := binary.Uvarint(v)
				parts[i], v = string(v[size:size+int(n)]), v[size+int(n):]
			}
			groups[string(k)] = history.Key{Account: parts[0], Region: parts[1], Type: parts[2]}
			return nil
		})
		if err != nil {
			return err
		}
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			return b.ForEach(func(k, v []byte) error {
				f.values[string(name)] = append(f.values[string(name)], bytes.Clone(k))
				if string(name) == "name" {
					key := groups[string(k[:4])]
					key.ID = string(k[4:])
					f.numbers[key] = binary.BigEndian.Uint32(v[4:])
				}
				return nil
			})
		})
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// damage writes the store with one byte of a value flipped.
func (f *flipped) damage(t *testing.T, bucket string, key []byte) (dir string, value []byte) {
	dir = t.TempDir()
	path := filepath.Join(dir, bolt.FileName)
	if err := os.WriteFile(path, f.file, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(bucket))
		value = bytes.Clone(b.Get(key))
		damaged := bytes.Clone(value)
		damaged[len(damaged)-1] ^= 1
		return b.Put(key, damaged)
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return dir, value
}

// concerns tells of which resources a value is, of which nothing can be told then.
func (f *flipped) concerns(bucket string, key, value []byte) func(history.Key) bool {
	var first, last uint32 = 1, 0
	switch bucket {
	case "name":
		first = binary.BigEndian.Uint32(value[4:])
		last = first
	case "head", "seg":
		first = binary.BigEndian.Uint32(key)
		last = first
	case "span":
		first = binary.BigEndian.Uint32(key) * 64
		last = first + 63
	case "sight", "seen": // up to the next one, or all behind it; in seen its run and a commit come first
		of := 0
		if bucket == "seen" {
			of = len(key) - 4
		}
		first, last = binary.BigEndian.Uint32(key[of:]), math.MaxUint32
		for _, next := range f.values[bucket] {
			if bytes.Compare(next, key) > 0 && bytes.HasPrefix(next, key[:of]) {
				last = min(last, binary.BigEndian.Uint32(next[of:]))
			}
		}
	}
	return func(k history.Key) bool {
		if bucket == "dict" {
			return bytes.HasPrefix(value[5:], []byte(k.Type))
		}
		n, ok := f.numbers[k]
		if bucket == "name" && !ok {
			return f.beside(k, first)
		}
		if !ok {
			n = math.MaxUint32 // it came later
		}
		return first <= n && n <= last
	}
}

// beside reports whether a resource that came later has its name next to the one of a
// number: it may be that very name that is damaged.
func (f *flipped) beside(k history.Key, number uint32) bool {
	var before, behind history.Key
	for other := range f.numbers {
		if c := other.Compare(k); c < 0 && before.Compare(other) < 0 {
			before = other
		} else if c > 0 && (behind == history.Key{} || other.Compare(behind) < 0) {
			behind = other
		}
	}
	return f.numbers[before] == number || f.numbers[behind] == number
}

func (f *flipped) flip(t *testing.T, bucket string, key []byte) {
	dir, value := f.damage(t, bucket, key)
	concerned := f.concerns(bucket, key, value)
	w := newWorld(t, links{})
	w.clock.Advance(2 * time.Hour)
	s, err := f.open(w, dir)
	if (bucket == "run" || bucket == "group") && errors.Is(err, history.DataLoss) {
		return // a store opens with all of these, or not at all
	}
	if err != nil {
		t.Fatal(err)
	}
	w.store = s
	defer s.Close()
	w.logged = &bytes.Buffer{}
	w.start()
	defer func() {
		if w.stop(); t.Failed() {
			text := w.logged.String()
			t.Log(text[:min(len(text), 2000)])
		}
	}()

	// One of those there were is changed, one comes, and a rule comes.
	fresh := history.Key{Account: "0", Type: "T", ID: "fresh"}
	changed := f.resources[slices.IndexFunc(f.resources, func(k history.Key) bool { return !concerned(k) })]
	ruleNew := history.Key{Type: rules.TypeRule, ID: "new"}
	w.version(changed, 5000, "BB", "")
	w.version(fresh, 5000, "BB", "")
	w.put(ruleNew, definition{From: at(0), Rule: rules.Rule{Compliant: "self"}})
	head, err := s.Head(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); w.engine.EvaluatedThrough().Revision < head.Revision; time.Sleep(time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatal("evaluation does not get on: ", w.engine.Failing())
		}
	}
	if err := w.engine.Failing(); err != nil {
		t.Error(err)
	}

	r, err := s.AsOf(w.ctx, history.At{})
	if err != nil {
		t.Fatal(err)
	}
	judged := func(rule, k history.Key, last rules.Compliance) {
		t.Helper()
		verdict := engine.VerdictKey(rules.Owner{}, rule.ID, k)
		list, err := engine.Intervals(w.ctx, r, verdict)
		if concerned(rule) || concerned(k) || concerned(verdict) {
			return
		}
		if err != nil {
			t.Errorf("%s on %v: %v", rule.ID, k, err)
			return
		}
		if n := len(list); n == 0 || list[n-1].Compliance != last {
			t.Errorf("%s on %v: %v, want %s", rule.ID, k, list, last)
		}
	}
	for _, rule := range []history.Key{ruleA, ruleNew} {
		judged(rule, changed, rules.Compliant)
		judged(rule, fresh, rules.Compliant)
	}
	for _, k := range f.resources {
		if k != changed {
			judged(ruleNew, k, rules.NonCompliant)
		}
	}
	if n := w.engine.Counters().LeftOut; n > 0 != bytes.Contains(w.logged.Bytes(), []byte(`msg="not evaluated`)) {
		t.Errorf("%d are left out", n)
	}
}
