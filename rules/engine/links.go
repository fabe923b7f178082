package engine

import (
	"context"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memo"
)

// linkMemo keeps what a session was told of the links of single terms: those who
// use one hub all ask for its terms, and a store goes through all links of a term
// to find any.
type linkMemo = memo.Cache[linksAsked, []history.Linked]

type linksAsked struct {
	at            history.Moment // zero: over all captured time
	term          string
	bears, refers bool
}

const (
	linkMemoBytes = 16 << 20
	linkedBytes   = 200 // about
)

// remembering is a reader that asks for the links of a term once in a session.
type remembering struct {
	history.Reader
	memo *linkMemo
}

// Links implements history.Reader.
func (r *remembering) Links(ctx context.Context, q history.LinkQuery) ([]history.Linked, bool, error) {
	if len(q.Terms) == 0 || q.Limit > 0 || q.After != "" {
		return r.Reader.Links(ctx, q)
	}
	asked := linksAsked{bears: q.Bears, refers: q.Refers}
	if !q.Ever {
		asked.at = r.At().Captured
	}
	terms := slices.Compact(slices.Sorted(slices.Values(q.Terms)))
	found := make(map[string][]history.Linked, len(terms))
	var ask []string
	for _, t := range terms {
		asked.term = t
		list, ok := r.memo.Get(asked)
		if found[t] = list; !ok {
			ask = append(ask, t)
		}
	}
	if len(ask) > 0 {
		q.Terms = ask
		list, _, err := r.Reader.Links(ctx, q)
		if err != nil {
			return nil, false, err
		}
		for i := range list {
			t := list[i].Term
			found[t] = append(found[t], list[i])
		}
		for _, t := range ask {
			asked.term = t
			r.memo.Put(asked, found[t], len(t)+linkedBytes*len(found[t]))
		}
	}
	var all []history.Linked
	for _, t := range terms {
		all = append(all, found[t]...)
	}
	return all, false, nil
}
