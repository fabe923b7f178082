// Package snapshot delivers what is recorded to buckets, in the files and under
// the keys of AWS Config: snapshots of all that an owner's recorder has, on demand
// and at the frequency of its delivery channel, and every six hours the history of
// each resource type since the last time.
//
// A bucket is a folder or lies at an endpoint that speaks S3's protocol: see
// Place. An object is written whole or not at all.
//
// The layout is that which AWS documents
// (https://docs.aws.amazon.com/config/latest/developerguide/view-manage-resource-console.html
// and the keys that its notifications name): month and day have no leading zero.
//
//	[prefix/]AWSLogs/ACCOUNT/Config/REGION/Y/M/D/ConfigSnapshot/
//	        ACCOUNT_Config_REGION_ConfigSnapshot_TIME_ID.json.gz
//	[prefix/]AWSLogs/ACCOUNT/Config/REGION/Y/M/D/ConfigHistory/
//	        ACCOUNT_Config_REGION_ConfigHistory_TYPE_FROM_TO_N.json.gz
//	[prefix/]AWSLogs/ACCOUNT/Config/ConfigWritabilityCheckFile
package snapshot
