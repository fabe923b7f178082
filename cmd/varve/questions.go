package main

import "github.com/varvehq/varve/cmd/internal/scenario"

// question is one of the demonstration, with the commands that answer it.
type question struct {
	text     string
	commands [][]string
}

// questions are what one asks about the weekend of the scenario, in the order in
// which one would. before is the newest revision before the investigation.
func questions(before string) []question {
	const (
		group      = "AWS::EC2::SecurityGroup"
		instance   = "AWS::EC2::Instance"
		june       = "2026-06-20" // the version before the weekend is from then
		friday     = "2026-07-17"
		tuesday    = "2026-07-21"
		beforeFall = "2026-07-17T18:00:00Z"
		opened     = `kind == "updated" && after.configuration.ipPermissions.exists(p, p.fromPort == 22 && "0.0.0.0/0" in p.ipRanges)`
	)
	ask := func(words ...string) []string { return words }
	return []question{
		{"What brought checkout down?", [][]string{
			ask("diff", "Kubernetes::core::ConfigMap", scenario.CheckoutConfig, "--from", beforeFall, "--to", scenario.OutageBegan),
		}},
		{"Who touched the bastion's security group that weekend?", [][]string{
			ask("history", group, scenario.SecurityGroup, "--from", june, "--to", tuesday),
		}},
		{"What did it let in on Saturday that it had not on Friday?", [][]string{
			ask("diff", group, scenario.SecurityGroup, "--from", friday, "--to", scenario.Saturday),
		}},
		{"Who used the group while it was open to the world, and who uses it today?", [][]string{
			ask("uses", group, scenario.SecurityGroup, "--at", scenario.Night),
			ask("uses", group, scenario.SecurityGroup),
		}},
		{"And what stood behind those that trusted it?", [][]string{
			ask("uses", group, scenario.SecurityGroup, "--at", scenario.Night, "--depth", "3", "-o", "tree"),
		}},
		{"What ran on Saturday that does not run any more?", [][]string{
			ask("list", "--type", instance, "--at", scenario.Saturday),
			ask("get", instance, scenario.Instance),
		}},
		{"Was the bucket with the orders public?", [][]string{
			ask("diff", "AWS::S3::Bucket", scenario.Bucket, "--from", friday, "--to", scenario.Saturday),
		}},
		{"And the role of the API: who could do what?", [][]string{
			ask("history", "AWS::IAM::Role", scenario.RoleID),
		}},
		{"Was port 3389 open that night? As we know now, and as we would have answered before the investigation:", [][]string{
			ask("diff", group, scenario.SecurityGroup, "--from", "v3", "--to", scenario.Night),
			ask("diff", group, scenario.SecurityGroup, "--from", "v3", "--to", scenario.Night, "--known-at", before),
		}},
		{"What would have told us when it was opened? The same condition goes with `varve subscription put`.", [][]string{
			ask("watch", "--from", "-1h", "--limit", "1", "--filter", opened),
		}},
		{"Does the account pass the security checks today?", [][]string{
			ask("pack", "put", "security-checks"),
			ask("compliance", "--wait", "--pack", "security-checks", "--by", "rule"),
		}},
		{"And would it have passed that night? Since when did what break the rule?", [][]string{
			ask("rule", "put", "--managed", "INCOMING_SSH_DISABLED", "--effective-from", "2026-06-01"),
			ask("compliance", "--wait", "--rule", "restricted-ssh", "--at", scenario.Night, "--status", "NON_COMPLIANT"),
			ask("compliance", "--rule", "restricted-ssh", "--type", group, "--id", scenario.SecurityGroup, "--timeline"),
		}},
		{"What would a rule that we did not have yet have found, and which change was to blame?", [][]string{
			ask("rule", "backtest", "--managed", "RESTRICTED_INCOMING_TRAFFIC", "--param", "blockedPort1=3389", "--from", "2026-06-01", "--to", "2026-09-01"),
			ask("rule", "bisect", "restricted-ssh", group, scenario.SecurityGroup),
		}},
	}
}
