package graph

import (
	"slices"
	"strings"
)

// identity notes what the resource bears besides its own type and id, and what
// its key alone says of others.
func (x *extractor) identity() {
	k, s := x.key, x.state
	if s.ARN != "" {
		x.ownARN(s.ARN)
	}
	first := len(x.bears)
	switch x.plan.dialect {
	case dialectAWS, dialectOther:
		if id, ok := x.t.identify(k.ID); ok && id.kind == 'g' {
			x.own(id.text)
		} else if len(k.ID) == 36 && isUID(k.ID) {
			x.own(strings.ToLower(k.ID))
		}
	case dialectTemplate:
		x.base = k.ID[:strings.LastIndexByte(k.ID, '#')+1]
		x.bear('n', logicalResource, k.ID)
	case dialectGoogle:
		if name, ok := googleName(k.Type, k.ID); ok {
			x.own(name)
		}
	case dialectTerraform:
		x.base = k.ID[:addressAt(k.ID)]
	}
	for i := first; i < len(x.bears); i++ {
		x.bears[i].keyed = true
	}
	if x.plan.dialect == dialectTerraform {
		x.bearAddress()
	}
	switch {
	case x.plan.lookedUp:
		for _, name := range x.shortNames() {
			x.bearName(name)
		}
	case x.plan.named && !strings.HasPrefix(s.Name, "arn:"):
		x.bearName(s.Name)
	}
	for _, shape := range x.plan.id {
		x.fromKey(shape, k.ID)
	}
	for _, shape := range x.plan.account {
		x.fromKey(shape, k.Account)
	}
}

// bearName lets the resource be found by a short name. Its id is one without
// saying so.
func (x *extractor) bearName(name string) {
	if name != x.key.ID {
		x.bear('n', x.key.Type, name)
	}
}

// fromKey applies a shape to a part of the key, before the walk begins.
func (x *extractor) fromKey(s *shape, text string) {
	x.way, x.same, x.within = x.way[:0], 0, ""
	n := len(x.found)
	x.value(s, text, "", "", "")
	for i := n; i < len(x.found); i++ {
		x.found[i].source = x.put(string(Identity))
	}
}

func (x *extractor) ownARN(arn string) {
	if id, ok := x.t.identify(arn); ok && id.kind == 'g' {
		x.own(id.text)
		return
	}
	x.names = append(x.names, arn)
}

// ownedARN tells whether an ARN in a member whose name says so is the resource's
// own, which others may use where its source gave none beside the
// configuration. A member resourceArn may also mean what a protection protects.
func (x *extractor) ownedARN(f form, arn string) bool {
	if !strings.HasPrefix(arn, "arn:") || f == formResourceARN && !strings.HasSuffix(arn, "/"+x.key.ID) && arn != x.key.ID {
		return false
	}
	if !slices.Contains(x.names, arn) {
		x.ownARN(arn)
	}
	return true
}

// shortNames are the names by which a resource is spoken of among its kind: its
// name, and its id unless that says more than a name would.
func (x *extractor) shortNames() []string {
	if len(x.short) > 0 {
		return x.short
	}
	for _, name := range [...]string{x.state.Name, x.key.ID} {
		if strings.HasPrefix(name, "arn:") {
			if id, ok := x.t.arn(name); ok {
				name = id.text
			}
			if len(x.short) > 0 && x.state.Name != x.key.ID {
				continue // the name is known, and the ARN ends with it
			}
			name = name[strings.LastIndexAny(name, ":/")+1:]
		}
		if name != "" && !slices.Contains(x.short, name) {
			x.short = append(x.short, name)
		}
	}
	return x.short
}
