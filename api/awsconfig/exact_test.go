package awsconfig_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/canonical"
	"github.com/varvehq/varve/recorder/settings"
	source "github.com/varvehq/varve/recorder/source/awsconfig"
)

// number is JSON's, and most of them no float64.
var number = rapid.SampledFrom([]string{
	"0", "-0", "1", "1.0", "1.10", "1e400", "-1E-400", "12345678901234567890", "0.1234567890123456789", "1E+2", "9007199254740993",
})

// text is what a JSON string says.
var text = rapid.OneOf(
	rapid.SampledFrom([]string{"", " ", "a b ", "null", "{}", `{"a":1}`, `"`, `\u003d`, "\x7f", "\u2028", "\U0001F600", "é", "e\u0301", "\u0000", "<&>", "3.0"}),
	rapid.StringN(0, 6, 24),
)

// document is JSON text as a source may write it.
func document(t *rapid.T, depth int) string {
	kind := rapid.IntRange(0, 5).Draw(t, "kind")
	if depth == 0 {
		kind %= 4
	}
	switch kind {
	case 0:
		return number.Draw(t, "number")
	case 1:
		return rapid.SampledFrom([]string{"true", "false", "null"}).Draw(t, "literal")
	case 2, 3:
		return quoted(text.Draw(t, "text"))
	case 4:
		var parts []string
		for range rapid.IntRange(0, 3).Draw(t, "elements") {
			parts = append(parts, document(t, depth-1))
		}
		return "[" + strings.Join(parts, " , ") + "]"
	}
	return object(t, depth-1)
}

func object(t *rapid.T, depth int) string {
	var parts []string
	for _, name := range rapid.SliceOfNDistinct(text, 0, 4, rapid.ID[string]).Draw(t, "names") {
		parts = append(parts, quoted(name)+": "+document(t, depth))
	}
	return "{ " + strings.Join(parts, ",") + "}"
}

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// observation is one that AWS's API has words for.
func observation(t *rapid.T, k history.Key) history.Observation {
	o := history.Observation{Key: k}
	s := &o.State
	s.Name, s.ARN, s.AvailabilityZone = text.Draw(t, "name"), text.Draw(t, "arn"), text.Draw(t, "zone")
	s.CreatedAt = history.Moment(rapid.Int64Range(0, 1_700_000_000_000_000).Draw(t, "created"))
	s.Tags = rapid.MapOfN(text, text, 0, 3).Draw(t, "tags")
	for _, name := range rapid.SliceOfNDistinct(text, 0, 3, rapid.ID[string]).Draw(t, "supplementary") {
		if s.Supplementary == nil {
			s.Supplementary = map[string][]byte{}
		}
		s.Supplementary[name] = []byte(document(t, 2))
	}
	for range rapid.IntRange(0, 3).Draw(t, "relationships") {
		s.Relationships = append(s.Relationships, history.Relationship{
			Name: rapid.SampledFrom([]string{"Is contained in ", "Is contained in Vpc", "Feeds"}).Draw(t, "relationship"), Type: "AWS::EC2::VPC",
			ID: "vpc-" + text.Draw(t, "target"), ResourceName: text.Draw(t, "target's name"),
		})
	}
	s.Status = rapid.SampledFrom([]history.Status{"", history.StatusOK, history.StatusDiscovered, history.StatusNotRecorded, history.StatusDeleted, history.StatusDeletedNotRecorded}).Draw(t, "status")
	if !s.Status.Deletes() {
		for s.Configuration == nil || string(s.Configuration) == "null" {
			s.Configuration = []byte(document(t, 3))
		}
	}
	return o
}

// Whatever other doors record is told here exactly: read back as AWS Config's own
// answer it is the same state, and so it is in the dialect of its files.
func TestWhatIsRecordedIsTold(t *testing.T) {
	w := open(t)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		o := observation(t, history.Key{
			Account: account, Region: rapid.SampledFrom([]string{region, "global"}).Draw(t, "region"),
			Type: "AWS::EKS::Cluster", ID: fmt.Sprint(n, rapid.StringN(1, 8, 32).Filter(func(s string) bool { return !strings.Contains(s, "\x00") }).Draw(t, "id")),
		})
		w.record(o)
		r, err := w.store.AsOf(w.t.Context(), history.At{})
		if err != nil {
			t.Fatal(err)
		}
		items, err := r.Get(w.t.Context(), []history.Key{o.Key}, history.FieldsAll)
		if err != nil {
			t.Fatal(err)
		}
		kept := items[0]
		_, answer := w.answer("GetResourceConfigHistory", `{"resourceType":"AWS::EKS::Cluster","resourceId":`+quoted(o.Key.ID)+`}`)
		file, err := source.Append(nil, &kept)
		if err != nil {
			t.Fatal(err)
		}
		for dialect, text := range map[string][]byte{"API": answer, "stream": file} {
			again, _, err := source.NewReader(bytes.NewReader(text), source.Options{}).Next()
			if err == nil {
				err = w.recorder.Prepare(&again)
			}
			if err != nil {
				t.Fatalf("%s: %v in %s", dialect, err, text)
			}
			if dialect == "API" && kept.State.Status == "" {
				again.State.Status = "" // it was derived
			}
			if diff := cmp.Diff(kept.State, again.State); diff != "" || again.Key != kept.Key || again.CapturedAt != kept.CapturedAt {
				t.Fatalf("%s: %s\nkept -, told +:\n%s", dialect, text, diff)
			}
		}
		// What the client hands out is the text that the store has.
		out, err := w.client().GetResourceConfigHistory(w.t.Context(), &configservice.GetResourceConfigHistoryInput{ResourceType: types.ResourceType(o.Key.Type), ResourceId: &o.Key.ID})
		if err != nil {
			t.Fatal(err)
		}
		it := out.ConfigurationItems[0]
		if got := aws.ToString(it.Configuration); !kept.State.Deleted && got != string(kept.State.Configuration) || kept.State.Deleted && got != "null" {
			t.Fatalf("configuration %s, kept %s", got, kept.State.Configuration)
		}
		for name, doc := range kept.State.Supplementary {
			if it.SupplementaryConfiguration[name] != string(doc) {
				t.Fatalf("%q: %s, kept %s", name, it.SupplementaryConfiguration[name], doc)
			}
		}
	})
}

// What is put here other doors have exactly.
func TestWhatIsPutIsRecorded(t *testing.T) {
	w := open(t)
	w.running(settings.Group{Strategy: settings.AllSupported})
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		k := key(routers, fmt.Sprint(n))
		configuration, name, tags := object(t, 3), text.Draw(t, "name"), rapid.MapOfN(text, text, 0, 3).Draw(t, "tags")
		_, err := w.client().PutResourceConfig(w.t.Context(), &configservice.PutResourceConfigInput{
			ResourceType: aws.String(routers), ResourceId: &k.ID, ResourceName: &name, Tags: tags,
			SchemaVersionId: aws.String("1"), Configuration: &configuration,
		})
		if err != nil {
			t.Fatal(err)
		}
		form, err := canonical.Form([]byte(configuration), canonical.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		r, err := w.store.AsOf(w.t.Context(), history.At{})
		if err != nil {
			t.Fatal(err)
		}
		items, err := r.Get(w.t.Context(), []history.Key{k}, history.FieldsAll)
		if err != nil {
			t.Fatal(err)
		}
		want := history.State{Name: name, Tags: tags, Configuration: form}
		want.Normalize()
		if diff := cmp.Diff(want, items[0].State); diff != "" {
			t.Fatalf("put -, kept +:\n%s", diff)
		}
		if items[0].CapturedAt != w.clock.moment() {
			t.Fatalf("captured at %s, want now, %s", items[0].CapturedAt, w.clock.moment())
		}
	})
}
