package graph

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// notShown are the relationships which AWS declares and no configuration shows,
// with the reason. They are read where they are declared.
var notShown = map[pair]string{
	{"AWS::CloudFront::StreamingDistribution", "Is associated with", "AWS::ACM::Certificate"}:                         "a streaming distribution's configuration has no viewer certificate",
	{"AWS::CloudFront::StreamingDistribution", "Is associated with", "AWS::IAM::ServerCertificate"}:                   "a streaming distribution's configuration has no viewer certificate",
	{"AWS::CloudFront::StreamingDistribution", "Is associated with", "AWS::WAF::WebACL"}:                              "a streaming distribution's configuration has no web ACL",
	{"AWS::RDS::DBSubnetGroup", "Is associated with", "AWS::EC2::SecurityGroup"}:                                      "a subnet group's configuration has no security groups",
	{"AWS::ServiceCatalog::CloudFormationProvisionedProduct", "Is associated with", "AWS::ServiceCatalog::Portfolio"}: "a provisioned product names the product and the launch path, not the portfolio",
	{"AWS::WAFv2::WebACL", "Is associated with", "AWS::ElasticLoadBalancingV2::LoadBalancer"}:                         "neither side's configuration names the other: associations are the answer to a call of their own",
	{"AWS::WAFv2::WebACL", "Is associated with", "AWS::WAFv2::ManagedRuleSet"}:                                        "rules name a managed rule group by vendor and name, which is not the rule set's",
}

// TestRelationshipsAreShown accounts for every relationship that AWS Config is
// known to declare: some shape shows the same edge, from either side, or the
// reason is known why none can.
func TestRelationshipsAreShown(t *testing.T) {
	file := filepath.Join("..", "..", "shared", "aws", "relationships.tsv")
	text, err := os.ReadFile(file)
	if err != nil {
		if testing.Short() {
			t.Skip("reads a file beside the checkout")
		}
		t.Skip("SKIP: ../shared/aws/relationships.tsv is not there, not in CI either: nothing to account for")
	}
	rows := strings.Split(strings.TrimRight(string(text), "\n"), "\n")[1:]
	if len(rows) != 184 {
		t.Errorf("%d rows, want 184", len(rows))
	}
	seen, shown, pairs := map[pair]bool{}, 0, []pair{}
	for _, row := range rows {
		c := strings.Split(row, "\t")
		p := pair{c[0], c[1], c[2]}
		seen[p], pairs = true, append(pairs, p)
		edge := theTables.meaning(p.owner, p.verb, p.target)
		switch is, reason := shows(theTables, p, edge), notShown[p]; {
		case is && reason != "":
			t.Errorf("%v is shown, although it is said not to be: %s", p, reason)
		case !is && reason == "":
			t.Errorf("%v, which is %q with the target as user: %v, is not shown", p, edge.name, edge.inverse)
		case is:
			shown++
		}
	}
	for p := range notShown {
		if !seen[p] {
			t.Errorf("%v is no relationship of AWS Config's", p)
		}
	}
	checkBothSides(t, pairs)
	t.Logf("%d of %d relationships are shown by configurations, %d are not", shown, len(rows), len(notShown))
}

// shows tells whether a shape of either type gives the edge.
func shows(t *tables, p pair, edge declared) bool {
	for _, s := range t.shapes {
		if s.name != edge.name {
			continue
		}
		for _, typ := range s.types {
			anyTarget := p.target == "*" && s.target == ""
			if typ == p.owner && (s.target == p.target || anyTarget) && s.inverse == edge.inverse ||
				typ == p.target && s.target == p.owner && s.inverse != edge.inverse {
				return true
			}
		}
	}
	return false
}

// checkBothSides: where AWS words a pair of types from both sides, all wordings
// mean one edge.
func checkBothSides(t *testing.T, rows []pair) {
	type side struct{ user, used, name string }
	edges := map[[2]string]map[side][]pair{}
	for _, p := range rows {
		d := theTables.meaning(p.owner, p.verb, p.target)
		e, key := side{p.owner, p.target, d.name}, [2]string{p.owner, p.target}
		if d.inverse {
			e.user, e.used = e.used, e.user
		}
		if key[0] > key[1] {
			key[0], key[1] = key[1], key[0]
		}
		if edges[key] == nil {
			edges[key] = map[side][]pair{}
		}
		edges[key][e] = append(edges[key][e], p)
	}
	for key, sides := range edges {
		if len(sides) > 1 {
			t.Errorf("%v: several edges: %v", key, sides)
		}
	}
}
