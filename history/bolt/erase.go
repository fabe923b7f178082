package bolt

import (
	"context"
	"errors"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// errUnmerged says that a row is not merged yet.
var errUnmerged = errors.New("not merged yet")

// Erase implements history.Eraser. The log is merged first, for it holds what it
// was given, and deltas from it, of which no new ones are made; then the resource's
// segments are written anew without the body. A dictionary that has it for a
// sample is used by other bodies, and stays.
func (s *Store) Erase(ctx context.Context, k history.Key, version uint32) error {
	if err := s.forgetLatest(); err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		merged := s.Merge()
		if merged != nil && !isApart(merged) {
			return gone(merged)
		}
		if err := s.eraseMerged(k, version); !errors.Is(err, errUnmerged) {
			return err
		}
		if merged != nil {
			return merged // what is set apart of this one stays in the log
		}
	}
}

func (s *Store) eraseMerged(k history.Key, version uint32) error {
	s.upkeep.slice.Lock()
	defer s.upkeep.slice.Unlock()
	return s.betweenMerges(func() error {
		writes := &puts{}
		err := s.view(func(v *view) error {
			r, err := v.rid(k)
			if err != nil {
				return err
			}
			rec, err := v.recent(r)
			if err != nil {
				return err
			}
			if slices.ContainsFunc(rec.rows, func(r tailRow) bool { return r.Number == version }) {
				return errUnmerged
			}
			v.tails = nil
			return v.erase(writes, k, r, version)
		})
		if err != nil || len(writes.list) == 0 {
			return err
		}
		defer s.unwritten.Add(1)
		defer s.linked.Forget() // before the next merge
		return s.write(writes)
	})
}

// erase prepares what makes a tombstone of a merged row; nothing if it is one.
func (v *view) erase(writes *puts, k history.Key, r rid, version uint32) error {
	l, err := v.load(r)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(l.Rows, func(r *plan.Row) bool { return r.Number == version && !r.Bare })
	if i < 0 {
		return plan.NoVersion(k, version)
	}
	if l.Rows[i].Erased {
		return nil
	}
	h, group, id, err := v.headValue(r)
	if err != nil {
		return err
	}
	if h.newest.Number == version {
		h.newest.Erased = true
		writes.add(bucketHeads, ridKey(r), sealValue(ridKey(r), h.append(nil, group, slices.Clone(id))))
	}
	_, err = v.repack(writes, r, k, l, func(n int, row *row) *row {
		if n != i {
			return row
		}
		erased := *row
		erased.Erased, erased.body = true, erasedBody
		return &erased
	})
	if err != nil {
		return err
	}
	return v.eraseLinks(writes, k, l, l.Rows[i])
}
