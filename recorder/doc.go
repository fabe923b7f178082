// Package recorder takes observations from whatever source, puts them into the
// one form in which they are compared, and hands them to the store. It decides
// nothing about time: whether an observation is new, a sighting or late
// knowledge is the store's to say.
//
// # The way in
//
// An observation arrives with its JSON as the source wrote it and leaves in
// normal form. In this order it is
//
//	redacted     by the hook in [Options], if there is one
//	checked      see [Check]
//	canonical    configuration, supplementary configuration and extras
//	completed    name and tags, where the source gave none, from the shape of
//	             the configuration
//	normal       relationships as a set, nothing empty
//
// and appended. Nothing is stored, logged or quoted in an error before it was
// redacted. One refused observation does not hold up the others of its batch:
// its [history.Result] names field, value and remedy, and if the batch belongs
// to a collection run the run learns that an item was refused, for then the
// absence of anything else proves nothing.
//
// # Names and tags from shapes
//
// Sources differ in what they tell apart from the document: AWS Config lists
// tags, a Kubernetes manifest has its labels inside. The table in shapes.go
// knows where documents of known types keep both, so that a question for a tag
// is the same question everywhere. It looks at nothing but the resource type,
// the document and what was given, and fills only what is empty. Hence it is
// idempotent: an item that is exported with the name and the tags it was given
// here is equal to the first one when it is imported again.
package recorder
