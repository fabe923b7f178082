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
	b.Run("Read", func(b *testing.B) {
		for b.Loop() {
			if _, ok := j.(*judge).parts.digest(&rules.Decoded{Item: item}); !ok {
				b.Fatal()
			}
		}
	})
	b.Run("All", func(b *testing.B) {
		for b.Loop() {
			v, _, err := j.(*judge).judge(context.Background(), &rules.Subject{Item: &rules.Decoded{Item: item}})
			if err != nil || v.Compliance != rules.Compliant {
				b.Fatal(v, err)
			}
		}
	})
	decoded := &rules.Decoded{Item: item}
	b.Run("Decoded", func(b *testing.B) {
		for b.Loop() {
			v, _, err := j.(*judge).judge(context.Background(), &rules.Subject{Item: decoded})
			if err != nil || v.Compliance != rules.Compliant {
				b.Fatal(v, err)
			}
		}
	})
}
