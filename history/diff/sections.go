package diff

import (
	"cmp"
	"slices"
)

// maxCells bounds the table of jsondiff's longest common subsequence: 2 MiB, a
// few milliseconds.
const maxCells = 512 * 512

// A section is a stretch of two arrays that may differ, before[a0:a1] and
// after[b0:b1]; what lies between two sections is the same on both sides.
type section struct {
	a0, a1, b0, b1 int
	lcs            bool // compare by longest common subsequence
}

// sections leaves out the common beginning and end of two arrays and, where the
// rest is too large for LCS, splits it at the elements that can be told apart.
func (d *differ) sections(a, b []int) []section {
	s := section{0, len(a), 0, len(b), d.opts.LCS}.trim(a, b)
	if !s.lcs || s.cells() <= maxCells {
		return []section{s}
	}

	var all []section
	next := section{a0: s.a0, b0: s.b0}
	for _, fixed := range anchors(a[s.a0:s.a1], b[s.b0:s.b1]) {
		next.a1, next.b1 = s.a0+fixed.a, s.b0+fixed.b
		all = appendSection(all, next.trim(a, b))
		next = section{a0: next.a1 + 1, b0: next.b1 + 1}
	}
	next.a1, next.b1 = s.a1, s.b1
	return appendSection(all, next.trim(a, b))
}

func appendSection(all []section, s section) []section {
	if s.a0 == s.a1 && s.b0 == s.b1 {
		return all
	}
	s.lcs = s.cells() <= maxCells
	return append(all, s)
}

// trim moves the ends of a section past equal elements.
func (s section) trim(a, b []int) section {
	for s.a0 < s.a1 && s.b0 < s.b1 && a[s.a0] == b[s.b0] {
		s.a0, s.b0 = s.a0+1, s.b0+1
	}
	for s.a0 < s.a1 && s.b0 < s.b1 && a[s.a1-1] == b[s.b1-1] {
		s.a1, s.b1 = s.a1-1, s.b1-1
	}
	return s
}

func (s section) cells() int { return (s.a1 - s.a0) * (s.b1 - s.b0) }

// leastOps is a number of operations that the section needs at least.
func (s section) leastOps(a, b []int) int {
	la, lb := s.a1-s.a0, s.b1-s.b0
	n := max(la, lb) - min(la, lb)
	if s.lcs {
		return n
	}
	for i := range min(la, lb) {
		if a[s.a0+i] != b[s.b0+i] {
			n++
		}
	}
	return n
}

// An anchor is an element at index a of one array and b of the other.
type anchor struct{ a, b int }

// anchors returns elements that occur once in each array, as many as stand in
// the same order on both sides (the idea of patience diff). It takes n log n.
//
//	a: v w x y z
//	b: z v x w y     anchors v x y, or v w y; z moved and is none
func anchors(a, b []int) []anchor {
	const several = -1
	place := func(ids []int) map[int]int {
		at := make(map[int]int, len(ids))
		for i, id := range ids {
			if _, seen := at[id]; seen {
				i = several
			}
			at[id] = i
		}
		return at
	}
	inA, inB := place(a), place(b)
	var common []anchor // in the order of a
	for i, id := range a {
		if j, ok := inB[id]; ok && j != several && inA[id] != several {
			common = append(common, anchor{i, j})
		}
	}

	// The longest increasing subsequence by b: tails[n] is the anchor with the
	// smallest b that ends a sequence of n+1 anchors, earlier what precedes each.
	var tails []int
	earlier := make([]int, len(common))
	for i, c := range common {
		n, _ := slices.BinarySearchFunc(tails, c.b, func(t, b int) int { return cmp.Compare(common[t].b, b) })
		if n == len(tails) {
			tails = append(tails, i)
		}
		tails[n] = i
		if n > 0 {
			earlier[i] = tails[n-1]
		}
	}
	longest := make([]anchor, len(tails))
	for n := len(tails) - 1; n >= 0; n-- {
		if n < len(tails)-1 {
			tails[n] = earlier[tails[n+1]]
		}
		longest[n] = common[tails[n]]
	}
	return longest
}
