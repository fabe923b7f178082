package awsconfig

import (
	"context"
	"errors"
	"slices"

	"github.com/varvehq/varve/history"
)

// owner is whose settings, rules and resources a caller sees and changes.
func (c Caller) owner() history.Owner { return history.Owner{Account: c.Account, Region: c.Region} }

// sees reports whether a resource is one of those that a caller is told of.
func (c Caller) sees(k history.Key) bool { return c.owner().Sees(k) && !history.Reserved(k.Type) }

// rank tells how much a resource that the caller sees counts, 0 the most, where one
// type and id is the name of several: those of his account before those of none, and
// of these his region's before the global ones before those of no region.
func (c Caller) rank(k history.Key) int {
	rank := 0
	if k.Account != c.Account {
		rank = 3
	}
	switch k.Region {
	case c.Region:
		return rank
	case history.GlobalRegion:
		return rank + 1
	}
	return rank + 2
}

// find tells which resource a caller means by a type and an id: of those that he
// sees and of which the reader knows a version, the one whose place counts most,
// whether it lives or not. ok is false if there is none.
func (c Caller) find(ctx context.Context, r history.Reader, typ, id string) (k history.Key, ok bool, err error) {
	if err := (history.Key{Type: typ, ID: id}).Validate(); err != nil {
		return k, false, err
	}
	keys, err := r.Find(ctx, typ, id)
	if err != nil {
		return k, false, err
	}
	keys = slices.DeleteFunc(keys, func(k history.Key) bool { return !c.sees(k) })
	if len(keys) == 0 {
		return k, false, nil
	}
	return slices.MinFunc(keys, func(a, b history.Key) int { return c.rank(a) - c.rank(b) }), true, nil
}

// reader answers as known at the revision of a page's cursor; on the first page
// that is the newest.
func (d *Door) reader(ctx context.Context, at cursor) (history.Reader, error) {
	r, err := d.o.Store.AsOf(ctx, history.At{Known: at.known})
	if at.known != 0 && (errors.Is(err, history.Compacted) || errors.Is(err, history.Future)) {
		return nil, pruned()
	}
	return r, err
}

// pruned refuses a token that cannot be gone on from any more.
func pruned() error {
	return refuse("InvalidNextTokenException", "The nextToken provided in the request is of a past that is not kept; ask again without it")
}
