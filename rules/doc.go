// Package rules says what complies with what, since when, and did at any moment.
//
// # Words
//
// A [Rule] judges resources in its scope. Its evaluation of one resource at one
// moment is a verdict: COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE,
// INSUFFICIENT_DATA, or ERROR with the reason; an error is never taken for
// compliance. A rule is named within its owner, an account and a region (both
// empty: the whole installation), and sees its owner's resources only: what is of
// no account is everybody's, and what is of no region, or of region global, is of
// every region.
//
// # A verdict is an interval
//
// A rule is put; each put makes a version of it, in force from a moment on, its
// effective-from. At every moment the version put last among those whose
// effective-from is not after it is in force, until the rule is deleted. A
// verdict is given on one version of a resource by one version of a rule, and
// holds while both do, and while nothing that the rule looked at beside the
// resource is otherwise; a rule that reads the clock judges again at each
// multiple of its period since the Unix epoch, UTC. Adjacent pieces with the same
// rule version, verdict and annotation are one interval.
//
// # When a rule is evaluated
//
// What a rule depends on decides, not what it is called. Every rule is evaluated on
// each change of a resource in its scope, and of what it looked at beside; one that
// reads the clock also at each multiple of its period. Nothing else can make a verdict
// another: at a tick, a rule that does not read the clock would say what it said.
//
// The [Trigger] of a rule is AWS Config's word for how it does that there, and is kept
// and shown. AWS calls a rule periodic that has to ask a service for what it judges,
// and learns of a change at the next tick. What is judged here is recorded: there is
// nothing to ask for, so that such a rule says no later than any other that something
// is wrong, since when it was, and what it was about a version that came and went
// between two ticks. A periodic rule that waited for its ticks would be COMPLIANT at
// moments at which what was recorded is not.
//
// # Rules, waivers and verdicts are recorded
//
// All three are resources of the history themselves, of types that nobody else
// records (see the constants below): a rule's versions are the versions of such a
// resource, a verdict is one whose states are the verdicts over captured time,
// and a verdict that ends is its deletion. So they have both times, a place in
// the feed, differences, backups and pruning like everything else, and a verdict
// of the past is found as any configuration of the past is. What the engine
// learns late it records late: new rows for old moments, as for any late capture,
// and what an earlier revision answered it answers for ever.
//
// What is recorded to put a rule is its Observation, to put a waiver likewise; Read
// and ReadWaiver give them back.
//
// # Where rules come from
//
// Package rulefile reads them from files, package managed has those of AWS Config,
// package custom/cel makes their expressions ready, and package rulestest runs them
// over cases that people can read.
package rules
