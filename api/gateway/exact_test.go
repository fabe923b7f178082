package gateway_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"github.com/varvehq/varve/api/internal/apitest"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history/bolt"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/recorder/canonical"
)

// hostile draws JSON of the kinds that other programs lose something of.
func hostile(t *rapid.T, depth int) string {
	scalars := []string{
		"12345678901234567890", "-0", "1.0", "1", "1e400", "-1E-400", "0.1000000000000000055511151231257827", "1e+2", "0e0",
		"true", "false", "null", `""`, `"\u0000"`, `"\ud83e\udd80"`, `"🦀"`, `"\/<>&\u2028"`, `"\u00e9"`, `"é"`, `"\ufffd"`, `"\b\f\n\r\t\u001f\u007f"`,
	}
	kind := rapid.IntRange(0, 9).Draw(t, "kind")
	if depth == 0 {
		kind = min(kind, 5)
	}
	switch {
	case kind < 5:
		return rapid.SampledFrom(scalars).Draw(t, "scalar")
	case kind == 5:
		text, _ := jsontext.AppendQuote(nil, rapid.String().Draw(t, "text"))
		return string(text)
	case kind < 8:
		var members []string
		for _, name := range rapid.SliceOfNDistinct(rapid.OneOf(rapid.SampledFrom([]string{"", "a", "\x00", "é", "🦀", "\ue000", "~/"}), rapid.String()),
			0, 4, rapid.ID[string]).Draw(t, "names") {
			quoted, _ := jsontext.AppendQuote(nil, name)
			members = append(members, string(quoted)+blank(t)+":"+hostile(t, depth-1))
		}
		return "{" + strings.Join(members, ","+blank(t)) + "}"
	}
	var elements []string
	for range rapid.IntRange(0, 4).Draw(t, "length") {
		elements = append(elements, hostile(t, depth-1))
	}
	return "[" + blank(t) + strings.Join(elements, blank(t)+",") + "]"
}

func blank(t *rapid.T) string { return rapid.SampledFrom([]string{"", " ", "\n\t"}).Draw(t, "blank") }

// bothWays records a document over HTTP and reads it over gRPC and HTTP.
func bothWays(t rapid.TB, d *apitest.Doors, tt *testing.T, id, doc string) {
	t.Helper()
	want, err := canonical.Form([]byte(doc), canonical.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	quoted, _ := json.Marshal(id)
	code, body := d.Post(tt, "/v1/items:batchRecord", fmt.Sprintf(
		`{"observations":[{"key":{"type":"T","id":%s},"capturedAt":"2026-03-01T00:00:00.123456Z","configuration":%s,"supplementary":{"":%s,"x":null},"extras":{"m":%s}}]}`,
		quoted, doc, doc, doc))
	if code != 200 || !bytes.Contains(body, []byte(`"outcome":"OUTCOME_RECORDED"`)) {
		t.Fatalf("%d %.500s", code, body)
	}

	item, err := d.History.LookupItem(tt.Context(), &varvev1.LookupItemRequest{Type: "T", Id: id})
	if err != nil {
		t.Fatal(err)
	}
	extras := `{"m":` + string(want) + `}`
	for name, got := range map[string][]byte{
		"configuration": item.GetConfiguration().GetRaw(), "supplementary": item.GetSupplementary()[""].GetRaw(),
	} {
		if !bytes.Equal(got, want) {
			t.Fatalf("gRPC: %s is %.300s, want %.300s", name, got, want)
		}
	}
	if got := string(item.GetExtras().GetRaw()); got != extras {
		t.Fatalf("gRPC: extras are %.300s", got)
	}

	code, body = d.Get(tt, "/v1/items:lookup?type=T&id="+url.QueryEscape(id))
	if code != 200 {
		t.Fatalf("%d %.500s", code, body)
	}
	for _, part := range []string{
		`"configuration":` + string(want) + `,"supplementary":{"":` + string(want) + `,"x":null},"relationships":[]`,
		`"extras":` + extras + `,`, `"capturedAt":"2026-03-01T00:00:00.123456Z"`, `"revision":"`,
	} {
		if !bytes.Contains(body, []byte(part)) {
			t.Fatalf("HTTP: no %.300s in %.600s", part, body)
		}
	}
}

func TestExactness(t *testing.T) {
	t.Run("Memory", func(t *testing.T) { exactness(t, open(t, apitest.Options{})) })
	t.Run("Bolt", func(t *testing.T) {
		store, err := bolt.Open(t.TempDir(), bolt.Options{Linker: graph.Linker{}, NoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		exactness(t, open(t, apitest.Options{Store: store}))
	})
}

func exactness(t *testing.T, d *apitest.Doors) {
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		doc := hostile(rt, 4)
		if doc == "null" {
			doc = "[null]"
		}
		n++
		bothWays(rt, d, t, fmt.Sprint("r", n), doc)
	})
	for name, doc := range map[string]string{
		"deep":   strings.Repeat(`{"":[`, 255) + `{"a":1.0}` + strings.Repeat(`]}`, 255),
		"large":  `"` + strings.Repeat(`\u0000é🦀x`, 100_000) + `"`,
		"top":    ` [ 1 , "two" ] `,
		"string": `"{}"`,
		"number": `-0.0e-0`,
	} {
		t.Run(name, func(t *testing.T) { bothWays(t, d, t, name, doc) })
	}
}

// TestRefusedDocuments: a bad document refuses its observation and no other.
func TestRefusedDocuments(t *testing.T) {
	d := open(t, apitest.Options{})
	for name, c := range map[string]struct{ doc, pointer string }{
		"DuplicateKey":  {`{"a":[{"b":1,"\u0062":2}]}`, "/a/0"},
		"LoneSurrogate": {`{"a":{"x":"\ud800"}}`, "/a/x"},
		"InvalidUTF8":   {"{\"a\":[\"\xff\"]}", "/a/0"},
		"TooDeep":       {strings.Repeat("[", 513) + strings.Repeat("]", 513), strings.Repeat("/0", 512)},
		"LoneKey":       {`{"\udc00":1}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			code, body := d.Post(t, "/v1/items:batchRecord", fmt.Sprintf(
				`{"observations":[{"key":{"type":"T","id":"bad"},"configuration":%s},{"key":{"type":"T","id":%q},"configuration":{}}]}`, c.doc, name))
			var answer struct {
				Results []struct {
					Outcome string
					Error   *apitest.Fault
				}
			}
			if err := json.Unmarshal(body, &answer); err != nil || code != 200 || len(answer.Results) != 2 {
				t.Fatalf("%d %s", code, body)
			}
			if answer.Results[0].Outcome != "OUTCOME_REFUSED" || answer.Results[1].Outcome != "OUTCOME_RECORDED" {
				t.Fatalf("%s", body)
			}
			meta := answer.Results[0].Error.Details[0].Metadata
			if meta["field"] != "configuration" || !strings.HasPrefix(c.pointer, strings.TrimSuffix(meta["pointer"], "…")) {
				t.Errorf("%v", meta)
			}
		})
	}
}

// TestNullIsNoConfiguration: over HTTP as over gRPC.
func TestNullIsNoConfiguration(t *testing.T) {
	d := open(t, apitest.Options{})
	code, body := d.Post(t, "/v1/items:batchRecord",
		`{"observations":[{"key":{"type":"T","id":"a"},"deleted":true,"configuration":null,"tags":null},{"key":{"type":"T","id":"b"},"configuration":null}]}`)
	if code != 200 || !bytes.Contains(body, []byte(`"kind":"deleted"`)) || !bytes.Contains(body, []byte(`configuration is required`)) {
		t.Errorf("%d %s", code, body)
	}
}

// TestPatchOfNull: a value that is null is there, a value that is not there is
// not.
func TestPatchOfNull(t *testing.T) {
	d := open(t, apitest.Options{})
	for i, doc := range []string{`{"a":1,"b":1}`, `{"a":null}`} {
		code, body := d.Post(t, "/v1/items:batchRecord", fmt.Sprintf(
			`{"observations":[{"key":{"type":"T","id":"x"},"capturedAt":"2026-03-0%dT00:00:00Z","configuration":%s}]}`, i+1, doc))
		if code != 200 {
			t.Fatalf("%d %s", code, body)
		}
	}
	code, body := d.Get(t, "/v1/items:diff?type=T&id=x&from=v1&to=v2&readMask=version")
	const want = `{"from":{"version":1},"to":{"version":2},"patch":[{"op":"replace","path":"/a","value":null},{"op":"remove","path":"/b"}],"attributes":[]}`
	if code != 200 || string(body) != want {
		t.Errorf("%d %s", code, body)
	}
}
