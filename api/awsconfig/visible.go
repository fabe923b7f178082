package awsconfig

import (
	"context"
	"errors"
	"slices"

	"github.com/varvehq/varve/history"
)

// global is the region of what is in no region of AWS.
const global = "global"

// place is where resources are.
type place struct{ account, region string }

// places are where the resources that a caller sees are, each once: in his
// account or in none, and in his region, in "global" or in none. They are in the
// order in which they count where one type and id is the name of several
// resources: his own before those of no account, and of these the region's before
// the global ones before those of no region.
func (c Caller) places() []place {
	var list []place
	for _, account := range [...]string{c.Account, ""} {
		for _, region := range [...]string{c.Region, global, ""} {
			if p := (place{account, region}); !slices.Contains(list, p) {
				list = append(list, p)
			}
		}
	}
	return list
}

// rank tells how much a resource's place counts, 0 the most; -1: the caller does
// not see it.
func (c Caller) rank(k history.Key) int {
	return slices.Index(c.places(), place{k.Account, k.Region})
}

// sees reports whether a resource is one of those that a caller is told of.
func (c Caller) sees(k history.Key) bool { return c.rank(k) >= 0 && !history.Reserved(k.Type) }

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
