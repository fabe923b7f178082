package format_test

import (
	"bytes"
	"encoding/base64"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/encoding/protojson"
	"pgregory.net/rapid"

	"github.com/varvehq/varve/api/wire"
)

// TestAsInTheStream: what a subscription tells of a change is what WatchChanges
// tells of it over HTTP, but for what belongs to the stream itself.
func TestAsInTheStream(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := notices.Draw(t, "notice")
		p, err := wire.EventToProto(n.Event)
		if err != nil {
			t.Fatal(err)
		}
		text, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var want map[string]jsontext.Value
		decode(t, text, &want)
		for _, own := range []string{"previous", "reduced", "filterError"} {
			delete(want, own)
		}
		var event struct {
			Data map[string]jsontext.Value `json:"data"`
		}
		decode(t, encode(t, "cloudevents", n).Body, &event)
		for _, side := range []string{"before", "after"} {
			if string(event.Data[side]) == "null" { // there is none: the stream leaves it out
				delete(event.Data, side)
			}
		}
		a, b := marshal(t, event.Data), unpacked(t, marshal(t, want))
		if a, b := canonicalOf(t, a), canonicalOf(t, b); !bytes.Equal(a, b) {
			t.Fatalf("got  %s\nwant %s", a, b)
		}
	})
}

func marshal(t rapid.TB, v any) jsontext.Value {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// unpacked has documents in place of the messages that hold their text in base64,
// as the gateway answers them.
func unpacked(t rapid.TB, v jsontext.Value) jsontext.Value {
	t.Helper()
	switch v.Kind() {
	case '{':
		var m map[string]jsontext.Value
		decode(t, v, &m)
		if raw, ok := m["raw"]; ok && len(m) == 1 && raw.Kind() == '"' {
			var packed string
			decode(t, raw, &packed)
			if text, err := base64.StdEncoding.DecodeString(packed); err == nil && jsontext.Value(text).IsValid() {
				return text
			}
		}
		for name := range m {
			m[name] = unpacked(t, m[name])
		}
		return marshal(t, m)
	case '[':
		var list []jsontext.Value
		decode(t, v, &list)
		for i := range list {
			list[i] = unpacked(t, list[i])
		}
		return marshal(t, list)
	}
	return v
}
