// Package filter chooses events of the feed by a condition in the Common Expression
// Language, CEL (https://cel.dev). Events for which it holds are sent, others are
// not; no filter sends all.
//
//	type == "AWS::EC2::SecurityGroup" && changed("/configuration/ipPermissions")
//	kind == "deleted" && tags.env == "prod"
//	after.configuration.instanceType.startsWith("p4")
//	before.configuration.encrypted == true && after.configuration.encrypted == false
//	type == "Varve::Compliance::Verdict" && after.configuration.compliance == "NON_COMPLIANT"
//	opened.exists(r, r.type == "AWS::EC2::SecurityGroup" || r.identifier.endsWith(":role/admin"))
//
// The change:
//
//	kind                      "created", "updated" or "deleted"
//	late                      true if it is older than what was known already
//	account region type id    of the resource
//	version                   number of the version that the change made
//	sequence revision         numbers of the change
//	captured_at recorded_at   when it was true, when it was recorded: timestamps, as
//	                          in captured_at > timestamp("2025-03-01T00:00:00Z")
//	cause                     actor, eventId, sourceIp: who made it, if told
//	source provider           where it was seen
//
// A verdict is a resource of its own, of the type Varve::Compliance::Verdict in the
// account and region of what was judged. Its configuration has compliance, annotation,
// rule, severity, and of what was judged account, region, type and id; without
// changed("/configuration/compliance") a new annotation or version of the rule counts
// as well.
//
// The resource, as it is after the change; of a deletion, as it was before:
//
//	name                      text
//	tags                      texts by name: tags.env, tags["cost center"]
//
// What changed:
//
//	paths                     JSON pointers: /configuration/state/name, /tags/env; of
//	                          a resource that appears or goes the single path ""
//	changed(POINTER)          whether something at, below or above the pointer changed
//	opened closed             what it uses now and did not, or no longer uses: lists of
//	                          name, type, id, resourceName, identifier (an ARN and
//	                          the like), account, region, inverse
//	before after              the versions on both sides; before is null if there is
//	                          none. Each has configuration, supplementary, tags, name,
//	                          arn, availabilityZone, status, relationships, deleted,
//	                          version, capturedAt
//
// Numbers are exact: an integer that has no exact value in 64 bits is not rounded
// but cannot be compared. Names that are no words stand in backquotes or brackets:
// after.configuration.`a-b`, after.configuration["a-b"].
//
// An event that has not what the filter asks for is not sent: a missing member, an
// element beyond the end, text where the filter wants a number. To ask whether it is
// there: has(after.configuration.kmsKeyId), after.configuration.?kmsKeyId.orValue("").
// What cannot be decided is sent, and says so: a filter that takes too many steps or
// too long, numbers that are too large, versions that were pruned or erased.
//
// Lists: x.exists(v, v > 1), all, exists_one, filter, map, v in x. Text: contains,
// startsWith, endsWith, matches(RE2), lowerAscii, split, substring, size. Addresses:
// cidr("10.0.0.0/8").containsIP("10.1.2.3"). cel.bind(name, value, condition).
package filter
