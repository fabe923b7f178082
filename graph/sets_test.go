package graph_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
)

// shared is where the real sets lie, beside the checkout.
var shared = filepath.Join("..", "..", "shared")

// needShared skips without the files beside the checkout. CI has none either: a
// clone has no such neighbour.
func needShared(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(shared, filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		if testing.Short() {
			t.Skip("reads files beside the checkout")
		}
		t.Skipf("SKIP: ../shared/%s is not there: nothing real to test with", name)
	}
	return path
}

// live is a resource as a set leaves it.
type live struct {
	key   history.Key
	state history.State
}

// lastStates reads what of a set is alive at its end, in the order of keys.
func lastStates(t testing.TB, set string) []live {
	t.Helper()
	f, err := os.Open(needShared(t, "data/"+set+".ndjson.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	last := map[history.Key][]byte{}
	for text := range bytes.Lines(raw) {
		var k struct {
			Account, Region, Type, ID string
			Deleted                   bool
		}
		if err := json.Unmarshal(text, &k); err != nil {
			t.Fatal(err)
		}
		key := history.Key{Account: k.Account, Region: k.Region, Type: k.Type, ID: k.ID}
		if delete(last, key); !k.Deleted {
			last[key] = text
		}
	}
	all := make([]live, 0, len(last))
	for key, text := range last {
		var l struct {
			ARN, Name     string
			Tags          map[string]string
			Configuration json.RawMessage
		}
		if err := json.Unmarshal(text, &l); err != nil {
			t.Fatal(err)
		}
		s := history.State{ARN: l.ARN, Name: l.Name, Tags: l.Tags, Configuration: canonical(t, l.Configuration)}
		s.Normalize()
		all = append(all, live{key, s})
	}
	slices.SortFunc(all, func(a, b live) int { return a.key.Compare(b.key) })
	return all
}

// canonical is the form in which stores keep documents.
func canonical(t testing.TB, raw []byte) []byte {
	t.Helper()
	v := jsontext.Value(bytes.Clone(raw))
	if err := v.Canonicalize(jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false)); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return v
}

func owners(all []live) []graph.Owner {
	out := make([]graph.Owner, len(all))
	for i := range all {
		out[i] = graph.Owner{Key: all[i].key, Claims: graph.Extract(all[i].key, &all[i].state)}
	}
	return out
}

// count is how many edges of a kind a simple scan of a set's last state finds:
// strings that equal an id, members called so. Found are at least as many, or
// the reason is known.
type count struct {
	kind   string
	want   int
	is     func(e *graph.Relationship) bool // which edges count
	equal  string                           // or: those between a resource of this type and who holds its id
	fewer  int                              // how many there really are, where the scan finds more
	reason string                           // and why
}

// among counts the pairs of resources between which there are such edges.
func (c *count) among(states []live, edges []graph.Relationship) int {
	type pair struct{ a, b history.Key }
	pairs := map[pair]bool{}
	for i := range edges {
		if c.equal != "" || c.is(&edges[i]) {
			pairs[pair{edges[i].From, edges[i].To}] = true
		}
	}
	if c.equal == "" {
		return len(pairs)
	}
	targets := map[string]history.Key{}
	for i := range states {
		if k := states[i].key; k.Type == c.equal {
			targets[k.ID] = k
			if arn := ownARN(states[i].state.Configuration); arn != "" {
				targets[arn] = k
			}
		}
	}
	found := map[pair]bool{}
	for i := range states {
		d := jsontext.NewDecoder(bytes.NewReader(states[i].state.Configuration))
		for {
			token, err := d.ReadToken()
			if err != nil {
				break
			}
			target, ok := targets[token.String()]
			for _, p := range [...]pair{{states[i].key, target}, {target, states[i].key}} {
				if ok && pairs[p] {
					found[pair{states[i].key, target}] = true
				}
			}
		}
	}
	return len(found)
}

// ownARN is what a configuration calls its ARN, if it calls it so.
func ownARN(configuration []byte) string {
	var c struct{ Arn string }
	_ = json.Unmarshal(configuration, &c)
	return c.Arn
}

// to counts edges to resources of types that begin so.
func to(prefix string) func(*graph.Relationship) bool {
	return func(e *graph.Relationship) bool { return strings.HasPrefix(e.To.Type, prefix) }
}

// read counts edges for which one of the ends of pointers is a reason.
func read(ends ...string) func(*graph.Relationship) bool {
	return func(e *graph.Relationship) bool {
		return slices.ContainsFunc(e.Reasons, func(r graph.Reason) bool {
			return slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(string(r), end) })
		})
	}
}

// within counts edges with a step of that name in a reason.
func within(step string) func(*graph.Relationship) bool {
	return func(e *graph.Relationship) bool {
		return slices.ContainsFunc(e.Reasons, func(r graph.Reason) bool {
			return strings.Contains(string(r)+"/", "/"+step+"/")
		})
	}
}

const alike = "short names which are alike by chance: a database called test is no cache cluster called test"

// scans are the counts in the README of the sets.
var scans = []struct {
	set    string
	counts []count
}{
	{"aws-recorded", []count{
		{kind: "Subnet", want: 186, equal: "AWS::EC2::Subnet"},
		{kind: "VPC", want: 172, equal: "AWS::EC2::VPC"},
		{kind: "SecurityGroup", want: 106, equal: "AWS::EC2::SecurityGroup", fewer: 105, reason: "one stands in a tag"},
		{kind: "Role", want: 28, equal: "AWS::IAM::Role"},
		{kind: "CacheCluster", want: 40, is: to("AWS::ElastiCache::CacheCluster"), reason: alike},
		{kind: "Cluster", want: 34, is: to("AWS::ECS::Cluster"), fewer: 6, reason: alike},
	}},
	{"aws-cloudtrail-derived", []count{
		{kind: "VPC", want: 7, equal: "AWS::EC2::VPC"},
		{kind: "Subnet", want: 5, equal: "AWS::EC2::Subnet"},
		{kind: "Bucket", want: 2, equal: "AWS::S3::Bucket"},
		{kind: "InternetGateway", want: 1, equal: "AWS::EC2::InternetGateway"},
		{kind: "NetworkInterface", want: 1, equal: "AWS::EC2::NetworkInterface"},
		{kind: "InstanceProfile", want: 1, equal: "AWS::IAM::InstanceProfile"},
	}},
	{"aws-managed-policies", []count{{kind: "Policy", want: 15, is: to("AWS::IAM::Policy")}}},
	{"cfn-templates", []count{
		{kind: "Ref", want: 1635, is: read("/Ref")},
		{kind: "GetAtt", want: 475, is: read("/Fn::GetAtt", "/Fn::GetAtt/0")},
		{kind: "DependsOn", want: 223, is: within("DependsOn")},
		{kind: "Sub", want: 123, is: read("/Fn::Sub", "/Fn::Sub/0"), fewer: 118, reason: "five are variables of the Fn::Sub, whose own values are found as Ref"},
	}},
	{"gcp-audit", []count{
		{kind: "project", want: 1851, is: to("cloudresourcemanager.googleapis.com/Project")},
		{kind: "iam member", want: 70, is: within("members")},
		{kind: "log bucket", want: 1, is: read("/logBucket")},
		{kind: "topic", want: 1, is: read("/topic")},
	}},
	{"k8s-cloud-platform", []count{
		{kind: "namespace", want: 5303, is: read("/metadata/namespace")},
		{kind: "roleRef", want: 269, is: within("roleRef")},
	}},
	{"k8s-home-ops-a", []count{
		{kind: "chartRef", want: 69, is: within("chartRef")},
		{kind: "secretStoreRef", want: 36, is: within("secretStoreRef")},
		{kind: "dependsOn", want: 16, is: within("dependsOn")},
		{kind: "serviceAccountName", want: 1, is: within("serviceAccountName")},
		{kind: "issuerRef", want: 1, is: within("issuerRef")},
	}},
	{"tf-cloud-platform", []count{
		{kind: "module", want: 5814, is: to("module")},
		{kind: "data.aws", want: 1605, is: to("data.aws_")},
		{kind: "aws", want: 1519, is: to("aws_")},
		{kind: "random", want: 102, is: to("random_")},
		{kind: "data.kubernetes", want: 50, is: to("data.kubernetes_")},
		{kind: "data.github", want: 41, is: to("data.github_")},
		{kind: "all", want: 9200, is: to("")},
	}},
	{"tf-govuk-aws", []count{
		{kind: "aws", want: 311, is: to("aws_")},
		{kind: "data.aws", want: 99, is: to("data.aws_")},
		{kind: "data.terraform", want: 60, is: to("data.terraform_")},
		{kind: "data.template", want: 24, is: to("data.template_")},
		{kind: "module", want: 13, is: to("module")},
		{kind: "data.null", want: 4, is: to("data.null_")},
		{kind: "all", want: 524, is: to("")},
	}},
	{"gcp-growing-metadata", nil},
}

// TestScans joins the last state of every real set and compares the edges with
// those that a simple scan finds. With -v it prints the edges by relationship
// and source, and some of them to be checked by eye.
func TestScans(t *testing.T) {
	for _, scan := range scans {
		t.Run(scan.set, func(t *testing.T) {
			states := lastStates(t, scan.set)
			all := owners(states)
			edges := graph.Join(all, graph.Populate(all))
			for _, c := range scan.counts {
				switch found := c.among(states, edges); {
				case c.reason == "" && found < c.want:
					t.Errorf("%s: %d found, the scan finds %d", c.kind, found, c.want)
				case c.reason != "" && (found < c.fewer || found >= c.want):
					t.Errorf("%s: %d found, want %d to less than the scan's %d (%s)", c.kind, found, c.fewer, c.want, c.reason)
				case c.reason != "":
					t.Logf("%-20s %5d found, the scan finds %d: %s", c.kind, found, c.want, c.reason)
				default:
					t.Logf("%-20s %5d found, the scan finds %d", c.kind, found, c.want)
				}
			}
			if testing.Verbose() {
				printEdges(t, all, edges)
			}
		})
	}
}

// printEdges logs how many edges there are by relationship and source, and every
// so-manieth of each.
func printEdges(t *testing.T, all []graph.Owner, edges []graph.Relationship) {
	byName := map[[2]string][]graph.Relationship{}
	for _, e := range edges {
		source := "known shape"
		switch r := e.Reasons[0]; {
		case e.Reasons[len(e.Reasons)-1] == graph.Declared:
			source = "declared"
		case r == graph.Identity:
			source = "identity"
		case e.Name == "References" && !strings.Contains(e.From.ID, "#") && strings.ContainsAny(e.From.Type, ":/"):
			source = "identifier"
		}
		byName[[2]string{e.Name, source}] = append(byName[[2]string{e.Name, source}], e)
	}
	var references int
	for i := range all {
		references += len(all[i].Claims.References)
	}
	t.Logf("%d resources, %d references, %d edges", len(all), references, len(edges))
	keys := make([][2]string, 0, len(byName))
	for k := range byName {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b [2]string) int { return strings.Compare(a[0]+a[1], b[0]+b[1]) })
	for _, k := range keys {
		list := byName[k]
		t.Logf("%6d %s, %s", len(list), k[0], k[1])
		for i := range min(2, len(list)) {
			t.Log(strings.TrimSpace(edgeLines(list[(2*i+1)*len(list)/4 : (2*i+1)*len(list)/4+1])))
		}
	}
}
