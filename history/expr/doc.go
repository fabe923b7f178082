// Package expr evaluates expressions of the Common Expression Language
// (https://cel.dev) over what is recorded.
//
// An [Env] says what its expressions may mention; [Env.Compile] checks one against
// it, so that a word which is not known or cannot be compared with another is
// refused before it is ever evaluated, with the place and a caret under it.
// Beside the language's own functions there are those of cel-go for strings,
// lists, optional values, network addresses, mathematics, bindings (cel.bind) and
// loops with two variables, but for a few that have no bound: see notOffered.
//
// # JSON values
//
// [Decode] makes a value of a JSON document without losing a digit: an integer is
// int where 64 bits hold it, else uint, else an error, never a rounded number. A
// number with a decimal point or an exponent is double, 1.0 too; so 1.0 == 1 holds
// in an expression although the two are different configurations. A member or
// element that the document has not is no value: see [Absent].
//
// # Bounds
//
// Nobody can hold up a follower of the feed with an expression: its text, depth
// and number of nodes are bounded when it is compiled; steps, time, and the size
// of the values that it makes when it is evaluated. Patterns are RE2's, linear in
// the text, and bounded in the size of their program. The [Limits] say how much.
package expr
