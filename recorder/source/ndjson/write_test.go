package ndjson_test

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder"
	"github.com/varvehq/varve/recorder/internal/arbitrary"
	"github.com/varvehq/varve/recorder/internal/realdata"
	"github.com/varvehq/varve/recorder/source"
	"github.com/varvehq/varve/recorder/source/ndjson"
)

func TestAppend(t *testing.T) {
	key := history.Key{Account: "1", Region: "r", Type: "T", ID: `-/"x`}
	for name, c := range map[string]struct {
		item history.Item
		want string
	}{
		"Bare": {
			history.Item{Key: history.Key{Type: "T", ID: "1"}, CapturedAt: 1_000_000, State: history.State{Configuration: []byte(`[1.0]`)}, Status: history.StatusDiscovered, Version: 3},
			`{"time":"1970-01-01T00:00:01Z","type":"T","id":"1","configuration":[1.0]}`,
		},
		"Full": {
			history.Item{
				Key: key, CapturedAt: 1_000_010,
				State: history.State{
					ARN: "a", Name: "n", AvailabilityZone: "z", CreatedAt: 2_000_000, Status: history.StatusNotRecorded,
					Tags: map[string]string{"b": "", "": "\x00"}, Configuration: []byte(`"<&>"`),
					Supplementary: map[string][]byte{"b": []byte("1"), "a": []byte("null")},
					Relationships: []history.Relationship{{Name: "n", Type: "t", ID: "i"}, {Name: "o", Type: "t", ResourceName: "r", Account: "2", Region: "s"}},
				},
				Origin: history.Origin{Provider: "aws", Source: "s", Run: "run", Cause: history.Cause{SourceIP: "::1"}, Extras: []byte(`{"e":1}`)},
			},
			`{"time":"1970-01-01T00:00:01.00001Z","provider":"aws","account":"1","region":"r","type":"T","id":"-/\"x","name":"n","arn":"a",` +
				`"availabilityZone":"z","createdAt":"1970-01-01T00:00:02Z","status":"ResourceNotRecorded","tags":{"":"\u0000","b":""},"configuration":"<&>",` +
				`"supplementary":{"a":null,"b":1},"relationships":[{"name":"n","type":"t","id":"i"},{"name":"o","type":"t","resourceName":"r","account":"2","region":"s"}],` +
				`"cause":{"sourceIp":"::1"},"source":"s","extras":{"e":1}}`,
		},
		"Deletion": {
			history.Item{Key: history.Key{Type: "T", ID: "1"}, CapturedAt: 1_000_000, State: history.State{Deleted: true}, Status: history.StatusDeleted},
			`{"time":"1970-01-01T00:00:01Z","type":"T","id":"1","configuration":null,"deleted":true}`,
		},
		"NotRecorded": {
			history.Item{Key: history.Key{Type: "T", ID: "1"}, CapturedAt: 1_000_000, State: history.State{Status: history.StatusNotRecorded}},
			`{"time":"1970-01-01T00:00:01Z","type":"T","id":"1","status":"ResourceNotRecorded"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ndjson.Append([]byte("before "), &c.item)
			if err != nil || string(got) != "before "+c.want+"\n" {
				t.Errorf("%v\ngot  %s\nwant %s", err, got, c.want)
			}
			var b bytes.Buffer
			if err := ndjson.Write(&b, &c.item); err != nil || b.String() != c.want+"\n" {
				t.Errorf("%v, %s", err, b.String())
			}
		})
	}

	t.Run("ErrNotUTF8", func(t *testing.T) {
		got, err := ndjson.Append([]byte("before"), &history.Item{Key: history.Key{Type: "T", ID: "\xff"}})
		if err == nil || string(got) != "before" {
			t.Errorf("%q, %v", got, err)
		}
	})
}

// roundTrip writes an observation in the form that stores take and reads it.
func roundTrip(t rapid.TB, o history.Observation) {
	t.Helper()
	line, err := ndjson.AppendObservation(nil, &o)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.IndexByte(line, '\n') != len(line)-1 {
		t.Fatalf("not one line: %q", line)
	}
	r := ndjson.NewReader(bytes.NewReader(line), ndjson.Options{})
	back, _, err := r.Next()
	if err != nil {
		t.Fatalf("%v\n%s", err, line)
	}
	if err := recorder.New(nil, recorder.Options{}).Prepare(&back); err != nil {
		t.Fatalf("%v\n%s", err, line)
	}
	o.Origin.Run = ""
	if diff := cmp.Diff(o, back); diff != "" {
		t.Fatalf("%s\n%s", diff, line)
	}
	again, err := ndjson.AppendObservation(nil, &back)
	if err != nil || !bytes.Equal(line, again) {
		t.Fatalf("%v\nfirst %s\nagain %s", err, line, again)
	}
	if _, _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := arbitrary.Observation(t)
		if err := recorder.New(nil, recorder.Options{}).Prepare(&o); err != nil {
			t.Fatal(err)
		}
		roundTrip(t, o)
	})
}

func TestRoundTripOfRealData(t *testing.T) {
	for _, set := range []string{"gcp-audit", "cfn-templates", "aws-recorded"} {
		f, err := source.Open(realdata.Path(t, set+".ndjson.gz"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		prepare := recorder.New(nil, recorder.Options{})
		var text []byte
		first, bad := all(t, ndjson.NewReader(f, ndjson.Options{}))
		for i := range first {
			if err := prepare.Prepare(&first[i]); err != nil {
				t.Fatal(err)
			}
			if text, err = ndjson.AppendObservation(text, &first[i]); err != nil {
				t.Fatal(err)
			}
		}
		second, worse := all(t, ndjson.NewReader(bytes.NewReader(text), ndjson.Options{}))
		if len(first) != len(second) || len(bad)+len(worse) > 0 {
			t.Fatalf("%s: %d and %d, %v %v", set, len(first), len(second), bad, worse)
		}
		for i := range second {
			if err := prepare.Prepare(&second[i]); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(first[i], second[i]) {
				t.Errorf("%s: %s", set, cmp.Diff(first[i], second[i]))
			}
		}
	}
}

func FuzzNDJSON(f *testing.F) {
	for _, s := range []string{
		`{"time":"2024-05-01T12:00:00Z","type":"T","id":"1","configuration":{"a":[1.0,"\u00e4"]},"tags":{"a":"b"}}`,
		`{"time":"2024-05-01T12:00:00.5+01:00","type":"AWS::EC2::VPC","id":"1","status":"ResourceDeletedNotRecorded"}`,
		`{"time":"2024-05-01T12:00:00Z","type":"T","id":"1","configuration":0,"relationships":[{"name":"n","type":"t","id":"i"}],"supplementary":{"":null},"cause":{"actor":"x"},"extras":{"a":{}}}`,
		"\n\n{\"time\":1}\n[]\n{", `{"time":"2024-05-01T12:00:00Z","type":"T","id":"1","deleted":true}`, "\xff",
	} {
		f.Add(s)
	}
	prepare := recorder.New(nil, recorder.Options{})
	f.Fuzz(func(t *testing.T, text string) {
		list, bad := all(t, ndjson.NewReader(strings.NewReader(text), ndjson.Options{MaxLine: 1 << 16}))
		if n := strings.Count(text, "\n") + 1; len(list)+len(bad) > n {
			t.Fatalf("%d of %d lines", len(list)+len(bad), n)
		}
		for _, o := range list {
			if prepare.Prepare(&o) == nil {
				roundTrip(t, o)
			}
		}
	})
}
