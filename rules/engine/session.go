package engine

import (
	"context"
	"slices"
	"sync"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memo"
	"github.com/varvehq/varve/rules"
)

// Source is where versions are read: a store, or what overlays one.
type Source interface {
	AsOf(ctx context.Context, at history.At) (history.Reader, error)
}

// Session evaluates rules as known at one revision, up to a moment that is taken
// for the present. It remembers what many evaluations ask for; it is safe for
// concurrent use.
type Session struct {
	source  Source
	graph   Graph
	known   history.Revision
	through history.Moment
	floor   history.Moment // nothing before it is judged: something is no longer kept
	cache   *Cache
	links   *linkMemo

	// Progress, when set, is told by Backtest of how many more resources it is done
	// with, from the goroutine that called it.
	Progress func(resources int)

	mu    sync.Mutex
	types map[string]*typeChanges
	stock map[stockOf][]*stock // most lately used last
}

// Cache keeps versions that rules looked at, decoded, for any number of sessions
// over one store.
type Cache = memo.Cache[versionOf, *rules.Decoded]

// NewCache makes a cache of about so many bytes of documents.
func NewCache(bytes int) *Cache { return memo.New[versionOf, *rules.Decoded](bytes) }

// NewSession makes a session as known at a revision, or at the newest one if that
// is zero. Graph may be nil: then nothing is related to anything. So may cache.
func NewSession(ctx context.Context, s Source, g Graph, c *Cache, known history.Revision, present history.Moment) (*Session, error) {
	r, err := s.AsOf(ctx, history.At{Known: known})
	if err != nil {
		return nil, err
	}
	if c == nil {
		c = NewCache(16 << 20)
	}
	session := &Session{
		source: s, graph: g, known: r.At().Known, through: present, floor: history.FirstMoment, cache: c,
		links: memo.New[linksAsked, []history.Linked](linkMemoBytes), types: map[string]*typeChanges{}, stock: map[stockOf][]*stock{},
	}
	if p, ok := s.(history.Pruner); ok {
		f, err := p.Floors(ctx)
		if err != nil {
			return nil, err
		}
		floor := f.Captured
		for _, m := range f.ByType {
			floor = max(floor, m)
		}
		session.floor = min(max(floor, history.FirstMoment), present)
	}
	return session, nil
}

// within is the session with another present and another source.
func (s *Session) within(source Source, present history.Moment, c *Cache) *Session {
	return &Session{
		source: source, graph: s.graph, known: s.known, through: present, floor: s.floor, cache: c,
		links: memo.New[linksAsked, []history.Linked](linkMemoBytes), types: map[string]*typeChanges{}, stock: map[stockOf][]*stock{},
	}
}

// since is where a span begins: zero means all that is kept.
func (s *Session) since(from history.Moment) history.Moment {
	if from == 0 {
		return s.floor
	}
	return max(from, history.FirstMoment)
}

func (s *Session) asOf(ctx context.Context, m history.Moment) (history.Reader, error) {
	return s.source.AsOf(ctx, history.At{Captured: max(m, history.FirstMoment), Known: s.known})
}

// lifetime is a resource from a moment on.
type lifetime struct {
	key      history.Key
	from     history.Moment
	known    bool       // it has a version at that moment
	versions []standing // oldest first, without such as last no time
}

// standing is a version with the span of time over which it stands.
type standing struct {
	item     *rules.Decoded
	from, to history.Moment
}

// lifetime reads the version that stands at a moment, and those after it.
func (s *Session) lifetime(ctx context.Context, k history.Key, from history.Moment) (*lifetime, error) {
	r, err := s.asOf(ctx, from)
	if err != nil {
		return nil, err
	}
	of := &lifetime{key: k, from: max(from, history.FirstMoment)}
	items, err := r.Get(ctx, []history.Key{k}, history.FieldsAll)
	if err != nil {
		return nil, err
	}
	if items[0].Version != 0 {
		of.known = true
		of.add(items[0])
		if items[0].Until == history.Newest {
			return of, nil
		}
	}
	items, _, err = r.History(ctx, k, history.HistoryQuery{From: max(from, history.FirstMoment) + 1})
	if err != nil {
		return nil, err
	}
	slices.Reverse(items)
	of.add(items...)
	return of, nil
}

// standing are the versions that a rule looks at. Of a resource that is not
// recorded, or not yet, one evaluated elsewhere may know: it stands without content.
func (l *lifetime) standing(r *Ruling) []standing {
	begins := history.Newest
	if len(l.versions) > 0 {
		begins = l.versions[0].from
	}
	if l.known || begins <= l.from || !r.external() {
		return l.versions
	}
	unknown := &rules.Decoded{Item: history.Item{Key: l.key, CapturedAt: history.FirstMoment, Until: begins}}
	return append([]standing{{unknown, history.FirstMoment, begins}}, l.versions...)
}

func (l *lifetime) add(items ...history.Item) {
	l.versions = slices.Grow(l.versions, len(items))
	decoded := make([]rules.Decoded, len(items))
	for n := range items {
		i := &decoded[n].Item
		if *i = items[n]; i.CapturedAt < i.Until {
			l.versions = append(l.versions, standing{&decoded[n], i.CapturedAt, i.Until})
		}
	}
}

// begins is when the first version of a resource after a moment begins, at which
// there is none; Newest: never.
func (s *Session) begins(ctx context.Context, k history.Key, after history.Moment) (history.Moment, error) {
	r, err := s.asOf(ctx, after)
	if err != nil {
		return 0, err
	}
	items, _, err := r.History(ctx, k, history.HistoryQuery{From: after + 1, Fields: history.FieldsKey})
	if err != nil || len(items) == 0 {
		return history.Newest, err
	}
	return items[len(items)-1].CapturedAt, nil
}

// decoded reads versions that stand at the reader's moment, decoded once for all.
func (s *Session) decoded(ctx context.Context, r history.Reader, of []versionOf) ([]*rules.Decoded, error) {
	list := make([]*rules.Decoded, len(of))
	var missing []history.Key
	var places []int
	for i, v := range of {
		d, ok := s.cache.Get(v)
		if !ok {
			missing, places = append(missing, v.key), append(places, i)
		}
		list[i] = d
	}
	if len(missing) == 0 {
		return list, nil
	}
	items, err := r.Get(ctx, missing, history.FieldsAll)
	if err != nil {
		return nil, err
	}
	for i := range items {
		d := &rules.Decoded{Item: items[i]}
		list[places[i]] = d
		s.cache.Put(of[places[i]], d, 4*len(items[i].State.Configuration)+256)
	}
	return list, nil
}
