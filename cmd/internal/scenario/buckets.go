package scenario

import "encoding/hex"

// The buckets, and who may use the one of exports.

// exportsPolicy is who may use the bucket of exports: the API writes, a
// function reads.
func exportsPolicy() string {
	return policyText(
		statement{Sid: "Write", Effect: "Allow", Principal: doc{"AWS": iamARN("role/" + RoleName)},
			Action: "s3:PutObject", Resource: "arn:aws:s3:::" + Bucket + "/*"},
		statement{Sid: "Read", Effect: "Allow", Principal: doc{"AWS": iamARN("role/lambda-jobs")},
			Action: "s3:GetObject", Resource: "arn:aws:s3:::" + Bucket + "/*"})
}

// exportsPolicyWidened is the same for everybody.
func exportsPolicyWidened() string {
	return policyText(
		statement{Sid: "Write", Effect: "Allow", Principal: doc{"AWS": iamARN("role/" + RoleName)},
			Action: "s3:PutObject", Resource: "arn:aws:s3:::" + Bucket + "/*"},
		statement{Sid: "Read", Effect: "Allow", Principal: "*",
			Action: list{"s3:GetObject", "s3:ListBucket"}, Resource: list{"arn:aws:s3:::" + Bucket, "arn:aws:s3:::" + Bucket + "/*"}})
}

func (s *storage) startBuckets(t *timeline) {
	s.assets = inProduction(bucket(assetsBucket, "2024-03-12T08:30:05Z",
		tags{"env": "prod", "team": "storefront", "cost-centre": "cc-420"}))
	s.exports = inProduction(bucket(Bucket, "2024-09-03T11:38:41Z",
		tags{"env": "prod", "team": "orders", "cost-centre": "cc-410", "data": "personal"}))
	artifacts := inProduction(bucket(artifactsBucket, "2023-10-02T07:50:59Z",
		tags{"env": "prod", "team": "platform"}))
	backups := inBackupRegion(bucket(backupBucket, "2024-10-14T16:21:33Z",
		tags{"env": "prod", "team": "platform"}))
	logs := inLogAccount(bucket(trailBucket, "2024-05-22T12:04:48Z",
		tags{"env": "org", "team": "security"}))

	backups.Configuration["region"] = BackupRegion
	logs.Configuration["owner"] = owner(LogAccount)
	encrypted(s.exports, s.key)
	s.exports.Supplementary["BucketPolicy"] = doc{"policyText": exportsPolicy()}
	s.assets.Supplementary["BucketPolicy"] = doc{"policyText": policyText(
		statement{Sid: "Delivery", Effect: "Allow", Principal: doc{"Service": "cloudfront.amazonaws.com"},
			Action: "s3:GetObject", Resource: "arn:aws:s3:::" + assetsBucket + "/*",
			Condition: doc{"StringEquals": doc{"AWS:SourceArn": "arn:aws:cloudfront::" + Account + ":distribution/EDFDVEXAMPLE01"}}})}
	logs.Supplementary["BucketPolicy"] = doc{"policyText": policyText(
		statement{Sid: "Trail", Effect: "Allow", Principal: doc{"Service": "cloudtrail.amazonaws.com"},
			Action: "s3:PutObject", Resource: "arn:aws:s3:::" + trailBucket + "/*",
			Condition: doc{"StringEquals": doc{"s3:x-amz-acl": "bucket-owner-full-control"}}})}
	versioned(backups)
	versioned(logs)

	t.start(s.assets, s.exports, artifacts, backups, logs)

	t.change(at("2026-06-09T09:26:13Z"), terraform, artifacts, func() {
		expire(artifacts, "old-builds", 90)
	})
	t.change(at("2026-06-16T12:10:57Z"), terraform, s.exports, func() {
		expire(s.exports, "exports", 400)
	})
	t.change(at("2026-07-01T08:15:22Z"), terraform, logs, func() {
		expire(logs, "trail", 730)
	})
	t.change(at("2026-07-08T14:44:30Z"), terraform, s.assets, func() {
		s.assets.Supplementary["BucketCrossOriginConfiguration"] = doc{"rules": list{doc{
			"allowedMethods": list{"GET"}, "allowedHeaders": list{"*"},
			"allowedOrigins": list{"https://shop.example.com"}, "maxAgeSeconds": 3600,
		}}}
	})
	t.change(at("2026-07-22T09:05:16Z"), terraform, s.exports, func() {
		s.exports.Supplementary["BucketLoggingConfiguration"] = doc{
			"destinationBucketName": artifactsBucket, "logFilePrefix": "access/" + Bucket + "/",
		}
	})
	t.change(at("2026-07-28T13:33:45Z"), terraform, s.exports, func() {
		versioned(s.exports)
	})
	t.change(at("2026-08-04T10:12:38Z"), terraform, backups, func() {
		expire(backups, "backups", 365)
	})
	t.change(at("2026-08-13T11:20:54Z"), terraform, artifacts, func() {
		versioned(artifacts)
	})
	t.change(at("2026-08-25T09:48:27Z"), terraform, s.assets, func() {
		expire(s.assets, "previews", 30)
	})
}

func bucket(name, created string, own tags) *resource {
	return &resource{
		Type: "AWS::S3::Bucket", ID: name, Name: name,
		ARN:              "arn:aws:s3:::" + name,
		AvailabilityZone: "Regional",
		CreatedAt:        created,
		Tags:             own,
		Configuration: doc{
			"name":         name,
			"region":       Region,
			"creationDate": created,
			"owner":        owner(Account),
		},
		Supplementary: doc{
			"BucketPolicy":               doc{"policyText": nil},
			"BucketTaggingConfiguration": bucketTags(own),
			"BucketVersioningConfiguration": doc{
				"status": "Off", "isMfaDeleteEnabled": nil,
			},
			"BucketLoggingConfiguration": doc{
				"destinationBucketName": nil, "logFilePrefix": nil,
			},
			"PublicAccessBlockConfiguration": blocked,
			"ServerSideEncryptionConfiguration": doc{"rules": list{doc{
				"applyServerSideEncryptionByDefault": doc{"sseAlgorithm": "AES256", "kmsMasterKeyID": nil},
				"bucketKeyEnabled":                   false,
			}}},
		},
	}
}

// owner is an account as buckets show theirs.
func owner(account string) doc {
	sum := digest("canonical user", account)
	return doc{"displayName": nil, "id": hex.EncodeToString(sum[:])}
}

// The two ways this estate sets the block on public access.
var (
	blocked = doc{
		"blockPublicAcls": true, "ignorePublicAcls": true,
		"blockPublicPolicy": true, "restrictPublicBuckets": true,
	}
	unblocked = doc{
		"blockPublicAcls": true, "ignorePublicAcls": true,
		"blockPublicPolicy": false, "restrictPublicBuckets": false,
	}
)

func encrypted(bucket, key *resource) {
	bucket.Supplementary["ServerSideEncryptionConfiguration"] = doc{"rules": list{doc{
		"applyServerSideEncryptionByDefault": doc{"sseAlgorithm": "aws:kms", "kmsMasterKeyID": key.ARN},
		"bucketKeyEnabled":                   true,
	}}}
}

func versioned(bucket *resource) {
	bucket.Supplementary["BucketVersioningConfiguration"] = doc{
		"status": "Enabled", "isMfaDeleteEnabled": nil,
	}
}

func expire(bucket *resource, rule string, days int) {
	bucket.Supplementary["BucketLifecycleConfiguration"] = doc{"rules": list{doc{
		"id": rule, "status": "Enabled", "prefix": "", "expirationInDays": days,
	}}}
}
