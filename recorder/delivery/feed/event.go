// Package feed tells the changes of a store whole: with the state before and
// after, the difference, and the references that each opened and closed. Watchers
// and subscriptions read it; nobody is called back.
package feed

import (
	"sync"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/diff"
)

// Event is one change with all there is to tell of it. It is never changed; its
// methods are safe for concurrent use and remember what they have worked out, so
// that many readers of one event share the work.
type Event struct {
	history.Change

	// Before is the version that precedes the change's own in the resource's
	// history, as known at the change's revision; Version 0: there is none.
	// After is the change's own version, a deletion included. With FieldsAll.
	Before, After history.Item

	// Compacted says that the change is still told but no longer the versions,
	// of which one or both were pruned: Before and After are empty but for
	// After's Key. So they are for a kind that this program does not know.
	Compacted bool

	differs    sync.Once
	difference Difference
	unreadable error
	refers     sync.Once
	references References
	remembered sync.Map
}

// Difference is what changed between Before and After. It has no patches if one of
// them was erased or pruned, and then Paths tell no more than that a resource
// appeared or went.
type Difference struct {
	Configuration diff.Patch // RFC 6902, of the configuration
	Attributes    diff.Patch // of everything else that is compared: see Attributes

	// Paths are JSON pointers to what the patches touch, each once, in their
	// order: those into the configuration begin with /configuration, others with
	// the attribute, such as /tags/env. An element of an array that is added or
	// removed counts by its index. A resource that appears or goes has the single
	// path "".
	Paths []string
}

// References are what a version says of what it uses, and its predecessor did not
// say, or the other way about. Whether there is a resource behind a reference is
// asked of the graph: an edge that appears or ends only because its target does is
// told by the target's own event. There are none if a version was erased or pruned.
type References struct {
	Opened, Closed []graph.Reference // in the order of graph.Claims
}

// New makes an event of a change and the versions on both sides of it, which
// nobody changes any more.
func New(c history.Change, before, after history.Item) *Event {
	return &Event{Change: c, Before: before, After: after}
}

// Difference tells what changed. Its error is DataLoss: a stored document cannot
// be read.
func (e *Event) Difference() (Difference, error) {
	e.differs.Do(func() { e.difference, e.unreadable = differenceOf(&e.Before, &e.After) })
	return e.difference, e.unreadable
}

// References tells which references the change opened and closed.
func (e *Event) References() References {
	e.refers.Do(func() { e.references = referencesOf(e.Key, &e.Before, &e.After) })
	return e.references
}

// Remember returns what work returns, or has returned for the same key before: so
// that who reads events can share what it works out of them. Of calls at one time
// several may work, and all return what one of them found. What is remembered
// stays as long as the event.
func (e *Event) Remember(key any, work func() any) any {
	if found, ok := e.remembered.Load(key); ok {
		return found
	}
	found, _ := e.remembered.LoadOrStore(key, work())
	return found
}
