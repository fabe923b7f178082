// Package engine evaluates rules: over the past, the present and what is only
// proposed.
//
// # A timeline is a function
//
// What a rule says of a resource over captured time, as known at one revision,
// follows from the versions of the resource, those of the rule, the ticks of the
// clock, and what the rule looked at beside: see [Timeline]. It can be worked out
// from any moment on, with nothing but what stands there. Everything else in this
// package is built on that: the engine records what it says, back-tests, bisection
// and what-if only ask.
//
// # Recording what differs
//
// A verdict is a resource of the history (see package rules). To bring what is
// recorded to what a timeline says, the engine appends an observation at every
// moment where the two differ, and none where they do not: evaluating again is
// free of effects, so that a crash loses and repeats nothing, whatever was
// written before it. A boundary that has turned out wrong is overridden at its own
// captured moment, where the later revision wins; what it was before lasts no time
// as known now, and is still there to whoever asks what was known before. Readers
// join adjacent states that say the same.
//
// # Following
//
// [Engine] reads the feed. A change asks for its resource to be judged from the
// captured moment on, by all rules that may have it in scope; a change of what
// verdicts looked at asks for those. Nothing else follows from a change: before its
// captured moment all is as it was. Requests wait in a queue, one a resource, until
// a worker takes many of them at once; so recording waits for nobody, and what
// comes in bursts is judged once.
//
// What verdicts looked at is kept in memory. Starting up judges rules that look at
// others in full again, in the background, and others where the clock has moved.
//
// # Damage
//
// What cannot be read, or recorded since what stands there cannot be read, is left out,
// logged once and counted, and everything else goes on: to try it again would hold up
// all that comes behind it. A rule with one damaged
// version judges nothing, since that may be the one in force at any moment; what it
// said before stays.
package engine
