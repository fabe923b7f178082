// Package history is the vocabulary and the contract of Varve's versioned
// store: what a resource is called, what it looked like, when that was true and
// when we learned it. It imports the standard library only; everything else in
// the program speaks its words.
//
// # Two times
//
// Every recorded state carries two times, kept apart. CapturedAt is when the
// state was true, given by the source. Revision (with RecordedAt, its moment on
// the wall clock) is when we learned it. Every question may fix both: "what was
// it like at T" is [At].Captured, "what did we believe on the audit day about
// T" is [At].Known. Late knowledge writes new rows and closes old ones with its
// revision; it never alters what an earlier revision answers.
//
// # Evidence and versions
//
// An observation is evidence: at this captured moment the resource was in this
// state. The evidence of one resource, ordered by (captured moment, revision),
// falls into maximal runs of equal state. Those runs are the resource's
// versions. Hence the order of arrival never matters, but for two different
// states of one captured moment: both are versions, and the one learned later
// wins at that moment.
//
//	evidence    A@1  A@4  B@6  A@9          captured moments 1 4 6 9
//	versions    A 1────   B 6─  A 9──►
//
// When C@2 arrives late, between version A and its later evidence A@4, the run
// is split: C gets a row, and A resumes at 4 with a row of its own.
//
//	versions    A 1─  C 2─  A 4──  B 6─  A 9──►
//
// Rows are never changed but for the revision that closes them. A late capture
// that extends a run backwards, or joins two runs, writes one new row and closes
// the rows it absorbs; a reader bound to an earlier revision still sees those.
//
// # Absence
//
// A collection [Run] makes absence evidence: completing it says that every
// resource in its scope which it did not observe was gone at its moment, if it
// was alive just before and nothing was captured at exactly that moment. The
// deletions that follow are derived, not observed: a capture that arrives later
// adds or takes away such a deletion as its place in time demands.
//
// # Backends
//
// [Store] is domain-level, batch- and page-shaped: no transaction, iterator,
// channel or borrowed byte crosses it. All append rules live in one pure
// function (package plan); backends lock, load and apply. Package historytest
// holds the suite that every backend runs.
package history
