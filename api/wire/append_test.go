package wire_test

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func TestAppendObservation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := history.Observation{
			Key: keys.Draw(t, "key"), CapturedAt: maybeMoments.Draw(t, "captured"),
			State: states(t), Origin: origins(t),
			Expect: rapid.Ptr(rapid.Uint32(), true).Draw(t, "expect"),
		}
		if rapid.Bool().Draw(t, "large") {
			o.State.Configuration = make([]byte, rapid.IntRange(100, 20_000).Draw(t, "size"))
			o.State.Supplementary = map[string][]byte{"": {}, "large": o.State.Configuration}
		}
		if rapid.Bool().Draw(t, "empty") {
			o.Key, o.State.Configuration, o.Origin.Extras = history.Key{}, []byte{}, []byte{}
		}
		want := wire.ObservationToProto(o)
		text := wire.AppendObservation([]byte("before"), &o)
		var got varvev1.Observation
		if err := proto.Unmarshal(text[len("before"):], &got); err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(want, &got) || len(text) != len("before")+proto.Size(want) {
			t.Fatalf("got\n%v\nwant\n%v", &got, want)
		}
	})
}
