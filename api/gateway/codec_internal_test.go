package gateway

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// TestEveryFieldHasAForm walks all messages for fields that neither coder knows.
func TestEveryFieldHasAForm(t *testing.T) {
	known := map[protoreflect.Kind]bool{
		protoreflect.BoolKind: true, protoreflect.StringKind: true, protoreflect.BytesKind: true, protoreflect.EnumKind: true,
		protoreflect.Int32Kind: true, protoreflect.Uint32Kind: true, protoreflect.Int64Kind: true, protoreflect.Uint64Kind: true,
		protoreflect.MessageKind: true,
	}
	lossless := map[protoreflect.FullName]bool{
		"google.protobuf.Timestamp": true, "google.protobuf.Duration": true, "google.protobuf.FieldMask": true, "google.rpc.Status": true,
	}
	var walk func(protoreflect.MessageDescriptors)
	walk = func(messages protoreflect.MessageDescriptors) {
		for i := range messages.Len() {
			m := messages.Get(i)
			walk(m.Messages())
			for j := range m.Fields().Len() {
				fd := m.Fields().Get(j)
				switch {
				case !known[fd.Kind()]:
					t.Errorf("%s is of kind %v", fd.FullName(), fd.Kind())
				case fd.IsMap() && fd.MapKey().Kind() != protoreflect.StringKind:
					t.Errorf("%s has keys of kind %v", fd.FullName(), fd.MapKey().Kind())
				case fd.Message() != nil && fd.Message().FullName().Parent().Parent() == "google" && !lossless[fd.Message().FullName()]:
					t.Errorf("%s is a %s", fd.FullName(), fd.Message().FullName())
				}
			}
		}
	}
	for _, file := range []protoreflect.FileDescriptor{
		varvev1.File_varve_v1_history_proto, varvev1.File_varve_v1_recorder_proto,
		varvev1.File_varve_v1_run_proto, varvev1.File_varve_v1_resource_proto,
	} {
		walk(file.Messages())
	}
}

func TestNoJSONIsNotWritten(t *testing.T) {
	for _, raw := range []string{"", "{", "1 2", `"`} {
		if text, err := (marshaler{}).Marshal(&varvev1.Item{Configuration: &varvev1.Json{Raw: []byte(raw)}}); err == nil {
			t.Errorf("%q: %s", raw, text)
		}
	}
}

// FuzzDecode: what is read and written again reads as the same, and nothing
// makes either panic.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"observations":[{"key":{"type":"T","id":"i"},"capturedAt":"2026-03-01T00:00:00Z","tags":{"a":"b"},"configuration":{"a":[1.0,null]},` +
			`"supplementary":{"x":null},"expectVersion":0,"extras":{},"relationships":[{"name":"n"}]}],"run":"runs/x","requestId":"r"}`,
		`{"observations":[{"configuration":null}]}`, `{"observations":[{"configuration":"\ud800"}]}`, `{"observations":[{"configuration":{"a":1,"a":2}}]}`,
		`{"request_id":"\u0061"}`, ` {} `, ``, `[`, "{\"run\":\"\xff\"}", strings.Repeat(`{"observations":[`, 9),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var m, again, fast varvev1.BatchRecordRequest
		err := decode(text, &m)
		if ordinary := decodeBatch(text, &fast); ordinary && (err != nil || !proto.Equal(&m, &fast)) {
			t.Fatalf("%q: read as\n%v, want\n%v, %v", text, &fast, &m, err)
		}
		if err != nil {
			return
		}
		out, err := marshaler{}.Marshal(&m)
		if err != nil {
			t.Fatalf("%q is read but not written: %v", text, err)
		}
		if !jsontext.Value(out).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
			t.Fatalf("%q is written as %q", text, out)
		}
		if err := decode(out, &again); err != nil {
			t.Fatalf("%q is written as %q, which is not read: %v", text, out, err)
		}
		if !proto.Equal(&m, &again) {
			t.Fatalf("%q is written as %q, which says something else", text, out)
		}
	})
}

// TestDecodeBatch: what is ordinary is read as decode reads it, and taken as
// ordinary; what is not, decode judges.
func TestDecodeBatch(t *testing.T) {
	o := func(member string) string { return `{"observations":[{"key":{"type":"T"},` + member + `}]}` }
	for _, c := range []struct {
		text     string
		ordinary bool
	}{
		{`{"observations":[{"key":{"account":"1","region":"r","type":"T","id":"i\u00e9"},"capturedAt":"2026-03-01T00:00:00.123456789+01:00","createdAt":"0001-01-01T00:00:00Z",` +
			`"deleted":true,"arn":"a","name":"n","availabilityZone":"z","tags":{"a":"b","":"c"},"configuration":null,"supplementary":{"x":null,"y":[1.0]},` +
			`"relationships":[{"name":"n","type":"t","id":"i","resourceName":"r","account":"a","region":"e"},{}],"status":"s","cause":{"actor":"a","eventId":"e","sourceIp":"i"},` +
			`"source":"s","provider":"p","extras":{},"expectVersion":4294967295}],"run":"runs/x","requestId":"r"}`, true},
		{` { "observations" : [ { "configuration" : { "a" : [ 1 , 2 ] } } , { } ] } `, true},
		{`{"observations":[],"run":""}`, true}, {`{}`, true},
		{o(`"configuration":{"a":1,"a":2}`), true},                                                     // the recorder says so
		{o(`"expect_version":1`), false}, {o(`"expectVersion":"1"`), false}, {o(`"tags":null`), false}, // decode takes these
		{o(`"configuration":"\ud800"`), false},
		{o(`"expectVersion":1.0`), false}, {o(`"expectVersion":4294967296`), false}, {o(`"deleted":1`), false}, {o(`"Name":"n"`), false},
		{o(`"name":"a","name":"b"`), false}, {o(`"tags":{"a":"b","a":"b"}`), false}, {o(`"supplementary":{"a":1,"\u0061":1}`), false},
		{o(`"configuration":{"a":tru}`), false}, {o(`"configuration":{"a":1]`), false}, {o(`"name":"` + "\xff" + `"`), false},
		{o(`"capturedAt":"2026-03-01T00:00:00.1234567890Z"`), false}, {o(`"capturedAt":"2026-03-01"`), false}, {o(`"capturedAt":"2026-02-30T00:00:00Z"`), false},
		{o(`"capturedAt":"0000-03-01T00:00:00Z"`), false}, {o(`"capturedAt":"2026-03-01T00:00:00,5Z"`), true},
		{o(`"relationships":{}`), false}, {o(`"cause":[]`), false}, {`{"observations":[{}]} {}`, false}, {`{"observations":[{}]`, false}, {``, false}, {`[]`, false},
	} {
		var want, got varvev1.BatchRecordRequest
		err := decode([]byte(c.text), &want)
		ordinary := decodeBatch([]byte(c.text), &got)
		if ordinary && (err != nil || !proto.Equal(&want, &got)) {
			t.Errorf("%s: read as\n%v, want\n%v, %v", c.text, &got, &want, err)
		}
		if ordinary != c.ordinary {
			t.Errorf("%s: ordinary %v", c.text, ordinary)
		}
	}
}

// Benchmarks of one body of 1,000 observations of 2 KiB each, both ways.

func benchRequest(b *testing.B) (*varvev1.BatchRecordRequest, []byte) {
	b.Helper()
	m := &varvev1.BatchRecordRequest{}
	doc := `{"rules":[` + strings.Repeat(`{"cidr":"10.0.0.0/24","port":443,"text":"one of many"},`, 36) + `1.0]}`
	for range 1000 {
		m.Observations = append(m.Observations, &varvev1.Observation{
			Key: &varvev1.ResourceKey{Account: "1", Type: "T", Id: "i"}, Configuration: &varvev1.Json{Raw: []byte(doc)},
		})
	}
	text, err := marshaler{}.Marshal(m)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	return m, text
}

func BenchmarkEncode(b *testing.B) {
	m, _ := benchRequest(b)
	for b.Loop() {
		if _, err := (marshaler{}).Marshal(m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	_, text := benchRequest(b)
	for b.Loop() {
		if err := decode(text, &varvev1.BatchRecordRequest{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeBatch(b *testing.B) {
	_, text := benchRequest(b)
	for b.Loop() {
		if !decodeBatch(text, &varvev1.BatchRecordRequest{}) {
			b.Fatal("not ordinary")
		}
	}
}

// BenchmarkProtojsonEncode and Decode are what the library does with documents
// in base64, for comparison.
func BenchmarkProtojsonEncode(b *testing.B) {
	m, _ := benchRequest(b)
	for b.Loop() {
		if _, err := protojson.Marshal(m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkProtojsonDecode(b *testing.B) {
	m, _ := benchRequest(b)
	text, err := protojson.Marshal(m)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := protojson.Unmarshal(text, &varvev1.BatchRecordRequest{}); err != nil {
			b.Fatal(err)
		}
	}
}
