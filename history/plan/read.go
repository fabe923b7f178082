package plan

import (
	"fmt"
	"slices"

	"github.com/varvehq/varve/history"
)

// Item is the place's version but for its content and origin.
func (p *Place) Item(k history.Key, lastSeen history.Moment) (item history.Item) {
	item.Key = k
	p.Fill(&item, lastSeen)
	return item
}

// Fill is Item into one that has a key and nothing else.
func (p *Place) Fill(item *history.Item, lastSeen history.Moment) {
	r := p.Row
	item.Version, item.Revision, item.Hash = r.Number, r.Opened, r.Hash
	item.CapturedAt, item.LastSeenAt, item.Until, item.RecordedAt = r.Start, lastSeen, p.Until(), r.RecordedAt
	item.Status = history.DeriveStatus(r.Status, r.Deleted, p.Alive())
	item.State.Deleted, item.Erased, item.Lost = r.Deleted, r.Erased, r.Lost
}

// Places lists the visible rows, in order, each with its neighbours.
func Places(rows []*Row, known history.Revision) []Place {
	places := make([]Place, 0, len(rows))
	for i, r := range rows {
		if !r.Visible(known) {
			continue
		}
		p := Place{Row: r, at: i, end: len(rows)}
		if n := len(places); n > 0 {
			before := &places[n-1]
			p.Before, before.After, before.end = before.Row, r, i
		}
		places = append(places, p)
	}
	return places
}

// Recorded reports whether anything of the resource was known at a revision.
func Recorded(rows []*Row, known history.Revision) bool {
	return slices.ContainsFunc(rows, func(r *Row) bool { return r.Opened <= known })
}

// Select picks what a history query asks for, newest first.
func Select(places []Place, k history.Key, q history.HistoryQuery) (picked []Place, more bool, err error) {
	started := q.After == 0
	room := len(places)
	if q.Limit > 0 {
		room = min(room, q.Limit)
	}
	picked = make([]Place, 0, room)
	for _, p := range slices.Backward(places) {
		if !started {
			started = p.Row.Number == q.After
			continue
		}
		if p.Row.Start < q.From || q.To != 0 && p.Row.Start > q.To {
			continue
		}
		if q.Limit > 0 && len(picked) == q.Limit {
			return picked, true, nil
		}
		picked = append(picked, p)
	}
	if !started {
		return nil, false, NoVersion(k, q.After)
	}
	return picked, false, nil
}

// With adds a moment to those a resource was missed at.
func With(gone Gone, m history.Moment) Gone {
	return func(after, before history.Moment) []history.Moment {
		list := gone(after, before)
		if m > after && m < before && !slices.Contains(list, m) {
			list = append(list, m)
			slices.Sort(list)
		}
		return list
	}
}

// NoRun says that a run is not known. It and those that follow are the errors
// that every backend gives alike.
func NoRun(id history.RunID) error {
	return history.Errorf(history.NotFound, "run %s is not known", id)
}

// RunExists refuses a second run of one id.
func RunExists(id history.RunID) error {
	return &history.Error{Kind: history.AlreadyExists, Field: "run", Value: string(id), Text: "was opened before; choose another id"}
}

// NoVersion says that a version is not to be seen.
func NoVersion(k history.Key, number uint32) error {
	return &history.Error{Kind: history.NotFound, Field: "version", Value: fmt.Sprint(number),
		Text: fmt.Sprintf("%s has no such version to show: not given yet, replaced by later knowledge, or pruned", k)}
}

// Ahead says that a revision was not given yet.
func Ahead(asked, newest history.Revision) error {
	return &history.Error{Kind: history.Future, Field: "knownAt", Value: asked.String(),
		Text: fmt.Sprintf("is ahead of the store, whose newest revision is %d", newest)}
}
