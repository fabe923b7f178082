package history

import (
	"context"
	"errors"
	"slices"
	"sort"
)

// Sound is a reader whose lists are not hidden by what of them is damaged: a resource
// that cannot be read stands there by its key, with what else FieldsKey has of it if
// that much can be read, and Lost says why. It is for no Query that asks for content.
// Around what is damaged it reads resource by resource. It is not safe for concurrent
// use.
type Sound struct {
	Reader
	Lost map[Key]error // by resource; made by the caller, and added to
}

// Items is that of Reader. DataLoss if it cannot be told what there is.
func (s Sound) Items(ctx context.Context, q Query) ([]Item, bool, error) {
	items, more, err := s.Reader.Items(ctx, q)
	if !errors.Is(err, DataLoss) {
		return items, more, err
	}
	fields := q.Fields
	q.Fields = FieldsKey
	unknown := map[Key]error{} // it is not known whether they stand
	if items, more, err = s.keys(ctx, q, err, unknown); err != nil {
		return nil, false, err
	}
	for i := range items {
		k := items[i].Key
		if fields == FieldsKey && unknown[k] == nil {
			continue
		}
		whole, err := s.Get(ctx, []Key{k}, fields)
		switch {
		case errors.Is(err, DataLoss):
			s.Lost[k] = err
		case err != nil:
			return nil, false, err
		default:
			items[i] = whole[0]
		}
	}
	return slices.DeleteFunc(items, func(i Item) bool {
		gone := i.Version == 0 || i.State.Deleted && !q.Deleted
		return gone && unknown[i.Key] != nil && s.Lost[i.Key] == nil
	}), more, nil
}

// keys are the items of a query for FieldsKey, and whether there is more. It goes on
// behind each key at which a list breaks off; that one stands there alone, and is added
// to those that are not known. Where it cannot go on, the last loss is the error.
func (s Sound) keys(ctx context.Context, q Query, loss error, unknown map[Key]error) (list []Item, more bool, err error) {
	limit := q.Limit
	for {
		items, more, err := s.Reader.Items(ctx, q)
		if len(items) > 0 && q.After != nil && items[0].Key.Compare(*q.After) <= 0 {
			return nil, false, loss // keys are out of order: others may be hidden
		}
		list = append(list, items...)
		if !errors.Is(err, DataLoss) {
			return list, more, err
		}
		loss = err
		if n := len(items); n > 0 {
			q.After = &items[n-1].Key
		}
		if limit > 0 && len(list) >= limit { // what is damaged comes behind
			return list, true, nil
		}
		k, found := s.breaksAt(ctx, q, err)
		if !found {
			return nil, false, err
		}
		unknown[k] = err
		list, q.After = append(list, Item{Key: k}), &k
		if limit > 0 {
			if q.Limit = limit - len(list); q.Limit == 0 {
				return list, true, nil // there may be
			}
		}
	}
}

// breaksAt is the key at which a list breaks off that is read from q.After on, with
// nothing that stands between the two. If the loss does not tell, it is sought: every
// list from a key before it on breaks off alike, and none from it on does.
func (s Sound) breaksAt(ctx context.Context, q Query, loss error) (Key, bool) {
	after := Key{}
	if q.After != nil {
		after = *q.After
	}
	var k Key
	var e *Error
	if errors.As(loss, &e) && e.Meta["id"] != "" {
		k = Key{Account: e.Meta["account"], Region: e.Meta["region"], Type: e.Meta["type"], ID: e.Meta["id"]}
		return k, after.Compare(k) < 0 && q.MatchKey(k)
	}
	q.Limit = 1
	before := func(k Key) bool { // it
		if k.Compare(after) <= 0 {
			return true
		}
		q.After = &k
		_, _, err := s.Reader.Items(ctx, q)
		return err != nil && err.Error() == loss.Error()
	}
	// Of a key all parts but the id may be empty, so that an empty id is before it.
	k.Account = greatest(MaxAccount, func(v string) bool { return before(Key{Account: v}) })
	k.Region = greatest(MaxRegion, func(v string) bool { return before(Key{Account: k.Account, Region: v}) })
	k.Type = greatest(MaxType, func(v string) bool { return before(Key{Account: k.Account, Region: k.Region, Type: v}) })
	k.ID = greatest(MaxID, func(v string) bool {
		last := len(v) - 1
		id := v[:last] + string([]byte{v[last] - 1, 0xFF}) // behind all that come before v: none holds 0xFF, or zero
		return before(Key{Account: k.Account, Region: k.Region, Type: k.Type, ID: id})
	})
	return k, after.Compare(k) < 0 && q.MatchKey(k) && !before(k)
}

// greatest is the greatest text without a zero byte for which something holds, which
// holds for all that are less.
func greatest(longest int, holds func(string) bool) string {
	var text []byte
	for len(text) < longest {
		n := sort.Search(0xFF, func(n int) bool { return !holds(string(append(text, byte(n+1)))) })
		if n == 0 {
			break
		}
		text = append(text, byte(n))
	}
	return string(text)
}
