package rules

import (
	"cmp"
	"crypto/sha256"
)

// ConfigRuleID is the id of a rule in AWS Config's protocol: config-rule- and six of
// a-z and 0-9, which owner and name decide. Rules that are put anew keep it.
func ConfigRuleID(o Owner, name string) string {
	return "config-rule-" + shortID(6, o.Account+"\x00"+o.Region+"\x00"+name)
}

// ConfigRuleARN is the ARN of a rule in AWS Config's protocol, as it is seen from an
// account and a region: where the owner names none, the rule is everybody's own.
func ConfigRuleARN(o Owner, name, account, region string) string {
	return configARN(o, account, region) + "config-rule/" + ConfigRuleID(o, name)
}

// ConformancePackID is the id of a pack in AWS Config's protocol: conformance-pack- and
// nine of a-z and 0-9, which owner and name decide. Packs that are put anew keep it.
func ConformancePackID(o Owner, name string) string {
	return "conformance-pack-" + shortID(9, "pack\x00"+o.Account+"\x00"+o.Region+"\x00"+name)
}

// ConformancePackARN is the ARN of a pack in AWS Config's protocol, as it is seen from
// an account and a region.
func ConformancePackARN(o Owner, name, account, region string) string {
	return configARN(o, account, region) + "conformance-pack/" + name + "/" + ConformancePackID(o, name)
}

func configARN(o Owner, account, region string) string {
	return "arn:aws:config:" + cmp.Or(o.Region, region) + ":" + cmp.Or(o.Account, account) + ":"
}

// shortID makes n of a-z and 0-9 from a seed. n is at most 32.
func shortID(n int, seed string) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	sum := sha256.Sum256([]byte(seed))
	id := make([]byte, n)
	for i := range id {
		id[i] = letters[int(sum[i])%len(letters)]
	}
	return string(id)
}
