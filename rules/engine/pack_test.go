package engine_test

import (
	"strings"
	"testing"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
)

// Rules of packs are meant by their own names and by the recorded ones, and a pack by
// its own: neither by what its name begins with.
func TestQuestionsAboutPacks(t *testing.T) {
	w := worldWith(t, memoryWorld, "self")
	for _, recorded := range []string{"p/a", "p/b", "pq/a"} {
		w.put(history.Key{Type: rules.TypeRule, ID: recorded}, definition{From: at(0), Rule: rules.Rule{Compliant: "self"}})
	}
	w.version(bucket, 1, "A", "")
	w.settle()
	for _, c := range []struct {
		name string
		q    engine.Question
		want string
	}{
		{"All", engine.Question{}, "a p/a p/b pq/a"},
		{"OwnName", engine.Question{Rule: "a"}, "a p/a pq/a"},
		{"RecordedName", engine.Question{Rule: "p/a"}, "p/a"},
		{"OnlyOne", engine.Question{Rule: "b"}, "p/b"},
		{"Pack", engine.Question{Pack: "p"}, "p/a p/b"},
		{"PackOfAnOwner", engine.Question{Pack: "p", Owner: &rules.Owner{}}, "p/a p/b"},
		{"PackOfAnother", engine.Question{Pack: "p", Owner: &rules.Owner{Account: "1"}}, ""},
		{"NameInAPack", engine.Question{Pack: "pq", Rule: "a"}, "pq/a"},
		{"OfAResource", engine.Question{Pack: "p", Type: bucket.Type, ID: bucket.ID}, "p/a p/b"},
		{"NoSuch", engine.Question{Rule: "p/c"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			list, _, err := w.view(history.At{}).Results(w.ctx, c.q)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range list {
				got = append(got, list[i].Rule)
			}
			if text := strings.Join(got, " "); text != c.want {
				t.Errorf("got %q, want %q", text, c.want)
			}
		})
	}
}
