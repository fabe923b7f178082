package engine

import "sync/atomic"

// Counters tell what an engine has done since it was made.
type Counters struct {
	Evaluations uint64 // versions of resources that rules judged
	Transitions uint64 // states of verdicts that were recorded
}

type counted struct {
	evaluations, transitions atomic.Uint64
}

// Counters tell what has been done so far.
func (e *Engine) Counters() Counters {
	return Counters{Evaluations: e.counted.evaluations.Load(), Transitions: e.counted.transitions.Load()}
}
