package bolt

import (
	"context"
	"slices"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// Links implements history.Reader. What is merged answers for all resources of
// which the tails hold nothing; for the others it answers up to where the tails
// begin, and their rows go on from there.
func (r *reader) Links(ctx context.Context, q history.LinkQuery) ([]history.Linked, bool, error) {
	scan := linkScan{q: q, after: q.After, room: linkRooms.Get().(*linkRoom)}
	defer scan.room.release()
	if scan.exact = len(q.Terms) > 0; scan.exact {
		scan.terms = slices.Compact(slices.Sorted(slices.Values(q.Terms)))
		i, found := slices.BinarySearch(scan.terms, q.After)
		if found {
			i++
		}
		scan.terms = scan.terms[i:]
	}
	for !scan.done {
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		err := r.s.view(func(v *view) error {
			if err := plan.ReadsQuery(&v.floors.Floors, r.at, &history.Query{}); err != nil {
				return err
			}
			state := r.s.links.Load()
			if state == nil {
				scan.done = true
				return nil
			}
			if !state.complete {
				return r.s.relinking.underWay()
			}
			return scan.some(v, r.at)
		})
		if err != nil {
			return nil, false, err
		}
	}
	return scan.list, scan.more, nil
}

// linkScan goes through the terms of a query, in as many views as it takes.
type linkScan struct {
	q     history.LinkQuery
	exact bool
	terms []string // of an exact query, those to come
	after string   // of another one: they come after this
	list  []history.Linked
	room  *linkRoom
	more  bool
	done  bool
}

// some finds the links of terms for as long as a scan may take.
func (s *linkScan) some(v *view, at history.At) error {
	f, err := v.findLinks(at, &s.q, s.room)
	if err != nil {
		return err
	}
	terms, last := s.terms, true
	if !s.exact {
		if terms, last, err = f.terms(s.after); err != nil {
			return err
		}
	}
	began, n := time.Now(), 0
	for ; n < len(terms); n++ {
		if n%scanLook == scanLook-1 && time.Since(began) > scanTime {
			break
		}
		before := len(s.list)
		if s.list, err = f.find(s.list, terms[n]); err != nil {
			return err
		}
		if s.q.Limit > 0 && before >= s.q.Limit && len(s.list) > before {
			s.list, s.more, s.done = s.list[:before:before], true, true
			return nil
		}
	}
	if n > 0 {
		s.after = terms[n-1]
	}
	if s.done = last && n == len(terms); s.exact {
		s.terms = terms[n:]
	}
	return nil
}
