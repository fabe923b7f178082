package wire_test

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

var observations = rapid.Custom(func(t *rapid.T) *varvev1.Observation {
	return wire.ObservationToProto(history.Observation{
		Key: keys.Draw(t, "key"), CapturedAt: maybeMoments.Draw(t, "captured"),
		State: states(t), Origin: origins(t),
		Expect: rapid.Ptr(rapid.Uint32(), true).Draw(t, "expect"),
	})
})

var batches = rapid.Custom(func(t *rapid.T) *varvev1.RecordRequest {
	return &varvev1.RecordRequest{
		Observations: rapid.SliceOfN(observations, 0, 5).Draw(t, "observations"),
		Run:          texts.Draw(t, "run"), RequestId: texts.Draw(t, "id"),
	}
})

// sameAsProto decodes with UnmarshalBatch, as both messages that carry a batch,
// and with proto.Unmarshal, the truth.
func sameAsProto(t interface {
	Helper()
	Fatalf(string, ...any)
}, text []byte) {
	t.Helper()
	for _, m := range []proto.Message{&varvev1.RecordRequest{}, &varvev1.BatchRecordRequest{}} {
		want, got := proto.Clone(m), m
		wantErr, gotErr := proto.Unmarshal(text, want), wire.UnmarshalBatch(bytes.Clone(text), got)
		if (wantErr == nil) != (gotErr == nil) {
			t.Fatalf("got error %v, want %v", gotErr, wantErr)
		}
		if wantErr == nil && !proto.Equal(want, got) {
			t.Fatalf("got\n%v\nwant\n%v", got, want)
		}
	}
}

func TestUnmarshalBatch(t *testing.T) {
	t.Run("AsWritten", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			text, err := proto.Marshal(batches.Draw(t, "batch"))
			if err != nil {
				t.Fatal(err)
			}
			sameAsProto(t, text)
		})
	})
	t.Run("Joined", func(t *testing.T) { // fields come twice, singular messages are merged
		rapid.Check(t, func(t *rapid.T) {
			var text []byte
			for range 2 {
				var parts []byte
				for range 2 {
					o, err := proto.Marshal(observations.Draw(t, "observation"))
					if err != nil {
						t.Fatal(err)
					}
					parts = append(parts, o...)
				}
				text = protowire.AppendBytes(protowire.AppendTag(text, 1, protowire.BytesType), parts)
			}
			sameAsProto(t, text)
		})
	})
	t.Run("Damaged", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			text, err := proto.Marshal(batches.Draw(t, "batch"))
			if err != nil {
				t.Fatal(err)
			}
			for range rapid.IntRange(1, 3).Draw(t, "damages") {
				if len(text) > 0 {
					text[rapid.IntRange(0, len(text)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
				}
			}
			sameAsProto(t, text[:rapid.IntRange(0, len(text)).Draw(t, "length")])
		})
	})
}

// A document may be appended to, as one of proto.Unmarshal's, without an effect
// on its neighbour.
func TestUnmarshalBatchKeepsDocumentsApart(t *testing.T) {
	o := &varvev1.Observation{Configuration: &varvev1.Json{Raw: []byte(`1`)}, Source: "source"}
	text, err := proto.Marshal(&varvev1.RecordRequest{Observations: []*varvev1.Observation{o, o}})
	if err != nil {
		t.Fatal(err)
	}
	var got varvev1.RecordRequest
	if err := wire.UnmarshalBatch(text, &got); err != nil {
		t.Fatal(err)
	}
	_ = append(got.GetObservations()[0].GetConfiguration().GetRaw(), "overwritten"...)
	for _, o := range got.GetObservations() {
		if raw := string(o.GetConfiguration().GetRaw()); raw != "1" {
			t.Errorf("%q", raw)
		}
	}
}

func FuzzUnmarshalBatch(f *testing.F) {
	for seed := range 20 {
		text, err := proto.Marshal(batches.Example(seed))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) { sameAsProto(t, text) })
}

func BenchmarkUnmarshalBatch(b *testing.B) {
	o := wire.ObservationToProto(history.Observation{
		Key:        history.Key{Account: "111122223333", Region: "eu-west-1", Type: "AWS::EC2::Instance", ID: "i-0a1b2c3d4e5f60718"},
		CapturedAt: 1_700_000_000_000_000,
		State: history.State{
			ARN: "arn:aws:ec2:eu-west-1:111122223333:instance/i-0a1b2c3d4e5f60718", Name: "web-1",
			Tags:          map[string]string{"Name": "web-1", "team": "shop"},
			Configuration: bytes.Repeat([]byte("1"), 2000),
		},
		Origin: history.Origin{Provider: "aws", Source: "inventory"},
	})
	var req varvev1.RecordRequest
	for range 256 {
		req.Observations = append(req.Observations, o)
	}
	text, err := proto.Marshal(&req)
	if err != nil {
		b.Fatal(err)
	}
	for name, unmarshal := range map[string]func([]byte, proto.Message) error{"varve": wire.UnmarshalBatch, "proto": proto.Unmarshal} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if err := unmarshal(text, &varvev1.RecordRequest{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
