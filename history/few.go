package history

import (
	"context"
	"errors"
)

// fewPage is how many items Few reads at once.
const fewPage = 64

// Few reads all items that a query selects, page by page. For what there is little of,
// in an inventory of much else, that costs a store less than a query without a limit,
// for which it reads ahead.
func Few(ctx context.Context, r Reader, q Query) ([]Item, error) {
	q.Limit = fewPage
	var list []Item
	for {
		items, more, err := r.Items(ctx, q)
		if err != nil {
			return nil, err
		}
		list = append(list, items...)
		if !more || len(items) == 0 {
			return list, nil
		}
		q.After = &items[len(items)-1].Key
	}
}

// Sound is a reader whose lists are not hidden by what of them is damaged: a resource
// that cannot be read stands there as FieldsKey has it, and Lost says why. It is for
// what there is little of, and for no Query that asks for content. It is not safe for
// concurrent use.
type Sound struct {
	Reader
	Lost map[Key]error // by resource; made by the caller, and added to
}

// Items is that of Reader. DataLoss if it is not known what there is.
func (s Sound) Items(ctx context.Context, q Query) ([]Item, bool, error) {
	items, more, err := s.Reader.Items(ctx, q)
	if !errors.Is(err, DataLoss) {
		return items, more, err
	}
	fields := q.Fields
	q.Fields = FieldsKey
	if items, more, err = s.Reader.Items(ctx, q); err != nil {
		return nil, false, err
	}
	for i := range items {
		k := items[i].Key
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
	return items, more, nil
}
