package scenario

import "path"

// Identity: the roles things run as, the users people and machines sign in
// with, and the policies of the shop's own. AWS's own policies are attached
// by ARN only; AWS Config does not record them.

type identity struct {
	ordersAPI        *resource // the role named RoleName
	ordersAPIProfile *resource
	bastion          *resource
	bastionProfile   *resource
	lambdaJobs       *resource
	checkout         *resource
	cluster          *resource
	auditReader      *resource // in the log account
	onCall           *resource
}

func startIdentity(t *timeline) *identity {
	ids := &identity{}

	exportsWrite := customerPolicy("order-exports-write", "2024-09-03T11:40:12Z", 1,
		statement{Effect: "Allow", Action: "s3:PutObject", Resource: "arn:aws:s3:::" + Bucket + "/*"})
	releases := customerPolicy("ci-release", "2024-03-12T15:02:33Z", 1,
		statement{Sid: "Functions", Effect: "Allow", Resource: "*",
			Action: list{"lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"}},
		statement{Sid: "Fleet", Effect: "Allow", Resource: "*",
			Action: list{"ec2:CreateLaunchTemplateVersion", "autoscaling:StartInstanceRefresh", "autoscaling:UpdateAutoScalingGroup"}})
	onCallAccess := customerPolicy("oncall-access", "2024-05-21T08:17:09Z", 1,
		statement{Effect: "Allow", Resource: "*",
			Action: list{"ec2:*", "rds:ModifyDBInstance", "rds:RebootDBInstance", "s3:PutBucketPolicy", "s3:PutBucketPublicAccessBlock",
				"iam:PutRolePolicy", "iam:CreateUser", "iam:PutUserPolicy", "iam:CreateAccessKey"}})

	ids.ordersAPI = role(RoleName, "2024-03-12T10:05:47Z", "orders", service("ec2.amazonaws.com"))
	ids.ordersAPI.ID = RoleID
	ids.ordersAPI.Configuration["roleId"] = RoleID
	ids.bastion = role("bastion", "2024-03-12T10:06:20Z", "platform", service("ec2.amazonaws.com"))
	ids.lambdaJobs = role("lambda-jobs", "2024-09-03T11:41:55Z", "orders", service("lambda.amazonaws.com"))
	ids.cluster = role("shop-prod-cluster", "2024-11-18T13:30:02Z", "platform", service("eks.amazonaws.com"))
	ids.checkout = role("checkout", "2025-02-06T09:48:31Z", "payments", web("oidc.eks."+Region+".amazonaws.com/id/C3F0A9D7E1B24856"))
	ciRelease := role("ci-release", "2024-03-12T15:00:18Z", "platform", web("ci.example.com"))
	security := role("security-response", "2024-05-21T08:30:44Z", "security",
		statement{Effect: "Allow", Principal: doc{"AWS": "arn:aws:iam::" + LogAccount + ":root"}, Action: "sts:AssumeRole"})

	ids.ordersAPIProfile = instanceProfile(ids.ordersAPI)
	ids.bastionProfile = instanceProfile(ids.bastion)
	attach(ids.ordersAPI, exportsWrite)
	attachAWS(ids.ordersAPI, "AmazonSSMManagedInstanceCore")
	attachAWS(ids.bastion, "AmazonSSMManagedInstanceCore")
	attachAWS(ids.lambdaJobs, "service-role/AWSLambdaVPCAccessExecutionRole")
	attachAWS(ids.cluster, "AmazonEKSClusterPolicy")
	attach(ciRelease, releases)
	attachAWS(security, "SecurityAudit")
	inline(ids.lambdaJobs, "rolePolicyList", "read-exports",
		statement{Effect: "Allow", Action: list{"s3:GetObject", "s3:ListBucket"},
			Resource: list{"arn:aws:s3:::" + Bucket, "arn:aws:s3:::" + Bucket + "/*"}})
	inline(ids.checkout, "rolePolicyList", "send-orders",
		statement{Effect: "Allow", Action: "sqs:SendMessage", Resource: queueARN})
	inline(security, "rolePolicyList", "contain",
		statement{Effect: "Allow", Resource: "*", Action: list{"ec2:RevokeSecurityGroupIngress", "ec2:StopInstances", "ec2:TerminateInstances",
			"s3:PutBucketPolicy", "s3:PutBucketPublicAccessBlock", "iam:DeleteRolePolicy", "iam:DeleteUser"}})

	ids.onCall = user("oncall-platform", iamID("AIDA", "oncall-platform"), "2024-05-21T08:19:50Z", tags{"team": "platform", "kind": "shared"})
	attach(ids.onCall, onCallAccess)
	attachAWS(ids.onCall, "PowerUserAccess")
	deployBot := user("deploy-bot", iamID("AIDA", "deploy-bot"), "2023-10-02T07:55:13Z", tags{"team": "platform", "kind": "machine"})
	inline(deployBot, "userPolicyList", "push-artifacts",
		statement{Effect: "Allow", Action: "s3:PutObject", Resource: "arn:aws:s3:::" + artifactsBucket + "/*"})

	ids.auditReader = role("audit-reader", "2024-05-22T12:11:26Z", "security",
		statement{Effect: "Allow", Principal: doc{"AWS": iamARN("role/security-response")}, Action: "sts:AssumeRole"})
	inAccount(ids.auditReader, LogAccount)
	inline(ids.auditReader, "rolePolicyList", "read-trail",
		statement{Effect: "Allow", Action: list{"s3:GetObject", "s3:ListBucket"},
			Resource: list{"arn:aws:s3:::" + trailBucket, "arn:aws:s3:::" + trailBucket + "/*"}})

	t.start(exportsWrite, releases, onCallAccess)
	t.start(ids.ordersAPI, ids.bastion, ids.lambdaJobs, ids.cluster, ids.checkout, ciRelease, security, ids.auditReader)
	t.start(ids.ordersAPIProfile, ids.bastionProfile)
	t.start(ids.onCall, deployBot)

	// The pipeline has signed in with a role for two years; its old user is
	// emptied first, and a week later nobody has missed it.
	t.change(at("2026-08-06T11:02:40Z"), terraform, deployBot, func() {
		deployBot.Configuration["userPolicyList"] = list{}
	})
	t.remove(at("2026-08-13T11:15:08Z"), terraform, deployBot)

	t.change(at("2026-06-15T12:36:55Z"), terraform, releases, func() {
		newVersion(releases, "v2", "2026-06-15T12:36:55Z",
			statement{Sid: "Functions", Effect: "Allow", Resource: "arn:aws:lambda:" + Region + ":" + Account + ":function:*",
				Action: list{"lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"}},
			statement{Sid: "Fleet", Effect: "Allow", Resource: "*",
				Action: list{"ec2:CreateLaunchTemplateVersion", "autoscaling:StartInstanceRefresh", "autoscaling:UpdateAutoScalingGroup"}})
	})

	planReview(t, ids, onCallAccess)
	return ids
}

// planReview is what the weekend leads to: whoever is on call can do less, and
// some things nobody can.
func planReview(t *timeline, ids *identity, onCallAccess *resource) {
	t.change(at("2026-07-21T13:26:17Z"), terraform, ids.onCall, func() {
		detachAWS(ids.onCall, "PowerUserAccess")
		attachAWS(ids.onCall, "ReadOnlyAccess")
	})
	t.change(at("2026-07-21T13:28:03Z"), terraform, onCallAccess, func() {
		newVersion(onCallAccess, "v2", "2026-07-21T13:28:03Z",
			statement{Effect: "Allow", Resource: "*", Action: list{"ec2:RebootInstances", "ec2:StartInstances", "ec2:StopInstances", "ec2:TerminateInstances",
				"rds:ModifyDBInstance", "rds:RebootDBInstance"}})
	})

	guard := customerPolicy("guard-open-ports", "2026-07-24T14:05:30Z", 0,
		statement{Sid: "NoIngressByHand", Effect: "Deny", Resource: "*", Action: "ec2:AuthorizeSecurityGroupIngress"},
		statement{Sid: "NoPublicBuckets", Effect: "Deny", Resource: "*", Action: "s3:PutBucketPublicAccessBlock"})
	t.create(at("2026-07-24T14:05:30Z"), terraform, guard)
	t.change(at("2026-07-24T14:06:12Z"), terraform, guard, func() {
		guard.Configuration["attachmentCount"] = 1
	})
	t.change(at("2026-07-24T14:06:12Z"), terraform, ids.onCall, func() {
		attach(ids.onCall, guard)
	})
}

func role(name, created, team string, trust statement) *resource {
	own := tags{"team": team}
	id := iamID("AROA", name)
	return inIdentity(&resource{
		Type: "AWS::IAM::Role", ID: id, Name: name,
		ARN:       iamARN("role/" + name),
		CreatedAt: created,
		Tags:      own,
		Configuration: doc{
			"path":                     "/",
			"roleName":                 name,
			"roleId":                   id,
			"arn":                      iamARN("role/" + name),
			"createDate":               created,
			"assumeRolePolicyDocument": policyEscaped(trust),
			"instanceProfileList":      list{},
			"rolePolicyList":           list{},
			"attachedManagedPolicies":  list{},
			"permissionsBoundary":      nil,
			"tags":                     lowerTags(own),
		},
	})
}

// service and web are trust statements: who may take a role.

func service(name string) statement {
	return statement{Effect: "Allow", Principal: doc{"Service": name}, Action: "sts:AssumeRole"}
}

func web(issuer string) statement {
	return statement{
		Effect:    "Allow",
		Principal: doc{"Federated": iamARN("oidc-provider/" + issuer)},
		Action:    "sts:AssumeRoleWithWebIdentity",
		Condition: doc{"StringEquals": doc{issuer + ":aud": "sts.amazonaws.com"}},
	}
}

func user(name, id, created string, own tags) *resource {
	return inIdentity(&resource{
		Type: "AWS::IAM::User", ID: id, Name: name,
		ARN:       iamARN("user/" + name),
		CreatedAt: created,
		Tags:      own,
		Configuration: doc{
			"path":                    "/",
			"userName":                name,
			"userId":                  id,
			"arn":                     iamARN("user/" + name),
			"createDate":              created,
			"userPolicyList":          list{},
			"groupList":               list{},
			"attachedManagedPolicies": list{},
			"permissionsBoundary":     nil,
			"tags":                    lowerTags(own),
		},
	})
}

func customerPolicy(name, created string, attachments int, statements ...statement) *resource {
	id := iamID("ANPA", name)
	return inIdentity(&resource{
		Type: "AWS::IAM::Policy", ID: id, Name: name,
		ARN:       iamARN("policy/" + name),
		CreatedAt: created,
		Configuration: doc{
			"path":                          "/",
			"policyName":                    name,
			"policyId":                      id,
			"arn":                           iamARN("policy/" + name),
			"createDate":                    created,
			"updateDate":                    created,
			"isAttachable":                  true,
			"attachmentCount":               attachments,
			"permissionsBoundaryUsageCount": 0,
			"defaultVersionId":              "v1",
			"policyVersionList":             list{policyVersion("v1", created, statements)},
		},
	})
}

func policyVersion(id, created string, statements []statement) doc {
	return doc{
		"versionId":        id,
		"createDate":       created,
		"isDefaultVersion": true,
		"document":         policyEscaped(statements...),
	}
}

// newVersion replaces what a policy says; older versions are not kept.
func newVersion(policy *resource, id, created string, statements ...statement) {
	policy.Configuration["defaultVersionId"] = id
	policy.Configuration["updateDate"] = created
	policy.Configuration["policyVersionList"] = list{policyVersion(id, created, statements)}
}

// instanceProfile makes the profile which hands a role to instances; the role
// lists it in turn.
func instanceProfile(role *resource) *resource {
	role.Configuration["instanceProfileList"] = list{doc{
		"path":                "/",
		"instanceProfileName": role.Name,
		"instanceProfileId":   iamID("AIPA", role.Name),
		"arn":                 iamARN("instance-profile/" + role.Name),
		"createDate":          role.CreatedAt,
		"roles": list{doc{
			"path": "/", "roleName": role.Name, "roleId": role.ID,
			"arn": role.ARN, "createDate": role.CreatedAt,
		}},
	}}
	return inIdentity(&resource{
		Type: "AWS::IAM::InstanceProfile", ID: role.Name, Name: role.Name,
		ARN:       iamARN("instance-profile/" + role.Name),
		CreatedAt: role.CreatedAt,
		Configuration: doc{
			"Path":                "/",
			"InstanceProfileName": role.Name,
			"Arn":                 iamARN("instance-profile/" + role.Name),
			"Roles":               list{role.Name},
		},
		Relationships: []relationship{to("Is associated with Role", role)},
	})
}

// inAccount moves a role to another account.
func inAccount(role *resource, account string) {
	role.Account = account
	role.ARN = "arn:aws:iam::" + account + ":role/" + role.Name
	role.Configuration["arn"] = role.ARN
}

// inline puts a policy into a role or a user; which list it goes to differs.
func inline(holder *resource, member, name string, statements ...statement) {
	policies := holder.Configuration[member].(list)
	holder.Configuration[member] = append(policies[:len(policies):len(policies)], doc{
		"policyName":     name,
		"policyDocument": policyEscaped(statements...),
	})
}

func attach(holder, policy *resource) {
	attachARN(holder, policy.Name, policy.ARN)
	holder.Relationships = append(holder.Relationships, to("Is attached to CustomerManagedPolicy", policy))
}

func attachAWS(holder *resource, name string) {
	attachARN(holder, path.Base(name), "arn:aws:iam::aws:policy/"+name)
}

func attachARN(holder *resource, name, arn string) {
	attached := holder.Configuration["attachedManagedPolicies"].(list)
	holder.Configuration["attachedManagedPolicies"] = append(attached[:len(attached):len(attached)], doc{
		"policyName": name,
		"policyArn":  arn,
	})
}

func detachAWS(holder *resource, name string) {
	kept := list{}
	for _, attached := range holder.Configuration["attachedManagedPolicies"].(list) {
		if attached.(doc)["policyName"] != name {
			kept = append(kept, attached)
		}
	}
	holder.Configuration["attachedManagedPolicies"] = kept
}
