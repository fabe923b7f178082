package recorded

import (
	"context"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
)

// Waiver is a waiver as it is recorded.
type Waiver struct {
	engine.Waiver
	PutAt history.Moment
}

// PutWaiver puts a waiver, or replaces it, from now on.
func (s *Shelf) PutWaiver(ctx context.Context, w *engine.Waiver) (Waiver, history.Receipt, error) {
	o, err := w.Waiver.Observation(w.Owner)
	if err != nil {
		return Waiver{}, history.Receipt{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	receipt, err := s.append(ctx, []history.Observation{o})
	if err != nil {
		return Waiver{}, receipt, err
	}
	return Waiver{*w, receipt.Results[0].CapturedAt}, receipt, nil
}

// DeleteWaiver deletes a waiver from now on.
func (s *Shelf) DeleteWaiver(ctx context.Context, o rules.Owner, name string) (history.Receipt, error) {
	if err := rules.CheckName("name", name); err != nil {
		return history.Receipt{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.newest(ctx)
	if err != nil {
		return history.Receipt{}, err
	}
	k := history.Key{Account: o.Account, Region: o.Region, Type: rules.TypeWaiver, ID: name}
	if _, err := live(ctx, r, "waiver", k); err != nil {
		return history.Receipt{}, err
	}
	return s.append(ctx, []history.Observation{{Key: k, State: history.State{Deleted: true}}})
}
