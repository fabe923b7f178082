// Package rules says what complies with what, since when, and did at any moment.
//
// # Words
//
// A [Rule] judges resources in its scope. Its evaluation of one resource at one
// moment is a verdict: COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE,
// INSUFFICIENT_DATA, or ERROR with the reason; an error is never taken for
// compliance. A rule is named within its owner, an account and a region (both
// empty: the whole installation), and sees its owner's resources only.
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
