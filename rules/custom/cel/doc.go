// Package cel judges resources by conditions in the Common Expression Language,
// CEL (https://cel.dev). A rule's expression compliant is true of what complies;
// applicable is true of what the rule is about at all; annotation is a text that says
// why a resource does not comply:
//
//	compliant: isTrue(config.storageEncrypted)
//	compliant: sg.ingress(config).all(p, !sg.world(p) || !sg.covers(p, "tcp", params.port))
//	compliant: '"env" in resource.tags && resource.tags.env in params.environments'
//	compliant: related("AWS::EC2::SecurityGroup").all(g, g.name != "default")
//	annotation: '"Port " + string(params.port) + " is open to the world."'
//
// # Variables
//
//	resource     the resource that is judged: account, region, type, id, name, arn,
//	             availabilityZone, status; tags: texts by name; createdAt (if it is
//	             known) and capturedAt: timestamps; configuration and supplementary:
//	             JSON exactly as recorded; relationships: a list of name, type, id,
//	             resourceName, account, region; config and supplement, see below
//	config       resource.config
//	supplement   resource.supplement
//	params       the rule's parameters by name, each of its declared type: text, int,
//	             double, bool, a list of texts for CSV, a map of lists of texts for
//	             StringMap; one that has no value is not there: has(params.x)
//	now          the moment of the evaluation. A rule that mentions it, or ageInDays,
//	             is evaluated at every multiple of its period too
//
// # What is not there
//
// Whoever asks for a member that is not there gets the verdict ERROR, which says
// what is missing, and never COMPLIANT. So does whoever mentions config where no
// configuration was recorded. To say what absence means:
//
//	has(config.kmsKeyId)                       is it there?
//	config.?encrypted.orValue(false)           a value for it
//	config.?vpcConfig.subnetIds.orValue([])    ? holds for all that follows
//	isTrue(config.?encrypted)                  absent is false
//	text(config.?kmsKeyId) == ""               absent is the empty text
//	listOf(config.?rules)                      absent is the empty list
//
// # Names in either case
//
// The same thing has names such as ipPermissions in the items of AWS Config's own
// making, IpPermissions in those of CloudFormation's schemas and in the answers of
// the services, and vpcid where nobody looked. config and supplement show
// configuration and supplementary in a way that does not mind: a member is found by
// its name in whatever case, the exact one first, and a member that is null is not
// there. Two names that differ by case alone, of which neither is exact, are an
// error. In supplement a text that holds JSON is taken for what it says. So a rule
// is written once, with the names of AWS Config:
//
//	config.publiclyAccessible == false
//	anycase(json(supplement.policy)).statement
//
// # Functions
//
// Of other resources, all at the same moment, and only those of the rule's owner.
// What is asked becomes what the verdict depends on. Each is told as resource is:
//
//	related(type)  resource.related(type)      that the resource uses; "" for any type
//	referrers(type)  resource.referrers(type)  that use it
//	inventory(type)                            all of a type, of every account
//
// Of addresses: net.contains(cidr, cidr or address), net.overlaps(a, b),
// net.world(cidr): it holds every address, as 0.0.0.0/0 and ::/0 do.
//
// Of security groups, in every dialect: sg.ingress(config) and sg.egress(config)
// are the permissions; of a permission p, sg.sources(p) are its CIDRs,
// sg.world(p) tells whether one of them is the world, sg.covers(p, "tcp", 22)
// whether it lets a port through, and sg.within(p, "tcp", ["443", "1024-2000"])
// whether it lets none through but these. No ports are all ports, protocol -1 is
// every protocol.
//
// Of policies: iam.statements(document) reads a policy that is JSON, text of JSON or
// percent-encoded text, or a list of these, into statements with sid, effect,
// actions, notActions, resources, notResources, principals and notPrincipals
// ("AWS:…", "Service:…", or "*" for everybody), conditions (operator, key in lower
// case, values), and
//
//	s.public                it allows something to everybody, and no condition holds
//	                        it to known accounts, organisations, networks or sources
//	s.allows(action)        it allows an action, or all actions of a pattern: "s3:*"
//	s.denies(action)        likewise
//	s.covers(resource)      it is about a resource, or all of a pattern
//	iam.match(pattern, text)  * and ? stand for any text, any character
//
// s3.publicGrants(acl) are the permissions that an access control list of S3 grants to
// everybody, as READ or FULL_CONTROL; kms.same(a, b) tells whether two names of a KMS
// key, ids or ARNs, mean the same one.
//
// Of times: timeOf(x) reads a timestamp out of RFC 3339, AWS's "Feb 21, 2022 6:37:48
// PM" and epoch seconds or milliseconds; ageInDays(x) is how many whole days ago
// that was.
//
// Of values: json(text) reads JSON exactly, csv(text) a list of texts, tags(x) texts
// by name out of a list of keys and values; compareVersions(a, b) is -1, 0 or 1 for
// versions such as 1.10.2.
//
// Then there is what package history/expr offers: exists, all, filter, map, startsWith,
// matches (RE2), lowerAscii, split, cel.bind and others.
//
// # What is read
//
// A verdict depends on what the expressions read, and what they read is found out when
// a rule is compiled: config.storageEncrypted is one member, config["a"] likewise;
// size(config), config[params.name] or a loop over config is all of it. A version that
// is the same as another one there gets its verdict without an evaluation, which is
// what makes the past quick to judge. So say config.ipPermissions where that is meant.
// Rules that read the clock or other resources are always evaluated.
//
// Of the configuration no more is decoded than an expression looks at; a member that is
// damaged, or a number beyond 64 bits, is an error to whoever looks at it alone.
//
// # Bounds
//
// An evaluation stops at its number of steps and its time with the verdict ERROR,
// whatever the expression. An integer beyond 64 bits is not rounded: to look at it
// is an error.
package cel
