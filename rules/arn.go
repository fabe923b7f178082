package rules

import (
	"cmp"
	"crypto/sha256"
)

// ConfigRuleID is the id of a rule in AWS Config's protocol: config-rule- and six of
// a-z and 0-9, which owner and name decide. Rules that are put anew keep it.
func ConfigRuleID(o Owner, name string) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	sum := sha256.Sum256([]byte(o.Account + "\x00" + o.Region + "\x00" + name))
	id := make([]byte, 6)
	for i := range id {
		id[i] = letters[int(sum[i])%len(letters)]
	}
	return "config-rule-" + string(id)
}

// ConfigRuleARN is the ARN of a rule in AWS Config's protocol, as it is seen from an
// account and a region: where the owner names none, the rule is everybody's own.
func ConfigRuleARN(o Owner, name, account, region string) string {
	return "arn:aws:config:" + cmp.Or(o.Region, region) + ":" + cmp.Or(o.Account, account) + ":config-rule/" + ConfigRuleID(o, name)
}
