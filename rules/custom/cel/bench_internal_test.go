package cel

import (
	"context"
	"testing"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// BenchmarkEvaluation is what it takes to judge a version that is like no other.
func BenchmarkEvaluation(b *testing.B) {
	j, err := Compile(&rules.Rule{Compliant: `!sg.ingress(config).exists(p, sg.world(p) && sg.covers(p, "tcp", 22))`})
	if err != nil {
		b.Fatal(err)
	}
	item := history.Item{State: history.State{Configuration: []byte(`{"description":"web tier","groupId":"sg-00000001","groupName":"web","ipPermissions":[` +
		`{"fromPort":443,"ipProtocol":"tcp","ipRanges":["10.0.0.0/8"],"ipv4Ranges":[{"cidrIp":"10.0.0.0/8"}],"ipv6Ranges":[],"prefixListIds":[],"toPort":443,"userIdGroupPairs":[]},` +
		`{"fromPort":8443,"ipProtocol":"tcp","ipRanges":["0.0.0.0/0"],"ipv4Ranges":[{"cidrIp":"0.0.0.0/0"}],"ipv6Ranges":[],"prefixListIds":[],"toPort":8443,"userIdGroupPairs":[]}],` +
		`"ipPermissionsEgress":[{"ipProtocol":"-1","ipRanges":["0.0.0.0/0"],"ipv4Ranges":[{"cidrIp":"0.0.0.0/0"}],"ipv6Ranges":[],"prefixListIds":[],"userIdGroupPairs":[]}],` +
		`"ownerId":"111122223333","tags":[{"key":"release","value":"7"}],"vpcId":"vpc-0a1b2c3d"}`)}}
	made := j.(*judge)
	evaluate := func(b *testing.B, d *rules.Decoded) {
		v, _, err := made.judge(context.Background(), &rules.Subject{Item: d})
		if err != nil || v.Compliance != rules.Compliant {
			b.Fatal(v, err)
		}
	}
	b.Run("Parts", func(b *testing.B) { // what it takes to find out that it is like another
		for b.Loop() {
			if _, ok := made.parts.digest(&rules.Decoded{Item: item}); !ok {
				b.Fatal("the rule cannot tell what it reads")
			}
		}
	})
	b.Run("All", func(b *testing.B) {
		for b.Loop() {
			evaluate(b, &rules.Decoded{Item: item})
		}
	})
	b.Run("Decoded", func(b *testing.B) {
		decoded := &rules.Decoded{Item: item}
		for b.Loop() {
			evaluate(b, decoded)
		}
	})
}
