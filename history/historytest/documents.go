package historytest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/varvehq/varve/history"
)

// documents are those of the store under test.
func (r *rig) documents() history.Documents {
	r.Helper()
	d, ok := r.store.(history.Documents)
	if !ok {
		r.Skip("this backend keeps no documents")
	}
	return d
}

// put puts documents.
func (r *rig) put(writes ...history.DocumentWrite) []history.Document {
	r.Helper()
	list, err := r.documents().PutDocuments(ctx, writes)
	if err != nil {
		r.Fatal(err)
	}
	return list
}

// listed are all documents of a collection.
func (r *rig) listed(collection string) []history.Document {
	r.Helper()
	list, more, err := r.documents().Documents(ctx, collection, "", 0)
	if err != nil || more {
		r.Fatal(more, err)
	}
	return list
}

// bodies are those of the documents of a collection, by name.
func (r *rig) bodies(collection string) string {
	r.Helper()
	var list []string
	for _, d := range r.listed(collection) {
		list = append(list, d.Name+"="+string(d.Body))
	}
	return strings.Join(list, " ")
}

func write(collection, name, body string) history.DocumentWrite {
	return history.DocumentWrite{Collection: collection, Name: name, Body: []byte(body)}
}

// expecting is a write that expects a revision.
func expecting(w history.DocumentWrite, revision uint64) history.DocumentWrite {
	w.Expect = &revision
	return w
}

// deleting is a write that deletes.
func deleting(collection, name string) history.DocumentWrite {
	return history.DocumentWrite{Collection: collection, Name: name}
}

var documentCases = []namedCase{
	{"PutIsThere", func(r *rig) {
		got := r.put(write("subscription", "a", "first"), write("subscription", "b", "second"))
		equal(r, "documents", len(got), 2)
		for i, d := range got {
			equal(r, "collection", d.Collection, "subscription")
			equal(r, "name", d.Name, "ab"[i:i+1])
			if d.Revision == 0 || d.Revision != got[0].Revision {
				r.Fatalf("the documents of one put have revisions %d and %d", got[0].Revision, d.Revision)
			}
			read, err := r.documents().Document(ctx, d.Collection, d.Name)
			if err != nil {
				r.Fatal(err)
			}
			same(r, "read", read, d)
		}
		same(r, "listed", r.listed("subscription"), got)
		r.put(write("subscription", "a", "third"))
		equal(r, "names", r.bodies("subscription"), "a=third b=second")
	}},
	{"EveryByteRoundTrips", func(r *rig) {
		var all []byte
		for b := range 256 {
			all = append(all, byte(b))
		}
		noise := make([]byte, 100_000)
		rnd := rand.New(rand.NewPCG(1, 2))
		for i := range noise {
			noise[i] = byte(rnd.Uint32())
		}
		for _, body := range [][]byte{{}, {0}, all, noise, bytes.Repeat([]byte("again and "), 50_000)} {
			r.put(history.DocumentWrite{Collection: "c", Name: string(all[1:]), Body: body})
			got, err := r.documents().Document(ctx, "c", string(all[1:]))
			if err != nil || !bytes.Equal(got.Body, body) || got.Body == nil || got.Name != string(all[1:]) {
				r.Fatalf("a body of %d bytes is read as one of %d (nil: %v), named %q: %v", len(body), len(got.Body), got.Body == nil, got.Name, err)
			}
			if listed := r.listed("c"); len(listed) != 1 || !bytes.Equal(listed[0].Body, body) || listed[0].Body == nil {
				r.Fatalf("a body of %d bytes is listed as another one", len(body))
			}
		}
	}},
	{"RevisionsRise", func(r *rig) {
		last := uint64(0)
		next := func(writes ...history.DocumentWrite) {
			r.Helper()
			before := last
			for _, d := range r.put(writes...) {
				if d.Body != nil && d.Revision <= before {
					r.Fatalf("revision %d follows %d", d.Revision, before)
				}
				last = max(last, d.Revision)
			}
		}
		next(write("a", "x", "1"))
		next(write("a", "x", "1")) // the same again
		next(write("b", "x", "1"))
		next(write("a", "x", "2"), write("c", "y", "2"), deleting("b", "x"))
		next(deleting("a", "x"), deleting("c", "y"))
		next(write("a", "x", "1")) // what a deleted one had is not given again
	}},
	{"UnknownIsNotFound", func(r *rig) {
		r.put(write("a", "x", "1"), write("a", "y", "2"))
		r.put(deleting("a", "y"))
		for _, of := range [][2]string{{"a", "y"}, {"a", ""}, {"", ""}, {"b", "x"}, {"a", "xx"}, {"a", "\x00x"}, {"", "a\x00x"}, {"a\x00x", ""}, {"a", strings.Repeat("x", 40_000)}} {
			_, err := r.documents().Document(ctx, of[0], of[1])
			refused(r, fmt.Sprintf("%.9q", of), err, history.NotFound)
		}
		for _, collection := range []string{"", "b", "a\x00", "a\x00x", strings.Repeat("x", 40_000)} {
			equal(r, "documents", len(r.listed(collection)), 0)
		}
	}},
	{"ListedBytewiseInPages", func(r *rig) {
		want := []string{"\x01", " ", "A", "B", "a", "a ", "aa", "ab", "b", "z", "é", "字", "\xff", "\xff\xff"}
		writes := []history.DocumentWrite{write("before", "z", ""), write("z", "a", "")}
		for _, name := range want {
			writes = append(writes, write("c", name, name))
		}
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(writes), func(i, j int) { writes[i], writes[j] = writes[j], writes[i] })
		r.put(writes...)
		for limit := range len(want) + 2 {
			var got []string
			for after, more := "", true; more; {
				var (
					list []history.Document
					err  error
				)
				if list, more, err = r.documents().Documents(ctx, "c", after, limit); err != nil {
					r.Fatal(err)
				}
				if len(list) == 0 || limit > 0 && (len(list) > limit || more && len(list) < limit) {
					r.Fatalf("a page of %d for a limit of %d, more: %v", len(list), limit, more)
				}
				for _, d := range list {
					got = append(got, d.Name)
				}
				after = got[len(got)-1]
			}
			if !slices.Equal(got, want) {
				r.Fatalf("in pages of %d:\n got %q\nwant %q", limit, got, want)
			}
		}
		list, more, err := r.documents().Documents(ctx, "c", "a\x00", 2) // after a name that is none
		if err != nil || !more || len(list) != 2 || list[0].Name != "a " {
			r.Fatal(list, more, err)
		}
		list, more, err = r.documents().Documents(ctx, "c", "\xff\xff", 1)
		if err != nil || more || len(list) != 0 {
			r.Fatal(list, more, err)
		}
	}},
	{"CollectionsAreApart", func(r *rig) {
		r.put(write("a", "bc", "1"), write("ab", "c", "2"), write("abc", "x", "3"), write("a ", "bc", "4"), write("A", "bc", "5"))
		for collection, want := range map[string]string{"a": "bc=1", "ab": "c=2", "abc": "x=3", "a ": "bc=4", "A": "bc=5"} {
			equal(r, collection, r.bodies(collection), want)
		}
		r.put(deleting("a", "bc"))
		equal(r, "a", r.bodies("a"), "")
		equal(r, "ab", r.bodies("ab"), "c=2")
		equal(r, "a and a blank", r.bodies("a "), "bc=4")
	}},
	{"ExpectHolds", func(r *rig) {
		first := r.put(expecting(write("c", "a", "1"), 0))[0]
		second := r.put(expecting(write("c", "a", "2"), first.Revision))[0]
		conflict := func(name string, w history.DocumentWrite) {
			r.Helper()
			_, err := r.documents().PutDocuments(ctx, []history.DocumentWrite{w})
			refused(r, name, err, history.Conflict)
			want := uint64(0)
			if d, err := r.documents().Document(ctx, w.Collection, w.Name); err == nil {
				want = d.Revision
			}
			var e *history.Error
			if !errors.As(err, &e) || e.Meta["revision"] != strconv.FormatUint(want, 10) {
				r.Errorf("%s: the present revision is %d, told is %v", name, want, e)
			}
		}
		conflict("of before", expecting(write("c", "a", "3"), first.Revision))
		conflict("none", expecting(write("c", "a", "3"), 0))
		conflict("one never given", expecting(write("c", "a", "3"), second.Revision+1))
		conflict("another document", expecting(write("c", "b", "3"), second.Revision))
		conflict("deletion of before", expecting(deleting("c", "a"), first.Revision))
		conflict("deletion of what is not there", expecting(deleting("c", "b"), second.Revision))
		equal(r, "documents", r.bodies("c"), "a=2")
		r.put(expecting(deleting("c", "a"), second.Revision))
		conflict("deleted", expecting(write("c", "a", "3"), second.Revision))
		r.put(expecting(deleting("c", "a"), 0))
		r.put(expecting(write("c", "a", "4"), 0))
		equal(r, "documents", r.bodies("c"), "a=4")
	}},
	{"DeletedIsGone", func(r *rig) {
		r.put(write("c", "a", "1"), write("c", "b", "2"), write("c", "c", "3"))
		got := r.put(deleting("c", "b"), deleting("c", "never there"), deleting("nowhere", "a"))
		same(r, "deleted", got, []history.Document{
			{Collection: "c", Name: "b"}, {Collection: "c", Name: "never there"}, {Collection: "nowhere", Name: "a"},
		})
		equal(r, "documents", r.bodies("c"), "a=1 c=3")
		r.put(deleting("c", "a"), deleting("c", "c"))
		equal(r, "documents", r.bodies("c"), "")
		r.put(write("c", "b", "4"))
		equal(r, "documents", r.bodies("c"), "b=4")
	}},
	{"AllOrNone", func(r *rig) {
		r.put(write("c", "a", "1"), write("c", "b", "1"))
		for name, c := range map[string]struct {
			last history.DocumentWrite
			kind history.Kind
		}{
			"conflict": {expecting(write("c", "d", "2"), 99), history.Conflict},
			"invalid":  {write("c", "", "2"), history.Invalid},
			"twice":    {deleting("c", "a"), history.Invalid},
			"again":    {write("c", "b", "2"), history.Invalid},
		} {
			_, err := r.documents().PutDocuments(ctx, []history.DocumentWrite{
				write("c", "a", "2"), deleting("c", "b"), write("c", "c", "2"), c.last,
			})
			refused(r, name, err, c.kind)
			equal(r, name, r.bodies("c"), "a=1 b=1")
		}
		before := r.listed("c")
		none, err := r.documents().PutDocuments(ctx, nil)
		if err != nil || len(none) > 0 {
			r.Fatal(none, err)
		}
		same(r, "after a put of nothing", r.listed("c"), before)
	}},
	{"Limits", func(r *rig) {
		long := strings.Repeat("n", history.MaxDocumentName)
		most := history.DocumentWrite{Collection: long, Name: long, Body: bytes.Repeat([]byte{1, 2}, history.MaxDocument/2)}
		r.put(most)
		got, err := r.documents().Document(ctx, long, long)
		if err != nil || !bytes.Equal(got.Body, most.Body) {
			r.Fatal("the largest document is another one", err)
		}
		for name, c := range map[string]struct {
			w     history.DocumentWrite
			kind  history.Kind
			field string
		}{
			"no collection":     {write("", "a", ""), history.Invalid, "collection"},
			"no name":           {write("c", "", ""), history.Invalid, "name"},
			"zero byte":         {write("c", "a\x00b", ""), history.Invalid, "name"},
			"zero byte in it":   {write("c\x00", "a", ""), history.Invalid, "collection"},
			"long name":         {write("c", long+"n", ""), history.TooLarge, "name"},
			"long collection":   {write(long+"n", "a", ""), history.TooLarge, "collection"},
			"large":             {history.DocumentWrite{Collection: "c", Name: "a", Body: make([]byte, history.MaxDocument+1)}, history.TooLarge, "body"},
			"deleted zero byte": {deleting("c", "a\x00b"), history.Invalid, "name"},
		} {
			_, err := r.documents().PutDocuments(ctx, []history.DocumentWrite{c.w})
			refused(r, name, err, c.kind)
			var e *history.Error
			if errors.As(err, &e) && e.Field != c.field {
				r.Errorf("%s: field %s, want %s", name, e.Field, c.field)
			}
		}
		equal(r, "documents", len(r.listed("c")), 0)
	}},
	{"CancelledPutsNothing", func(r *rig) {
		done, cancel := context.WithCancel(ctx)
		cancel()
		_, err := r.documents().PutDocuments(done, []history.DocumentWrite{write("c", "a", "1")})
		if !errors.Is(err, context.Canceled) {
			r.Fatal(err)
		}
		if _, _, err := r.documents().Documents(done, "c", "", 0); !errors.Is(err, context.Canceled) {
			r.Fatal(err)
		}
		if _, err := r.documents().Document(done, "c", "a"); !errors.Is(err, context.Canceled) {
			r.Fatal(err)
		}
		equal(r, "documents", r.bodies("c"), "")
	}},
	{"ThereAfterReopen", func(r *rig) { documentsOutlive(r, r.reopen) }},
	{"ThereAfterCrash", func(r *rig) { documentsOutlive(r, r.kill) }},
	{"ApartFromWhatIsRecorded", func(r *rig) {
		r.see("a", "A", at(1))
		head, fed := r.head(), r.feed()
		r.put(write("c", "a", "1"), write("c", "b", "1"))
		r.put(deleting("c", "a"))
		same(r, "head", r.head(), head)
		same(r, "feed", r.feed(), fed)
		before := r.listed("c")
		r.play("A@2 B@3 b:A@4 -@5")
		if p, ok := r.store.(history.Pruner); ok {
			if _, err := p.Prune(ctx, history.PruneRequest{Floor: at(4), Recorded: r.head().RecordedAt}); err != nil {
				r.Fatal(err)
			}
		}
		same(r, "documents", r.listed("c"), before)
	}},
	{"ExpectIsALock", func(r *rig) {
		const writers, each = 6, 15
		store := r.documents()
		r.put(write("c", "n", "0"))
		var group sync.WaitGroup
		for range writers {
			group.Go(func() {
				for done := 0; done < each; {
					d, err := store.Document(ctx, "c", "n")
					if err != nil {
						r.Error(err)
						return
					}
					n, _ := strconv.Atoi(string(d.Body))
					_, err = store.PutDocuments(ctx, []history.DocumentWrite{expecting(write("c", "n", strconv.Itoa(n+1)), d.Revision)})
					switch {
					case err == nil:
						done++
					case !errors.Is(err, history.Conflict):
						r.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
		equal(r, "documents", r.bodies("c"), fmt.Sprint("n=", writers*each))
	}},
	{"OnePutIsOneInstant", func(r *rig) {
		const writers, each = 4, 25
		store := r.documents()
		body := func(w, i int) string { return fmt.Sprintf("%d.%d", w, i) }
		r.put(write("c", "a", body(0, 0)), write("c", "b", body(0, 0)), write("c", "c", body(0, 0)))
		var group, readers sync.WaitGroup
		ended := make(chan struct{})
		for range 2 {
			readers.Go(func() {
				last := uint64(0)
				for ending := false; !ending; {
					select {
					case <-ended:
						ending = true // once more
					default:
					}
					list, _, err := store.Documents(ctx, "c", "", 0)
					if err != nil || len(list) != 3 {
						r.Errorf("%d documents: %v", len(list), err)
						return
					}
					for _, d := range list {
						if d.Revision != list[0].Revision || !bytes.Equal(d.Body, list[0].Body) || d.Revision < last {
							r.Errorf("parts of several puts, or an earlier one: %v", list)
							return
						}
					}
					last = list[0].Revision
				}
			})
		}
		revisions := make([][]uint64, writers)
		for w := range writers {
			group.Go(func() {
				for i := range each {
					b := body(w, i)
					list, err := store.PutDocuments(ctx, []history.DocumentWrite{write("c", "a", b), write("c", "b", b), write("c", "c", b)})
					if err != nil {
						r.Error(err)
						return
					}
					revisions[w] = append(revisions[w], list[2].Revision)
				}
			})
			group.Go(func() { // amid what is recorded
				for i := range each {
					if _, err := r.store.Append(ctx, history.Batch{Observations: []history.Observation{observe(fmt.Sprint(w), fmt.Sprint(i), at(i))}}); err != nil {
						r.Error(err)
					}
				}
			})
		}
		group.Wait()
		close(ended)
		readers.Wait()
		seen := map[uint64]bool{}
		for _, list := range revisions {
			for i, revision := range list {
				if seen[revision] || i > 0 && revision <= list[i-1] {
					r.Fatalf("revision %d is given twice, or against a writer's own order", revision)
				}
				seen[revision] = true
			}
		}
		equal(r, "newest revision", r.head().Revision, writers*each)
	}},
}

// documentsOutlive looks for documents after the store is opened again, and that
// no revision is given twice.
func documentsOutlive(r *rig, again func()) {
	r.put(write("a", "x", "1"), write("a", "y", "2"), write("b", "x", strings.Repeat("long ", 20_000)))
	r.see("a", "A", at(1))
	r.put(write("a", "x", "3"), deleting("a", "y"))
	a, b := r.listed("a"), r.listed("b")
	last := r.put(write("a", "z", "4"))[0].Revision
	r.put(deleting("a", "z"))
	for range 2 {
		again()
		same(r, "a", r.listed("a"), a)
		same(r, "b", r.listed("b"), b)
	}
	if got := r.put(expecting(write("a", "x", "5"), a[0].Revision))[0].Revision; got <= last {
		r.Fatalf("revision %d is given again after %d", got, last)
	}
	equal(r, "documents", r.bodies("a"), "x=5")
}
