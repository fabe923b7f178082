// Package diff computes the difference of two configurations, applies it, and
// shows it to people. It knows JSON and nothing of where the JSON is kept.
//
// There are two views of one difference:
//
//   - [Compute] gives a [Patch], an RFC 6902 JSON Patch for machines. Its one
//     promise is that [Apply] turns the first document into the second, to the
//     last digit.
//   - [Changes] gives a list of [Change] for people: leaf by leaf, in document
//     order, with the elements of an array recognised by what identifies them
//     (a container by its name, a tag by its key; the table is keys.txt) and not
//     by their index. [Render] and [Summary] put that list on a terminal.
//
// # What a document is
//
// A document is JSON text in UTF-8: any value, up to 10,000 levels deep and
// 4 GiB long (the limits of the store are tighter). Duplicate object keys, lone
// surrogates and invalid UTF-8 are refused with [ErrDocument]. A nil or empty
// document is one that does not exist, which is not the same as null.
//
// Documents are compared in canonical form: no white space, object keys sorted
// by UTF-16 code units, strings with the fewest escapes. Number literals are
// text and are never read as numbers: 1.0 and 1 differ, as do 1e2 and 100, and
// no digit of a 20-digit integer is lost. Whether two documents differ is
// decided by their canonical bytes alone, and every value this package hands out
// is a copy of a piece of that text.
//
// # Why jsondiff, and how it is fenced
//
// The comparison itself is [github.com/wI2L/jsondiff]. It is small and maintained,
// speaks RFC 6902, and its longest common subsequence over arrays gives short
// patches. Used on whole documents it has edges that a record of configurations
// cannot live with (traps_test.go shows those that give a wrong or garbled
// outcome, and fails once a release of jsondiff makes one of them untrue):
//
//   - It decodes numbers as float64, so two large integers may compare equal.
//   - Equivalent, with numbers kept as text, takes [1,2] and [3,4] for equal,
//     since the hash it decides by leaves numbers out. It also takes [x,x,y] and
//     [x,y,y] for equal. Factorize picks the source of a copy by the same hash
//     and so copies the wrong value.
//   - Rationalize measures values with a scanner that does not know escaped
//     backslashes and may run over the end of the text.
//   - LCS fills a table of len(before) × len(after) cells, each cell a deep
//     comparison: seconds for two arrays of 8,000 elements.
//   - Every level compares its whole subtree before it descends, so a deep
//     document is compared once per level.
//   - Ignores takes exact pointers only, no wildcards.
//   - Its operations marshal through encoding/json, which writes < as \u003c.
//
// Hence jsondiff never sees a document here. It sees one object or one array at
// a time, in which every child has been replaced by a short reference that is
// equal for equal canonical text and different for different text (decided by
// the text, not by a hash). What it reports about the references is translated
// into operations; where it reports that a child was replaced and both sides are
// objects or both are arrays, the same is done with the child. Of jsondiff's
// options only LCS is used, on parts of arrays small enough ([Options.LCS]), and
// none of its decoding, hashing or marshalling.
//
// # Bounds
//
// But for LCS, which is bounded, time grows with the size of the documents and
// with how deep the differences lie, not with the square of anything. No part of
// a patch weighs much more than twice what it would take to replace the object or
// array it is about; where it would, the replacement is what is written. The same
// holds for changes, with an allowance that only hostile documents use up. An
// array of 8,000 elements with scattered edits is a matter of milliseconds.
//
// All functions are pure: they keep no state, do not change or retain their
// arguments, return memory of their own and may be called concurrently.
package diff
