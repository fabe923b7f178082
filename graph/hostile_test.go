package graph_test

import (
	"strings"
	"testing"
	"time"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
)

// TestHostileDocuments: whatever a document holds, its extraction ends soon and
// what it claims has bounds.
func TestHostileDocuments(t *testing.T) {
	const n = 1 << 20
	docs := map[string]string{
		"Brackets":    strings.Repeat("[", n),
		"Objects":     strings.Repeat(`{"a":`, n/5),
		"Quotes":      strings.Repeat(`"`, n),
		"Backslashes": `"` + strings.Repeat(`\`, n),
		"Escapes":     `["` + strings.Repeat(`\"`, n/2) + `"]`,
		"Braces":      `{"a":"` + strings.Repeat("${", n/2) + `"}`,
		"Nested":      `{"a":"{` + strings.Repeat(`\"arn:`, n/6) + `}"}`,
		"Subs":        `{"Fn::Sub":"` + strings.Repeat("${A}", n/4) + `"}`,
		"Deep":        strings.Repeat(`{"a":`, 500) + `["` + strings.Repeat(`subnet-0a1b2c3d","`, n/18) + `"]` + strings.Repeat("}", 500),
		"Templates":   `{"a":"` + strings.Repeat(`%{ \"${`, n/7) + `"}`,
		"Selectors":   `{"spec":{"podSelector":{"matchLabels":{"` + strings.Repeat(`a":"b","`, n/8) + `x":"y"}}}}`,
	}
	for _, k := range []history.Key{
		{Type: "AWS::EC2::Instance", ID: "i-1"}, {Type: "AWS::EC2::Instance", ID: "t#I"}, {Type: "aws_instance", ID: "d:aws_instance.a"},
		{Type: "Kubernetes::networking.k8s.io::NetworkPolicy", ID: "a/b"},
	} {
		for name, doc := range docs {
			begin := time.Now()
			c := graph.Extract(k, &history.State{Configuration: []byte(doc), Supplementary: map[string][]byte{"a": []byte(doc)}})
			if took := time.Since(begin); took > 20*time.Second {
				t.Errorf("%v %s: %v", k, name, took)
			}
			size := 0
			for _, l := range c.Links(k) {
				size += len(l.Term) + len(l.Detail)
			}
			if size > 1<<20 {
				t.Errorf("%v %s: %d bytes of links", k, name, size)
			}
		}
	}
}
