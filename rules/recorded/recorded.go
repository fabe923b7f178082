// Package recorded keeps rules and conformance packs as what they are: resources of
// the history, which are put, replaced and deleted by observations of the program's
// own.
//
// A rule is recorded under its name, in the account and region of its owner, at the
// moment when it is put. A pack is recorded with its template and with what became of
// each of its rules; those that are judged are recorded beside it, as PACK/NAME with
// a tag that names the pack. A pack and its rules are put, replaced and deleted in
// one batch. What is put again as it is changes nothing.
//
// What becomes of a pack's rules depends on the managed rules that the program has.
// [Shelf.Renew] puts packs again that another version of the program has put.
package recorded

import (
	"context"
	"sync"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/conformance"
)

// Store is where rules are recorded.
type Store interface {
	AsOf(ctx context.Context, at history.At) (history.Reader, error)
	Append(ctx context.Context, b history.Batch) (history.Receipt, error)
}

// Shelf puts and deletes rules and packs. Its methods are safe for concurrent use:
// what one reads before it writes, no other changes meanwhile.
type Shelf struct {
	// Managed tells of the managed rules of packs; nil: those that this program computes.
	// It is set before the shelf is used.
	Managed conformance.Catalogue

	store Store
	mu    sync.Mutex
}

// New makes a shelf.
func New(s Store) *Shelf { return &Shelf{store: s} }

// tagPack is the tag of a rule that belongs to a pack.
const tagPack = "pack"

// append records a batch as a whole: none of it is refused, or nothing is meant to
// be recorded.
func (s *Shelf) append(ctx context.Context, list []history.Observation) (history.Receipt, error) {
	receipt, err := s.store.Append(ctx, history.Batch{Observations: list})
	if err != nil {
		return receipt, err
	}
	for i := range receipt.Results {
		if err := receipt.Results[i].Err; err != nil {
			return receipt, err
		}
	}
	return receipt, nil
}

func (s *Shelf) newest(ctx context.Context) (history.Reader, error) {
	return s.store.AsOf(ctx, history.At{Captured: history.Newest})
}

// owned selects resources of a type that lie with an owner.
func owned(typ string, o rules.Owner) history.Query {
	return history.Query{Type: typ, Account: o.Account, HasAccount: true, Region: o.Region, HasRegion: true}
}

func ownerOf(k history.Key) rules.Owner { return rules.Owner{Account: k.Account, Region: k.Region} }

// live is the version of a resource that stands at the reader's moment; NotFound, with
// names that are spelled much the same, if there is none.
func live(ctx context.Context, r history.Reader, what string, k history.Key) (*history.Item, error) {
	items, err := r.Get(ctx, []history.Key{k}, history.FieldsAll)
	if err != nil {
		return nil, err
	}
	if !items[0].Exists() {
		return nil, unknown(ctx, r, what, k)
	}
	return &items[0], nil
}
