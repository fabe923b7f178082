package graph_test

import (
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
)

func TestAsDeclared(t *testing.T) {
	for _, tt := range []struct {
		name, typ, configuration string
		want                     []history.Relationship
	}{
		{
			"the first generation names what the target is", "AWS::EC2::Instance",
			`{"instanceId":"i-1","networkInterfaces":[{"networkInterfaceId":"eni-1"}],"securityGroups":[{"groupId":"sg-2"},{"groupId":"sg-1"}],"subnetId":"subnet-1","vpcId":"vpc-1"}`,
			[]history.Relationship{
				{Name: "Contains NetworkInterface", Type: "AWS::EC2::NetworkInterface", ID: "eni-1"},
				{Name: "Is associated with SecurityGroup", Type: "AWS::EC2::SecurityGroup", ID: "sg-1"},
				{Name: "Is associated with SecurityGroup", Type: "AWS::EC2::SecurityGroup", ID: "sg-2"},
				{Name: "Is contained in Subnet", Type: "AWS::EC2::Subnet", ID: "subnet-1"},
				{Name: "Is contained in Vpc", Type: "AWS::EC2::VPC", ID: "vpc-1"},
			},
		},
		{
			"the later ones end in a blank, and name roles by their names", "AWS::Lambda::Function",
			`{"role":"arn:aws:iam::123456789012:role/service-role/thumbnails","vpcConfig":{"securityGroupIds":["sg-1"]}}`,
			[]history.Relationship{
				{Name: "Is associated with ", Type: "AWS::EC2::SecurityGroup", ID: "sg-1"},
				{Name: "Is associated with ", Type: "AWS::IAM::Role", ResourceName: "thumbnails"},
			},
		},
		{
			"from the side of the used one, too", "AWS::EC2::Volume", `{"attachments":[{"instanceId":"i-1"}],"kmsKeyId":"arn:aws:kms:eu-west-1:1:key/k"}`,
			[]history.Relationship{{Name: "Is attached to Instance", Type: "AWS::EC2::Instance", ID: "i-1"}},
		},
		{"none where AWS declares none", "AWS::EKS::Cluster", `{"ResourcesVpcConfig":{"SubnetIds":["subnet-1"]},"RoleArn":"arn:aws:iam::1:role/r"}`, nil},
		{"none of other providers", "Kubernetes::apps::Deployment", `{"spec":{"template":{"spec":{"serviceAccountName":"a"}}}}`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := history.Key{Account: "123456789012", Region: "eu-west-1", Type: tt.typ, ID: "x"}
			got := graph.AsDeclared(k, &history.State{Configuration: []byte(tt.configuration)})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

// TestRealSpelling holds the spelling against all relationships of which real
// items are known: each stands in the table as seen, or is derived from its target.
func TestRealSpelling(t *testing.T) {
	f, err := os.Open(needShared(t, "aws/relationships.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := os.ReadFile("spelling.tsv")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(ours), "\n")
	seen := 0
	for _, row := range strings.Split(strings.TrimRight(string(text), "\n"), "\n")[1:] {
		c := strings.Split(row, "\t")
		if c[3] == "" || c[5] == "1" {
			continue
		}
		var wire string
		if err := json.Unmarshal([]byte(c[3]), &wire); err != nil {
			t.Fatal(err)
		}
		noun := strings.TrimPrefix(wire, c[1]+" ")
		if noun == "" {
			noun = "-"
		}
		if want := strings.Join([]string{c[0], c[1], c[2], noun, "seen"}, "\t"); !slices.Contains(lines, want) {
			t.Errorf("no row %q", want)
		}
		seen++
	}
	if seen < 70 {
		t.Errorf("%d spellings to compare with", seen)
	}
}
