package diff

import "iter"

// A pairing is one key of two objects; has says on which sides it stands.
type pairing struct {
	key           string
	before, after value
	has           side
}

// A side tells where something was found.
type side uint8

const (
	onlyBefore side = iota + 1
	onlyAfter
	onBoth
)

// pairMembers walks the keys of two objects in canonical order, those of both
// together.
func pairMembers(a, b value) iter.Seq[pairing] {
	return func(yield func(pairing) bool) {
		before, after := a.members(), b.members()
		for len(before) > 0 || len(after) > 0 {
			var p pairing
			switch c := compareHeads(before, after); {
			case c < 0:
				p = pairing{key: before[0].key, before: before[0].value, has: onlyBefore}
				before = before[1:]
			case c > 0:
				p = pairing{key: after[0].key, after: after[0].value, has: onlyAfter}
				after = after[1:]
			default:
				p = pairing{before[0].key, before[0].value, after[0].value, onBoth}
				before, after = before[1:], after[1:]
			}
			if !yield(p) {
				return
			}
		}
	}
}

// compareHeads orders the first members of two lists; an empty list comes last.
func compareHeads(a, b []member) int {
	switch {
	case len(a) == 0:
		return +1
	case len(b) == 0:
		return -1
	}
	return compareUTF16(a[0].key, b[0].key)
}

// compareUTF16 orders strings by their UTF-16 code units, as canonical JSON does.
// It differs from the order of bytes in one thing: what lies beyond U+FFFF is
// written with surrogates, which come before U+E000.
func compareUTF16(a, b string) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	if i == len(a) || i == len(b) {
		return len(a) - len(b)
	}
	// In UTF-8 only U+E000 to U+FFFF begin with EE or EF, and only what lies
	// beyond U+FFFF begins with F0 or more. Both are first bytes, so the strings
	// differ there at the beginning of a character.
	x, y := a[i], b[i]
	switch {
	case x >= 0xF0 && (y == 0xEE || y == 0xEF):
		return -1
	case y >= 0xF0 && (x == 0xEE || x == 0xEF):
		return +1
	}
	return int(x) - int(y)
}
