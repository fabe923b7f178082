package graph

import (
	"context"

	"github.com/varvehq/varve/history"
)

// changedTerms are the hashes of terms of which a resource says something at some
// moment, as known from a change on, that it did not say before, or no longer says.
//
// All such moments lie in the span of the version that the change made. It need not
// begin with them: a capture at the moment at which a run had found nothing, of the
// state before that, makes one version of both.
func changedTerms(ctx context.Context, s history.Store, change *history.Change) ([]uint64, error) {
	after, _, err := versionAt(ctx, s, change, change.Revision)
	if err != nil {
		return nil, err
	}
	before := history.Item{Key: change.Key}
	if change.Revision > 1 {
		var r history.Reader
		if before, r, err = versionAt(ctx, s, change, change.Revision-1); err != nil {
			return nil, err
		}
		if before.Version == 0 || before.Until < after.Until {
			q := history.HistoryQuery{From: change.CapturedAt}
			if after.Until != history.Newest {
				q.To = after.Until
			}
			within, _, err := r.History(ctx, change.Key, q)
			if err != nil {
				return nil, err
			}
			return differingTerms(&after, append(within, before)), nil
		}
	}
	return differingTerms(&after, []history.Item{before}), nil
}

// versionAt reads the version at the moment that a change is about, as it was known
// at a revision.
func versionAt(ctx context.Context, s history.Store, change *history.Change, known history.Revision) (history.Item, history.Reader, error) {
	r, err := s.AsOf(ctx, history.At{Captured: change.CapturedAt, Known: known})
	if err != nil {
		return history.Item{}, nil, err
	}
	items, err := r.Get(ctx, []history.Key{change.Key}, history.FieldsAll)
	if err != nil {
		return history.Item{}, nil, err
	}
	return items[0], r, nil
}

// differingTerms are those of which a version says otherwise than one of others of
// its resource.
func differingTerms(version *history.Item, others []history.Item) (terms []uint64) {
	own := linksOf(version)
	for i := range others {
		said := map[history.Link]bool{}
		for _, l := range own {
			said[l] = true
		}
		for _, l := range linksOf(&others[i]) {
			if said[l] {
				delete(said, l)
				continue
			}
			terms = append(terms, hashOf(Term(l.Term)))
		}
		for l := range said {
			terms = append(terms, hashOf(Term(l.Term)))
		}
		if k := version.Key; version.Exists() != others[i].Exists() {
			terms = append(terms, hashOf(IDTerm(k.Type, k.ID)), hashOf(NameTerm(k.Type, k.ID)))
		}
	}
	return terms
}

func linksOf(i *history.Item) []history.Link {
	if !i.Exists() {
		return nil
	}
	return Links(i.Key, &i.State)
}
