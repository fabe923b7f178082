// Package graph tells what uses what, at any moment.
//
// Edges are read out of configuration items, from three sources: what the item's
// source declares, what tables know of the documents of its type, and values
// that have the form of another resource's identifier. What is kept is not the
// resolved edge but the reference, in the commit of the version that holds it;
// the target is joined when the question is asked, at the moment asked about,
// so that nothing is rewritten when a target turns up late.
//
// Extract reads a version's Claims: its references, and the terms by which
// others may refer to it. They depend on nothing but the version and the tables
// of this package (shapes/, see TablesVersion), and can be derived again at any
// time. Links tells them as entries of the index that a store keeps. Join makes
// edges of them; Reference.Targets is its rule for one reference.
//
// At asks the graph of one moment: Relationships, Uses, Paths, Unused, LastUsed,
// Walk, and Diff of two. A session (session.go) reads the links of terms out of a
// store and remembers them for one question; neighbours.go follows them. A Cache
// remembers who uses what from one question to the next. Package export draws what
// was found.
//
// DESIGN.md says why it is so, and how a table is added to.
package graph

import "github.com/varvehq/varve/history"

// Relationship is a named edge between two resources, directed from the user to
// the used: an instance uses its security group. Inverse wordings such as
// "Contains" are wordings of the same edge.
type Relationship struct {
	Name     string // AWS Config's wording, from the user's side
	From, To history.Key
	Reasons  []Reason // where it was read; one at least
}

// Reason says where an edge was read: a JSON pointer into the configuration of
// the one of its two resources that tells of the other, @NAME and a pointer into
// the supplementary configuration of that name, Declared or Identity.
type Reason string

// Reasons without a place in a document.
const (
	Declared Reason = "declared" // the source itself declares it
	Identity Reason = "identity" // the resource's id or account tells it
)

// Direction is the side from which a resource's edges are looked at.
type Direction uint8

// Outgoing edges lead to what the resource uses, incoming ones to its users.
const (
	Outgoing Direction = iota + 1
	Incoming
	Both
)
