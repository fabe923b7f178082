package graph

import (
	"slices"
	"strings"
)

// Kubernetes' objects are known by group, kind, namespace and name:
// Kubernetes::apps::Deployment shop/web, and Kubernetes::core::Node -/n1 where
// there is no namespace.

const kubePrefix = "Kubernetes::"

// namespace is that of the resource itself; "-" if it has or tells none.
func (x *extractor) namespace() string {
	if ns, _, ok := strings.Cut(x.key.ID, "/"); ok && ns != "" {
		return ns
	}
	return "-"
}

// kube notes a reference to an object of a type by its name.
func (x *extractor) kube(s *shape, typ, namespace, name string) bool {
	if !objectName(name) || strings.IndexByte(name, '/') >= 0 {
		return false
	}
	before := namespace + "/"
	if x.t.clusterWide(typ) {
		before = "-/"
	}
	x.identified(s.name, s.inverse, identifier{kind: 'i', typ: typ, before: before, text: name, reach: SameAccount})
	return true
}

// kubeObject notes a reference {kind, apiVersion, namespace, name}.
func (x *extractor) kubeObject(s *shape, name, namespace, kind, group, version string) bool {
	typ := s.target
	if kind != "" {
		if !isWord(kind) || len(s.object.kinds) > 0 && !slices.Contains(s.object.kinds, kind) {
			return false
		}
		typ = x.t.kubeType(s.target, kind, group, version)
	}
	if typ == "" {
		return false
	}
	if namespace == "" {
		namespace = x.namespace()
	} else if !objectName(namespace) {
		return false
	}
	return x.kube(s, typ, namespace, name)
}

// kubeType is the type of a kind; its group is the one that is told, else that
// of the shape's own target.
func (t *tables) kubeType(target, kind, group, version string) string {
	if group == "" && version != "" {
		if g, _, ok := strings.Cut(version, "/"); ok {
			group = g
		} else {
			group = "core"
		}
	}
	if group == "" {
		if group = strings.TrimPrefix(target, kubePrefix); group == target {
			return ""
		}
		group, _, _ = strings.Cut(group, "::")
		// References name a core kind without its group, whatever group the
		// others are of.
		if t.cores[kind] {
			group = "core"
		}
	}
	return kubePrefix + group + "::" + kind
}

// clusterWide tells whether objects of a type have no namespace.
func (t *tables) clusterWide(typ string) bool { return t.clusters[typ] }

// objectName reports whether text can be the name of an object. Templates of
// manifests have placeholders there, which name nothing.
func objectName(text string) bool {
	if text == "" || len(text) > 253 {
		return false
	}
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '.', c == '_', c == ':', c >= 'A' && c <= 'Z', c == '@':
		default:
			return false
		}
	}
	return true
}

func isWord(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return text != ""
}

// What selectors choose from is told in scopes, by the kind that is chosen and
// the namespace.
func scope(kind, namespace string) string { return kind + "/" + namespace }

// ownLabels notes the labels by which selectors may choose the resource: those
// of its pods, or its own.
func (x *extractor) ownLabels(s *shape, at int) {
	x.fields(at, func(name []byte, value int) {
		if raw, ok := x.raw(value); ok {
			x.labels = append(x.labels, Label{string(x.plainText(name)), string(x.plainText(raw))})
		}
	})
	slices.SortFunc(x.labels, func(a, b Label) int { return strings.Compare(a.Key, b.Key) })
}

// bearLabels lets selectors find the resource, with labels or without.
func (x *extractor) bearLabels() {
	kind := x.plan.chosenAs
	here := scope(kind, x.namespace())
	for _, l := range x.labels {
		x.bear('l', here, l.Key+"="+l.Value)
	}
	x.bears = append(x.bears,
		borne{x.term('l', here, "", ""), true},
		borne{x.term('l', scope(kind, "*"), "", ""), true})
}

// namespaceSelector remembers in which namespaces the selector beside it, which
// comes later in the order of names, chooses.
func (x *extractor) namespaceSelector(at int) {
	x.fields(at, func(name []byte, value int) {
		switch string(name) {
		case "any":
			x.everywhere = value < len(x.doc) && x.doc[value] == 't'
		case "matchNames":
			x.strings(value, func(raw []byte) { x.namespaces = append(x.namespaces, string(x.plainText(raw))) })
		}
	})
}

// strings calls each for the strings among the elements of the array at i.
func (x *extractor) strings(i int, each func(raw []byte)) {
	if i >= len(x.doc) || x.doc[i] != '[' {
		return
	}
	for i++; i < len(x.doc) && x.doc[i] != ']'; i++ {
		if raw, ok := x.raw(i); ok {
			each(raw)
		}
		if i = x.skip(i); i >= len(x.doc) || x.doc[i] != ',' {
			return
		}
	}
}

// selector notes a reference to all that the selector at a position chooses.
func (x *extractor) selector(s *shape, at int) {
	var sel Selector
	if s.form == formMap {
		if sel = x.matchLabels(at); len(sel) == 0 {
			return // a Service without a selector chooses nothing
		}
	} else {
		valid := true
		x.fields(at, func(name []byte, value int) {
			switch string(name) {
			case "matchLabels":
				sel = append(sel, x.matchLabels(value)...)
			case "matchExpressions":
				valid = x.matchExpressions(&sel, value) && valid
			}
		})
		if !valid {
			return
		}
	}
	sel = sel.normalize()
	namespaces := x.namespaces
	switch {
	case x.everywhere:
		namespaces = []string{"*"}
	case len(namespaces) == 0:
		namespaces = []string{x.namespace()}
	}
	for _, ns := range namespaces {
		// Everything in a namespace that nobody knows is nothing in particular.
		if ns == "-" && len(sel) == 0 {
			continue
		}
		term := sel.term(scope(s.target, ns))
		if ns == "*" {
			term = ScopeTerm(scope(s.target, ns))
		}
		x.found = append(x.found, finding{
			name: s.name, inverse: s.inverse, selector: slices.Clone(sel),
			term: x.put(string(term)), source: x.source(),
		})
	}
}

func (x *extractor) matchLabels(at int) Selector {
	var sel Selector
	x.fields(at, func(name []byte, value int) {
		if raw, ok := x.raw(value); ok {
			key := string(x.plainText(name))
			sel = append(sel, Requirement{Key: key, Op: In, Values: []string{string(x.plainText(raw))}})
		}
	})
	return sel
}

// matchExpressions reads [{key, operator, values}]. An operator that nobody
// knows makes the whole selector unknown.
func (x *extractor) matchExpressions(sel *Selector, at int) bool {
	valid := true
	if at >= len(x.doc) || x.doc[at] != '[' {
		return true
	}
	for i := at + 1; i < len(x.doc) && x.doc[i] == '{'; i++ {
		var r Requirement
		x.fields(i, func(name []byte, value int) {
			raw, _ := x.raw(value)
			switch string(name) {
			case "key":
				r.Key = string(x.plainText(raw))
			case "operator":
				r.Op, _ = ParseOperator(string(raw))
			case "values":
				x.strings(value, func(raw []byte) { r.Values = append(r.Values, string(x.plainText(raw))) })
			}
		})
		valid = valid && r.Key != "" && r.Op != 0
		*sel = append(*sel, r)
		if i = x.skip(i); i >= len(x.doc) || x.doc[i] != ',' {
			break
		}
	}
	return valid
}
