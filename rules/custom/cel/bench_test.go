package cel_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/custom/cel"
)

// group is a security group of n permissions.
func group(n int) string {
	var permissions []string
	for i := range n {
		permissions = append(permissions, `{"fromPort":`+strconv.Itoa(i+1000)+`,"ipProtocol":"tcp","ipRanges":["10.0.0.0/8"],"ipv4Ranges":[{"cidrIp":"10.0.0.0/8"}],"toPort":`+strconv.Itoa(i+1000)+`}`)
	}
	return `{"groupId":"sg-1","ipPermissions":[` + strings.Join(permissions, ",") + `],"ipPermissionsEgress":[]}`
}

var benchmarks = map[string]string{
	"Member":      `config.groupId == "sg-1"`,
	"ExactMember": `resource.configuration.groupId == "sg-1"`,
	"Made":        `config.ipPermissions.map(p, p.fromPort).size() == 10`,
	"Ports":       `!sg.ingress(config).exists(p, sg.world(p) && sg.covers(p, "tcp", 22))`,
}

// BenchmarkJudge judges one item again, which is decoded already: what a rule reads
// there is what it read before. Decode is what it costs to decode it once beside that.
// BenchmarkEvaluation is about what was not judged before.
func BenchmarkJudge(b *testing.B) {
	for name, condition := range benchmarks {
		j, err := cel.Compile(&rules.Rule{Compliant: condition})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			s := &rules.Subject{Item: item(group(10))}
			for b.Loop() {
				if v, err := j.Judge(context.Background(), s); err != nil || v.Compliance != rules.Compliant {
					b.Fatal(v, err)
				}
			}
		})
	}
	b.Run("Decode", func(b *testing.B) {
		j, err := cel.Compile(&rules.Rule{Compliant: benchmarks["Member"]})
		if err != nil {
			b.Fatal(err)
		}
		decoded := item(group(10)).Item
		for b.Loop() {
			if v, err := j.Judge(context.Background(), &rules.Subject{Item: &rules.Decoded{Item: decoded}}); err != nil || v.Compliance != rules.Compliant {
				b.Fatal(v, err)
			}
		}
	})
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, err := cel.Compile(&rules.Rule{Compliant: benchmarks["Ports"]}); err != nil {
			b.Fatal(err)
		}
	}
}

// Any number of goroutines share a judge and a decoded item.
func TestJudgesAreShared(t *testing.T) {
	var judges []rules.Judge
	for _, condition := range []string{
		`config.ipPermissions.size() == 10 && resource.tags.env == "prod" && supplement.policy.version == "1"`,
		`!sg.ingress(config).exists(p, sg.world(p))`, `config.big == 1`, `config.gone == 1`,
		`resource.relationships.exists(r, r.id == "z") && resource.supplementary.Status.on == true`,
	} {
		j, err := cel.Compile(&rules.Rule{Compliant: condition})
		if err != nil {
			t.Fatal(err)
		}
		judges = append(judges, j)
	}
	for range 20 {
		shared := item(strings.Replace(group(10), `"groupId"`, `"big":123456789012345678901234567890,"groupId"`, 1))
		var wait sync.WaitGroup
		for i := range 4 * len(judges) {
			wait.Go(func() {
				want := rules.Compliant
				if n := i % len(judges); n == 2 || n == 3 {
					want = rules.Error
				}
				v, err := judges[i%len(judges)].Judge(context.Background(), &rules.Subject{Item: shared, Now: moment})
				if err != nil || v.Compliance != want {
					t.Errorf("%d: %v %v", i%len(judges), v, err)
				}
			})
		}
		wait.Wait()
	}
}
