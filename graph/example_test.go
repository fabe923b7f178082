package graph_test

import (
	"fmt"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
)

// A version's claims are joined with those of all that lives at the same
// moment. Who is told of is the user or the used, whichever of the two tells it.
func ExampleJoin() {
	var owners []graph.Owner
	for _, r := range []struct{ typ, id, configuration string }{
		{"AWS::EC2::Instance", "i-0a1b2c3d", `{"securityGroups":[{"groupId":"sg-0a1b2c3d"}]}`},
		{"AWS::EC2::Volume", "vol-0a1b2c3d", `{"attachments":[{"instanceId":"i-0a1b2c3d"}]}`},
		{"AWS::EC2::SecurityGroup", "sg-0a1b2c3d", `{}`},
	} {
		k := history.Key{Account: "111122223333", Region: "eu-west-1", Type: r.typ, ID: r.id}
		s := history.State{Configuration: []byte(r.configuration)}
		owners = append(owners, graph.Owner{Key: k, Claims: graph.Extract(k, &s)})
	}
	for _, e := range graph.Join(owners, graph.Populate(owners)) {
		fmt.Printf("%s: %s %s (%s)\n", e.From.ID, e.Name, e.To.ID, e.Reasons[0])
	}
	// Output:
	// i-0a1b2c3d: Is associated with sg-0a1b2c3d (/securityGroups/0/groupId)
	// i-0a1b2c3d: Is attached to vol-0a1b2c3d (/attachments/0/instanceId)
}
