package bolt

import (
	"sync"
)

// tailTerms finds the resources of a tail by the terms of their links. It is made
// when it is first asked for, and kept up whenever it is asked again.
type tailTerms struct {
	news []rid // resources in order of coming; those that get more rows come again. Under the store's lock

	mu     sync.Mutex
	done   int              // of news
	rows   map[rid]int      // of each resource, those that were looked at
	byTerm map[string][]rid // may name a resource more than once
}

// look reads the links of what is new in a tail. t.linked.mu is held.
func (v *view) look(t *tail) error {
	x := &t.linked
	if x.byTerm == nil {
		x.byTerm, x.rows = map[string][]rid{}, map[rid]int{}
	}
	for {
		v.s.mu.RLock()
		if x.done == len(x.news) {
			v.s.mu.RUnlock()
			return nil
		}
		r := x.news[x.done]
		rows := t.resources[r].rows[x.rows[r]:]
		v.s.mu.RUnlock()
		k, err := v.key(r)
		if err != nil {
			return err
		}
		for i := range rows {
			links, err := v.tailLinks(r, k, &rows[i])
			if err != nil {
				return err
			}
			for _, l := range *links {
				x.byTerm[l.Term] = append(x.byTerm[l.Term], r)
			}
		}
		x.rows[r] += len(rows)
		x.done++
	}
}

// tailTerms lists the terms of a tail that pass, in any order.
func (v *view) tailTerms(t *tail, pass func(term string) bool) (list []string, err error) {
	t.linked.mu.Lock()
	defer t.linked.mu.Unlock()
	if err := v.look(t); err != nil {
		return nil, err
	}
	for term := range t.linked.byTerm {
		if pass(term) {
			list = append(list, term)
		}
	}
	return list, nil
}

// tailLinked lists the resources of which a tail has a row that is linked to a
// term, some of them more than once.
func (v *view) tailLinked(t *tail, term string) ([]rid, error) {
	t.linked.mu.Lock()
	defer t.linked.mu.Unlock()
	if err := v.look(t); err != nil {
		return nil, err
	}
	return t.linked.byTerm[term][:len(t.linked.byTerm[term]):len(t.linked.byTerm[term])], nil
}
