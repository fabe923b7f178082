package scenario

// What the shop keeps: the orders database, a queue, the buckets, the key they
// are encrypted with, and the trail of everything done to them.

const (
	assetsBucket    = "example-shop-assets"
	artifactsBucket = "example-shop-artifacts"
	backupBucket    = "example-shop-backups"
	trailBucket     = "example-org-trail-logs"

	queueName = "orders-events"
	queueARN  = "arn:aws:sqs:" + Region + ":" + Account + ":" + queueName
	queueURL  = "https://sqs." + Region + ".amazonaws.com/" + Account + "/" + queueName

	databaseHost = DatabaseName + ".c7qexample01." + Region + ".rds.amazonaws.com"
)

type storage struct {
	key      *resource
	database *resource
	queue    *resource
	assets   *resource
	exports  *resource // the bucket named Bucket
	trail    *resource
}

func startStorage(t *timeline, net *network) *storage {
	s := &storage{}
	s.startKey(t)
	s.startDatabase(t, net)
	s.startQueue(t)
	s.startBuckets(t)
	s.startTrail(t)
	return s
}

func (s *storage) startKey(t *timeline) {
	const id = "6c0e9a41-7d35-4b8f-92a6-d15e83f7c204"
	const arn = "arn:aws:kms:" + Region + ":" + Account + ":key/" + id
	s.key = inProduction(&resource{
		Type: "AWS::KMS::Key", ID: id, Name: id, ARN: arn,
		AvailabilityZone: "Not Applicable",
		CreatedAt:        "2024-03-11T10:02:18Z",
		Tags:             tags{"Name": "shop-data", "env": "prod", "team": "platform"},
		Configuration: doc{
			"keyId":                 id,
			"arn":                   arn,
			"awsaccountId":          Account,
			"description":           "data of the shop at rest",
			"creationDate":          "2024-03-11T10:02:18Z",
			"enabled":               true,
			"keyState":              "Enabled",
			"keyUsage":              "ENCRYPT_DECRYPT",
			"keyManager":            "CUSTOMER",
			"origin":                "AWS_KMS",
			"customerMasterKeySpec": "SYMMETRIC_DEFAULT",
			"encryptionAlgorithms":  list{"SYMMETRIC_DEFAULT"},
		},
		Supplementary: doc{
			"KeyRotationStatus": false,
			"Policy": policyText(
				statement{Sid: "Account", Effect: "Allow", Principal: doc{"AWS": iamARN("root")}, Action: "kms:*", Resource: "*"}),
		},
	})
	t.start(s.key)

	t.change(at("2026-06-30T14:22:05Z"), terraform, s.key, func() {
		s.key.Supplementary["KeyRotationStatus"] = true
	})
	t.change(at("2026-07-23T08:39:50Z"), terraform, s.key, func() {
		s.key.Supplementary["Policy"] = policyText(
			statement{Sid: "Account", Effect: "Allow", Principal: doc{"AWS": iamARN("root")}, Action: "kms:*", Resource: "*"},
			statement{Sid: "Trail", Effect: "Allow", Principal: doc{"Service": "cloudtrail.amazonaws.com"},
				Action: list{"kms:GenerateDataKey*", "kms:DescribeKey"}, Resource: "*"})
	})
}

func (s *storage) startDatabase(t *timeline, net *network) {
	subnets := list{}
	for _, subnet := range []*resource{net.privateA, net.privateB} {
		subnets = append(subnets, doc{
			"subnetIdentifier":       subnet.ID,
			"subnetAvailabilityZone": doc{"name": subnet.AvailabilityZone},
			"subnetStatus":           "Active",
		})
	}
	const groupARN = "arn:aws:rds:" + Region + ":" + Account + ":subgrp:shop-private"
	group := inProduction(&resource{
		Type: "AWS::RDS::DBSubnetGroup", ID: "shop-private", Name: "shop-private", ARN: groupARN,
		AvailabilityZone: "Not Applicable",
		Tags:             tags{"env": "prod", "team": "platform"},
		Configuration: doc{
			"dBSubnetGroupName":        "shop-private",
			"dBSubnetGroupDescription": "private subnets of shop-prod",
			"dBSubnetGroupArn":         groupARN,
			"vpcId":                    net.vpc.ID,
			"subnetGroupStatus":        "Complete",
			"subnets":                  subnets,
		},
		Relationships: []relationship{
			to("Is contained in Vpc", net.vpc),
			to("Is associated with Subnet", net.privateA),
			to("Is associated with Subnet", net.privateB),
		},
	})

	const arn = "arn:aws:rds:" + Region + ":" + Account + ":db:" + DatabaseName
	s.database = inProduction(&resource{
		Type: "AWS::RDS::DBInstance", ID: Database, Name: DatabaseName, ARN: arn,
		AvailabilityZone: "eu-west-1a",
		CreatedAt:        "2024-03-12T09:11:37Z",
		Tags:             tags{"env": "prod", "team": "orders", "cost-centre": "cc-410"},
		Configuration: doc{
			"dBInstanceIdentifier":             DatabaseName,
			"dBInstanceArn":                    arn,
			"dbiResourceId":                    Database,
			"dBInstanceClass":                  "db.r6g.large",
			"dBInstanceStatus":                 "available",
			"dBName":                           "orders",
			"engine":                           "postgres",
			"engineVersion":                    "16.6",
			"licenseModel":                     "postgresql-license",
			"masterUsername":                   "orders_admin",
			"endpoint":                         doc{"address": databaseHost, "port": 5432, "hostedZoneId": "Z0EXAMPLE3DB01"},
			"dbInstancePort":                   0,
			"instanceCreateTime":               "2024-03-12T09:11:37Z",
			"availabilityZone":                 "eu-west-1a",
			"multiAZ":                          false,
			"allocatedStorage":                 200,
			"storageType":                      "gp3",
			"storageEncrypted":                 true,
			"kmsKeyId":                         s.key.ARN,
			"publiclyAccessible":               false,
			"backupRetentionPeriod":            7,
			"preferredBackupWindow":            "01:30-02:00",
			"preferredMaintenanceWindow":       "thu:03:00-thu:03:30",
			"pendingModifiedValues":            doc{},
			"autoMinorVersionUpgrade":          true,
			"copyTagsToSnapshot":               true,
			"deletionProtection":               false,
			"iAMDatabaseAuthenticationEnabled": false,
			"performanceInsightsEnabled":       true,
			"monitoringInterval":               60,
			"cACertificateIdentifier":          "rds-ca-rsa2048-g1",
			"readReplicaDBInstanceIdentifiers": list{},
			"dBSecurityGroups":                 list{},
			"dBParameterGroups":                list{doc{"dBParameterGroupName": "orders-postgres16", "parameterApplyStatus": "in-sync"}},
			"vpcSecurityGroups":                list{doc{"vpcSecurityGroupId": net.ordersDB.ID, "status": "active"}},
			"dBSubnetGroup": doc{
				"dBSubnetGroupName":        group.Name,
				"dBSubnetGroupDescription": "private subnets of shop-prod",
				"vpcId":                    net.vpc.ID,
				"subnetGroupStatus":        "Complete",
				"subnets":                  subnets,
			},
		},
		Relationships: []relationship{
			to("Is associated with SecurityGroup", net.ordersDB),
			to("Is associated with DBSubnetGroup", group),
		},
	})
	t.start(group, s.database)

	set := func(moment string, by actor, values doc) {
		t.change(at(moment), by, s.database, func() {
			for name, value := range values {
				s.database.Configuration[name] = value
			}
		})
	}
	set("2026-06-18T09:40:26Z", terraform, doc{"allocatedStorage": 250})
	set("2026-07-09T03:11:43Z", itself, doc{"engineVersion": "16.8"})
	set("2026-07-22T08:27:34Z", terraform, doc{"deletionProtection": true})
	set("2026-07-30T10:08:19Z", terraform, doc{"pendingModifiedValues": doc{"multiAZ": true}})
	set("2026-08-06T03:14:56Z", itself, doc{"pendingModifiedValues": doc{}, "multiAZ": true, "secondaryAvailabilityZone": "eu-west-1b"})
	set("2026-08-26T13:50:02Z", terraform, doc{"backupRetentionPeriod": 14})
}

func (s *storage) startQueue(t *timeline) {
	s.queue = inProduction(&resource{
		Type: "AWS::SQS::Queue", ID: queueURL, Name: queueName, ARN: queueARN,
		AvailabilityZone: "Not Applicable",
		Tags:             tags{"env": "prod", "team": "orders", "cost-centre": "cc-410"},
		Configuration: doc{
			"QueueName":                     queueName,
			"QueueUrl":                      queueURL,
			"QueueArn":                      queueARN,
			"DelaySeconds":                  0,
			"MaximumMessageSize":            262144,
			"MessageRetentionPeriod":        345600,
			"ReceiveMessageWaitTimeSeconds": 10,
			"VisibilityTimeout":             30,
			"KmsMasterKeyId":                s.key.ID,
			"KmsDataKeyReusePeriodSeconds":  300,
		},
	})
	t.start(s.queue)

	t.change(at("2026-06-25T11:18:39Z"), terraform, s.queue, func() {
		s.queue.Configuration["VisibilityTimeout"] = 90
	})
	t.change(at("2026-07-21T15:02:11Z"), terraform, s.queue, func() {
		s.queue.Configuration["MessageRetentionPeriod"] = 1209600
	})
}

func (s *storage) startTrail(t *timeline) {
	const arn = "arn:aws:cloudtrail:" + Region + ":" + Account + ":trail/shop-prod"
	s.trail = inProduction(&resource{
		Type: "AWS::CloudTrail::Trail", ID: "shop-prod", Name: "shop-prod", ARN: arn,
		AvailabilityZone: "Not Applicable",
		Tags:             tags{"env": "prod", "team": "security"},
		Configuration: doc{
			"name":                       "shop-prod",
			"trailARN":                   arn,
			"homeRegion":                 Region,
			"s3BucketName":               trailBucket,
			"s3KeyPrefix":                "shop-prod",
			"isMultiRegionTrail":         true,
			"isOrganizationTrail":        false,
			"includeGlobalServiceEvents": true,
			"logFileValidationEnabled":   false,
			"hasCustomEventSelectors":    false,
			"hasInsightSelectors":        false,
			"kmsKeyId":                   nil,
		},
	})
	t.start(s.trail)

	t.change(at("2026-07-21T14:40:09Z"), terraform, s.trail, func() {
		s.trail.Configuration["logFileValidationEnabled"] = true
	})
	t.change(at("2026-07-23T08:41:32Z"), terraform, s.trail, func() {
		s.trail.Configuration["kmsKeyId"] = s.key.ARN
	})
}
