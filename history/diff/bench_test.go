package diff_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/varvehq/varve/history/diff"
)

// ordinary is a configuration of about 2 KB before and after an ordinary change:
// a new image, a new variable, another replica.
func ordinary() (before, after []byte) {
	var env []string
	for i := range 20 {
		env = append(env, fmt.Sprintf(`{"name":"SETTING_%02d","value":"the value of setting %d"}`, i, i))
	}
	text := `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"annotations":{"deployment.kubernetes.io/revision":"7"},
"labels":{"app.kubernetes.io/name":"web","team":"platform"},"name":"web","namespace":"shop"},"spec":{"replicas":2,
"selector":{"matchLabels":{"app.kubernetes.io/name":"web"}},"template":{"metadata":{"labels":{"app.kubernetes.io/name":"web"}},
"spec":{"containers":[{"name":"web","image":"registry.example.org/shop/web:1.4.2","env":[` + strings.Join(env, ",") + `],
"ports":[{"containerPort":8080,"name":"http","protocol":"TCP"},{"containerPort":9090,"name":"metrics","protocol":"TCP"}],
"resources":{"limits":{"cpu":"500m","memory":"512Mi"},"requests":{"cpu":"100m","memory":"256Mi"}}},
{"name":"sidecar","image":"registry.example.org/shop/proxy:2.0","args":["--listen=:8443","--upstream=127.0.0.1:8080"]}],
"volumes":[{"name":"tmp","emptyDir":{}},{"name":"certs","secret":{"secretName":"web-tls"}}]}}}}`
	edited := strings.NewReplacer("web:1.4.2", "web:1.5.0", `"replicas":2`, `"replicas":3`, `"revision":"7"`, `"revision":"8"`,
		env[5], env[5]+`,{"name":"SETTING_NEW","value":"x"}`).Replace(text)
	return []byte(text), []byte(edited)
}

// wide is an array of objects before and after three scattered edits.
func wide(n int) (before, after []byte) {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`{"cidr":"10.%d.%d.0/24","description":"network %d"}`, i/256, i%256, i)
	}
	text := "[" + strings.Join(list, ",") + "]"
	list[n/2] = `{"cidr":"192.168.0.0/16","description":"home"}`
	list[n-2] = strings.Replace(list[n-2], "network", "subnet", 1)
	list = append([]string{`{"cidr":"172.16.0.0/12","description":"new"}`}, list...)
	return []byte(text), []byte("[" + strings.Join(list, ",") + "]")
}

func BenchmarkOrdinary(b *testing.B) { benchmark(b, ordinary) }

func BenchmarkArray8000(b *testing.B) {
	benchmark(b, func() (before, after []byte) { return wide(8000) })
}

func benchmark(b *testing.B, documents func() (before, after []byte)) {
	before, after := documents()
	for _, opts := range []diff.Options{{}, {LCS: true}} {
		b.Run(fmt.Sprintf("Compute/LCS=%t", opts.LCS), func(b *testing.B) {
			b.SetBytes(int64(len(before) + len(after)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := diff.Compute(before, after, opts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("Apply", func(b *testing.B) {
		patch, err := diff.Compute(before, after, diff.Options{LCS: true})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := diff.Apply(before, patch); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Changes", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := diff.Changes(before, after, diff.ViewOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Render", func(b *testing.B) {
		changes, err := diff.Changes(before, after, diff.ViewOptions{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if err := diff.Render(io.Discard, changes, true); err != nil {
				b.Fatal(err)
			}
		}
	})
}
