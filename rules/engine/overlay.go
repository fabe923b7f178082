package engine

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/varvehq/varve/history"
)

// Overlay is a source in which a resource is in another state from a moment on.
// Nothing that is captured of it after that moment is seen.
type Overlay struct {
	Source
	Key    history.Key
	From   history.Moment
	State  history.State
	Linker history.Linker // of the source; nil: it keeps no links

	mu    sync.Mutex
	known history.Revision // as known at which before and number are
	was   history.Item     // the version before the overlay; Version 0: there is none
	next  uint32           // the number of the version that the overlay makes; 0: nothing was read
}

// AsOf implements Source.
func (o *Overlay) AsOf(ctx context.Context, at history.At) (history.Reader, error) {
	r, err := o.Source.AsOf(ctx, at)
	if err != nil {
		return nil, err
	}
	l := &overlaid{Reader: r, o: o}
	l.before, l.number, err = o.standing(ctx, r)
	return l, err
}

// standing reads once what the overlay lies on.
func (o *Overlay) standing(ctx context.Context, r history.Reader) (was history.Item, next uint32, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	known := r.At().Known
	if o.next != 0 && o.known == known {
		return o.was, o.next, nil
	}
	before, err := o.Source.AsOf(ctx, history.At{Captured: max(o.From-1, history.FirstMoment), Known: known})
	if err != nil {
		return was, 0, err
	}
	is, err := before.Get(ctx, []history.Key{o.Key}, history.FieldsAll)
	if err != nil {
		return was, 0, err
	}
	versions, _, err := r.History(ctx, o.Key, history.HistoryQuery{Fields: history.FieldsKey})
	if err != nil {
		return was, 0, err
	}
	for i := range versions {
		next = max(next, versions[i].Version)
	}
	o.known, o.was, o.next = known, is[0], next+1
	o.was.Until = min(o.was.Until, o.From)
	return o.was, o.next, nil
}

// overlaid is what a reader sees through an overlay.
type overlaid struct {
	history.Reader
	o      *Overlay
	before history.Item // the version before the overlay; Version 0: there is none
	number uint32       // of the version that the overlay makes
}

// version is the overlay's.
func (l *overlaid) version() history.Item {
	state := l.o.State
	content := state.AppendContent(nil)
	return history.Item{
		Key: l.o.Key, Version: l.number, CapturedAt: l.o.From, LastSeenAt: l.o.From, Until: history.Newest,
		Revision: l.At().Known, Status: history.DeriveStatus(state.Status, state.Deleted, l.before.Exists()), State: state,
		Hash: history.HashContent(content),
	}
}

// standing is the version that stands at the reader's moment.
func (l *overlaid) standing() history.Item {
	switch at := l.At().Captured; {
	case at >= l.o.From:
		return l.version()
	case l.before.Version != 0 && at >= l.before.CapturedAt:
		return l.before
	}
	return history.Item{Key: l.o.Key}
}

func (l *overlaid) Get(ctx context.Context, keys []history.Key, f history.Fields) ([]history.Item, error) {
	items, err := l.Reader.Get(ctx, keys, f)
	for i := range items {
		if items[i].Key == l.o.Key && (l.At().Captured >= l.o.From || items[i].Until > l.o.From) {
			items[i] = f.Of(l.standing())
		}
	}
	return items, err
}

func (l *overlaid) Version(ctx context.Context, k history.Key, number uint32) (history.Item, error) {
	if k == l.o.Key && number == l.number {
		return l.version(), nil
	}
	return l.Reader.Version(ctx, k, number)
}

func (l *overlaid) History(ctx context.Context, k history.Key, q history.HistoryQuery) ([]history.Item, bool, error) {
	if k != l.o.Key {
		return l.Reader.History(ctx, k, q)
	}
	items, _, err := l.Reader.History(ctx, k, history.HistoryQuery{Fields: q.Fields})
	if err != nil {
		return nil, false, err
	}
	items = slices.DeleteFunc(items, func(i history.Item) bool { return i.CapturedAt >= l.o.From })
	if len(items) > 0 {
		items[0].Until = min(items[0].Until, l.o.From)
	}
	items = append([]history.Item{q.Fields.Of(l.version())}, items...)
	if q.After != 0 {
		at := slices.IndexFunc(items, func(i history.Item) bool { return i.Version == q.After })
		items = items[at+1:]
	}
	items = slices.DeleteFunc(items, func(i history.Item) bool {
		return i.CapturedAt < q.From || q.To != 0 && i.CapturedAt > q.To
	})
	if q.Limit > 0 && len(items) > q.Limit {
		return items[:q.Limit], true, nil
	}
	return items, false, nil
}

func (l *overlaid) Items(ctx context.Context, q history.Query) ([]history.Item, bool, error) {
	items, more, err := l.Reader.Items(ctx, q)
	if err != nil || !q.MatchKey(l.o.Key) || q.After != nil && l.o.Key.Compare(*q.After) <= 0 {
		return items, more, err
	}
	at, found := slices.BinarySearchFunc(items, l.o.Key, func(i history.Item, k history.Key) int { return i.Key.Compare(k) })
	if found {
		items = slices.Delete(items, at, at+1)
	}
	if at == len(items) && more {
		return items, more, nil // its turn comes with a later page
	}
	if is := l.standing(); is.Version != 0 && (q.Deleted || is.Exists()) && q.MatchState(&is.State) {
		items = slices.Insert(items, at, q.Fields.Of(is))
	}
	if q.Limit > 0 && len(items) > q.Limit {
		items, more = items[:q.Limit], true
	}
	return items, more, nil
}

func (l *overlaid) Count(ctx context.Context, q history.Query, by history.GroupBy) ([]history.Group, error) {
	q.After, q.Limit, q.Fields = nil, 0, history.FieldsKey
	items, _, err := l.Items(ctx, q)
	var groups []history.Group
	for i := range items {
		name := by.Of(items[i].Key)
		at, found := slices.BinarySearchFunc(groups, name, func(g history.Group, name string) int { return strings.Compare(g.Name, name) })
		if !found {
			groups = slices.Insert(groups, at, history.Group{Name: name})
		}
		groups[at].Count++
	}
	return groups, err
}

func (l *overlaid) Find(ctx context.Context, typ, id string) ([]history.Key, error) {
	keys, err := l.Reader.Find(ctx, typ, id)
	if typ != l.o.Key.Type || id != l.o.Key.ID || slices.Contains(keys, l.o.Key) {
		return keys, err
	}
	keys = append(keys, l.o.Key)
	slices.SortFunc(keys, history.Key.Compare)
	return keys, err
}

func (l *overlaid) Links(ctx context.Context, q history.LinkQuery) ([]history.Linked, bool, error) {
	list, more, err := l.Reader.Links(ctx, q)
	if err != nil {
		return nil, false, err
	}
	last := "" // the last term that the page has come to
	if more {
		last = list[len(list)-1].Term
	}
	list = slices.DeleteFunc(slices.Clone(list), func(s history.Linked) bool { return s.Key == l.o.Key && s.From >= l.o.From })
	for i := range list {
		if list[i].Key == l.o.Key {
			list[i].To = min(list[i].To, l.o.From)
		}
	}
	at := l.At().Captured
	list = slices.DeleteFunc(list, func(s history.Linked) bool { return !q.Ever && s.To <= at })
	if q.Ever || at >= l.o.From {
		for _, link := range history.LinksOf(l.o.Linker, l.o.Key, &l.o.State) {
			if q.Wants(link.Bears) && q.MatchTerm(link.Term) && link.Term > q.After && (!more || link.Term <= last) {
				list = append(list, history.Linked{Link: link, Key: l.o.Key, From: l.o.From, To: history.Newest})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b history.Linked) int { return strings.Compare(a.Term, b.Term) })
	return list, more, nil
}
