package recorded

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// Renewal is what became of a pack that this program makes something else of than what
// is recorded.
type Renewal struct {
	Owner rules.Owner
	Name  string

	// Names of its rules: which are judged and were not, or no longer, or otherwise.
	Begun, Ended, Changed []string

	Unsupported int   // rules that are still not judged
	Err         error // why the pack was left as it is; nil: it was put again
}

// Renew puts all packs again, with the template and the parameters that are recorded,
// of which this program makes something else: after a start with another version, which
// supports more managed rules or has changed some. What is otherwise is recorded, and
// effective, from now on; what is as it was is left alone, so that nothing is recorded
// where nothing differs. Each pack is one batch: a crash leaves it to the next call. A
// pack that cannot be read or loaded any more is left, with the reason. The error is of
// the store.
func (s *Shelf) Renew(ctx context.Context) ([]Renewal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.newest(ctx)
	if err != nil {
		return nil, err
	}
	sound := history.Sound{Reader: r, Lost: map[history.Key]error{}}
	items, _, err := sound.Items(ctx, history.Query{Type: TypePack})
	if err != nil {
		return nil, err
	}
	var list []Renewal
	for i := range items {
		one := Renewal{Owner: ownerOf(items[i].Key), Name: items[i].Key.ID}
		is, err := ReadPack(&items[i])
		err = cmp.Or(sound.Lost[items[i].Key], err)
		var wanted []history.Observation
		if err == nil {
			wanted, err = s.loadPack(PackPut{Owner: is.Owner, Name: is.Name, Template: []byte(is.Template), Parameters: is.Given(), AsTold: is.AsTold})
		}
		if err != nil {
			one.Err = err
			list = append(list, one)
			continue
		}
		differ, err := one.compare(ctx, r, wanted)
		if err != nil {
			return list, err
		}
		if len(differ) == 0 {
			continue
		}
		if _, err := s.append(ctx, differ); err != nil {
			return list, err
		}
		list = append(list, one)
	}
	return list, nil
}

// compare finds what is to be recorded for a pack to be as wanted, and notes it.
func (n *Renewal) compare(ctx context.Context, r history.Reader, wanted []history.Observation) ([]history.Observation, error) {
	keys := make([]history.Key, len(wanted))
	for i := range wanted {
		keys[i] = wanted[i].Key
	}
	are, err := r.Get(ctx, keys, history.FieldsAll)
	if err != nil {
		return nil, err
	}
	var differ []history.Observation
	for i := range wanted {
		o := &wanted[i]
		o.State.Normalize()
		switch _, name := rules.Unqualify(o.Key.ID); {
		case are[i].Exists() && bytes.Equal(are[i].State.AppendContent(nil), o.State.AppendContent(nil)):
			continue
		case o.Key.Type == TypePack:
		case are[i].Exists():
			n.Changed = append(n.Changed, name)
		default:
			n.Begun = append(n.Begun, name)
		}
		differ = append(differ, *o)
	}
	gone, err := withdrawn(ctx, r, n.Owner, n.Name, wanted)
	if err != nil {
		return nil, err
	}
	for i := range gone {
		_, name := rules.Unqualify(gone[i].Key.ID)
		n.Ended = append(n.Ended, name)
	}
	if pack, err := ReadPack(&history.Item{Key: wanted[0].Key, State: wanted[0].State}); err == nil {
		n.Unsupported = pack.Unsupported()
	}
	return slices.Concat(differ, gone), nil
}
