package answer_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/cmd/internal/answer"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

var noon = timestamppb.New(time.Date(2026, 7, 18, 12, 0, 0, 120000000, time.UTC))

func marshal(t *testing.T, v any) string {
	t.Helper()
	b, err := answer.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestItem(t *testing.T) {
	least := &varvev1.Item{
		Key: &varvev1.ResourceKey{Type: "T", Id: "-/x"}, Version: 2, Status: "ResourceDeleted", Deleted: true,
		CapturedAt: noon, LastSeenAt: noon, RecordedAt: noon, Revision: 1<<64 - 1,
	}
	want := `{"account":"","region":"","type":"T","id":"-/x","name":"","tags":{},"status":"ResourceDeleted","version":2,` +
		`"capturedAt":"2026-07-18T12:00:00.12Z","lastSeenAt":"2026-07-18T12:00:00.12Z","recordedAt":"2026-07-18T12:00:00.12Z",` +
		`"revision":"18446744073709551615","configuration":null}`
	if got := marshal(t, answer.ItemOf(least)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}

	full := &varvev1.Item{
		Key: &varvev1.ResourceKey{Account: "1", Region: "r", Type: "T", Id: "i"}, Version: 1, Status: "OK",
		Name: "<n>", Arn: "a", AvailabilityZone: "z", CreatedAt: noon, Tags: map[string]string{"b": "2", "a": "1"},
		CapturedAt: noon, LastSeenAt: noon, RecordedAt: noon, Revision: 1,
		Configuration: &varvev1.Json{Raw: []byte(`{"big":12345678901234567890.10,"e":1E400,"m":-0,"s":"\u0000&\u2028"}`)},
		Supplementary: map[string]*varvev1.Json{"p": {Raw: []byte(`1.0`)}, "n": {Raw: []byte(`null`)}},
		Relationships: []*varvev1.Relationship{{Name: "Is in", Type: "V", Id: "v"}},
		Cause:         &varvev1.Cause{Actor: "me"}, Source: "s", Provider: "aws", Run: "runs/r1",
		Extras: &varvev1.Json{Raw: []byte(`{"x":1}`)},
	}
	want = `{"account":"1","region":"r","type":"T","id":"i","name":"<n>","arn":"a","availabilityZone":"z","createdAt":"2026-07-18T12:00:00.12Z",` +
		`"tags":{"a":"1","b":"2"},"status":"OK","version":1,"capturedAt":"2026-07-18T12:00:00.12Z","lastSeenAt":"2026-07-18T12:00:00.12Z",` +
		`"recordedAt":"2026-07-18T12:00:00.12Z","revision":"1",` +
		`"configuration":{"big":12345678901234567890.10,"e":1E400,"m":-0,"s":"\u0000&` + "\u2028" + `"},` +
		`"supplementary":{"n":null,"p":1.0},"relationships":[{"name":"Is in","type":"V","id":"v"}],` +
		`"cause":{"actor":"me"},"source":"s","provider":"aws","run":"r1","extras":{"x":1}}`
	if got := marshal(t, answer.ItemOf(full)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestDiff(t *testing.T) {
	p := &varvev1.DiffItemResponse{
		To: &varvev1.Item{Version: 1, Status: "OK", CapturedAt: noon, LastSeenAt: noon, RecordedAt: noon, Revision: 7},
		Patch: []*varvev1.PatchOperation{
			{Op: "add", Path: "", Value: &varvev1.Json{Raw: []byte(`{"a":1.0}`)}},
			{Op: "move", Path: "/b", From: proto.String("")},
			{Op: "remove", Path: "/c"},
			{Op: "replace", Path: "/d", Value: &varvev1.Json{Raw: []byte(`null`)}},
		},
	}
	want := `{"from":null,"to":{"version":1,"status":"OK","capturedAt":"2026-07-18T12:00:00.12Z","lastSeenAt":"2026-07-18T12:00:00.12Z",` +
		`"recordedAt":"2026-07-18T12:00:00.12Z","revision":"7"},"patch":[{"op":"add","path":"","value":{"a":1.0}},` +
		`{"op":"move","from":"","path":"/b"},{"op":"remove","path":"/c"},{"op":"replace","path":"/d","value":null}],"attributes":[]}`
	if got := marshal(t, answer.DiffOf(p)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestLists(t *testing.T) {
	c := answer.ChangeOf(&varvev1.Change{
		Position: "AQ", Sequence: 3, Revision: 9, Kind: "created", Key: &varvev1.ResourceKey{Type: "T", Id: "i"},
		Version: 1, CapturedAt: noon, RecordedAt: noon,
	})
	want := `{"position":"AQ","partition":0,"sequence":"3","revision":"9","kind":"created","late":false,"account":"","region":"",` +
		`"type":"T","id":"i","version":1,"capturedAt":"2026-07-18T12:00:00.12Z","recordedAt":"2026-07-18T12:00:00.12Z"}`
	if got := marshal(t, c); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}

	r := answer.RunOf(&varvev1.Run{Name: "runs/x", State: varvev1.Run_STATE_OPEN, Moment: noon, OpenedAt: noon, Deadline: noon})
	if got := marshal(t, r); !strings.HasPrefix(got, `{"id":"x","state":"open","scope":{"accounts":[],"regions":[],"types":[]},"moment":`) {
		t.Errorf("got %s", got)
	}

	res := answer.ResourceOf(&varvev1.Item{Key: &varvev1.ResourceKey{Type: "T", Id: "i"}, Status: "OK", Version: 4, CapturedAt: noon})
	want = `{"account":"","region":"","type":"T","id":"i","name":"","tags":{},"status":"OK","version":4,"capturedAt":"2026-07-18T12:00:00.12Z"}`
	if got := marshal(t, res); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestIndent(t *testing.T) {
	raw := []byte(`{"a":[1.0,{}],"b":12345678901234567890}`)
	got, err := answer.Indent(raw)
	if err != nil {
		t.Fatal(err)
	}
	if want := "{\n  \"a\": [\n    1.0,\n    {}\n  ],\n  \"b\": 12345678901234567890\n}"; string(got) != want {
		t.Errorf("got %s", got)
	}
	if string(raw) != `{"a":[1.0,{}],"b":12345678901234567890}` {
		t.Error("the argument was changed")
	}
}
