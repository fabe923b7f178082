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
	switch x.plan.dialect {
	case dialectAWS, dialectOther:
		if id, ok := x.t.identify(k.ID); ok && id.kind == 'g' {
			x.own(id.text)
		} else if len(k.ID) == 36 && isUID(k.ID) {
			x.own(strings.ToLower(k.ID))
		}
		if x.plan.dialect == dialectAWS {
			x.configuredARN()
		}
	case dialectTemplate:
		x.bear('n', logicalResource, k.ID)
	case dialectGoogle:
		if name, ok := googleName(k.Type, k.ID); ok {
			x.own(name)
		}
	case dialectTerraform:
		x.bearAddress()
	}
	if x.plan.named {
		for _, name := range x.shortNames() {
			x.bear('n', k.Type, name)
		}
	}
	for _, shape := range x.plan.id {
		x.fromKey(shape, k.ID)
	}
	for _, shape := range x.plan.account {
		x.fromKey(shape, k.Account)
	}
}

// fromKey applies a shape to a part of the key, before the walk begins.
func (x *extractor) fromKey(s *shape, text string) {
	x.way, x.within = x.way[:0], ""
	n := len(x.found)
	x.value(s, text, "", "", "")
	for i := n; i < len(x.found); i++ {
		x.found[i].source = x.put(string(Identity))
	}
}

func (x *extractor) ownARN(arn string) {
	if id, ok := x.t.arn(arn); ok && id.kind == 'g' {
		x.own(id.text)
		return
	}
	x.names = append(x.names, arn)
}

// configuredARN finds the resource's own ARN where its source gave none beside
// the configuration: in the member arn, or one called like the type
// (functionArn of AWS::Lambda::Function), or resourceArn.
func (x *extractor) configuredARN() {
	last := x.key.Type[strings.LastIndexByte(x.key.Type, ':')+1:]
	x.doc = x.state.Configuration
	x.fields(0, func(name []byte, at int) {
		n := len(name) - 3
		if n < 0 || !strings.EqualFold(string(name[n:]), "arn") {
			return
		}
		stem := string(name[:n])
		if stem != "" && !strings.EqualFold(stem, last) && !strings.EqualFold(stem, "resource") {
			return
		}
		// Of a protection or an attachment, the resource is another one.
		raw, ok := x.raw(at)
		if !ok || strings.EqualFold(stem, "resource") && !strings.HasSuffix(string(raw), "/"+x.key.ID) && string(raw) != x.key.ID {
			return
		}
		if text := string(raw); strings.HasPrefix(text, "arn:") && !slices.Contains(x.names, text) {
			x.ownARN(text)
		}
	})
}

// shortNames are the names by which a resource is spoken of among its kind: its
// name, and its id unless that says more than a name would.
func (x *extractor) shortNames() []string {
	var names []string
	for _, name := range [...]string{x.state.Name, x.key.ID} {
		if strings.HasPrefix(name, "arn:") {
			if id, ok := x.t.arn(name); ok {
				name = id.text
			}
			if len(names) > 0 && x.state.Name != x.key.ID {
				continue // the name is known, and the ARN ends with it
			}
			name = name[strings.LastIndexAny(name, ":/")+1:]
		}
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
