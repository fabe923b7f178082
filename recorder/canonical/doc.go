// Package canonical puts a JSON document into Varve's canonical form, the form
// in which configurations are compared, hashed and stored.
//
// Two documents that say the same have the same canonical bytes, so "has this
// resource changed?" is a comparison of bytes and never a matter of opinion.
// The form is:
//
//   - no white space outside strings;
//   - the members of every object sorted by key, keys compared by their UTF-16
//     code units after unescaping (the order of ECMAScript and of jsontext; it
//     differs from the order of UTF-8 bytes where U+E000 and above meets
//     characters beyond U+FFFF);
//   - strings with the shortest escapes: \" and \\, \b \f \n \r \t, \u00xx in
//     lower case for the other control characters, everything else as it is:
//     neither '/' nor '<' nor U+2028 nor DEL is escaped, and no Unicode
//     normalisation takes place;
//   - numbers as they were written, digit for digit.
//
// The form of a form is itself, and it is never longer than its source.
//
// # What is refused
//
// A document that different readers would understand differently has no
// canonical form: duplicate keys (compared after unescaping), text that is not
// UTF-8, escapes of lone surrogates, anything the JSON grammar (RFC 8259) does
// not allow, data after the document. So has a document beyond the [Limits].
// Each refusal is an [*Error] with the JSON pointer and the byte of the place.
//
// # Why not RFC 8785
//
// The JSON Canonicalization Scheme has the same order and the same strings, but
// it reads every number as an IEEE 754 double and prints that. An account
// number of 20 digits then loses its last ones, two different counters become
// equal, 1e400 becomes the largest double, and a change from 1.0 to 1, which a
// strict provider may well reject or act upon, is never seen. A record of what
// was configured must not round it. Here 1.0, 1, 1e0, -0 and 1e400 are five
// different values, because they are five different texts; the price is that a
// source that prints one value in two ways produces a change.
//
// # How it works
//
// One pass checks the grammar and copies the source to the output in runs as
// long as nothing has to be left out or respelt; a document that is canonical
// already is copied in a single run. An object whose keys ascend needs no more
// than a comparison of each key with the one before, which also proves that
// there is no duplicate. The members of any other object are sorted by key when
// it closes, and duplicates then stand side by side. The bytes are put in order
// only once, after the last object has closed and from the end of the document
// backwards, so that an object within 500 others is moved once and not 500
// times. The cost is O(n + m·log m) for n bytes with m members, whatever the
// nesting.
//
// The package github.com/go-json-experiment/json/jsontext, with raw numbers and
// reordered objects, defines what is accepted and what comes out. The tests hold
// this package to it.
package canonical
