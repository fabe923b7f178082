package format_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/format"
)

// BenchmarkEncode writes a change in each format, of a security group with one rule
// and of one with 200, and beside them, as copy, the two documents alone: what any
// writer of before and after must do at least if it looks at what it writes.
// bytes/event is the length of what one notice becomes.
func BenchmarkEncode(b *testing.B) {
	b.Run("small", func(b *testing.B) { benchmarkEncode(b, cases(b)["updated"]) })
	b.Run("large", func(b *testing.B) {
		before, after := group("10.0.0.0/8"), group("10.0.0.0/8")
		rules := func(last string) []byte {
			var list []string
			for i := range 200 {
				list = append(list, fmt.Sprintf(`{"fromPort":%d,"ipProtocol":"tcp","ipRanges":["10.%d.0.0/16"],"toPort":%d}`, i, i, i))
			}
			return []byte(`{"groupId":"sg-1","ipPermissions":[` + strings.Join(list, ",") + `,` + last + `],"vpcId":"vpc-1"}`)
		}
		before.State.Configuration, after.State.Configuration = rules(`{"toPort":1}`), rules(`{"toPort":2}`)
		benchmarkEncode(b, noticeOf(b, before, after))
	})
}

func benchmarkEncode(b *testing.B, n *delivery.Notice) {
	for _, name := range format.Names() {
		f := formatOf(b, name)
		list := make([]*delivery.Notice, f.Batches())
		for i := range list {
			list[i] = n
		}
		b.Run(name, func(b *testing.B) {
			size := 0
			b.ReportAllocs()
			for i := 0; i < b.N; i += len(list) {
				m, err := f.Encode(list, now)
				if err != nil {
					b.Fatal(err)
				}
				size = len(m.Body) / len(list)
			}
			b.ReportMetric(float64(size), "bytes/event")
		})
	}
	b.Run("copy", func(b *testing.B) {
		b.ReportAllocs()
		size := 0
		for range b.N {
			var out []byte
			for _, doc := range [][]byte{n.Before.State.Configuration, n.After.State.Configuration} {
				var err error
				if out, err = jsontext.AppendFormat(out, doc); err != nil {
					b.Fatal(err)
				}
			}
			size = len(out)
		}
		b.ReportMetric(float64(size), "bytes/event")
	})
}
