package filter

import (
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

// ofChange are the variables that a change tells without its versions, which are
// costly to read.
var ofChange = map[string]bool{
	"kind": true, "late": true, "account": true, "region": true, "type": true, "id": true, "version": true,
	"sequence": true, "revision": true, "captured_at": true, "recorded_at": true,
}

// Decide tells what Match would say of the event of a change, if that can be said
// without the versions on both sides of it: type == "T" && tags.env == "prod" does
// not hold for a change of another type, whatever its tags are.
func (f *Filter) Decide(c *history.Change) (matches, decided bool) {
	switch {
	case f.condition == nil:
		return true, true
	case !f.asksChange:
		return false, false
	}
	e := bare.Get().(*feed.Event)
	defer bare.Put(e)
	e.Change = *c
	return f.condition.Decide(change{e})
}

// bare are events of which nothing but the change is looked at.
var bare = sync.Pool{New: func() any { return new(feed.Event) }}

// change resolves the variables of a change; all others are not known yet.
type change struct{ *feed.Event }

// ResolveName returns the value of a variable.
func (c change) ResolveName(name string) (any, bool) {
	v, ok := variables[name]
	switch {
	case !ok:
		return nil, false
	case ofChange[name]:
		return v.get(c.Event), true
	}
	return unread, true
}

// Parent is none.
func (change) Parent() cel.Activation { return nil }

var unread = types.NewUnknown(0, nil)
