// Package awsconfig reads and writes the configuration items of AWS Config, in
// its own files.
//
// # What is read
//
// Snapshot and history files ({"fileVersion":…, "configurationItems":[…]}), the
// answers of get-resource-config-history, single items and lists of them, change
// notifications ({"configurationItem":{…}}), also within the invokingEvent of a
// rule's event, the detail of an EventBridge event or the Message of an SNS
// message, and any number of these one after another. Files are read as a
// stream, item by item.
//
// AWS Config writes items in two dialects, and people mix them:
//
//	API                          stream: files, notifications, events
//	version                      configurationItemVersion
//	accountId                    awsAccountId
//	arn                          ARN
//	configurationItemMD5Hash     configurationStateMd5Hash
//	configurationStateId "158…"  configurationStateId 158…
//	relationshipName             name
//	configuration as JSON text   configuration as JSON
//	supplementary as JSON text   supplementary as JSON, sometimes as a string
//	epoch seconds, or ISO 8601   ISO 8601
//
// Either name is understood in any item. A configuration that is a string
// holding JSON text becomes what the text says; any other string stays one.
// Supplementary values are unwrapped in the same way if the item is of the API's
// dialect, which it is if its configuration is a string, or there is none, and it
// has no awsAccountId; in the stream's dialect a string is meant as one. So one
// item becomes the same observation whichever way it comes.
//
// # What becomes of the members
//
// Members that Varve has a field for go there; null, "" and absence are the same
// for them. All others, known to AWS or not, go into the extras of the
// observation as they are, under the stream's name where there are two, and a
// configurationStateId that is text of a plain number becomes that number. A list
// of relationships that says more than Varve's, by a member that is not known or
// by saying something twice, goes there as well. Nothing of an item is dropped.
//
// Times are kept in microseconds. Besides ISO 8601 and epoch seconds, what
// Python makes of them is understood, "2020-04-22 13:13:17.718000-06:00" and
// "datetime.datetime(2020, 4, 22, 13, 13, 17, 718000, tzinfo=tzlocal())". The
// latter does not tell its offset: it is taken from configurationStateId if that
// is the same moment in epoch milliseconds but for a whole number of quarter
// hours, for both times of the item, and is UTC otherwise.
//
// # What is written
//
// Writer writes a snapshot file in the stream's dialect, for any item. What the
// file must have but the item's source did not give is derived (the status, the
// schema version 1.3, the capture time as configurationStateId), and what has no
// place in the dialect is written into one member of its own:
//
//	"varve": {
//	  "derived":  names of members that were derived
//	  "provider": if it is not aws
//	  "source":   where the observation was taken from
//	  "cause":    {actor, eventId, sourceIp}
//	  "extras":   members that do not come from AWS Config and have one of its names
//	}
//
// It is left out when it would be empty, and understood when the file is read
// again: reading what was written gives observations equal to the first ones, in
// every part.
package awsconfig
