package engine

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/varvehq/varve/history"
)

// What Effects tells and works out at most.
const (
	MostEffects       = 1000
	MostEffectsJudged = 10_000 // verdicts on others
)

// Effect is a verdict on another resource that a proposal would change.
type Effect struct {
	Key history.Key
	Prospect
}

// Effects are what a proposal would change beside its resource.
type Effects struct {
	List    []Effect // by resource, then in the order of the rules
	Judged  int      // verdicts that were looked at
	Missing string   // why others may be missing; empty: there are none
}

// Dependants names the resources of which a rule's verdicts may have looked at one
// of some things, each once. Not known: nobody can tell, and all have to be asked.
type Dependants func(r *Ruling, looks []Look) (keys []history.Key, known bool)

// Effects finds the verdicts of some rules on other resources that would change:
// such as looked at the resource, at all of its type, or at a place of the graph that
// it touches. Of nil every resource is asked that a rule which looks at others has in
// scope.
func (w *WhatIf) Effects(ctx context.Context, list []*Ruling, of Dependants) (*Effects, error) {
	all := &Effects{}
	if w.then == w.now {
		return all, nil
	}
	f := effects{WhatIf: w, Effects: all, looks: w.looks()}
	named := map[history.Key][]*Ruling{}
	var unnamed []*Ruling
	for _, r := range list {
		if in := r.at(w.now.through); in == nil || !in.looksAround() {
			continue
		}
		keys, known := []history.Key(nil), false
		if of != nil {
			keys, known = of(r, f.looks)
		}
		if !known {
			unnamed = append(unnamed, r)
		}
		for _, k := range keys {
			named[k] = append(named[k], r)
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(named), history.Key.Compare) {
		if err := f.judge(ctx, k, named[k]); err != nil || f.Missing != "" {
			return all, err
		}
	}
	for _, r := range unnamed {
		if err := f.ask(ctx, r); err != nil {
			return all, err
		}
	}
	order := map[[2]any]int{}
	for i, r := range list {
		order[[2]any{r.Owner, r.Name}] = i
	}
	slices.SortStableFunc(all.List, func(a, b Effect) int {
		return cmp.Or(a.Key.Compare(b.Key), cmp.Compare(order[[2]any{a.Owner, a.Rule}], order[[2]any{b.Owner, b.Rule}]))
	})
	return all, nil
}

// looks are what verdicts that the proposal may change have looked at.
func (w *WhatIf) looks() []Look {
	looks := []Look{{Key: w.key}, {Type: w.key.Type}}
	if w.now.graph != nil {
		for _, p := range w.now.graph.Touched(w.key, w.before, w.after) {
			looks = append(looks, Look{Place: p})
		}
	}
	return looks
}

// effects are being looked for.
type effects struct {
	*WhatIf
	*Effects
	looks []Look
}

// ask judges all live resources that a rule may have in scope.
func (f *effects) ask(ctx context.Context, r *Ruling) error {
	reader, err := f.now.asOf(ctx, f.now.through)
	if err != nil {
		return err
	}
	types := r.types()
	if len(types) == 0 {
		types = []string{""}
	}
	var questions []history.Query
	for _, typ := range types {
		questions = append(questions, r.Owner.Questions(history.Query{Type: typ, Limit: backtestPage, Fields: history.FieldsKey})...)
	}
	for _, q := range questions {
		for more := true; more; {
			var items []history.Item
			if items, more, err = reader.Items(ctx, q); err != nil {
				return err
			}
			for i := range items {
				if err := f.judge(ctx, items[i].Key, []*Ruling{r}); err != nil || f.Missing != "" {
					return err
				}
				q.After = &items[i].Key
			}
		}
	}
	return nil
}

// judge notes what some rules say otherwise of a resource, unless enough has been
// noted.
func (f *effects) judge(ctx context.Context, k history.Key, list []*Ruling) error {
	list = slices.DeleteFunc(slices.Clone(list), func(r *Ruling) bool { return !r.mayJudge(k) })
	if k == f.key || len(list) == 0 {
		return nil
	}
	of, err := f.now.lifetime(ctx, k, f.now.through)
	if err != nil {
		return err
	}
	for _, r := range list {
		if f.Judged == MostEffectsJudged {
			f.Missing = fmt.Sprintf("no more than %d verdicts on others are looked at", MostEffectsJudged)
			return nil
		}
		f.Judged++
		now, looked, err := f.now.present(ctx, r, of)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(f.looks, func(l Look) bool { return slices.Contains(looked, l) }) {
			continue
		}
		then, _, err := f.then.present(ctx, r, of)
		switch {
		case err != nil:
			return err
		case now == nil || then == nil || now.Verdict == then.Verdict: // both or none are there: it is not the resource itself
			continue
		case len(f.List) == MostEffects:
			f.Missing = fmt.Sprintf("no more than %d verdicts on others are told", MostEffects)
			return nil
		}
		f.List = append(f.List, Effect{k, prospect(r, now, then)})
	}
	return nil
}

// at is the version that is in force at a moment; nil: none.
func (r *Ruling) at(m history.Moment) *Version {
	for _, t := range r.tenures() {
		if t.from <= m && m < t.to {
			return t.Version
		}
	}
	return nil
}

// Dependants are known of rules that are in force now as they are recorded, once
// WaitDependants has returned, and for what was evaluated by then.
func (e *Engine) Dependants(r *Ruling, looks []Look) (keys []history.Key, known bool) {
	rule, now := r.key(), e.now()
	is := e.rules.find(rule)
	if is == nil {
		return nil, false
	}
	in, asked := is.at(now), r.at(now)
	if in == nil || asked == nil || !reflect.DeepEqual(in.Rule, asked.Rule) {
		return nil, false
	}
	keys = e.depends.on(rule, looks)
	slices.SortFunc(keys, history.Key.Compare)
	return slices.Compact(keys), true
}

// WaitDependants waits until a start has found out again what verdicts look at.
func (e *Engine) WaitDependants(ctx context.Context) error {
	return e.queue.until(ctx, func() bool { return e.queue.first > 0 })
}
