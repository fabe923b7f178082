package cel_test

import "testing"

func TestAddresses(t *testing.T) {
	conditions{
		{`net.contains("10.0.0.0/8", "10.1.0.0/16") && net.contains("10.0.0.0/8", "10.9.9.9") && net.contains("10.0.0.0/8", "10.0.0.0/8")`, "true"},
		{`net.contains("10.1.0.0/16", "10.0.0.0/8")`, "false"},
		{`net.contains("0.0.0.0/0", "2001:db8::1") || net.contains("::/0", "10.0.0.1")`, "false"},
		{`net.contains("2001:db8::/32", "2001:db8:1::/48") && net.contains("10.0.0.0/8", "::ffff:10.0.0.1")`, "true"},
		{`net.overlaps("10.0.0.0/8", "10.1.0.0/16") && net.overlaps("10.1.0.0/16", "10.0.0.0/8") && !net.overlaps("10.0.0.0/16", "10.1.0.0/16")`, "true"},
		{`net.world("0.0.0.0/0") && net.world("::/0") && !net.world("0.0.0.0/1") && !net.world("10.0.0.0/8")`, "true"},
		{`net.world("everywhere")`, `"everywhere" is no address`},
		{`net.contains("10.0.0.0/33", "10.0.0.1")`, `"10.0.0.0/33" is no network`},
		{`net.contains("10.0.0.0/8", "fe80::1%eth0")`, "is no address"},
		{`net.world(config.port)`, "no such overload"},
	}.check(t, `{"port":1}`)
}

func TestSecurityGroups(t *testing.T) {
	for dialect, configuration := range map[string]string{
		"Recorded": `{"ipPermissions":[
			{"fromPort":22,"ipProtocol":"tcp","ipRanges":["10.0.0.0/8","0.0.0.0/0"],"ipv4Ranges":[{"cidrIp":"10.0.0.0/8"},{"cidrIp":"0.0.0.0/0"}],"toPort":23},
			{"ipProtocol":"-1","ipRanges":[],"ipv6Ranges":[{"cidrIpv6":"::/0"}]},
			{"fromPort":8,"ipProtocol":"icmp","ipRanges":["10.0.0.0/8"],"toPort":-1}],"ipPermissionsEgress":[]}`,
		"Service": `{"IpPermissions":[
			{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"10.0.0.0/8"},{"CidrIp":"0.0.0.0/0"}],"Ipv6Ranges":[],"ToPort":23},
			{"IpProtocol":"-1","IpRanges":[],"Ipv6Ranges":[{"CidrIpv6":"::/0"}]},
			{"FromPort":8,"IpProtocol":"icmp","IpRanges":[{"CidrIp":"10.0.0.0/8"}],"ToPort":-1}],"IpPermissionsEgress":[]}`,
	} {
		t.Run(dialect, func(t *testing.T) {
			conditions{
				{`sg.ingress(config).size() == 3 && sg.egress(config).size() == 0`, "true"},
				{`sg.sources(sg.ingress(config)[0]) == ["10.0.0.0/8", "0.0.0.0/0"]`, "true"},
				{`sg.world(sg.ingress(config)[0]) && sg.world(sg.ingress(config)[1]) && !sg.world(sg.ingress(config)[2])`, "true"},
				{`cel.bind(p, sg.ingress(config)[0], sg.covers(p, "tcp", 22) && sg.covers(p, "6", 23) && !sg.covers(p, "tcp", 24) && !sg.covers(p, "udp", 22))`, "true"},
				{`cel.bind(p, sg.ingress(config)[1], sg.covers(p, "tcp", 0) && sg.covers(p, "udp", 65535) && !sg.covers(p, "tcp", 65536))`, "true"},
				{`sg.covers(sg.ingress(config)[2], "tcp", 8)`, "false"},
				{`cel.bind(p, sg.ingress(config)[0], sg.within(p, "tcp", ["22", "23"]) && sg.within(p, "tcp", ["1-22,23-30"]) && sg.within(p, "udp", []) && !sg.within(p, "tcp", ["22"]) && !sg.within(p, "tcp", []))`, "true"},
				{`cel.bind(p, sg.ingress(config)[1], sg.within(p, "tcp", ["0-65535"]) && !sg.within(p, "tcp", ["1-65535"]))`, "true"},
				{`sg.within(sg.ingress(config)[0], "tcp", ["http"])`, `"http" are no ports`},
			}.check(t, configuration)
		})
	}
	t.Run("CloudFormation", func(t *testing.T) {
		conditions{
			{`sg.ingress(config).all(p, sg.world(p) && sg.covers(p, "tcp", 443) && !sg.covers(p, "tcp", 22))`, "true"},
			{`sg.egress(config).all(p, sg.sources(p) == ["::/0"] && sg.covers(p, "tcp", 1))`, "true"},
		}.check(t, `{"SecurityGroupEgress":{"CidrIpv6":"::/0","IpProtocol":-1},"SecurityGroupIngress":[{"CidrIp":"0.0.0.0/0","FromPort":"443","IpProtocol":6,"ToPort":443}]}`)
	})
	conditions{
		{`sg.ingress(config).size() == 0`, "no such key: ipPermissions"},
		{`sg.covers(config, "tcp", 1)`, "no such key: ipProtocol"},
		{`sg.world({"ipProtocol": "tcp", "ipRanges": ["x"]})`, `"x" is no address`},
		{`sg.world({"ipProtocol": "tcp", "ipRanges": [{"description": "x"}]})`, `no such key: cidrIp`},
		{`sg.covers({"ipProtocol": "tcp", "fromPort": "ssh", "toPort": 1}, "tcp", 1)`, `which is no port`},
	}.check(t, `{}`)
}

func TestStatements(t *testing.T) {
	const document = `{"Statement":[
		{"Action":["s3:Get*","S3:ListBucket"],"Condition":{"Bool":{"aws:SecureTransport":false},"StringLike":{"aws:PrincipalTag/Team":["a","b"]}},"Effect":"Allow","Principal":{"AWS":["111122223333","*"],"Service":"ec2.amazonaws.com"},"Resource":"arn:aws:s3:::logs/*","Sid":"one"},
		{"Effect":"Deny","NotAction":"iam:*","NotPrincipal":"*","NotResource":["arn:aws:s3:::logs"]}],"Version":"2012-10-17"}`
	for form, configuration := range map[string]string{
		"Object": `{"p":` + document + `}`,
		"List":   `{"p":[` + document + `]}`,
	} {
		t.Run(form, func(t *testing.T) {
			conditions{
				{`iam.statements(config.p).size() == 2`, "true"},
				{`cel.bind(s, iam.statements(config.p)[0], s.sid == "one" && s.effect == "Allow" && s.actions == ["s3:Get*", "S3:ListBucket"] && s.resources == ["arn:aws:s3:::logs/*"] && s.notActions == [] && s.principals == ["AWS:111122223333", "*", "Service:ec2.amazonaws.com"])`, "true"},
				{`iam.statements(config.p)[0].conditions.exists(c, c.operator == "Bool" && c.key == "aws:securetransport" && c.values == ["false"])`, "true"},
				{`iam.statements(config.p)[0].conditions.exists(c, c.operator == "StringLike" && c.key == "aws:principaltag/team" && c.values == ["a", "b"])`, "true"},
				{`cel.bind(s, iam.statements(config.p)[0], s.allows("s3:GetObject") && s.allows("S3:getobject") && s.allows("s3:Get*") && !s.allows("s3:*") && !s.allows("s3:PutObject") && !s.denies("s3:GetObject"))`, "true"},
				{`cel.bind(s, iam.statements(config.p)[1], s.denies("s3:GetObject") && !s.denies("iam:PassRole") && !s.denies("i*") && !s.denies("*") && !s.allows("s3:GetObject"))`, "true"},
				{`cel.bind(s, iam.statements(config.p)[0], s.covers("arn:aws:s3:::logs/a/b") && !s.covers("arn:aws:s3:::logs") && !s.covers("*"))`, "true"},
				{`cel.bind(s, iam.statements(config.p)[1], s.covers("arn:aws:s3:::other") && !s.covers("arn:aws:s3:::logs") && !s.covers("*") && s.notPrincipals == ["*"])`, "true"},
			}.check(t, configuration)
		})
	}
	conditions{
		{`iam.statements(config.text)[0].allows("ec2:RunInstances")`, "true"},
		{`iam.statements(config.encoded)[0].allows("ec2:RunInstances")`, "true"},
		{`iam.statements(config.?gone).size() == 0 && iam.statements(null).size() == 0 && iam.statements(config.empty).size() == 0`, "true"},
		{`iam.statements(config.bad).size() == 0`, "policy: is a text that is no JSON"},
		{`iam.statements(config.effect).size() == 0`, "neither Allow nor Deny"},
		{`iam.statements({"Version": "x"}).size() == 0`, "policy: has no Statement"},
		{`iam.statements(7).size() == 0`, "policy: is a int"},
		{`iam.statements({"Statement": {"Effect": "Allow", "Action": [["x"]]}}).size() == 0`, "policy: has a list in Action"},
		{`iam.match("arn:*:role/?x*", "arn:aws:role/axyz") && iam.match("*", "") && !iam.match("a?", "a") && iam.match("**a**", "bab") && !iam.match("a", "A")`, "true"},
	}.check(t, `{"bad":"{","effect":{"Statement":{"Effect":"allow"}},"empty":{"Statement":[]},
		"encoded":"%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22ec2%3A%2A%22%2C%22Resource%22%3A%22%2B%22%7D%7D",
		"text":"{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"ec2:*\",\"Resource\":\"*\"}}"}`)
}

// What is allowed to everybody is public unless a condition holds it to callers that
// are known.
func TestPublicStatements(t *testing.T) {
	const allow = `"Action": "s3:*", "Resource": "*", "Effect": "Allow"`
	for statement, want := range map[string]string{
		`{"Principal": "*", ` + allow + `}`:                                       "true",
		`{"Principal": {"AWS": "*"}, ` + allow + `}`:                              "true",
		`{"Principal": {"AWS": ["111122223333", "*"]}, ` + allow + `}`:            "true",
		`{"NotPrincipal": {"AWS": "111122223333"}, ` + allow + `}`:                "true",
		`{"Principal": {"AWS": "111122223333"}, ` + allow + `}`:                   "false",
		`{"Principal": {"Service": "sns.amazonaws.com"}, ` + allow + `}`:          "false",
		`{"Principal": "*", "Action": "s3:*", "Resource": "*", "Effect": "Deny"}`: "false",
		`{` + allow + `}`: "false",
		`{"Principal": "*", "Condition": {}, ` + allow + `}`:                                                                                    "true",
		`{"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, ` + allow + `}`:                                       "false",
		`{"Principal": "*", "Condition": {"StringEquals": {"AWS:sourceVPCE": "vpce-1"}}, ` + allow + `}`:                                        "false",
		`{"Principal": "*", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}, ` + allow + `}`:                                    "true",
		`{"Principal": "*", "Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}, ` + allow + `}`:                               "true",
		`{"Principal": "*", "Condition": {"ForAllValues:StringEquals": {"aws:PrincipalOrgPaths": "o-1/r"}}, ` + allow + `}`:                     "true",
		`{"Principal": "*", "Condition": {"ForAnyValue:StringEquals": {"aws:PrincipalOrgPaths": "o-1/r"}}, ` + allow + `}`:                      "false",
		`{"Principal": "*", "Condition": {"Null": {"aws:SourceVpce": "false"}}, ` + allow + `}`:                                                 "true",
		`{"Principal": "*", "Condition": {"StringLike": {"aws:PrincipalOrgID": "*"}}, ` + allow + `}`:                                           "true",
		`{"Principal": "*", "Condition": {"StringEquals": {"aws:SourceVpce": []}}, ` + allow + `}`:                                              "true",
		`{"Principal": "*", "Condition": {"StringEquals": {"aws:UserAgent": "secret"}}, ` + allow + `}`:                                         "true",
		`{"Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}, ` + allow + `}`:                                             "true",
		`{"Principal": "*", "Condition": {"Bool": {"aws:PrincipalIsAWSService": "true"}}, ` + allow + `}`:                                       "false",
		`{"Principal": "*", "Condition": {"Bool": {"aws:PrincipalIsAWSService": "false"}}, ` + allow + `}`:                                      "true",
		`{"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, ` + allow + `}`:                                     "false",
		`{"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "0.0.0.0/0"]}}, ` + allow + `}`:                      "true",
		`{"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}}, ` + allow + `}`:                                          "true",
		`{"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "2001:db8::/32"}}, ` + allow + `}`:                                      "false",
		`{"Principal": "*", "Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, ` + allow + `}`:                                  "true",
		`{"Principal": "*", "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:eu-west-1:111122223333:*"}}, ` + allow + `}`:                 "false",
		`{"Principal": "*", "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:*"}}, ` + allow + `}`:                                    "true",
		`{"Principal": "*", "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::logs"}}, ` + allow + `}`:                                   "false",
		`{"Principal": "*", "Condition": {"StringEquals": {"aws:SourceAccount": "${aws:PrincipalAccount}"}}, ` + allow + `}`:                    "true",
		`{"Principal": "*", "Condition": {"StringEquals": {"aws:UserAgent": "x"}, "StringLike": {"aws:PrincipalOrgID": "o-1"}}, ` + allow + `}`: "false",
	} {
		if got := say(t, `iam.statements({"Statement": `+statement+`})[0].public`, `{}`); got != want {
			t.Errorf("%s: got %s", statement, got)
		}
	}
}

func TestGrants(t *testing.T) {
	conditions{
		{`s3.publicGrants(supplement.text) == []`, "a text is no JSON"},
		{`s3.publicGrants(config.recorded) == ["READ", "FULL_CONTROL"]`, "true"},
		{`s3.publicGrants(config.service) == ["WRITE_ACP"]`, "true"},
		{`s3.publicGrants(config.text) == ["READ"]`, "true"},
		{`s3.publicGrants(config.?gone) == []`, "there is no access control list"},
		{`kms.same("1234", "arn:aws:kms:eu-west-1:1:key/1234") && kms.same("key/1234", "1234") && kms.same("alias/a", "arn:aws:kms:eu-west-1:1:alias/a")`, "true"},
		{`kms.same("1234", "12345") || kms.same("", "") || kms.same("arn:aws:kms:eu-west-1:1:key/1234", "arn:aws:kms:us-east-1:1:key/1234")`, "false"},
	}.check(t, `{"recorded":{"grantSet":null,"grantList":[{"grantee":"AllUsers","permission":"Read"},{"grantee":"AuthenticatedUsers","permission":"FullControl"},{"grantee":{"id":"x","displayName":null},"permission":"Write"}]},
		"service":{"Grants":[{"Grantee":{"Type":"Group","URI":"http://acs.amazonaws.com/groups/global/AllUsers"},"Permission":"WRITE_ACP"},{"Grantee":{"Type":"Group","URI":"http://acs.amazonaws.com/groups/s3/LogDelivery"},"Permission":"WRITE"}]},
		"text":"{\"grantList\":[{\"grantee\":\"AllUsers\",\"permission\":\"Read\"}]}"}`)
}

func TestValues(t *testing.T) {
	conditions{
		{`json("{\"b\": 1, \"a\": 9007199254740993}").a == 9007199254740993`, "true"},
		{`json(config.object).x == 1`, "true"},
		{`json("{\"a\": 123456789012345678901}").a == 1`, "has no exact value"},
		{`json("{") == 1`, "a text is no JSON"},
		{`json("{\"a\":1,\"a\":2}") == 1`, "a text is no JSON"},
		{`json(config.?gone) == 1`, "nothing to read JSON from"},
		{`csv("a, b,,c") == ["a", "b", "c"] && csv("") == [] && csv(config.?gone) == [] && csv(["x"]) == ["x"]`, "true"},
		{`tags(config.list).env == "prod" && tags(config.upper).env == "prod" && tags(config.map) == {"env": "prod"} && tags(config.?gone) == {}`, "true"},
		{`tags([1]) == {}`, "tags are a list of keys and values"},
		{`compareVersions("1.10", "1.9") == 1 && compareVersions("1.2", "1.2.0") == 0 && compareVersions("v1.2", "1.3") == -1`, "true"},
		{`compareVersions("5.7.mysql_aurora.2.07.2", "5.7.mysql_aurora.2.11.1") == -1`, "true"},
		{`compareVersions("1.2.0", "1.2.0-rc1") == 1 && compareVersions("1.2.0-rc1", "1.2.0-rc2") == -1`, "true"},
		{`compareVersions("99999999999999999999", "100000000000000000000") == -1 && compareVersions("007", "7") == 0`, "true"},
		{`compareVersions("latest", "1") == 0`, "not both versions"},
		{`isTrue("TRUE") && !isTrue("") && !isTrue(null) && !isTrue("False")`, "true"},
		{`isTrue(1)`, "neither true nor false"},
		{`text(config.object) == ""`, "is no text"},
		{`text(1.5) == "1.5" && text(true) == "true"`, "true"},
	}.check(t, `{"list":[{"key":"env","value":"prod"}],"map":{"env":"prod"},"object":{"x":1},"upper":[{"Key":"env","Value":"prod"}]}`)
}

func TestTimes(t *testing.T) {
	conditions{ // it is noon of 1 March 2026
		{`ageInDays("2026-02-27T12:00:00Z") == 2 && ageInDays("2026-02-27T12:00:00.001Z") == 1`, "true"},
		{`ageInDays("2026-02-27T14:00:00+0200") == 2 && ageInDays("2026-02-27") == 2`, "true"},
		{`ageInDays("Feb 27, 2026 11:59:59 AM") == 2 && ageInDays("February 27, 2026 12:00:00 PM") == 2`, "true"},
		{`ageInDays(1772193600) == 2 && ageInDays(1772193600000) == 2 && ageInDays(1772193600.5) == 1`, "true"},
		{`ageInDays("2026-03-02T12:00:00Z") == -1 && ageInDays("2026-03-01T12:00:01Z") == -1 && ageInDays(now) == 0`, "true"},
		{`ageInDays(resource.createdAt) == 100`, "true"},
		{`timeOf("2026-02-27") + duration("48h") < now`, "true"},
		{`ageInDays("soon") > 1`, `"soon" is no time`},
		{`ageInDays(config.?gone) > 1`, "there is no time to read"},
		{`[1].all(now, ageInDays("2026-02-27") == 2)`, "true"},
	}.check(t, `{}`)
}
