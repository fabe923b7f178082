package bolt

import (
	"bytes"
	"errors"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
)

// errPause ends a scan that will go on in another transaction.
var errPause = errors.New("pause")

// eachKey calls f, in key order, with every resource after a key that matches,
// merged and not yet merged alike.
func (v *view) eachKey(after *history.Key, match func(history.Key) bool, f func(history.Key) error) error {
	return v.eachKeyOf(after, &history.Query{}, match, f)
}

// eachKeyOf is eachKey with a query by which whole ranges of keys can be left
// out; what it lets pass is still to be matched.
func (v *view) eachKeyOf(after *history.Key, q *history.Query, match func(history.Key) bool, f func(history.Key) error) error {
	names := newNames(v, after, q)
	for {
		k, ok, err := names.next()
		if err != nil || !ok {
			return err
		}
		if match(k) {
			if err := f(k); err != nil {
				return err
			}
		}
	}
}

// names walks the resources of a view in key order.
type names struct {
	q      *history.Query
	c      *bolt.Cursor
	raw    []byte // the cursor's key; nil at the end
	lists  [][]history.Key
	merged history.Key // raw, decoded
}

func newNames(v *view, after *history.Key, q *history.Query) *names {
	n := &names{q: q, c: v.tx.Bucket(bucketNames).Cursor()}
	if after == nil {
		n.raw, _ = n.c.First()
	} else if n.raw, _ = n.c.Seek(nameKey(*after)); bytes.Equal(n.raw, nameKey(*after)) {
		n.raw, _ = n.c.Next()
	}
	v.s.mu.RLock()
	defer v.s.mu.RUnlock()
	for _, t := range v.tails {
		list := t.sortedNames()
		if after != nil {
			list = list[searchAfter(list, *after):]
		}
		n.lists = append(n.lists, list)
	}
	return n
}

func searchAfter(list []history.Key, k history.Key) int {
	low, high := 0, len(list)
	for low < high {
		mid := (low + high) / 2
		if list[mid].Compare(k) <= 0 {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// next returns the next key. A resource that was merged while the view was
// taken is in a tail and in the bucket: it is returned once.
func (n *names) next() (history.Key, bool, error) {
	if err := n.skip(); err != nil {
		return history.Key{}, false, err
	}
	var best history.Key
	found := n.raw != nil
	if found {
		best = n.merged
	}
	for _, list := range n.lists {
		if len(list) > 0 && (!found || list[0].Compare(best) < 0) {
			best, found = list[0], true
		}
	}
	if !found {
		return best, false, nil
	}
	if n.raw != nil && n.merged == best {
		n.raw, _ = n.c.Next()
	}
	for i, list := range n.lists {
		if len(list) > 0 && list[0] == best {
			n.lists[i] = list[1:]
		}
	}
	return best, true, nil
}

// skip moves the cursor over keys that the query rules out: within an account
// and region it goes straight to the type and the id asked for.
func (n *names) skip() error {
	for n.raw != nil {
		k, err := parseNameKey(n.raw)
		if err != nil {
			return err
		}
		n.merged = k
		if n.q.Type == "" {
			return nil
		}
		want := history.Key{Account: k.Account, Region: k.Region, Type: n.q.Type, ID: n.q.IDPrefix}
		switch {
		case k.Compare(want) < 0:
			n.raw, _ = n.c.Seek(nameKey(want))
		case k.Type != n.q.Type || len(n.q.IDPrefix) > 0 && !bytes.HasPrefix([]byte(k.ID), []byte(n.q.IDPrefix)):
			// Beyond it: on to the next account or region.
			n.raw, _ = n.c.Seek(append(nameKey(history.Key{Account: k.Account, Region: k.Region})[:len(k.Account)+len(k.Region)+1], 1))
		default:
			return nil
		}
	}
	return nil
}
