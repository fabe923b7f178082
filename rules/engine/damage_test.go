package engine_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
)

// lossy is a store in which one resource is damaged.
type lossy struct {
	*mortal
	damaged history.Key
}

func (l *lossy) AsOf(ctx context.Context, at history.At) (history.Reader, error) {
	r, err := l.mortal.AsOf(ctx, at)
	return &lossyReader{r, l.damaged}, err
}

type lossyReader struct {
	history.Reader
	damaged history.Key
}

var errLoss = history.Errorf(history.DataLoss, "damaged")

func (r *lossyReader) Get(ctx context.Context, keys []history.Key, f history.Fields) ([]history.Item, error) {
	if f != history.FieldsKey && slices.Contains(keys, r.damaged) {
		return nil, errLoss
	}
	return r.Reader.Get(ctx, keys, f)
}

func (r *lossyReader) History(ctx context.Context, k history.Key, q history.HistoryQuery) ([]history.Item, bool, error) {
	if k == r.damaged {
		return nil, false, errLoss
	}
	return r.Reader.History(ctx, k, q)
}

// TestDamagedHoldsNobodyUp changes a resource that cannot be read while rules look at
// what is around others: what changes behind it is judged.
func TestDamagedHoldsNobodyUp(t *testing.T) {
	w := memoryWorld(t)
	w.clock.Advance(time.Hour)
	whole := w.store
	damaged, sound := resourceKeys[0], resourceKeys[1]
	w.store = &lossy{&mortal{Store: whole, Pruner: whole.(history.Pruner)}, damaged}
	w.start()
	t.Cleanup(func() { w.stop() })
	w.put(ruleA, definition{From: at(0), Rule: rules.Rule{Compliant: "related"}})
	w.settle()
	w.version(damaged, 100, "A", "")
	w.version(sound, 101, "A", "")
	w.store = whole // to be asked by the test
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if len(w.intervals(0)) > 0 {
			return
		}
		if time.Since(begin) > time.Minute {
			t.Fatal("what changed behind a damaged resource is not judged: ", w.engine.Failing())
		}
	}
}

// damagedWorld has a store whose file is damaged. First records what is there before.
func damagedWorld(t *testing.T, first func(*world), damage func(t *testing.T, file string)) *world {
	w := newWorld(t, links{})
	dir := t.TempDir()
	open := func() *bolt.Store {
		s, err := bolt.Open(dir, bolt.Options{NoSync: true, Now: w.clock.Now, Linker: linker, MergeIdle: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		w.store = s
		return s
	}
	s := open()
	w.clock.Advance(time.Hour)
	w.start()
	first(w)
	w.stop()
	if err := errors.Join(s.Merge(), s.Close()); err != nil {
		t.Fatal(err)
	}
	damage(t, filepath.Join(dir, bolt.FileName))
	s = open()
	t.Cleanup(func() { s.Close() })
	w.logged = &bytes.Buffer{}
	w.start()
	t.Cleanup(func() { w.stop() })
	w.clock.Advance(time.Hour)
	return w
}

// letters damages what each of some texts stands in: their letters become small ones.
func letters(texts ...string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range texts {
			if !bytes.Contains(file, []byte(text)) {
				t.Fatalf("there is no %s to damage", text)
			}
			file = bytes.ReplaceAll(file, []byte(text), bytes.ToLower([]byte(text)))
		}
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// lastOfFeed damages the last block of the feed.
func lastOfFeed(t *testing.T, path string) {
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		feed := tx.Bucket([]byte("feed"))
		k, v := feed.Cursor().Last()
		v = bytes.Clone(v)
		v[len(v)-1] ^= 1
		return feed.Put(k, v)
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedRule: nothing is known of one rule, and all others are evaluated.
func TestDamagedRule(t *testing.T) {
	ruleB := history.Key{Type: rules.TypeRule, ID: "b"}
	w := damagedWorld(t, func(w *world) {
		w.put(ruleA, definition{From: at(0), Rule: rules.Rule{Compliant: "self"}})
		w.put(ruleB, definition{From: at(0), Rule: rules.Rule{Compliant: "self", Description: "DAMAGE-ME"}})
		w.version(bucket, 1, "A", "")
		w.settle()
	}, letters("DAMAGE-ME"))
	w.version(bucket, 100, "BB", "")
	if got, want := w.timelineOf("a", bucket), "1 NON_COMPLIANT 100; 100 COMPLIANT now; "; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := w.timelineOf("b", bucket), "1 NON_COMPLIANT now; "; got != want {
		t.Errorf("what the damaged one said: %s, want %s", got, want)
	}

	// What of it can be read is of no use: its other versions may hold for any moment.
	w.put(ruleB, definition{From: at(200), Rule: rules.Rule{Compliant: "self"}})
	w.put(ruleA, definition{From: at(300), Rule: rules.Rule{Compliant: "now"}})
	w.settle()
	if got := w.engine.Damaged(); got != 1 || w.engine.Failing() != nil {
		t.Errorf("%d rules are damaged, failing: %v", got, w.engine.Failing())
	}
	if len(w.engine.Rulings()) != 1 {
		t.Errorf("%d rules, want one", len(w.engine.Rulings()))
	}
	r, err := w.store.AsOf(w.ctx, history.At{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.engine.Current(w.ctx, r); !errors.Is(err, history.DataLoss) || !strings.Contains(err.Error(), ruleB.String()) {
		t.Errorf("all rules: got %v, want DataLoss that names the damaged one", err)
	}
	w.stop()
	if got := strings.Count(w.logged.String(), "\n"); got != 1 || !strings.Contains(w.logged.String(), "rule=b") {
		t.Errorf("%d lines are logged, want one about the rule:\n%s", got, w.logged)
	}
	w.start()
}

// TestDamagedIsLeftOut damages a resource, an evaluation with the verdict that follows
// from it, and the position: everything else is evaluated, and nobody waits in vain.
func TestDamagedIsLeftOut(t *testing.T) {
	external := history.Key{Type: rules.TypeRule, ID: "b"}
	other, damaged := history.Key{Account: "1", Type: "T", ID: "other"}, history.Key{Account: "1", Type: "T", ID: "damaged"}
	evaluate := func(w *world, k history.Key, n int, annotation string) {
		t.Helper()
		err := engine.PutEvaluation(w.ctx, w.store, rules.Evaluation{
			Rule: external.ID, Key: k, At: at(n), Verdict: rules.Verdict{Compliance: rules.NonCompliant, Annotation: annotation},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	w := damagedWorld(t, func(w *world) {
		w.put(ruleA, definition{From: at(0), Rule: rules.Rule{Compliant: "self"}})
		w.put(external, definition{From: at(0), Rule: rules.Rule{External: true}})
		w.version(bucket, 1, "A", "")
		w.version(other, 1, "A", "")
		w.version(damaged, 1, "DAMAGED-STATE", "")
		evaluate(w, bucket, 2, "DAMAGED-VERDICT")
		w.settle()
	}, letters("DAMAGED-STATE", "DAMAGED-VERDICT", `"Position"`))
	for i, k := range []history.Key{bucket, other, damaged} {
		w.version(k, 100+i, "BB", "")
	}
	evaluate(w, bucket, 110, "again")
	evaluate(w, other, 110, "")
	for rule, want := range map[string]string{
		"a": "1 NON_COMPLIANT 101; 101 COMPLIANT now; ",
		"b": "1 INSUFFICIENT_DATA 110; 110 NON_COMPLIANT now; ",
	} {
		if got := w.timelineOf(rule, other); got != want {
			t.Errorf("%s on what is sound: %s, want %s", rule, got, want)
		}
	}
	if got, want := w.timelineOf("a", bucket), "1 NON_COMPLIANT 100; 100 COMPLIANT now; "; got != want {
		t.Errorf("beside a damaged verdict: %s, want %s", got, want)
	}
	if n := w.engine.Counters().LeftOut; n == 0 || w.engine.Failing() != nil {
		t.Errorf("%d are left out, failing: %v", n, w.engine.Failing())
	}
	w.stop()
	if text := w.logged.String(); !strings.Contains(text, "how far it was evaluated is damaged") || !strings.Contains(text, "resource="+strconv.Quote(damaged.String())) {
		t.Error(text)
	}
	w.logged.Reset()
	w.start() // the position is written anew
	w.settle()
	if text := w.logged.String(); strings.Contains(text, "how far it was evaluated is damaged") {
		t.Error(text)
	}
}

// TestDamagedFeed: of what was not evaluated the beginning can be told, and the rest not.
// All is evaluated nevertheless.
func TestDamagedFeed(t *testing.T) {
	const resources = 3000
	w := damagedWorld(t, func(w *world) {
		w.put(ruleA, definition{From: at(0), Rule: rules.Rule{Compliant: "self"}})
		w.settle()
		w.stop()
		var list []history.Observation
		for n := range resources {
			k := history.Key{Account: "1", Type: "T", ID: strconv.Itoa(n)}
			list = append(list, history.Observation{Key: k, CapturedAt: at(1), State: content{V: "A"}.state()})
		}
		w.record(list...)
	}, lastOfFeed)
	w.settle()
	list, _, err := w.view(history.At{}).Results(w.ctx, engine.Question{Rule: "a"})
	if err != nil || len(list) != resources {
		t.Errorf("%d resources are judged of %d, %v", len(list), resources, err)
	}
	w.stop()
	if text := w.logged.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "what was recorded since cannot be told") {
		t.Error(text)
	}
	w.start()
}
