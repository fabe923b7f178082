package engine

import (
	"context"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// Waiver is a waiver with its owner: it excuses resources from that owner's rules.
type Waiver struct {
	Owner rules.Owner
	rules.Waiver
}

// Waivers are those that hold at the moment, in key order. One that is damaged excuses
// nothing.
func (w *View) Waivers(ctx context.Context) ([]*Waiver, error) {
	return w.waivers.once(func() ([]*Waiver, error) { return w.readWaivers(ctx) })
}

func (w *View) readWaivers(ctx context.Context) ([]*Waiver, error) {
	sound := history.Sound{Reader: w.at, Lost: map[history.Key]error{}}
	items, err := history.Few(ctx, sound, history.Query{Type: rules.TypeWaiver})
	if err != nil {
		return nil, err
	}
	var list []*Waiver
	for i := range items {
		if sound.Lost[items[i].Key] != nil {
			continue
		}
		one, owner, err := rules.ReadWaiver(&items[i])
		if err != nil {
			return nil, err
		}
		if one.Expires == 0 || w.present < one.Expires {
			list = append(list, &Waiver{owner, *one})
		}
	}
	return list, nil
}

// waived is the first waiver that covers a verdict; nil: there is none, or nothing to
// be waived since all is well.
func (w *View) waived(ctx context.Context, v *Record, waivers []*Waiver) (*Waiver, error) {
	if v.Compliance == rules.Compliant || v.Compliance == rules.NotApplicable {
		return nil, nil
	}
	var item *history.Item // read only where tags are asked for
	for _, by := range waivers {
		if by.Owner != v.Owner {
			continue
		}
		if by.Scope.TagKey != "" && item == nil {
			items, err := w.at.Get(ctx, []history.Key{v.Key}, history.FieldsAll)
			if err != nil {
				return nil, err
			}
			item = &items[0]
		}
		var tags map[string]string
		if item != nil {
			tags = item.State.Tags
		}
		if by.Covers(v.Rule, v.Key, tags, w.present) {
			return by, nil
		}
	}
	return nil, nil
}
