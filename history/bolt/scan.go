package bolt

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
)

// errPause ends a scan that will go on in another transaction.
var errPause = errors.New("pause")

// entry is a resource found by a scan.
type entry struct {
	history.Key
	rid rid
}

// names walks the resources of a view in key order, those that match a query:
// group after group, and within each, ids merged and not yet merged alike.
type names struct {
	q     *history.Query
	v     *view
	c     *bolt.Cursor
	after *history.Key // nil: from the start

	groups     []groupNo // to come, in key order
	begun      bool      // with the first of them
	group      history.Key
	prefix     []byte // of its names, those the query lets pass
	raw, value []byte // where the cursor stands

	lists [3][]history.Key // of the tails
	ids   idList
}

// idList keeps ids that are read together in memory of some that follow each other:
// an allocation for each costs more than reading it.
type idList struct{ strings.Builder }

const idListBytes = 1 << 10

func (l *idList) keep(id []byte) string {
	if l.Cap()-l.Len() < len(id) {
		l.Builder = strings.Builder{}
		l.Grow(max(idListBytes, len(id)))
	}
	from := l.Len()
	l.Write(id)
	return l.String()[from:]
}

// eachKey calls f, in key order, with every resource after a key that the query's
// filters on keys let pass.
func (v *view) eachKey(after *history.Key, q *history.Query, f func(*entry) error) error {
	n := v.newNames(after, q)
	var e entry
	for {
		ok, err := n.next(&e)
		if err != nil || !ok {
			return err
		}
		if err := f(&e); err != nil {
			return err
		}
	}
}

func (v *view) newNames(after *history.Key, q *history.Query) *names {
	n := &names{q: q, v: v, c: v.tx.Bucket(bucketNames).Cursor(), after: after}
	table := v.s.groups.Load()
	for _, no := range table.sorted {
		g, _ := table.key(no, "")
		if !matchGroup(q, g) || after != nil && g.Compare(history.Key{Account: after.Account, Region: after.Region, Type: after.Type}) < 0 {
			continue
		}
		n.groups = append(n.groups, no)
	}
	v.s.mu.RLock()
	defer v.s.mu.RUnlock()
	for i, t := range v.tails {
		list := t.sortedNames()
		if after != nil {
			at, found := slices.BinarySearchFunc(list, *after, history.Key.Compare)
			if found {
				at++
			}
			list = list[at:]
		}
		n.lists[i] = list
	}
	return n
}

// matchGroup is Query.MatchKey but for the id.
func matchGroup(q *history.Query, g history.Key) bool {
	g.ID = q.IDPrefix
	return q.MatchKey(g)
}

// next finds the next resource; false: there is none. One that was merged while the
// view was taken is in a tail and in the bucket: it is found once.
func (n *names) next(e *entry) (bool, error) {
	merged, err := n.peek()
	if err != nil {
		return false, err
	}
	if e.rid = 0; merged {
		e.Key = n.group
		e.ID = n.ids.keep(n.raw[4:])
		if e.rid, err = openName(n.raw, n.value); err != nil {
			return false, err
		}
	}
	found := merged
	for i := range n.v.tails {
		for len(n.lists[i]) > 0 && !n.q.MatchKey(n.lists[i][0]) {
			n.lists[i] = n.lists[i][1:]
		}
		if list := n.lists[i]; len(list) > 0 && (!found || list[0].Compare(e.Key) < 0) {
			e.Key, e.rid, found, merged = list[0], 0, true, false
		}
	}
	if !found {
		return false, nil
	}
	if merged {
		before := n.raw
		n.raw, n.value = n.c.Next()
		if err := n.rising(before); err != nil {
			return false, err
		}
	}
	for i := range n.v.tails {
		if list := n.lists[i]; len(list) > 0 && list[0] == e.Key {
			n.lists[i] = list[1:]
		}
	}
	if e.rid == 0 {
		if e.rid, err = n.v.rid(e.Key); err != nil {
			return false, err
		}
	}
	return true, nil
}

// rising checks that the cursor went on from a key: among keys that are out of
// order it could go in a circle, or past some.
func (n *names) rising(before []byte) error {
	if n.raw != nil && bytes.Compare(n.raw, before) <= 0 {
		return damaged(bucketNames, n.raw)
	}
	return nil
}

// peek puts the cursor on the next merged name; false: there is none.
func (n *names) peek() (bool, error) {
	for len(n.groups) > 0 {
		no := n.groups[0]
		if !n.begun {
			n.begin(no)
		}
		if bytes.HasPrefix(n.raw, n.prefix) {
			return true, nil
		}
		n.groups, n.begun = n.groups[1:], false
	}
	return false, nil
}

// begin puts the cursor on the first name of a group that is of interest.
func (n *names) begin(no groupNo) {
	n.group, _ = n.v.s.groups.Load().key(no, "")
	n.begun, n.prefix = true, nameKey(no, n.q.IDPrefix)
	from, after := n.q.IDPrefix, n.after
	same := after != nil && n.group.Account == after.Account && n.group.Region == after.Region && n.group.Type == after.Type
	if same && after.ID >= from {
		from = after.ID
	} else {
		same = false
	}
	key := nameKey(no, from)
	n.raw, n.value = n.c.Seek(key)
	if same && bytes.Equal(n.raw, key) {
		n.raw, n.value = n.c.Next()
	}
}

// find lists the resources of a type and id, in key order.
func (v *view) find(typ, id string) ([]entry, error) {
	var list []entry
	add := func(k history.Key) error {
		if slices.ContainsFunc(list, func(e entry) bool { return e.Key == k }) {
			return nil
		}
		r, err := v.rid(k)
		if r != 0 {
			list = append(list, entry{k, r})
		}
		return err
	}
	table := v.s.groups.Load()
	for _, no := range table.sorted {
		if k, _ := table.key(no, id); k.Type == typ {
			if err := add(k); err != nil {
				return nil, err
			}
		}
	}
	var recent []history.Key
	v.s.mu.RLock()
	for _, t := range v.tails {
		for k := range t.names {
			if k.Type == typ && k.ID == id {
				recent = append(recent, k)
			}
		}
	}
	v.s.mu.RUnlock()
	for _, k := range recent {
		if err := add(k); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b entry) int { return a.Compare(b.Key) })
	return list, nil
}
