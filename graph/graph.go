// Package graph tells what uses what, at any moment.
//
// Edges are read out of configuration items: declared by the source, known from
// the shape of a type, or found because a value has the form of another
// resource's identifier. What is stored is not the resolved edge but the
// reference, in the commit of the version that holds it; the target is joined
// when the question is asked, at the moment asked about, so that nothing is
// rewritten when a target turns up late.
//
// For now the package holds its vocabulary alone.
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
