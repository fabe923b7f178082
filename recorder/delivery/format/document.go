package format

import (
	"github.com/varvehq/varve/recorder/delivery"
)

// document writes the members that tell a change whole, into an object that was
// begun:
//
//	change      the entry of the feed, as in GET /v1/changes
//	before      the version before, as in GET /v1/items:lookup; null: there is none
//	after       the version that the change made, a deletion included
//	patch       RFC 6902, from the configuration before to the one after
//	attributes  RFC 6902, of everything else that is compared
//	paths       what both touch: JSON pointers, /configuration/… or an attribute; "" is all of it
//	opened      references that the version before did not have
//	closed      references that it had
//	cause       who made the change; absent where the source does not tell
//	compacted   the versions are no longer kept: before and after are null, the lists empty
func (e *encoder) document(n *delivery.Notice) {
	e.change(&n.Change)
	if n.Compacted {
		e.raw("before", null)
		e.raw("after", null)
		for _, name := range [...]string{"patch", "attributes", "paths", "opened", "closed"} {
			e.list(name, nil)
		}
		e.bool("compacted", true)
		return
	}

	d, err := n.Difference()
	if err != nil {
		e.fail(err)
		return
	}
	e.item("before", &n.Before)
	e.item("after", &n.After)
	e.patch("patch", d.Configuration)
	e.patch("attributes", d.Attributes)
	e.list("paths", d.Paths)
	r := n.References()
	e.references("opened", r.Opened)
	e.references("closed", r.Closed)
	e.cause(n.After.Origin.Cause)
	e.bool("compacted", false)
}

// sized is an encoder with room for about what the documents of notices take.
func sized(notices ...*delivery.Notice) encoder {
	size := 0
	for _, n := range notices {
		before, after := len(n.Before.State.Configuration), len(n.After.State.Configuration)
		size += 4096 + before + after
		if !n.Before.Exists() || !n.After.Exists() { // the patch has all of it again
			size += before + after
		}
	}
	return encoder{b: make([]byte, 0, size)}
}
