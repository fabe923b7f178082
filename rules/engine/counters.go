package engine

import "sync/atomic"

// Counters tell what an engine has done since it was made.
type Counters struct {
	Evaluations uint64 // versions of resources that rules judged
	Transitions uint64 // states of verdicts that were recorded
	LeftOut     uint64 // times that something was not evaluated since it is damaged
}

type counted struct {
	evaluations, transitions, leftOut atomic.Uint64
}

// Counters tell what has been done so far.
func (e *Engine) Counters() Counters {
	n := &e.counted
	return Counters{Evaluations: n.evaluations.Load(), Transitions: n.transitions.Load(), LeftOut: n.leftOut.Load()}
}
