package format_test

import (
	"bytes"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/diff"
	"github.com/varvehq/varve/recorder"
	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/format"
	"github.com/varvehq/varve/recorder/source/awsconfig"
)

// document is what data has, with JSON as it stands.
type document struct {
	Change     jsontext.Value   `json:"change"`
	Before     jsontext.Value   `json:"before"`
	After      jsontext.Value   `json:"after"`
	Patch      jsontext.Value   `json:"patch"`
	Attributes jsontext.Value   `json:"attributes"`
	Paths      []string         `json:"paths"`
	Opened     []jsontext.Value `json:"opened"`
	Closed     []jsontext.Value `json:"closed"`
	Cause      jsontext.Value   `json:"cause"`
	Compacted  bool             `json:"compacted"`
}

func decode(t rapid.TB, text []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(text, v); err != nil { // refuses duplicate names and what is not UTF-8
		t.Fatalf("%v\n%s", err, text)
	}
}

// TestEveryMessage: whatever changes, the message is JSON and has every digit.
func TestEveryMessage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := notices.Draw(t, "notice")
		ids := map[string]bool{}
		for _, name := range format.Names() {
			m := encode(t, name, n)
			again := encode(t, name, n)
			if m.ID != again.ID || !bytes.Equal(m.Body, again.Body) {
				t.Fatalf("%s: not the same twice", name)
			}
			if bytes.IndexByte(bytes.TrimSuffix(m.Body, []byte("\n")), '\n') >= 0 {
				t.Fatalf("%s: more than a line", name)
			}
			ids[m.ID] = true
			check[name](t, n, m)
		}
		if len(ids) != 1 {
			t.Fatalf("ids depend on the format: %v", ids)
		}
	})
}

var check = map[string]func(t rapid.TB, n *delivery.Notice, m delivery.Message){
	"cloudevents": func(t rapid.TB, n *delivery.Notice, m delivery.Message) {
		checkCloudEvent(t, n, m.Body)
	},
	"cloudevents-batch": func(t rapid.TB, n *delivery.Notice, m delivery.Message) {
		var list []jsontext.Value
		decode(t, m.Body, &list)
		if len(list) != 1 {
			t.Fatalf("%d events", len(list))
		}
		checkCloudEvent(t, n, list[0])
	},
	"ndjson": func(t rapid.TB, n *delivery.Notice, m delivery.Message) {
		if !bytes.HasSuffix(m.Body, []byte("}\n")) {
			t.Fatal("no line")
		}
		var line struct {
			Sequence string `json:"sequence"`
			Previous string `json:"previous"`
			document
		}
		decode(t, m.Body, &line)
		if line.Sequence != "42" || line.Previous != "40" {
			t.Fatalf("%+v", line)
		}
		checkDocument(t, n, line.document)
	},
	"aws-config": checkAWS,
	"slack": func(t rapid.TB, _ *delivery.Notice, m delivery.Message) {
		var body map[string]string
		decode(t, m.Body, &body)
		text := body["text"]
		if len(body) != 1 || text == "" || utf8.RuneCountInString(text) > 4000 {
			t.Fatalf("%d characters in %s", utf8.RuneCountInString(text), m.Body)
		}
		outside := ""
		for i, part := range strings.Split(text, "`") {
			if i%2 == 0 {
				outside += part
			}
		}
		if strings.ContainsAny(text, "<>") || strings.Count(text, "`")%2 != 0 || strings.ContainsAny(outside, "@!\"\\{[") {
			t.Fatalf("not escaped: %s", text)
		}
	},
}

func checkCloudEvent(t rapid.TB, n *delivery.Notice, text []byte) {
	t.Helper()
	var event map[string]jsontext.Value
	decode(t, text, &event)
	for name, value := range event {
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			t.Fatalf("attribute %q", name)
		}
		if name != "data" && value.Kind() == '"' {
			var s string
			decode(t, value, &s)
			if s == "" || strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f && r <= 0x9f || r&0xfffe == 0xfffe }) >= 0 {
				t.Fatalf("attribute %s: %q", name, s)
			}
		}
	}
	if string(event["sequence"]) != `"00000000000000000042"` || string(event["previous"]) != `"00000000000000000040"` {
		t.Fatalf("%s after %s", event["sequence"], event["previous"])
	}
	var d document
	decode(t, event["data"], &d)
	checkDocument(t, n, d)
}

// checkDocument holds what is told of a change to the HTTP API's own words and to
// the patches.
func checkDocument(t rapid.TB, n *delivery.Notice, d document) {
	t.Helper()
	same(t, d.Change, wire.ChangeToProto(n.Change))
	if d.Compacted != n.Compacted {
		t.Fatal("compacted")
	}
	for _, side := range []struct {
		text jsontext.Value
		item *history.Item
	}{{d.Before, &n.Before}, {d.After, &n.After}} {
		if side.item.Version == 0 {
			if string(side.text) != "null" {
				t.Fatalf("%s for none", side.text)
			}
			continue
		}
		same(t, side.text, wire.ItemToProto(*side.item))
	}
	for _, c := range []struct {
		patch         jsontext.Value
		before, after []byte
	}{
		{d.Patch, n.Before.State.Configuration, n.After.State.Configuration},
	} {
		var patch diff.Patch
		if err := patch.UnmarshalJSON(c.patch); err != nil {
			t.Fatal(err)
		}
		got, err := diff.Apply(c.before, patch)
		if err != nil || !bytes.Equal(got, c.after) {
			t.Fatalf("the patch makes %s, not %s (%v)", got, c.after, err)
		}
	}
	want, err := n.Difference()
	if err != nil {
		t.Fatal(err)
	}
	if !n.Compacted && !slices.Equal(d.Paths, want.Paths) {
		t.Fatalf("paths %q, not %q", d.Paths, want.Paths)
	}
	if r := n.References(); !n.Compacted && (len(d.Opened) != len(r.Opened) || len(d.Closed) != len(r.Closed)) {
		t.Fatalf("references %s and %s, not %v", d.Opened, d.Closed, r)
	}
}

// same holds JSON to what protocol buffers make of the message, as the gateway
// answers it: documents as they are instead of their bytes in base64.
func same(t rapid.TB, got jsontext.Value, m proto.Message) {
	t.Helper()
	text, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]jsontext.Value
	decode(t, text, &want)
	unpack := func(v jsontext.Value) jsontext.Value {
		var j struct {
			Raw string `json:"raw"`
		}
		decode(t, v, &j)
		raw, err := base64.StdEncoding.DecodeString(j.Raw)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	for _, name := range []string{"configuration", "extras"} {
		if v, ok := want[name]; ok {
			want[name] = unpack(v)
		}
	}
	if v, ok := want["supplementary"]; ok {
		var docs map[string]jsontext.Value
		decode(t, v, &docs)
		for name, v := range docs {
			docs[name] = unpack(v)
		}
		if want["supplementary"], err = json.Marshal(docs); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	a, b := canonicalOf(t, got), canonicalOf(t, whole)
	if !bytes.Equal(a, b) {
		t.Fatalf("got  %s\nwant %s", a, b)
	}
}

// canonicalOf sorts members and leaves numbers alone.
func canonicalOf(t rapid.TB, text []byte) []byte {
	t.Helper()
	out, err := jsontext.AppendFormat(nil, text, jsontext.ReorderRawObjects(true))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return out
}

// checkAWS reads the notification as Varve reads those of AWS Config, and replays
// its diff.
func checkAWS(t rapid.TB, n *delivery.Notice, m delivery.Message) {
	t.Helper()
	var body struct {
		Diff struct {
			Changed map[string]property `json:"changedProperties"`
			Type    string              `json:"changeType"`
		} `json:"configurationItemDiff"`
		Item        jsontext.Value `json:"configurationItem"`
		Time        string         `json:"notificationCreationTime"`
		MessageType string         `json:"messageType"`
		Version     string         `json:"recordVersion"`
	}
	decode(t, m.Body, &body)
	if body.MessageType != "ConfigurationItemChangeNotification" || body.Version != "1.3" || body.Time != "2026-03-01T09:30:00.250Z" {
		t.Fatalf("%s", m.Body)
	}
	if n.Compacted {
		return
	}
	back, _, err := awsconfig.NewReader(bytes.NewReader(m.Body), awsconfig.Options{}).Next()
	if err == nil {
		err = recorder.New(nil, recorder.Options{}).Prepare(&back)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, m.Body)
	}
	if got, want := back.State.AppendContent(nil), n.After.State.AppendContent(nil); !bytes.Equal(got, want) {
		t.Fatalf("read back as %q, not %q\n%s", got, want, m.Body)
	}
	want := map[[2]bool]string{{false, true}: "CREATE", {true, true}: "UPDATE", {true, false}: "DELETE", {false, false}: "NONE"}
	if body.Diff.Type != want[[2]bool{n.Before.Exists(), n.After.Exists()}] {
		t.Fatalf("changeType %s", body.Diff.Type)
	}
	if !n.Before.Exists() {
		if len(body.Diff.Changed) > 0 {
			t.Fatalf("a resource that appears has %v", slices.Sorted(maps.Keys(body.Diff.Changed)))
		}
		return
	}
	before, err := awsconfig.Append(nil, &n.Before)
	if err != nil {
		t.Fatal(err)
	}
	explain(t, before, body.Item, body.Diff.Changed, !n.After.Exists())
}
