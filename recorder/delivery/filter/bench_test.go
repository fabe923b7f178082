package filter_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

// instance is a document of about 4 KB.
func instance(state string) []byte {
	var b strings.Builder
	b.WriteString(`{"blockDeviceMappings":[`)
	for i := range 12 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"deviceName":"/dev/sd%c","ebs":{"attachTime":"2025-03-01T12:00:00.000Z","deleteOnTermination":%v,"encrypted":true,"iops":%d,"status":"attached","volumeId":"vol-0123456789abcdef%d"},"tags":[{"key":"env","value":"prod"}]}`,
			'a'+i, i%2 == 0, 3000+i, i)
	}
	fmt.Fprintf(&b, `],"cpuOptions":{"coreCount":4,"threadsPerCore":2},"instanceId":"i-1","instanceType":"p4d.24xlarge","securityGroups":[{"groupId":"sg-1","groupName":"web"}],"state":{"code":16,"name":%q},"vpcId":"vpc-1"}`, state)
	return []byte(b.String())
}

func BenchmarkMatch(b *testing.B) {
	event := func() *feed.Event {
		before, after := item(1, small), item(2, large)
		before.State.Configuration, after.State.Configuration = instance("pending"), instance("running")
		return feed.New(change(history.Updated, 2), before, after)
	}
	for name, text := range map[string]string{
		"type":          `type == "AWS::EC2::SecurityGroup"`,
		"paths":         `changed("/configuration/state")`,
		"configuration": `after.configuration.state.name == "running"`,
		"loop":          `after.configuration.blockDeviceMappings.exists(d, d.ebs.iops == 3011)`,
	} {
		f := compile(b, text)
		b.Run(name+"/warm", func(b *testing.B) {
			e := event()
			b.ReportAllocs()
			for b.Loop() {
				if _, undecided := f.Match(b.Context(), e); undecided != nil {
					b.Fatal(undecided)
				}
			}
		})
		b.Run(name+"/cold", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, undecided := f.Match(b.Context(), event()); undecided != nil {
					b.Fatal(undecided)
				}
			}
		})
	}
	b.Run("none/cold", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			event()
		}
	})
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		compile(b, `type == "AWS::EC2::SecurityGroup" && changed("/configuration/ipPermissions") && tags.env == "prod"`)
	}
}
