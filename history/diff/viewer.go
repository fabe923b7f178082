package diff

import (
	"slices"
	"strings"
)

// A viewer collects the changes of one comparison.
type viewer struct {
	opts   ViewOptions
	found  []found
	weight int      // bytes of the changes so far, roughly
	path   []byte   // of the place being compared
	keys   []string // the object keys in path
}

// A found is a change whose values are not copied yet: it may still give way to
// one that encloses it.
type found struct {
	path          string
	kind          Kind
	before, after *value
}

// changes returns what was found, in memory of its own.
func (v *viewer) changes() []Change {
	var all []Change
	for _, f := range v.found {
		c := Change{Path: f.path, Kind: f.kind}
		if f.before != nil {
			c.Old = f.before.bytes()
		}
		if f.after != nil {
			c.New = f.after.bytes()
		}
		all = append(all, c)
	}
	return all
}

// compare collects what differs at one place that both documents have.
func (v *viewer) compare(a, b value) {
	switch {
	case a.text() == b.text():
	case a.isObject() && b.isObject():
		v.within(a, b, v.compareObjects)
	case a.isArray() && b.isArray():
		v.within(a, b, v.compareArrays)
	default:
		v.add(Changed, &a, &b)
	}
}

// The changes inside an object or array may weigh this many times its text, and
// some more; an ordinary document never comes near.
const (
	maxViewTimes = 8
	viewSlack    = 4 << 20
	changeWeight = 100
)

// within runs compare on the insides of two objects or two arrays. If compare
// stops by returning false, since limit is passed, one change of the whole takes
// the place of what it collected.
func (v *viewer) within(a, b value, compare func(a, b value, limit int) bool) {
	mark, weight := len(v.found), v.weight
	limit := weight + maxViewTimes*(len(a.text())+len(b.text())) + viewSlack

	if !compare(a, b, limit) {
		clear(v.found[mark:])
		v.found, v.weight = v.found[:mark], weight
		v.add(Changed, &a, &b)
	}
}

func (v *viewer) compareObjects(a, b value, limit int) bool {
	for p := range pairMembers(a, b) {
		depth := len(v.path)
		v.path = appendKey(v.path, p.key)
		v.keys = append(v.keys, p.key)
		switch p.has {
		case onlyBefore:
			v.add(Removed, &p.before, nil)
		case onlyAfter:
			v.add(Added, nil, &p.after)
		default:
			v.compare(p.before, p.after)
		}
		v.keys = v.keys[:len(v.keys)-1]
		v.path = v.path[:depth]
		if v.weight > limit {
			return false
		}
	}
	return true
}

func (v *viewer) compareArrays(a, b value, limit int) bool {
	before, after := a.elements(), b.elements()
	m := v.match(before, after)
	if m.moved {
		v.add(Reordered, &a, &b)
	}

	removed := 0 // before[:removed] are told, if they have to be
	remove := func(end int) {
		for ; removed < end && v.weight <= limit; removed++ {
			if !m.kept[removed] {
				v.element(m.nameBefore(removed), before[removed], removed, Removed, &before[removed], nil)
			}
		}
	}
	next := 0 // the first element from j on that has a partner
	for j := range after {
		for next = max(next, j); next < len(after) && m.partner[next] == none; next++ {
		}
		if next < len(after) {
			remove(m.partner[next])
		} else {
			remove(len(before))
		}
		if i := m.partner[j]; i == none {
			v.element(m.nameAfter(j), after[j], j, Added, nil, &after[j])
		} else {
			v.element(m.nameAfter(j), after[j], j, Changed, &before[i], &after[j])
		}
		if v.weight > limit {
			return false
		}
	}
	remove(len(before))
	return v.weight <= limit
}

// element tells of one element of an array, by its name if it has one.
func (v *viewer) element(name string, e value, index int, kind Kind, a, b *value) {
	if kind == Changed && a.text() == b.text() {
		return
	}
	depth := len(v.path)
	switch {
	case name != "":
		v.path = appendToken(v.path, "["+name+"]")
	case e.isScalar() && kind != Changed:
		v.path = append(v.path, "/[]"...)
	default:
		v.path = appendIndex(v.path, index)
	}
	if kind == Changed {
		v.compare(*a, *b)
	} else {
		v.add(kind, a, b)
	}
	v.path = v.path[:depth]
}

// add collects one change at the current path.
func (v *viewer) add(kind Kind, before, after *value) {
	f := found{string(v.path), kind, before, after}
	v.found = append(v.found, f)
	v.weight += changeWeight + len(f.path)
	for _, side := range []*value{before, after} {
		if side != nil {
			v.weight += len(side.text())
		}
	}
}

// appendKey adds an object key to the path of a change. A pointer token never
// has a tilde before a bracket, so this tells a key from an element.
func appendKey(path []byte, key string) []byte {
	at := len(path)
	path = appendToken(path, key)
	if strings.HasPrefix(key, "[") {
		path = slices.Insert(path, at+1, '~')
	}
	return path
}
