package rulestest

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// world is the resources of a case and the edges between them.
type world struct {
	known       map[history.Key]*rules.Decoded
	told        map[history.Key]bool // more than the key
	uses, users map[history.Key][]history.Key
}

var _ rules.Others = (*world)(nil)

func newWorld() *world {
	return &world{
		known: map[history.Key]*rules.Decoded{}, told: map[history.Key]bool{},
		uses: map[history.Key][]history.Key{}, users: map[history.Key][]history.Key{},
	}
}

// add reports whether the item was not known, or by its key only.
func (w *world) add(item *history.Item, told bool) bool {
	if w.told[item.Key] {
		return false
	}
	w.known[item.Key], w.told[item.Key] = &rules.Decoded{Item: *item}, told
	return true
}

func (w *world) get(k history.Key) *rules.Decoded { return w.known[k] }

func (w *world) link(user, used history.Key) {
	if !slices.Contains(w.uses[user], used) {
		w.uses[user] = append(w.uses[user], used)
		w.users[used] = append(w.users[used], user)
	}
}

// complete checks that edges lead to resources.
func (w *world) complete() error {
	for user, used := range w.uses {
		for _, k := range append(used, user) {
			if w.known[k] == nil {
				return fmt.Errorf("%s is mentioned, and not given", k)
			}
		}
	}
	return nil
}

func (w *world) list(keys []history.Key, typ string) []*rules.Decoded {
	keys = slices.DeleteFunc(slices.Clone(keys), func(k history.Key) bool { return typ != "" && k.Type != typ })
	slices.SortFunc(keys, history.Key.Compare)
	all := make([]*rules.Decoded, len(keys))
	for i, k := range keys {
		all[i] = w.known[k]
	}
	return all
}

func (w *world) Related(_ context.Context, k history.Key, typ string) ([]*rules.Decoded, error) {
	return w.list(w.uses[k], typ), nil
}

func (w *world) Referrers(_ context.Context, k history.Key, typ string) ([]*rules.Decoded, error) {
	return w.list(w.users[k], typ), nil
}

func (w *world) Inventory(_ context.Context, typ string) ([]*rules.Decoded, error) {
	return w.list(slices.Collect(maps.Keys(w.known)), typ), nil
}
