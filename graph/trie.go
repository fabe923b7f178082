package graph

import "strings"

// node is a place in documents of one resource type: where the path to it ends,
// shapes may hang.
type node struct {
	children []*child // a hash table of a power of two, chained; nil without children
	any      *node    // the elements of an array, or the members which have no child of their own
	values   []*shape // of strings
	objects  []*shape // of objects, and of arrays where the form wants one
	quiet    bool     // nothing below is an identifier
}

// child is a member of an object.
type child struct {
	name string
	node *node
	next *child
}

// hash mixes what tells the names of members apart soonest. Case does not
// matter: AWS writes the same member vpcId, VpcId and VPCId.
func hash[T string | []byte](name T) int {
	n := len(name)
	if n == 0 {
		return 0
	}
	return n + 7*int(name[0]|0x20) + 31*int(name[n-1]|0x20) + 5*int(name[n/2]|0x20)
}

// child finds the place that a member of that name, as it stands in the
// document, leads to.
func (n *node) child(name []byte) *node {
	if n.children != nil {
		for c := n.children[hash(name)&(len(n.children)-1)]; c != nil; c = c.next {
			if len(c.name) == len(name) && equalFold(c.name, name) {
				return c.node
			}
		}
	}
	return n.any
}

// equalFold compares two names of one length without regard to the case of
// ASCII letters.
func equalFold(a string, b []byte) bool {
	for i := range len(a) {
		if x, y := a[i], b[i]; x != y && (x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z') {
			return false
		}
	}
	return true
}

// builder is a node while shapes are hung into it.
type builder struct {
	node  *node
	names []string // in order of arrival
	below map[string]*builder
	star  *builder
}

func newBuilder() *builder { return &builder{node: &node{}, below: map[string]*builder{}} }

// add leads a path to the places it names and hangs s there. In AWS's documents
// lists may be wrapped: {"items": […]}, {"Quantity": 1, "Items": […]}.
func (b *builder) add(path []string, s *shape, wrapped bool) {
	if len(path) == 0 {
		b.hang(s)
		return
	}
	step, rest := path[0], path[1:]
	if step == "*" {
		if b.star == nil {
			b.star = newBuilder()
		}
		b.star.add(rest, s, wrapped)
		if wrapped {
			for _, wrapper := range [...]string{"items", "item", "member"} {
				b.to(wrapper).add(path, s, false)
			}
		}
		return
	}
	for _, name := range strings.Split(step, "|") {
		b.to(name).add(rest, s, wrapped)
	}
}

func (b *builder) to(name string) *builder {
	key := strings.ToLower(name)
	next := b.below[key]
	if next == nil {
		next = newBuilder()
		b.below[key] = next
		b.names = append(b.names, name)
	}
	return next
}

func (b *builder) hang(s *shape) {
	switch {
	case s == nil:
		b.node.quiet = true
	case s.object != nil || s.form == formMap || s.form == formSelector || s.form == formNamespace || s.form == formLabels:
		b.node.objects = append(b.node.objects, s)
	case s.form == formTemplate || s.form == formLogical:
		b.node.values = append(b.node.values, s)
		b.node.objects = append(b.node.objects, s)
	default:
		b.node.values = append(b.node.values, s)
	}
}

// finish turns b and all below it into nodes. What hangs below * counts for
// named members too.
func (b *builder) finish() *node {
	if b.star != nil {
		for _, next := range b.below {
			next.merge(b.star)
		}
		b.node.any = b.star.finish()
	}
	if len(b.names) == 0 {
		return b.node
	}
	size := 2
	for size < 2*len(b.names) {
		size *= 2
	}
	b.node.children = make([]*child, size)
	for _, name := range b.names {
		at := hash(name) & (size - 1)
		b.node.children[at] = &child{name: name, node: b.below[strings.ToLower(name)].finish(), next: b.node.children[at]}
	}
	return b.node
}

// merge hangs copies of all that hangs in o into b.
func (b *builder) merge(o *builder) {
	b.node.values = append(b.node.values, o.node.values...)
	b.node.objects = append(b.node.objects, o.node.objects...)
	b.node.quiet = b.node.quiet || o.node.quiet
	for _, name := range o.names {
		b.to(name).merge(o.below[strings.ToLower(name)])
	}
	if o.star != nil {
		if b.star == nil {
			b.star = newBuilder()
		}
		b.star.merge(o.star)
	}
}
