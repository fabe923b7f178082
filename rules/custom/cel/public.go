package cel

import (
	"net/netip"
	"slices"
	"strings"
)

// narrowing are the keys by which a condition can hold what is allowed to everybody
// to callers that are known. Their values must be fixed for that.
var narrowing = []string{
	"aws:sourceip", "aws:vpcsourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn",
	"aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn",
	"aws:principalisawsservice", "aws:principalservicename", "aws:principalservicenameslist",
	"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner",
	"aws:userid", "aws:username", "aws:viaawsservice", "aws:calledvia",
	"kms:calleraccount", "s3:dataaccesspointaccount", "s3:dataaccesspointarn",
	"lambda:eventsourcetoken", "elasticfilesystem:accesspointarn",
}

// isPublic reports whether a statement allows something to everybody.
func (s *statement) isPublic() bool {
	everybody := slices.Contains(s.principals, "*") || s.hasNotPrincipal
	return s.effect == "Allow" && everybody && !slices.ContainsFunc(s.conditions, condition.narrows)
}

// narrows reports whether a condition holds for known callers only. One that holds
// too when its key is absent, or that excludes some, does not.
func (c condition) narrows() bool {
	operator := strings.ToLower(c.operator)
	if of, rest, qualified := strings.Cut(operator, ":"); qualified {
		if of == "forallvalues" { // holds where there is no value at all
			return false
		}
		operator = rest
	}
	if strings.HasSuffix(operator, "ifexists") || strings.Contains(operator, "not") || operator == "null" {
		return false
	}
	if !slices.Contains(narrowing, c.key) && !strings.HasPrefix(c.key, "aws:principaltag/") {
		return false
	}
	return len(c.values) > 0 && !slices.ContainsFunc(c.values, func(v string) bool { return open(operator, c.key, v) })
}

// open reports whether a value holds for callers that nobody knows.
func open(operator, key, value string) bool {
	switch operator {
	case "ipaddress":
		p, err := parsePrefix(value)
		return err != nil || broad(p)
	case "bool":
		return strings.ToLower(value) != "true"
	case "stringlike", "arnlike", "arnequals": // all of these know wildcards
		return strings.Trim(value, "*?") == "" || key != "aws:userid" && wildAccount(value)
	}
	return strings.Contains(value, "${") || value == "*" // a variable is whatever the caller brings
}

// wildAccount reports whether an ARN leaves the account open: arn:aws:s3:::* is a
// bucket of anybody's, arn:aws:iam::*:role/x a role of any account.
func wildAccount(value string) bool {
	parts := strings.SplitN(value, ":", 6)
	if parts[0] != "arn" || len(parts) < 6 {
		return strings.HasPrefix(value, "*")
	}
	return strings.ContainsAny(parts[4], "*?") || parts[4] == "" && strings.HasPrefix(parts[5], "*")
}

var private = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("fc00::/7"),
}

// broad reports whether a network is too large to be somebody's, by the measure of
// S3: wider than /8, or /32 of IPv6, and not private.
func broad(p netip.Prefix) bool {
	if slices.ContainsFunc(private, func(n netip.Prefix) bool { return contains(n, p) }) {
		return false
	}
	if p.Addr().Is4() {
		return p.Bits() < 8
	}
	return p.Bits() < 32
}
