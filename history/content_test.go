package history_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/varvehq/varve/history"
	"pgregory.net/rapid"
)

// states draws states in normal form.
func states() *rapid.Generator[history.State] {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "a", "b", "\x00"}), rapid.String())
	value := rapid.SliceOfN(rapid.Byte(), 1, 40)
	return rapid.Custom(func(t *rapid.T) history.State {
		s := history.State{
			Deleted: rapid.Bool().Draw(t, "deleted"), ARN: text.Draw(t, "arn"), Name: text.Draw(t, "name"),
			AvailabilityZone: text.Draw(t, "zone"), CreatedAt: history.Moment(rapid.Int64().Draw(t, "created")),
			Tags:          rapid.MapOfN(text, text, 0, 4).Draw(t, "tags"),
			Supplementary: rapid.MapOfN(text, value, 0, 3).Draw(t, "supplementary"),
			Status:        rapid.SampledFrom([]history.Status{"", "OK", "ResourceDeleted", "anything"}).Draw(t, "status"),
		}
		if rapid.Bool().Draw(t, "configured") {
			s.Configuration = value.Draw(t, "configuration")
		}
		for range rapid.IntRange(0, 4).Draw(t, "relationships") {
			s.Relationships = append(s.Relationships, history.Relationship{
				Name: text.Draw(t, "relation"), Type: text.Draw(t, "type"), ID: text.Draw(t, "id"),
				ResourceName: text.Draw(t, "resource"), Account: text.Draw(t, "account"), Region: text.Draw(t, "region"),
			})
		}
		s.Normalize()
		return s
	})
}

func TestContent(t *testing.T) {
	t.Run("RoundTrips", rapid.MakeCheck(func(t *rapid.T) {
		want := states().Draw(t, "state")
		content := want.AppendContent([]byte("before"))
		got, err := history.DecodeContent(content[len("before"):])
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("(-want +got):\n%s", d)
		}
		if !bytes.Equal(got.AppendContent([]byte("before")), content) {
			t.Fatal("the content came out different the second time")
		}
	}))
	t.Run("OneAfterTheOtherIsTheSame", rapid.MakeCheck(func(t *rapid.T) {
		var (
			reader history.ContentReader
			want   []history.State
			got    [6]history.State
		)
		state := states().Draw(t, "state")
		for i := range got {
			switch rapid.IntRange(0, 3).Draw(t, "what changes") {
			case 0:
				state = states().Draw(t, "state")
			case 1:
				state.Configuration = append([]byte("[1]"), state.Configuration...)
			case 2:
				if err := reader.Decode([]byte{4}, &history.State{}); err == nil {
					t.Fatal("damage is taken for a content")
				}
			}
			want = append(want, state)
			if err := reader.Decode(state.AppendContent(nil), &got[i]); err != nil {
				t.Fatal(err)
			}
		}
		for i := range got {
			if d := cmp.Diff(want[i], got[i]); d != "" {
				t.Fatalf("%d (-want +got):\n%s", i, d)
			}
			for k := range got[i].Tags { // what is done with it does not show in the others
				got[i].Tags[k] = "?"
			}
			for j := range got[i].Relationships {
				got[i].Relationships[j].ID = "?"
			}
			for _, v := range got[i].Supplementary {
				clear(v)
			}
			clear(got[i].Configuration)
		}
	}))
	t.Run("EqualOnlyIfStatesAre", rapid.MakeCheck(func(t *rapid.T) {
		a, b := states().Draw(t, "a"), states().Draw(t, "b")
		same := cmp.Equal(a, b)
		if history.HashContent(a.AppendContent(nil)) == history.HashContent(b.AppendContent(nil)) != same {
			t.Fatalf("%+v\n%+v: same: %t", a, b, same)
		}
	}))
	t.Run("EmptyAndNoneAreOne", func(t *testing.T) {
		a := history.State{Tags: map[string]string{}, Supplementary: map[string][]byte{}, Relationships: []history.Relationship{}}
		b := history.State{}
		if !bytes.Equal(a.AppendContent(nil), b.AppendContent(nil)) {
			t.Fatal("empty collections differ from none")
		}
	})
	t.Run("NoConfigurationIsNotAnEmptyOne", func(t *testing.T) {
		a, b := history.State{}, history.State{Configuration: []byte{}}
		if bytes.Equal(a.AppendContent(nil), b.AppendContent(nil)) {
			t.Fatal("they are the same")
		}
	})
	t.Run("CutShortIsDamaged", rapid.MakeCheck(func(t *rapid.T) {
		s := states().Draw(t, "state")
		s.Configuration = nil // its end is the content's
		content := s.AppendContent(nil)
		n := rapid.IntRange(0, len(content)-1).Draw(t, "length")
		if _, err := history.DecodeContent(content[:n]); err == nil {
			t.Fatalf("%x is taken for %x", content[:n], content)
		}
	}))
}

// FuzzDecodeContent reads content that nobody wrote: it must neither panic nor
// take memory for what is not there, and what it reads must be a content.
func FuzzDecodeContent(f *testing.F) {
	full := history.State{
		ARN: "arn", Tags: map[string]string{"k": "v"}, Supplementary: map[string][]byte{"s": []byte("1")},
		Relationships: []history.Relationship{{Name: "n", ID: "i"}}, Configuration: []byte(`{}`), CreatedAt: -1,
	}
	f.Add(full.AppendContent(nil))
	f.Add((&history.State{Deleted: true}).AppendContent(nil))
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, content []byte) {
		s, err := history.DecodeContent(content)
		if err != nil {
			return
		}
		again, err := history.DecodeContent(s.AppendContent(nil))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(s, again, cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("(-first +again):\n%s", d)
		}
	})
}

func TestNormalize(t *testing.T) {
	x, y := history.Relationship{Name: "a", ID: "1"}, history.Relationship{Name: "a", ID: "2"}
	for _, c := range []struct {
		name      string
		got, want history.State
	}{
		{"SortsRelationships", history.State{Relationships: []history.Relationship{y, x}}, history.State{Relationships: []history.Relationship{x, y}}},
		{"DropsRepeatedOnes", history.State{Relationships: []history.Relationship{y, x, y, y}}, history.State{Relationships: []history.Relationship{x, y}}},
		{"EmptyCollectionsAreNone", history.State{
			Tags: map[string]string{}, Supplementary: map[string][]byte{}, Relationships: []history.Relationship{},
		}, history.State{}},
		{"DeletedNeedsNoStatusThatSaysSo", history.State{Deleted: true, Status: history.StatusDeleted}, history.State{Deleted: true}},
		{"KeepsAStatusThatSaysMore", history.State{Deleted: true, Status: history.StatusDeletedNotRecorded}, history.State{Deleted: true, Status: history.StatusDeletedNotRecorded}},
		{"KeepsTheStatusOfTheLiving", history.State{Status: history.StatusOK}, history.State{Status: history.StatusOK}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 2 { // once more changes nothing
				c.got.Normalize()
				if d := cmp.Diff(c.want, c.got); d != "" {
					t.Fatalf("(-want +got):\n%s", d)
				}
			}
		})
	}
}
