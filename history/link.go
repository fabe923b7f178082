package history

import (
	"cmp"
	"slices"
	"strings"
)

// Link is what one version says of its place in the graph: a term that it bears,
// an identifier or a label say, or one that it refers to. A store finds versions
// by the terms of their links and knows nothing of what terms and details mean:
// that is between the Linker that reads links and whoever asks for them.
type Link struct {
	Term   string
	Bears  bool   // the version bears the term; else it refers to it
	Detail string // tells more of the link, in words of the Linker's
}

// Compare orders by term, what bears it first, then by detail.
func (l Link) Compare(o Link) int {
	switch {
	case l.Term != o.Term:
		return strings.Compare(l.Term, o.Term)
	case l.Bears != o.Bears:
		if l.Bears {
			return -1
		}
		return 1
	}
	return strings.Compare(l.Detail, o.Detail)
}

// NormalizeLinks sorts links and drops repeated ones, in place.
func NormalizeLinks(l []Link) []Link {
	slices.SortFunc(l, Link.Compare)
	return slices.Compact(l)
}

// Longer terms and details, and empty terms, are left out of a version's links.
const (
	MaxTerm   = 4 << 10
	MaxDetail = 64 << 10
)

// Linker reads links. Its methods are safe for concurrent use.
type Linker interface {
	// Tables names what decides on the links: two linkers of the same name read
	// the same links from every version. A store whose links were read under
	// another name reads them all anew.
	Tables() string

	// Links are the links of a live resource in a state, in the order of
	// Compare and each once. They depend on nothing but the arguments, of which
	// the linker keeps nothing that is changed later; nobody changes them.
	Links(k Key, s *State) []Link
}

// LinksOf are the links that a store finds a state by; none by nobody, and none
// of a deletion or of a resource of a reserved type.
func LinksOf(by Linker, k Key, s *State) []Link {
	if by == nil || s.Deleted || Reserved(k.Type) {
		return nil
	}
	links := by.Links(k, s)
	unfit := func(l Link) bool { return l.Term == "" || len(l.Term) > MaxTerm || len(l.Detail) > MaxDetail }
	if slices.ContainsFunc(links, unfit) {
		links = slices.DeleteFunc(slices.Clone(links), unfit)
	}
	return links
}

// Linked is a link of a resource over a span of captured time: From is the first
// moment, To the first after it (Newest: none), at which the resource says so,
// through however many versions, without a break.
type Linked struct {
	Link
	Key      Key
	From, To Moment
}

// Compare orders by link, key and time.
func (l Linked) Compare(o Linked) int {
	return cmp.Or(l.Link.Compare(o.Link), l.Key.Compare(o.Key), cmp.Compare(l.From, o.From))
}

// LinkQuery selects links: those of some terms, or of all terms that begin with
// a prefix.
type LinkQuery struct {
	Terms  []string // if there are any, Prefix is not looked at
	Prefix string

	Bears, Refers bool // which of both; neither means both
	Ever          bool // over all captured time, instead of at the reader's moment

	// After and Limit take the terms in pages: those after a term, and no more
	// terms once there are so many links. A term is never parted.
	After string
	Limit int // 0 = all
}

// Wants reports whether the query asks for a link of this kind.
func (q *LinkQuery) Wants(bears bool) bool { return q.Bears == q.Refers || q.Bears == bears }

// MatchTerm reports whether the query asks for a term; After and Limit are the
// reader's business.
func (q *LinkQuery) MatchTerm(term string) bool {
	if len(q.Terms) > 0 {
		return slices.Contains(q.Terms, term)
	}
	return strings.HasPrefix(term, q.Prefix)
}
