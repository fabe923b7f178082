package history

import "context"

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
