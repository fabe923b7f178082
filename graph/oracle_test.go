package graph_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/history/memory"
)

// TestQuestions records random histories (late captures, deletions, re-creations,
// several accounts, targets that come late) and holds the answer to every question at
// random moments and revisions against the graph put together from nothing but
// the versions, and what a cache says of uses as well. VARVE_SEEDS says how many
// histories; each is asked about at a dozen moments.
func TestQuestions(t *testing.T) {
	seeds := seedsOf(12)
	first := 0
	if n, err := strconv.Atoi(os.Getenv("VARVE_SEED")); err == nil {
		first, seeds = n, 1
	}
	for name, open := range worlds {
		t.Run(name, func(t *testing.T) {
			for seed := first; seed < first+seeds; seed++ {
				t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
					s := open(t)
					defer s.Close()
					rnd := rand.New(rand.NewPCG(uint64(seed), 7))
					w := world{t: t, s: s, c: graph.NewCache(s, 0), rnd: rnd}
					w.record(30 + rnd.IntN(60))
					for range 6 {
						w.ask()
					}
					w.record(20)
					for range 6 {
						w.ask()
					}
				})
			}
		})
	}
}

// seedsOf is VARVE_SEEDS, or so many.
func seedsOf(n int) int {
	if given, err := strconv.Atoi(os.Getenv("VARVE_SEEDS")); err == nil {
		return given
	}
	return n
}

// worlds are stores of every kind.
var worlds = map[string]func(t *testing.T) history.Store{
	"memory": func(*testing.T) history.Store { return memory.New(memory.Options{Linker: graph.Linker{}}) },
	"bolt": func(t *testing.T) history.Store {
		s, err := bolt.Open(t.TempDir(), bolt.Options{Linker: graph.Linker{}, MergeRecords: 40, NoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		return s
	},
}

const day = 24 * 60 * 60 * 1_000_000

// epoch is when the world begins.
const epoch = history.Moment(1_700_000_000_000_000)

// world is a store with a random history.
type world struct {
	t   *testing.T
	s   history.Store
	c   *graph.Cache // of s, if it is asked as well
	rnd *rand.Rand

	together int // how often answers may differ since others change the store meanwhile
}

func (w *world) one(list ...string) string { return list[w.rnd.IntN(len(list))] }

func (w *world) at() history.Moment { return epoch + history.Moment(w.rnd.IntN(10))*day }

// record records observations in random order of captured time.
func (w *world) record(n int) {
	for n > 0 {
		var b history.Batch
		for range 1 + w.rnd.IntN(8) {
			b.Observations = append(b.Observations, w.observation())
		}
		n -= len(b.Observations)
		receipt, err := w.s.Append(context.Background(), b)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, r := range receipt.Results {
			if r.Err != nil {
				w.t.Fatal(r.Err)
			}
		}
	}
}

func (w *world) observation() history.Observation {
	account, region := w.one("1", "1", "2"), w.one("eu", "eu", "us")
	id := w.one("1", "2", "3")
	o := history.Observation{CapturedAt: w.at(), Key: history.Key{Account: account, Region: region}}
	arn := func(what, id string) string {
		return fmt.Sprintf("arn:aws:%s:%s:%s:%s", what, w.one("eu", "us"), w.one("1", "2"), id)
	}
	s := &o.State
	switch w.rnd.IntN(7) {
	case 0:
		o.Key.Type, o.Key.ID = "AWS::EC2::SecurityGroup", "sg-0000000"+id
		s.Configuration = fmt.Appendf(nil, `{"groupId":"sg-0000000%s","vpcId":"vpc-0000000%s"}`, id, w.one("1", "2"))
		if w.rnd.IntN(3) == 0 {
			s.Relationships = []history.Relationship{{Name: "Is associated with Instance", Type: "AWS::EC2::Instance", ID: "i-0000000" + w.one("1", "2", "3")}}
		}
	case 1:
		o.Key.Type, o.Key.ID = "AWS::EC2::Instance", "i-0000000"+id
		s.Configuration = fmt.Appendf(nil, `{"instanceId":"i-0000000%s","securityGroups":[{"groupId":"sg-0000000%s"},{"groupId":"sg-0000000%s"}],"vpcId":"vpc-0000000%s"}`,
			id, w.one("1", "2", "3"), w.one("1", "2"), w.one("1", "2"))
	case 2:
		o.Key.Type, o.Key.ID = "AWS::EC2::VPC", "vpc-0000000"+id
		s.Configuration = []byte(`{"isDefault":false}`)
		if w.rnd.IntN(2) == 0 {
			s.Relationships = []history.Relationship{{Name: "Contains SecurityGroup", Type: "AWS::EC2::SecurityGroup", ID: "sg-0000000" + w.one("1", "2", "3")}}
		}
	case 3:
		o.Key.Type, o.Key.ID = "AWS::SNS::Topic", "topic-"+id
		s.ARN = arn("sns", "topic-"+id)
		s.Configuration = fmt.Appendf(nil, `{"Policy":%q}`, arn("sqs", "queue-"+w.one("1", "2")))
	case 4:
		o.Key.Type, o.Key.ID = "Acme::Queue", "queue-"+id
		s.ARN = arn("sqs", "queue-"+id)
		s.Configuration = fmt.Appendf(nil, `{"sends":[%q,%q],"group":%q}`,
			arn("sns", "topic-"+w.one("1", "2", "3")), arn("sqs", "queue-"+w.one("1", "2")), "sg-0000000"+w.one("1", "2", "3"))
	case 5:
		o.Key = history.Key{Account: account, Type: "Kubernetes::core::Service", ID: "shop/" + id}
		s.Configuration = fmt.Appendf(nil, `{"kind":"Service","metadata":{"name":%q,"namespace":"shop"},"spec":{"selector":{"app":%q}}}`, id, w.one("a", "b"))
	default:
		o.Key = history.Key{Account: account, Type: "Kubernetes::apps::Deployment", ID: "shop/" + id}
		s.Configuration = fmt.Appendf(nil, `{"kind":"Deployment","metadata":{"name":%q,"namespace":"shop"},"spec":{"template":{"metadata":{"labels":{"app":%q,"tier":%q}},"spec":{"serviceAccountName":"runner"}}}}`,
			id, w.one("a", "b"), w.one("x", "y"))
	}
	if w.rnd.IntN(5) == 0 {
		*s = history.State{Deleted: true}
	}
	s.Normalize()
	return o
}

// truth is the graph of one moment, put together from the versions alone.
type truth struct {
	keys  []history.Key
	edges []graph.Relationship
}

func (w *world) reader(at history.At) history.Reader {
	r, err := w.s.AsOf(context.Background(), at)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) truth(at history.At) truth {
	items, _, err := w.reader(at).Items(context.Background(), history.Query{})
	if err != nil {
		w.t.Fatal(err)
	}
	var owners []graph.Owner
	var tr truth
	for i := range items {
		owners = append(owners, graph.Owner{Key: items[i].Key, Claims: graph.Extract(items[i].Key, &items[i].State)})
		tr.keys = append(tr.keys, items[i].Key)
	}
	tr.edges = graph.Join(owners, graph.Populate(owners))
	return tr
}

func (tr *truth) users(k history.Key) (list []graph.Relationship) {
	for _, e := range tr.edges {
		if e.To == k {
			list = append(list, e)
		}
	}
	return list
}

// distances are how many relationships away all that can be reached is.
func (tr *truth) distances(from history.Key, next func(e *graph.Relationship, k history.Key) (history.Key, bool), depth int) map[history.Key]int {
	far := map[history.Key]int{from: 0}
	for d := 1; d <= depth; d++ {
		for i := range tr.edges {
			for k, at := range far {
				if to, ok := next(&tr.edges[i], k); ok && at == d-1 {
					if _, met := far[to]; !met {
						far[to] = d
					}
				}
			}
		}
	}
	return far
}

func toUser(e *graph.Relationship, k history.Key) (history.Key, bool) { return e.From, e.To == k }

func either(e *graph.Relationship, k history.Key) (history.Key, bool) {
	if e.From == k {
		return e.To, true
	}
	return e.From, e.To == k
}

func (w *world) check(what string, at history.At, got, want any) {
	w.t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		w.t.Fatalf("%s at %v known at %d (-want +got):\n%s", what, at.Captured, at.Known, d)
	}
}

// ask asks every question at a random moment and revision.
func (w *world) ask() {
	ctx := context.Background()
	head, err := w.s.Head(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	at := history.At{Captured: w.at(), Known: history.Revision(1 + w.rnd.Int64N(int64(head.Revision)))}
	switch w.rnd.IntN(3) {
	case 0:
		at.Captured = history.Newest
	case 1:
		at.Known = head.Revision
	}
	tr := w.truth(at)
	g := graph.At(w.reader(at))

	all, err := g.Walk(ctx, nil, graph.Query{})
	w.must(err)
	w.check("the whole graph", at, all.Edges, tr.edges)

	for _, k := range tr.keys {
		var out, in []graph.Relationship
		for _, e := range tr.edges {
			if e.From == k {
				out = append(out, e)
			}
			if e.To == k {
				in = append(in, e)
			}
		}
		for d, want := range map[graph.Direction][]graph.Relationship{graph.Outgoing: out, graph.Incoming: in} {
			got, _, err := g.Relationships(ctx, k, graph.Query{Direction: d})
			w.must(err)
			w.check(fmt.Sprintf("relationships %d of %s", d, k), at, got, want)
		}

		want := tr.distances(k, toUser, 4)
		delete(want, k)
		for _, g := range []*graph.Graph{g, w.c.At(w.reader(at))} {
			hits, err := g.Uses(ctx, k, 4, 0)
			w.must(err)
			got := map[history.Key]int{}
			for h := range hits.All() {
				got[h.Key] = h.Depth
				w.path("a path of uses", at, &tr, k, h.Path(), h.Key, true)
			}
			w.check(fmt.Sprintf("uses of %s", k), at, got, want)
		}

		to := tr.keys[w.rnd.IntN(len(tr.keys))]
		paths, _, err := g.Paths(ctx, k, to, 6, 0)
		w.must(err)
		far, ok := tr.distances(k, either, 6)[to]
		if (len(paths) > 0) != (ok && far > 0) {
			w.t.Fatalf("%d paths from %s to %s, which are %d apart (%v)", len(paths), k, to, far, ok)
		}
		if len(paths) != tr.count(k, to, far) {
			w.t.Fatalf("%d shortest paths from %s to %s, want %d", len(paths), k, to, tr.count(k, to, far))
		}
		for _, p := range paths {
			if len(p) != far {
				w.t.Fatalf("a path from %s to %s of %d, want %d", k, to, len(p), far)
			}
			w.path("a path", at, &tr, k, p, to, false)
		}
	}

	typ := w.one("AWS::EC2::SecurityGroup", "AWS::SNS::Topic", "Kubernetes::apps::Deployment", "AWS::EC2::VPC")
	var unused []history.Key
	for _, k := range tr.keys {
		if k.Type == typ && len(tr.users(k)) == 0 {
			unused = append(unused, k)
		}
	}
	nodes, _, err := g.Unused(ctx, history.Query{Type: typ})
	w.must(err)
	var got []history.Key
	for _, n := range nodes {
		got = append(got, n.Key)
	}
	w.check("unused "+typ, at, got, unused)

	w.lastUsed(at)
	w.diff(at)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// count is how many shortest paths there are.
func (tr *truth) count(from, to history.Key, far int) int {
	if far == 0 {
		return 0
	}
	ways := map[history.Key]int{from: 1}
	met := map[history.Key]bool{from: true}
	for range far {
		next := map[history.Key]int{}
		for i := range tr.edges {
			for k, n := range ways {
				if other, ok := either(&tr.edges[i], k); ok && !met[other] {
					next[other] += n
				}
			}
		}
		for k := range next {
			met[k] = true
		}
		ways = next
	}
	return ways[to]
}

// path checks that a path consists of edges and leads where it says.
func (w *world) path(what string, at history.At, tr *truth, from history.Key, path []graph.Hop, to history.Key, users bool) {
	for _, hop := range path {
		r := hop.Relationship(from)
		if !slices.ContainsFunc(tr.edges, func(e graph.Relationship) bool { return cmp.Equal(e, r) }) {
			w.t.Fatalf("%s at %v: %+v is no relationship", what, at, r)
		}
		if users && (r.To != from || r.From != hop.Key) || !users && (r.To != from || r.From != hop.Key) && (r.From != from || r.To != hop.Key) {
			w.t.Fatalf("%s at %v: %+v does not lead from %s to %s", what, at, r, from, hop.Key)
		}
		from = hop.Key
	}
	if from != to {
		w.t.Fatalf("%s at %v ends at %s, want %s", what, at, from, to)
	}
}

// lastUsed holds the last use of every resource against the graph of every moment
// at which anything happened, backwards.
func (w *world) lastUsed(at history.At) {
	ctx := context.Background()
	known, _, err := w.reader(history.At{Known: at.Known}).Items(ctx, history.Query{Deleted: true})
	w.must(err)
	now := w.truth(at)
	before := map[history.Moment]truth{} // of moments at which something happened: how it was until then
	for d := range history.Moment(12) {
		if m := epoch + d*day; m <= at.Captured {
			before[m] = w.truth(history.At{Captured: m - 1, Known: at.Known})
		}
	}
	for i := range known {
		k := known[i].Key
		var want graph.LastUse
		if users := now.users(k); len(users) > 0 {
			want = graph.LastUse{InUse: true, By: users}
		}
		for m, tr := range before {
			if users := tr.users(k); !want.InUse && m > want.Ended && len(users) > 0 {
				want = graph.LastUse{Ended: m, By: users}
			}
		}
		got, err := graph.At(w.reader(at)).LastUsed(ctx, k)
		w.must(err)
		w.check("last use of "+k.String(), at, got, want)
	}
}

func (w *world) diff(at history.At) {
	ctx := context.Background()
	from := history.At{Captured: w.at(), Known: at.Known}
	was, is := w.truth(from), w.truth(at)
	if len(is.keys) == 0 {
		return
	}
	root := is.keys[w.rnd.IntN(len(is.keys))]
	got, err := graph.Diff(ctx, graph.At(w.reader(from)), graph.At(w.reader(at)), []history.Key{root}, 0)
	w.must(err)
	w.check("nodes added", at, got.NodesAdded, without(is.keys, was.keys))
	w.check("nodes removed", at, got.NodesRemoved, without(was.keys, is.keys))
	w.check("edges added", at, got.EdgesAdded, withoutEdges(is.edges, was.edges))
	w.check("edges removed", at, got.EdgesRemoved, withoutEdges(was.edges, is.edges))
	reach := func(tr *truth) (list []history.Key) {
		far := tr.distances(root, func(e *graph.Relationship, k history.Key) (history.Key, bool) { return e.To, e.From == k }, 50)
		for k, d := range far {
			if d > 0 {
				list = append(list, k)
			}
		}
		slices.SortFunc(list, history.Key.Compare)
		return list
	}
	w.check("gained", at, got.Gained, without(reach(&is), reach(&was)))
	w.check("lost", at, got.Lost, without(reach(&was), reach(&is)))
}

func without(list, others []history.Key) (rest []history.Key) {
	for _, k := range list {
		if !slices.Contains(others, k) {
			rest = append(rest, k)
		}
	}
	return rest
}

func withoutEdges(list, others []graph.Relationship) (rest []graph.Relationship) {
	for _, e := range list {
		if !slices.ContainsFunc(others, func(o graph.Relationship) bool { return o.From == e.From && o.To == e.To && o.Name == e.Name }) {
			rest = append(rest, e)
		}
	}
	return rest
}
