package rules

import "github.com/varvehq/varve/history"

// Observation is what is recorded to put a rule of an owner: the rule is put in
// normal form. It is effective from a moment; zero: from when it is put. Its error
// is that of Validate.
func (r *Rule) Observation(o Owner, from history.Moment) (history.Observation, error) {
	r.Normalize()
	if err := r.Validate(); err != nil {
		return history.Observation{}, err
	}
	if from != 0 && !from.Valid() {
		return history.Observation{}, invalid("effectiveFrom", from.String(), "is no moment from 1970 to 9999")
	}
	text, err := EncodeRule(r, from)
	return recorded(o, TypeRule, r.Name, text), err
}

// Read is the rule that a version of a resource of type TypeRule is, its owner, and
// from when it is effective. Its error is history.DataLoss.
func Read(i *history.Item) (*Rule, Owner, history.Moment, error) {
	r, from, err := DecodeRule(i.State.Configuration)
	if from == 0 {
		from = i.CapturedAt
	}
	return r, ownerOf(i), from, err
}

// Observation is what is recorded to put a waiver of an owner: see Rule.Observation.
func (w *Waiver) Observation(o Owner) (history.Observation, error) {
	w.Normalize()
	if err := w.Validate(); err != nil {
		return history.Observation{}, err
	}
	text, err := EncodeWaiver(w)
	return recorded(o, TypeWaiver, w.Name, text), err
}

// ReadWaiver is the waiver that a version of a resource of type TypeWaiver is, and its
// owner. Its error is history.DataLoss.
func ReadWaiver(i *history.Item) (*Waiver, Owner, error) {
	w, err := DecodeWaiver(i.State.Configuration)
	return w, ownerOf(i), err
}

func recorded(o Owner, typ, name string, text []byte) history.Observation {
	return history.Observation{
		Key:   history.Key{Account: o.Account, Region: o.Region, Type: typ, ID: name},
		State: history.State{Name: name, Configuration: text},
	}
}

func ownerOf(i *history.Item) Owner { return Owner{Account: i.Key.Account, Region: i.Key.Region} }
