// Package ndjson reads and writes observations as one JSON object a line:
//
//	{"time":"2024-05-01T10:00:00Z","type":"AWS::EC2::SecurityGroup","id":"sg-1","configuration":{…}}
//
// # Members
//
//	time              when the state was true: RFC 3339 with any offset; kept in
//	                  microseconds, further digits are cut off       required
//	type, id          which resource                                 required
//	account, region   the rest of its identity, where it has them
//	provider          aws, gcp, kubernetes, terraform …
//	name, arn         text
//	availabilityZone  text
//	createdAt         RFC 3339
//	status            in AWS Config's words, where the source has one
//	tags              object of strings
//	configuration     any JSON value; null or absent only with deleted, or with
//	                  the status ResourceNotRecorded
//	supplementary     object of any JSON values
//	relationships     list of {name, type, id, resourceName, account, region}:
//	                  name, type, and id or resourceName are required
//	deleted           true on a deletion
//	cause             {actor, eventId, sourceIp}
//	source            where the observation was taken from
//	extras            object: what the source's own format has besides
//
// Members that may be absent may be null, which is the same. A member that is
// not known is refused by name, and so is one given twice. Empty lines are
// skipped. JSON values stay as they are written: no number goes through a float.
//
// What [Append] writes for an item reads back as an observation equal to the
// item's own, in the same bytes for the same item.
package ndjson
