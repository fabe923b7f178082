package historytest

import (
	"slices"
	"strings"

	"github.com/varvehq/varve/history"
)

// linksOf tells the links of a resource by what each moment says: between two
// beginnings of versions nothing changes, and a link lasts as long as moment
// after moment says it. The items are all that is visible, in captured time; what
// lies below the floor is not kept.
func linksOf(by history.Linker, items []history.Item, floor history.Moment) []history.Linked {
	var begins []history.Moment
	for _, i := range items {
		begins = append(begins, i.CapturedAt)
	}
	slices.Sort(begins)
	begins = slices.Compact(begins)

	var list []history.Linked
	lasting := map[history.Link]int{} // index of its last span
	for n, from := range begins {
		to := history.Newest
		if n+1 < len(begins) {
			to = begins[n+1]
		}
		i := place(items, from)
		if to <= floor || i.State.Deleted || i.Erased {
			continue
		}
		from = max(from, floor)
		for _, l := range by.Links(i.Key, &i.State) {
			if at, ok := lasting[l]; ok && list[at].To == from {
				list[at].To = to
				continue
			}
			lasting[l] = len(list)
			list = append(list, history.Linked{Link: l, Key: i.Key, From: from, To: to})
		}
	}
	return list
}

// links is what Links should return of the query without After and Limit, in the
// order of Compare.
func (o *oracle) links(at history.At, q history.LinkQuery) []history.Linked {
	var list []history.Linked
	for k := range o.lives {
		for _, l := range linksOf(o.linker, o.known(k, at.Known), o.floors.Of(k.Type)) {
			if asks(q, l.Link) && (q.Ever || lasts(l, at.Captured)) {
				list = append(list, l)
			}
		}
	}
	slices.SortFunc(list, history.Linked.Compare)
	return list
}

// asks are the filters of a query for links in plain words.
func asks(q history.LinkQuery, l history.Link) bool {
	kind := q.Bears && l.Bears || q.Refers && !l.Bears || !q.Bears && !q.Refers
	if len(q.Terms) == 0 {
		return kind && strings.HasPrefix(l.Term, q.Prefix)
	}
	for _, term := range q.Terms {
		if term == l.Term {
			return kind
		}
	}
	return false
}

// lasts tells whether a link is said at a moment.
func lasts(l history.Linked, m history.Moment) bool {
	return l.From <= m && (m < l.To || l.To == history.Newest)
}

// pageOf is the page of links that follows a term, and whether there is more: so
// many whole terms that they hold limit links or there are no others.
func pageOf(links []history.Linked, after string, limit int) (page []history.Linked, more bool) {
	for _, l := range links {
		switch n := len(page); {
		case after != "" && l.Term <= after:
		case limit > 0 && n >= limit && l.Term != page[n-1].Term:
			return page, true
		default:
			page = append(page, l)
		}
	}
	return page, false
}

// sameLinks compares an answer with links in the order of Compare. An answer is in
// the order of terms, and within a term in one of the store's own.
func sameLinks(got, want []history.Linked) bool {
	if !slices.IsSortedFunc(got, func(a, b history.Linked) int { return strings.Compare(a.Term, b.Term) }) {
		return false
	}
	return slices.Equal(slices.SortedFunc(slices.Values(got), history.Linked.Compare), want)
}
