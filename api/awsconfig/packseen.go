package awsconfig

import (
	"cmp"
	"context"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/recorded"
)

// packSeen is a pack as a caller sees it.
type packSeen struct {
	recorded.Pack
	delivery packDelivery // as it was put through this door
	lost     error        // why it cannot be read; nil: it can
}

// packDelivery is where AWS Config would put the parts of which it makes a pack. It is
// kept and told, and nothing is delivered there.
type packDelivery struct {
	Bucket    string `json:"bucket,omitzero"`
	KeyPrefix string `json:"keyPrefix,omitzero"`
}

// told is what is recorded with a pack; nil: there is nothing to tell.
func (p packDelivery) told() (map[string][]byte, error) {
	if p == (packDelivery{}) {
		return nil, nil
	}
	text, err := json.Marshal(p, json.Deterministic(true))
	return map[string][]byte{asTold: text}, err
}

func deliveryOf(p *recorded.Pack) (d packDelivery, err error) {
	text, ok := p.AsTold[asTold]
	if !ok {
		return d, nil
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return d, &history.Error{Kind: history.DataLoss, Field: p.Name, Text: "is not told as this version understands it", Err: err}
	}
	return d, nil
}

func (p *packSeen) read(i *history.Item) (err error) {
	if p.Pack, err = recorded.ReadPack(i); err == nil {
		p.delivery, err = deliveryOf(&p.Pack)
	}
	return err
}

func (p *packSeen) arn(c Caller) string {
	return rules.ConformancePackARN(p.Owner, p.Name, c.Account, c.Region)
}

func (p *packSeen) id() string { return rules.ConformancePackID(p.Owner, p.Name) }

// changeable refuses what the caller may see, but not change.
func (p *packSeen) changeable(c Caller) error {
	if p.Owner != c.owner() {
		return refuse("AccessDeniedException", "The conformance pack '%s' is not of account %s and region %s alone, and is not changed from there; put one under another name", p.Name, c.Account, c.Region)
	}
	return nil
}

// packsSeen are packs that a caller sees: those of his account and region and those of
// all accounts or regions. Where two have one name, his own hides the other.
type packsSeen struct {
	list   []*packSeen // by name
	byName map[string]*packSeen
}

// packsSeen reads the packs of these names, or all, that stand at the reader's moment.
// Among all, one that is damaged hides no others.
func (d *Door) packsSeen(ctx context.Context, c Caller, r history.Reader, names []string) (*packsSeen, error) {
	s := &packsSeen{byName: map[string]*packSeen{}}
	sound := history.Sound{Reader: r, Lost: map[history.Key]error{}}
	for _, q := range c.owner().Questions(history.Query{Type: recorded.TypePack}) {
		items, err := packItems(ctx, sound, q, names)
		if err != nil {
			return nil, err
		}
		for i := range items {
			lost := sound.Lost[items[i].Key]
			if !items[i].Exists() && lost == nil {
				continue
			}
			seen := &packSeen{lost: lost}
			if lost != nil {
				seen.Pack = recorded.UnreadablePack(&items[i], lost)
			} else if err := seen.read(&items[i]); err != nil {
				return nil, err
			}
			if other := s.byName[seen.Name]; other == nil || c.rank(placeOf(seen.Owner)) < c.rank(placeOf(other.Owner)) {
				s.byName[seen.Name] = seen
			}
		}
	}
	for _, one := range s.byName {
		s.list = append(s.list, one)
	}
	slices.SortFunc(s.list, func(a, b *packSeen) int { return cmp.Compare(a.Name, b.Name) })
	return s, nil
}

// packItems are the packs of one place. Where names are given, no others are read:
// their templates are long.
func packItems(ctx context.Context, r history.Reader, q history.Query, names []string) ([]history.Item, error) {
	if len(names) == 0 {
		return history.Few(ctx, r, q)
	}
	keys := make([]history.Key, len(names))
	for i, name := range names {
		keys[i] = recorded.PackKey(rules.Owner{Account: q.Account, Region: q.Region}, name)
	}
	return r.Get(ctx, keys, history.FieldsAll)
}

// find is the pack of a name; NoSuchConformancePackException if there is none.
func (s *packsSeen) find(name string) (*packSeen, error) {
	if one := s.byName[name]; one != nil {
		return one, nil
	}
	return nil, refuse("NoSuchConformancePackException", "The conformance pack '%s' does not exist. Check the name of the conformance pack and try again.", name)
}

// all is find of names, of which one may be missing.
func (s *packsSeen) all(names []string) error {
	for _, name := range names {
		if _, err := s.find(name); err != nil {
			return err
		}
	}
	return nil
}

// packNamed is the pack of a name, as it stands at the reader's moment.
func (d *Door) packNamed(ctx context.Context, c Caller, r history.Reader, name string) (*packSeen, error) {
	seen, err := d.packsSeen(ctx, c, r, []string{name})
	if err != nil {
		return nil, err
	}
	return seen.find(name)
}
