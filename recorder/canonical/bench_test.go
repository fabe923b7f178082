package canonical_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/varvehq/varve/recorder/canonical"
)

// BenchmarkForm sets this package against jsontext, on what comes in: a document
// of two kilobytes as an API gives it, the same without white space, the same in
// canonical form; and on documents that are hard in one way each.
func BenchmarkForm(b *testing.B) {
	instance, err := os.ReadFile("testdata/instance.json")
	if err != nil {
		b.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, instance); err != nil {
		b.Fatal(err)
	}
	form, err := canonical.Form(instance, canonical.Limits{})
	if err != nil {
		b.Fatal(err)
	}

	documents := []struct {
		name string
		src  []byte
	}{
		{"indented", instance},
		{"compact", compact.Bytes()},
		{"canonical", form},
		{"long string", []byte(`"` + strings.Repeat("configuration ", 70_000) + `"`)},
		{"JSON in a string", []byte(`"` + strings.Repeat(`{\"Effect\":\"Allow\",\"Action\":[\"s3:GetObject\"]}\n`, 2_000) + `"`)},
		{"respelt", []byte(`"` + strings.Repeat(`\u003cb\u003eR\u0026D\u003c\/b\u003e`, 4_000) + `"`)},
		{"beyond ASCII", []byte(`"` + strings.Repeat("größe 大きさ ", 6_000) + `"`)},
		{"wide", wide(100_000)},
		{"deep", deep(500, 1<<20)},
	}
	for _, d := range documents {
		b.Run(d.name+"/varve", func(b *testing.B) {
			var dst []byte
			b.SetBytes(int64(len(d.src)))
			b.ReportAllocs()
			for b.Loop() {
				if dst, err = canonical.Append(dst[:0], d.src, canonical.Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(d.name+"/jsontext", func(b *testing.B) {
			var dst []byte
			b.SetBytes(int64(len(d.src)))
			b.ReportAllocs()
			for b.Loop() {
				if dst, err = appendOracle(dst[:0], d.src); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// wide returns an object of n members whose keys descend.
func wide(n int) []byte {
	doc := []byte{'{'}
	for i := range n {
		if i > 0 {
			doc = append(doc, ',')
		}
		doc = fmt.Appendf(doc, `"key-%07d":%d`, n-i, i)
	}
	return append(doc, '}')
}

// deep returns objects nested to the depth, each out of order, around a string
// of the length.
func deep(depth, length int) []byte {
	var doc strings.Builder
	for range depth {
		doc.WriteString(`{"b":`)
	}
	doc.WriteString(`"` + strings.Repeat("x", length) + `"`)
	for range depth {
		doc.WriteString(`,"a":0}`)
	}
	return []byte(doc.String())
}
