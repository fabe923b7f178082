package historytest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/varvehq/varve/history"
)

// script is a case told in a line. Its steps, in order of recording, are
//
//	A@4            state A was captured at moment 4 (see letter)
//	b:A@4          the same of resource b; without a name it is a
//	[5]            a run of moment 5 which saw nothing was completed
//	[5 A@5 b:B@6]  a run which saw something was completed
//	[5 A@5]x       a run was aborted
//
// The history that follows stands in captured time, which is the reverse of how
// the store tells it: "v1 A@1..4 v3 C@6" is version 1, state A captured at 1
// and last seen at 4, then version 3. The feed stands in its order: "v1
// created, v3 updated late".
type script struct {
	name    string
	do      string
	history string // of resource a
	feed    string // of all resources; "" = not looked at
	status  string // of resource a's versions, in captured time; "" = not looked at
	other   string // history of resource b; "" = not looked at
}

// scripted makes named cases of scripts. Each is also asked, after its last
// step, what it answered after every step; and, where the backend outlives
// Close, asked again after that.
func scripted(scripts []script) []namedCase {
	cases := make([]namedCase, 0, len(scripts))
	for _, s := range scripts {
		cases = append(cases, namedCase{s.name, func(r *rig) {
			said := r.play(s.do)
			check := func() {
				r.Helper()
				equal(r, "history after "+s.do, r.told("a", 0), s.history)
				if s.feed != "" {
					equal(r, "feed after "+s.do, r.toldFeed(), s.feed)
				}
				if s.status != "" {
					equal(r, "statuses after "+s.do, r.toldStatus("a"), s.status)
				}
				if s.other != "" {
					equal(r, "history of b after "+s.do, r.told("b", 0), s.other)
				}
				for known, then := range said {
					equal(r, fmt.Sprintf("history as known at revision %d of %s", known, s.do), r.told("a", known), then)
				}
				r.coherent(key("a"))
			}
			check()
			if r.b.Reopen != nil {
				r.reopen()
				check()
			}
		}})
	}
	return cases
}

// play carries a script out and returns what the history of a was after each
// of its revisions.
func (r *rig) play(do string) map[history.Revision]string {
	r.Helper()
	said := map[history.Revision]string{}
	for i, step := range steps(do) {
		r.step(i, step)
		if known := r.head().Revision; known != 0 {
			said[known] = r.told("a", known)
		}
	}
	return said
}

// step carries out the step of that number.
func (r *rig) step(n int, step string) {
	r.Helper()
	r.clock.Advance(time.Second)
	if inner, ok := strings.CutPrefix(step, "["); ok {
		inner, aborted := strings.CutSuffix(inner, "]x")
		r.playRun(history.RunID(fmt.Sprintf("run-%d", n)), strings.Fields(strings.TrimSuffix(inner, "]")), aborted)
		return
	}
	r.record(r.evidence(step))
}

func (r *rig) playRun(id history.RunID, words []string, aborted bool) {
	r.Helper()
	moment, err := strconv.Atoi(words[0])
	if err != nil {
		r.Fatal(err)
	}
	r.open(history.Run{ID: id, Moment: at(moment)})
	for _, w := range words[1:] {
		for _, result := range r.in(id, r.evidence(w)) {
			if result.Err != nil {
				r.Fatal(result.Err)
			}
		}
	}
	how := history.Complete
	if aborted {
		how = history.Abort
	}
	r.close(id, how)
}

// steps cuts a script at the blanks outside brackets.
func steps(do string) (list []string) {
	var inside bool
	for _, word := range strings.Fields(do) {
		if inside {
			list[len(list)-1] += " " + word
		} else {
			list = append(list, word)
		}
		if strings.HasPrefix(word, "[") {
			inside = true
		}
		if strings.Contains(word, "]") {
			inside = false
		}
	}
	return list
}

// evidence reads A@4 or b:A@4.
func (r *rig) evidence(word string) history.Observation {
	r.Helper()
	id, rest, named := strings.Cut(word, ":")
	if !named {
		id, rest = "a", word
	}
	state, moment, _ := strings.Cut(rest, "@")
	n, err := strconv.Atoi(moment)
	if err != nil {
		r.Fatalf("step %q: %v", word, err)
	}
	return observe(id, state, at(n))
}

// told is the history of a resource, oldest first, in the words of scripts.
func (r *rig) told(id string, known history.Revision) string {
	r.Helper()
	var b strings.Builder
	for _, i := range slices.Backward(r.history(key(id), known)) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "v%d %s@%s", i.Version, r.name(i), seconds(i.CapturedAt))
		if i.LastSeenAt != i.CapturedAt {
			b.WriteString(".." + seconds(i.LastSeenAt))
		}
	}
	return b.String()
}

// name is the letter of an item's state, which must be the one its hash tells;
// "?" of one that was erased.
func (r *rig) name(i history.Item) string {
	r.Helper()
	if i.Erased {
		same(r, "state that was erased", i.State, history.State{Deleted: i.State.Deleted})
		same(r, "origin that was erased", i.Origin, history.Origin{})
		return "?"
	}
	if h := history.HashContent(i.State.AppendContent(nil)); h != i.Hash {
		r.Fatalf("%v v%d: the hash is not of the state: %v, %v", i.Key, i.Version, i.Hash, h)
	}
	if name, ok := r.names[i.Hash]; ok {
		return name
	}
	return string(i.State.Configuration)
}

func seconds(m history.Moment) string {
	return strconv.FormatFloat(m.Time().Sub(epoch).Seconds(), 'f', -1, 64)
}

// toldFeed is the feed in the words of scripts.
func (r *rig) toldFeed() string {
	r.Helper()
	var list []string
	for i, c := range r.feed() {
		if first := r.feed()[0].Seq; c.Seq != first+history.Seq(i) {
			r.Fatalf("change %d of the feed has sequence %d, the first %d", i+1, c.Seq, first)
		}
		line := fmt.Sprintf("v%d %v", c.Version, c.Kind)
		if c.Key.ID != "a" {
			line = c.Key.ID + ":" + line
		}
		if c.Late {
			line += " late"
		}
		list = append(list, line)
	}
	return strings.Join(list, ", ")
}

// toldStatus lists the statuses of a resource's versions, oldest first.
func (r *rig) toldStatus(id string) string {
	r.Helper()
	var list []string
	for _, i := range slices.Backward(r.history(key(id), 0)) {
		list = append(list, string(i.Status))
	}
	return strings.Join(list, " ")
}

// coherent compares as-of reads on and beside every border of a resource's
// versions with its history.
func (r *rig) coherent(k history.Key) {
	r.Helper()
	versions := r.history(k, 0)
	slices.Reverse(versions)
	for i, v := range versions {
		until := history.Newest
		if i+1 < len(versions) {
			until = versions[i+1].CapturedAt
		}
		equal(r, fmt.Sprintf("end of v%d", v.Version), v.Until, until)
		for _, m := range []history.Moment{v.CapturedAt - 1, v.CapturedAt, v.CapturedAt + 1} {
			var want history.Item
			want.Key = k
			for _, o := range versions {
				if o.CapturedAt <= m {
					want = o
				}
			}
			got, err := r.asOf(history.At{Captured: m}).Get(ctx, []history.Key{k}, history.FieldsAll)
			if err != nil {
				r.Fatal(err)
			}
			same(r, fmt.Sprintf("%v at %v", k, m), got[0], want)
		}
	}
}

// difference is empty when want and got are the same. Errors are the same if
// all that clients learn of them is.
func difference(want, got any) string {
	if reflect.DeepEqual(want, got) { // cmp takes far longer where there is nothing to tell
		return ""
	}
	return cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b error) bool {
		if a == nil || b == nil {
			return a == nil && b == nil
		}
		var x, y *history.Error
		if !errors.As(a, &x) || !errors.As(b, &y) {
			return errors.Is(a, b)
		}
		return x.Kind == y.Kind && x.Message() == y.Message() && cmp.Equal(x.Meta, y.Meta, cmpopts.EquateEmpty())
	}))
}

// refused ends the test unless an error is of a kind.
func refused(r *rig, what string, err error, kind history.Kind) {
	r.Helper()
	if !errors.Is(err, kind) {
		r.Fatalf("%s: got %v, want %v", what, err, kind)
	}
	var e *history.Error
	if !errors.As(err, &e) {
		r.Fatalf("%s: %v is no *history.Error", what, err)
	}
}

var _ testing.TB = (*rig)(nil)
