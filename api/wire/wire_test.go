package wire_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/diff"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// crossed sends a message over the wire, so that a test also notices what only
// a shared pointer would have carried.
func crossed[M proto.Message](t *rapid.T, m M) M {
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	out := m.ProtoReflect().New().Interface().(M)
	if err := proto.Unmarshal(b, out); err != nil {
		t.Fatal(err)
	}
	return out
}

func same(t *rapid.T, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("not the same after the round trip (-want +got):\n%s", d)
	}
}

func TestObservationRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := history.Observation{
			Key: keys.Draw(t, "key"), CapturedAt: maybeMoments.Draw(t, "captured"),
			State: states(t), Origin: origins(t),
			Expect: rapid.Ptr(rapid.Uint32(), true).Draw(t, "expect"),
		}
		got, err := wire.ObservationFromProto(crossed(t, wire.ObservationToProto(want)))
		if err != nil {
			t.Fatal(err)
		}
		same(t, want, got)
	})
}

func TestItemRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := history.Item{
			Key: keys.Draw(t, "key"), Version: rapid.Uint32().Draw(t, "version"),
			CapturedAt: moments.Draw(t, "captured"), LastSeenAt: moments.Draw(t, "seen"),
			Until:      rapid.OneOf(moments, rapid.Just(history.Newest)).Draw(t, "until"),
			RecordedAt: moments.Draw(t, "recorded"), Revision: history.Revision(rapid.Uint64().Draw(t, "revision")),
			State: states(t), Origin: origins(t),
		}
		want.Status = rapid.SampledFrom([]history.Status{want.State.Status, history.StatusOK}).Draw(t, "shown")
		want.Origin.Run = rapid.SampledFrom([]history.RunID{"", "2026-03.nightly_~1"}).Draw(t, "run")

		got, err := wire.ItemFromProto(crossed(t, wire.ItemToProto(want)))
		if err != nil {
			t.Fatal(err)
		}
		same(t, want, got)
	})
}

func TestChangeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := history.Change{
			Partition: rapid.Uint16().Draw(t, "partition"), Seq: history.Seq(rapid.Uint64().Draw(t, "seq")),
			Position: history.Position(texts.Draw(t, "position")), Revision: history.Revision(rapid.Uint64().Draw(t, "revision")),
			RecordedAt: moments.Draw(t, "recorded"), CapturedAt: moments.Draw(t, "captured"),
			Kind: kinds.Draw(t, "kind"), Late: rapid.Bool().Draw(t, "late"),
			Key: keys.Draw(t, "key"), Version: rapid.Uint32().Draw(t, "version"),
		}
		got, err := wire.ChangeFromProto(crossed(t, wire.ChangeToProto(want)))
		if err != nil {
			t.Fatal(err)
		}
		same(t, want, got)
	})
}

func TestRunRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := func(label string) []string {
			if l := rapid.SliceOfN(texts, 0, 3).Draw(t, label); len(l) > 0 {
				return l
			}
			return nil
		}
		want := history.Run{
			ID:     history.RunID(rapid.StringMatching(`[a-zA-Z0-9._~-]{1,128}`).Draw(t, "id")),
			Scope:  history.Scope{Accounts: list("accounts"), Regions: list("regions"), Types: list("types")},
			State:  rapid.SampledFrom([]history.RunState{history.RunOpen, history.RunComplete, history.RunAborted}).Draw(t, "state"),
			Moment: maybeMoments.Draw(t, "moment"), OpenedAt: maybeMoments.Draw(t, "opened"),
			Deadline: maybeMoments.Draw(t, "deadline"), ClosedAt: maybeMoments.Draw(t, "closed"),
			Observed: uint64(rapid.Uint32().Draw(t, "observed")), Refused: uint64(rapid.Uint32().Draw(t, "refused")),
			Deleted: uint64(rapid.Uint32().Draw(t, "deleted")), Reason: texts.Draw(t, "reason"),
		}
		got, err := wire.RunFromProto(crossed(t, wire.RunToProto(want)))
		if err != nil {
			t.Fatal(err)
		}
		same(t, want, got)
	})
}

func TestReceiptRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := history.Receipt{
			Results:  rapid.SliceOfN(rapid.Custom(results), 1, 4).Draw(t, "results"),
			Revision: history.Revision(rapid.Uint64().Draw(t, "revision")), Position: history.Position(texts.Draw(t, "position")),
		}
		got, err := wire.ReceiptFromProto(crossed(t, wire.ReceiptToProto(want)))
		if err != nil {
			t.Fatal(err)
		}
		same(t, want, got)
	})
}

func TestPatchRoundTrip(t *testing.T) {
	want := diff.Patch{
		{Op: diff.OpAdd, Path: "", Value: []byte("null")},
		{Op: diff.OpMove, Path: "/b", From: ""},
		{Op: diff.OpMove, Path: "/b", From: "/a"},
		{Op: diff.OpRemove, Path: "/a~1b"},
	}
	protos := wire.PatchToProto(want)
	if d := cmp.Diff(want, wire.PatchFromProto(protos)); d != "" {
		t.Error(d)
	}
	if protos[1].From == nil || protos[0].From != nil {
		t.Error("only move and copy have a from, even an empty one")
	}
}

func TestKeyRefusals(t *testing.T) {
	for field, p := range map[string]*varvev1.ResourceKey{
		"key":        nil,
		"key.type":   {Id: "i"},
		"key.id":     {Type: "T", Id: "a\x00b"},
		"key.region": {Type: "T", Id: "i", Region: strings.Repeat("r", history.MaxRegion+1)},
	} {
		_, err := wire.KeyFromProto(p)
		var e *history.Error
		if !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestTimestamps(t *testing.T) {
	for _, c := range []struct {
		seconds int64
		nanos   int32
		want    history.Moment
	}{
		{0, 1000, history.FirstMoment},
		{1, 1_999_999, 1_001_999}, // cut, not rounded
		{253402300799, 999_999_999, history.LastMoment},
		{0, 999, -1}, {0, 0, -1}, {-1, 0, -1}, {253402300800, 0, -1}, {1, -1, -1}, {1 << 62, 0, -1},
	} {
		got, err := wire.MomentFromProto("at", &timestamppb.Timestamp{Seconds: c.seconds, Nanos: c.nanos})
		var e *history.Error
		switch {
		case c.want >= 0 && (err != nil || got != c.want):
			t.Errorf("%v: %d, %v", c, got, err)
		case c.want < 0 && (!errors.As(err, &e) || e.Kind != history.Invalid || e.Field != "at"):
			t.Errorf("%v is accepted or refused wrongly: %v", c, err)
		}
	}
	if got, err := wire.ObservationFromProto(&varvev1.Observation{
		Key: &varvev1.ResourceKey{Type: "T", Id: "i"}, CapturedAt: &timestamppb.Timestamp{Seconds: -1},
	}); !errors.Is(err, history.Invalid) {
		t.Errorf("an observation before the epoch is taken: %v, %v", got, err)
	}
	for _, m := range []history.Moment{0, history.Newest} {
		if wire.MomentToProto(m) != nil {
			t.Errorf("%v is written", m)
		}
	}
}

// TestMomentsBeforeEverything shows that questions may ask about them.
func TestMomentsBeforeEverything(t *testing.T) {
	for text, want := range map[string]history.Moment{
		"0000-01-01T00:00:00Z":           history.FirstMoment,
		"0001-01-01T00:00:00Z":           history.FirstMoment, // the zero time
		"0001-01-01T00:00:00+01:00":      history.FirstMoment,
		"1066-10-14T09:00:00Z":           history.FirstMoment,
		"1969-12-31T23:59:59.999999999Z": history.FirstMoment,
		"1970-01-01T00:00:00Z":           history.FirstMoment, // the zero moment
		"1970-01-01T00:00:00.000000999Z": history.FirstMoment,
		"1970-01-01T00:00:00.000001999Z": history.FirstMoment,
		"1970-01-01T00:00:00.000002Z":    2,
		"9999-12-31T23:59:59.999999999Z": history.LastMoment,
		"9999-12-31T23:59:59-01:00":      -1,
	} {
		asked, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		ways := map[string]func() (history.Moment, error){
			"text": func() (history.Moment, error) { return wire.ParseMoment("at", text) },
			"known": func() (history.Moment, error) {
				k, err := wire.ParseKnownAt(text)
				return k.Recorded, err
			},
		}
		if asked.UTC().Year() > 0 { // else it is no Timestamp
			ways["timestamp"] = func() (history.Moment, error) { return wire.AskedFromProto("at", timestamppb.New(asked)) }
		}
		for way, read := range ways {
			if got, err := read(); want > 0 && (err != nil || got != want) || want < 0 && !errors.Is(err, history.Invalid) {
				t.Errorf("%s as %s: %d, %v", text, way, got, err)
			}
		}
	}
	if got, err := wire.AskedFromProto("at", nil); got != 0 || err != nil {
		t.Errorf("none: %d, %v", got, err)
	}
	if _, err := wire.AskedFromProto("at", &timestamppb.Timestamp{Nanos: -1}); !errors.Is(err, history.Invalid) {
		t.Errorf("no timestamp: %v", err)
	}
}

func TestParseKnownAt(t *testing.T) {
	for text, want := range map[string]wire.KnownAt{
		"":                                 {},
		"0":                                {Given: true},
		"4711":                             {Given: true, Revision: 4711},
		"18446744073709551615":             {Given: true, Revision: 1<<64 - 1},
		"1969-12-31T23:59:59Z":             {Given: true, Recorded: history.FirstMoment},
		"0001-01-01T00:00:00Z":             {Given: true, Recorded: history.FirstMoment},
		"2026-03-01T09:30:00.0000019Z":     {Given: true, Recorded: 1772357400000001},
		"2026-03-01T10:30:00.000001+01:00": {Given: true, Recorded: 1772357400000001},
	} {
		got, err := wire.ParseKnownAt(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
		if again, err := wire.ParseKnownAt(got.String()); err != nil || again != got {
			t.Errorf("%q prints as %q", text, got)
		}
	}
	for text, kind := range map[string]history.Kind{
		"18446744073709551616": history.Future, "-1": history.Invalid, "yesterday": history.Invalid,
		"2026-03-01": history.Invalid, "\x00": history.Invalid,
	} {
		if _, err := wire.ParseKnownAt(text); !errors.Is(err, kind) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestNullAndEmptyJSON(t *testing.T) {
	for _, raw := range []string{"null", " null\n"} {
		if got, err := wire.JSONFromProto("configuration", &varvev1.Json{Raw: []byte(raw)}); err != nil || got != nil {
			t.Errorf("%q: %q, %v", raw, got, err)
		}
	}
	o := &varvev1.Observation{
		Key:           &varvev1.ResourceKey{Type: "T", Id: "i"},
		Supplementary: map[string]*varvev1.Json{"Policy": {Raw: []byte("null")}},
	}
	got, err := wire.ObservationFromProto(o)
	if err != nil || string(got.State.Supplementary["Policy"]) != "null" {
		t.Errorf("null under a name of its own: %v, %v", got.State.Supplementary, err)
	}

	o.Supplementary["Policy"].Raw = nil
	_, err = wire.ObservationFromProto(o)
	var e *history.Error
	if !errors.As(err, &e) || e.Field != `supplementary["Policy"]` {
		t.Errorf("empty JSON: %v", err)
	}
}

func TestError(t *testing.T) {
	want := &history.Error{Kind: history.NotAlive, Text: "did not exist", Meta: map[string]string{"existed": "a/b"}}
	p := wire.ResultToProto(history.Result{Err: fmt.Errorf("recorder: %w", want)})
	got, err := wire.ResultFromProto(p)
	if err != nil || !errors.Is(got.Err, history.NotAlive) {
		t.Fatal(got.Err, err)
	}
	var e *history.Error
	if !errors.As(got.Err, &e) || e.Text != want.Text || !maps.Equal(e.Meta, want.Meta) {
		t.Errorf("%#v", got.Err)
	}
	plain := errors.New("no status")
	if !errors.Is(wire.Error(plain), plain) || wire.Error(nil) != nil {
		t.Error("an error without a status is not left alone")
	}
}
