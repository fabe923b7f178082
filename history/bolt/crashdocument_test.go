package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// documentsOp is where crashOps has the puts of documents. What they put is
// looked at after every kill, whatever was done to the store since.
var documentsOp int

func init() {
	documentsOp = slices.IndexFunc(crashOps, func(op crashOp) bool { return op.name == "documents" })
}

// crashDocuments puts several documents at once, some of them large, which all say
// the number of the put; of two others one comes and one goes.
func crashDocuments(ctx context.Context, _ string, s *bolt.Store, n int) error {
	writes := []history.DocumentWrite{
		{Collection: "turn", Name: fmt.Sprint(n % 2), Body: fmt.Append(nil, n)},
		{Collection: "turn", Name: fmt.Sprint((n + 1) % 2)},
	}
	for i := range 5 {
		writes = append(writes, history.DocumentWrite{Collection: "all", Name: fmt.Sprint(i), Body: crashDocument(n, i)})
	}
	_, err := s.PutDocuments(ctx, writes)
	return err
}

func crashDocument(n, i int) []byte {
	return fmt.Appendf(nil, "%d %s", n, strings.Repeat(fmt.Sprint(n, i), 1<<(2*i)))
}

// checkCrashDocuments looks whether the documents are those of one put, and of
// no earlier one than the last that was acknowledged; acked is how many were, -1 if
// that is not known.
func checkCrashDocuments(t *testing.T, s *bolt.Store, acked int) {
	t.Helper()
	all, turn := documentsOf(t, s, "all"), documentsOf(t, s, "turn")
	if len(all) == 0 && len(turn) == 0 && acked <= 0 {
		return
	}
	if len(all) != 5 || len(turn) != 1 {
		t.Fatalf("%d puts were acknowledged; of 5 and 1 documents %d and %d are there", acked, len(all), len(turn))
	}
	var n int
	if _, err := fmt.Sscan(string(turn[0].Body), &n); err != nil || turn[0].Name != fmt.Sprint(n%2) {
		t.Fatalf("it is not the turn of %s: %s, %v", turn[0].Name, turn[0].Body, err)
	}
	for i, d := range all {
		if d.Revision != turn[0].Revision || string(d.Body) != string(crashDocument(n, i)) {
			t.Errorf("document %s is of another put than the %dth", d.Name, n)
		}
	}
	if acked >= 0 && n != acked-1 && n != acked { // the last one acknowledged, or the one under way
		t.Errorf("%d puts were acknowledged, the documents are of the %dth", acked, n+1)
	}
	_, err := s.PutDocuments(context.Background(), []history.DocumentWrite{{Collection: "all", Name: "0", Expect: new(uint64)}})
	if !errors.Is(err, history.Conflict) {
		t.Errorf("expecting none: got %v, want Conflict", err)
	}
}
