package diff

import (
	"cmp"
	"slices"
	"strings"
)

// maxLikely bounds the pairs of elements that are weighed against one another.
const maxLikely = 64 * 64

// byLikeness pairs the elements that have no partner yet, given by their indices:
// objects with objects and arrays with arrays, if they have at least half in
// common, the most alike first. If there is only one of a kind on both sides, it
// is the same thing; so is the only string of several lines (a script among the
// arguments of a container). If there are very many, each is held against the one
// at its own place in the row.
func (m *matching) byLikeness(before, after []value, aloneA, aloneB []int) {
	for _, kind := range []byte{'{', '[', '"'} {
		as, bs := ofKind(kind, before, aloneA), ofKind(kind, after, aloneB)
		switch {
		case len(as) == 0 || len(bs) == 0:
		case len(as) == 1 && len(bs) == 1:
			m.pair(as[0].at, bs[0].at)
		case kind == '"':
		case len(as)*len(bs) <= maxLikely:
			m.pairMostAlike(as, bs)
		default:
			for n := range min(len(as), len(bs)) {
				if like(as[n], bs[n]) > 0 {
					m.pair(as[n].at, bs[n].at)
				}
			}
		}
	}
}

func (m *matching) pairMostAlike(as, bs []candidate) {
	type match struct{ a, b, like, apart int }
	var likely []match
	for x, a := range as {
		for y, b := range bs {
			if l := like(a, b); l > 0 {
				likely = append(likely, match{a.at, b.at, l, max(x-y, y-x)})
			}
		}
	}
	slices.SortStableFunc(likely, func(p, q match) int {
		return cmp.Or(cmp.Compare(q.like, p.like), cmp.Compare(p.apart, q.apart))
	})
	for _, p := range likely {
		if !m.kept[p.a] && m.partner[p.b] == none {
			m.pair(p.a, p.b)
		}
	}
}

// A candidate is an element that looks for a partner.
type candidate struct {
	at    int
	parts map[string]value // of an object, its members by key
	count map[string]int   // of an array, how often it has an element, by text
	size  int
}

// ofKind picks the candidates of a kind.
func ofKind(kind byte, elements []value, alone []int) []candidate {
	var all []candidate
	for _, at := range alone {
		e, c := elements[at], candidate{at: at}
		switch {
		case e.kind() != kind:
			continue
		case e.isObject():
			c.parts = map[string]value{}
			for _, m := range e.members() {
				c.parts[m.key] = m.value
			}
			c.size = len(c.parts)
		case e.isArray():
			c.count = map[string]int{}
			for part := range e.children() {
				c.count[part.text()]++
				c.size++
			}
		case !strings.Contains(e.unquote(), "\n"):
			continue
		}
		all = append(all, c)
	}
	return all
}

// like tells how much two candidates of one kind have in common, in thousandths
// of the larger of them; 0 if it is less than half. Something equal counts in
// full, two different objects or two different arrays under the same key by half.
func like(a, b candidate) int {
	halves := 0
	for key, x := range a.parts {
		switch y, ok := b.parts[key]; {
		case !ok:
		case x.text() == y.text():
			halves += 2
		case x.kind() == y.kind() && !x.isScalar():
			halves++
		}
	}
	for text, n := range a.count {
		halves += 2 * min(n, b.count[text])
	}
	larger := max(a.size, b.size)
	if larger == 0 || halves < larger {
		return 0
	}
	return 500 * halves / larger
}
