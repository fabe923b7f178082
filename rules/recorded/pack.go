package recorded

import (
	"context"
	"fmt"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/conformance"
)

// TypePack is the type of the resources as which packs are recorded. Like the types
// of package rules nobody else records it.
const TypePack = "Varve::Compliance::Pack"

// Pack is a pack as it is recorded.
type Pack struct {
	conformance.Pack
	Owner    rules.Owner
	Template string // as it was put
	PutAt    history.Moment
	Version  uint32 // given by the history

	AsTold map[string][]byte // see Rule
}

// PackKey names the resource of a pack.
func PackKey(o rules.Owner, name string) history.Key {
	return history.Key{Account: o.Account, Region: o.Region, Type: TypePack, ID: name}
}

// PackPut is what is asked for when a pack is put.
type PackPut struct {
	Owner      rules.Owner
	Name       string
	Template   []byte
	Parameters map[string]string // values of the template's

	MostRules int               // more are TooLarge; 0: any number will do
	AsTold    map[string][]byte // see Rule
}

// PutPack is PutPackAs for who has no more to say.
func (s *Shelf) PutPack(ctx context.Context, o rules.Owner, name string, template []byte, parameters map[string]string) (Pack, history.Receipt, error) {
	return s.PutPackAs(ctx, PackPut{Owner: o, Name: name, Template: template, Parameters: parameters})
}

// PutPackAs loads a template and records the pack with its rules. One that is there is
// replaced as a whole: rules that it has no more are deleted. The error is that of
// conformance.Load, or of the store.
func (s *Shelf) PutPackAs(ctx context.Context, put PackPut) (Pack, history.Receipt, error) {
	batch, err := s.loadPack(put)
	if err != nil {
		return Pack{}, history.Receipt{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.newest(ctx)
	if err != nil {
		return Pack{}, history.Receipt{}, err
	}
	gone, err := withdrawn(ctx, r, put.Owner, put.Name, batch)
	if err != nil {
		return Pack{}, history.Receipt{}, err
	}
	receipt, err := s.append(ctx, append(batch, gone...))
	if err != nil {
		return Pack{}, receipt, err
	}
	if r, err = s.newest(ctx); err != nil {
		return Pack{}, receipt, err
	}
	p, err := GetPack(ctx, r, put.Owner, put.Name)
	return p, receipt, err
}

// loadPack makes what is to be recorded of a pack: itself, and then its rules that are
// judged.
func (s *Shelf) loadPack(put PackPut) ([]history.Observation, error) {
	loaded, err := conformance.Load(put.Template, conformance.Options{Name: put.Name, Owner: put.Owner, Parameters: put.Parameters, Managed: s.Managed})
	if err != nil {
		return nil, err
	}
	if n := len(loaded.Rules); put.MostRules > 0 && n > put.MostRules {
		return nil, &history.Error{Kind: history.TooLarge, Field: "Resources", Text: fmt.Sprintf("are %d rules; a pack has at most %d, make two of it", n, put.MostRules)}
	}
	p := Pack{Pack: *loaded, Owner: put.Owner, Template: string(put.Template), AsTold: put.AsTold}
	first, err := p.observation()
	if err != nil {
		return nil, err
	}
	batch := []history.Observation{first}
	for i := range p.Rules {
		one := &p.Rules[i]
		if one.State != conformance.Active {
			continue
		}
		r := Rule{Rule: one.Rule, Owner: put.Owner, Pack: put.Name}
		observation, err := r.observation()
		if err != nil {
			return nil, err
		}
		batch = append(batch, observation)
	}
	return batch, nil
}

// withdrawn are deletions of the rules of a pack that are not among what is put.
func withdrawn(ctx context.Context, r history.Reader, o rules.Owner, pack string, kept []history.Observation) ([]history.Observation, error) {
	q := owned(rules.TypeRule, o)
	q.IDPrefix, q.Fields = pack+"/", history.FieldsKey
	items, _, err := r.Items(ctx, q)
	if err != nil {
		return nil, err
	}
	var gone []history.Observation
	for i := range items {
		k := items[i].Key
		if !slices.ContainsFunc(kept, func(o history.Observation) bool { return o.Key == k }) {
			gone = append(gone, history.Observation{Key: k, State: history.State{Deleted: true}})
		}
	}
	return gone, nil
}

// DeletePack deletes a pack with all its rules.
func (s *Shelf) DeletePack(ctx context.Context, o rules.Owner, name string) (history.Receipt, error) {
	if err := rules.CheckName("name", name); err != nil {
		return history.Receipt{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.newest(ctx)
	if err != nil {
		return history.Receipt{}, err
	}
	if _, err := live(ctx, r, "pack", PackKey(o, name)); err != nil {
		return history.Receipt{}, err
	}
	gone, err := withdrawn(ctx, r, o, name, nil)
	if err != nil {
		return history.Receipt{}, err
	}
	return s.append(ctx, append(gone, history.Observation{Key: PackKey(o, name), State: history.State{Deleted: true}}))
}

// GetPack is a pack as it stands at the reader's moment. NotFound tells names like
// it.
func GetPack(ctx context.Context, r history.Reader, o rules.Owner, name string) (Pack, error) {
	if err := rules.CheckName("name", name); err != nil {
		return Pack{}, err
	}
	item, err := live(ctx, r, "pack", PackKey(o, name))
	if err != nil {
		return Pack{}, err
	}
	return ReadPack(item)
}

// Packs are those that stand at the reader's moment, by owner and name: up to limit
// (0: all) after one. Owner nil: of all owners. One that is damaged hides no others.
func Packs(ctx context.Context, r history.Reader, o *rules.Owner, after *history.Key, limit int) (list []Pack, more bool, err error) {
	q := history.Query{Type: TypePack}
	if o != nil {
		q = owned(TypePack, *o)
	}
	q.After, q.Limit = after, limit
	sound := history.Sound{Reader: r, Lost: map[history.Key]error{}}
	items, more, err := sound.Items(ctx, q)
	if err != nil {
		return nil, false, err
	}
	for i := range items {
		if lost := sound.Lost[items[i].Key]; lost != nil {
			list = append(list, UnreadablePack(&items[i], lost))
			continue
		}
		one, err := ReadPack(&items[i])
		if err != nil {
			return nil, false, err
		}
		list = append(list, one)
	}
	return list, more, nil
}

// UnreadablePack stands for a version of a pack that cannot be read, with the reason.
func UnreadablePack(i *history.Item, err error) Pack {
	return Pack{
		Pack:  conformance.Pack{Name: i.Key.ID, Description: "cannot be read: " + err.Error()},
		Owner: ownerOf(i.Key), PutAt: i.CapturedAt, Version: i.Version,
	}
}

// Key names the pack's resource.
func (p *Pack) Key() history.Key { return PackKey(p.Owner, p.Name) }

// Unsupported counts the rules that are not judged.
func (p *Pack) Unsupported() int {
	n := 0
	for i := range p.Rules {
		if p.Rules[i].State == conformance.Unsupported {
			n++
		}
	}
	return n
}

// Given are the parameters that were given when the pack was put.
func (p *Pack) Given() map[string]string {
	parameters := map[string]string{}
	for i := range p.Parameters {
		if one := &p.Parameters[i]; one.Given && one.Value != nil {
			parameters[one.Name] = *one.Value
		}
	}
	return parameters
}

// Rule finds a rule of the pack; nil: it has none of that name.
func (p *Pack) Rule(name string) *conformance.Rule {
	for i := range p.Rules {
		if p.Rules[i].Name == name {
			return &p.Rules[i]
		}
	}
	return nil
}

func lostPack(i *history.Item, err error) error {
	return &history.Error{Kind: history.DataLoss, Field: i.Key.String(), Text: "holds no pack that this version understands", Err: fmt.Errorf("pack: %w", err)}
}
