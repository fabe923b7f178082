package engine

import (
	"sync"

	"github.com/varvehq/varve/history"
)

// dependent is a rule's verdict on a resource.
type dependent struct {
	rule, key history.Key
}

// depends tells which verdicts may be others because something else changed. What
// was looked at once, for whatever moment, stays: a capture that arrives late may
// change any moment.
type depends struct {
	mu      sync.Mutex
	by      map[Look]map[dependent]struct{}
	recent  []touch // read while evaluations are under way
	dropped int     // before recent[0]
	under   map[int]int
}

// touch is a change with what it touches.
type touch struct {
	batch int
	from  history.Moment
	looks []Look
}

func newDepends() *depends {
	return &depends{by: map[Look]map[dependent]struct{}{}, under: map[int]int{}}
}

// begin tells when evaluations begin, before it is decided as known at which
// revision.
func (d *depends) begin() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := d.dropped + len(d.recent)
	d.under[at]++
	return at
}

// note keeps what verdicts looked at, and returns the changes that these have
// missed: such as were read since the evaluation began. They hold their batches
// until forget is called.
func (d *depends) note(began int, of dependent, looked []Look) []touch {
	d.mu.Lock()
	defer d.mu.Unlock()
	set := map[Look]struct{}{}
	for _, l := range looked {
		if d.by[l] == nil {
			d.by[l] = map[dependent]struct{}{}
		}
		d.by[l][of] = struct{}{}
		set[l] = struct{}{}
	}
	var missed []touch
	for _, t := range d.recent[began-d.dropped:] {
		for _, l := range t.looks {
			if _, ok := set[l]; ok {
				missed = append(missed, t)
				break
			}
		}
	}
	return missed
}

// end forgets changes that no evaluation can miss any more, and returns the
// batches that they held.
func (d *depends) end(began int) (released []int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.under[began]--; d.under[began] == 0 {
		delete(d.under, began)
	}
	oldest := d.dropped + len(d.recent)
	for at := range d.under {
		oldest = min(oldest, at)
	}
	for d.dropped < oldest {
		released = append(released, d.recent[0].batch)
		d.recent, d.dropped = d.recent[1:], d.dropped+1
	}
	return released
}

// touch notes a change and returns what depends on it, and whether it is kept for
// evaluations that are under way: it holds its batch then.
func (d *depends) touch(t touch) (list []dependent, kept bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	seen := map[dependent]struct{}{}
	for _, l := range t.looks {
		for of := range d.by[l] {
			if _, ok := seen[of]; !ok {
				seen[of] = struct{}{}
				list = append(list, of)
			}
		}
	}
	if kept = len(d.under) > 0; kept {
		d.recent = append(d.recent, t)
	}
	return list, kept
}

// on are the resources of which a rule's verdicts depend on one of these; in no
// order, and some may be there twice.
func (d *depends) on(rule history.Key, looks []Look) (keys []history.Key) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range looks {
		for of := range d.by[l] {
			if of.rule == rule {
				keys = append(keys, of.key)
			}
		}
	}
	return keys
}
