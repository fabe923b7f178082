package awsconfig_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder"
	"github.com/varvehq/varve/recorder/internal/arbitrary"
	"github.com/varvehq/varve/recorder/internal/realdata"
	"github.com/varvehq/varve/recorder/source/awsconfig"
)

// roundTrip writes observations in the form that stores take and reads them.
func roundTrip(t rapid.TB, list ...history.Observation) []byte {
	t.Helper()
	var b bytes.Buffer
	w := awsconfig.NewWriter(&b, awsconfig.WriterOptions{})
	for i := range list {
		if err := w.Write(item(list[i])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := awsconfig.NewReader(bytes.NewReader(b.Bytes()), awsconfig.Options{Source: ""})
	prepare := recorder.New(nil, recorder.Options{})
	for _, first := range list {
		back, _, err := r.Next()
		if err == nil {
			err = prepare.Prepare(&back)
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, b.Bytes())
		}
		first.Origin.Run = ""
		if !reflect.DeepEqual(first, back) {
			t.Fatalf("%s\n%s", cmp.Diff(first, back), b.Bytes())
		}
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Custom(arbitrary.Observation), 1, 3).Draw(t, "list")
		for i := range list {
			if err := recorder.New(nil, recorder.Options{}).Prepare(&list[i]); err != nil {
				t.Fatal(err)
			}
		}
		if text := roundTrip(t, list...); !json.Valid(text) {
			t.Fatalf("not JSON: %s", text)
		}
	})
}

// Everything that holds items imports and exports again, and every member of
// every item is in the export.
func TestRealData(t *testing.T) {
	items := 0
	for pattern, holds := range map[string]bool{
		"native/aws-config/configuration-items/*":                  true,
		"native/aws-config/events-and-items/*":                     true,
		"native/aws-config/cli-output/*GetResourceConfigHistory*":  true,
		"native/aws-config/cli-output/*Describe*":                  false,
		"native/aws-config/cli-output/*SelectResourceConfig*":      false,
		"native/aws-config/cli-output/*ComplianceDetails*":         false,
		"native/aws-config/events-and-items/config__poll-eval*":    false,
		"native/cloudtrail/AWSLogs/*/CloudTrail/*/*/*/*/*.json.gz": false,
	} {
		paths, err := filepath.Glob(filepath.Join(realdata.Path(t), pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			list, _, bad := all(t, awsconfig.NewReader(bytes.NewReader(text), awsconfig.Options{}))
			if !holds || strings.Contains(path, "poll-evaluation") {
				if len(list) > 0 || !reflect.DeepEqual(bad, []string{"line 1: holds no configuration items"}) {
					t.Errorf("%s: %d items, %q", path, len(list), bad)
				}
				continue
			}
			originals := originalItems(t, text)
			if len(bad) > 0 || len(list) != len(originals) {
				t.Errorf("%s: %d of %d items, %q", path, len(list), len(originals), bad)
				continue
			}
			var written struct{ ConfigurationItems []map[string]any }
			decode(t, roundTrip(t, prepared(t, list)...), &written)
			for i, original := range originals {
				for name, value := range original {
					checkMember(t, path, name, value, original, written.ConfigurationItems[i])
				}
			}
			items += len(list)
		}
	}
	t.Logf("%d items", items)
}

// originalItems finds the items of a file without the package's help.
func originalItems(t *testing.T, text []byte) (list []map[string]any) {
	var collect func(v any)
	collect = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				collect(e)
			}
		case map[string]any:
			for _, inner := range []string{"configurationItems", "configurationItem", "invokingEvent"} {
				switch inner := v[inner].(type) {
				case nil:
				case string:
					var event any
					decode(t, []byte(inner), &event)
					collect(event)
					return
				default:
					collect(inner)
					return
				}
			}
			list = append(list, v)
		}
	}
	var file any
	decode(t, text, &file)
	collect(file)
	return list
}

func decode(t *testing.T, text []byte, to any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(to); err != nil {
		t.Fatal(err)
	}
}

// checkMember looks for a member of an original item in what was written.
func checkMember(t *testing.T, path, name string, value any, original, written map[string]any) {
	t.Helper()
	other := map[string]string{
		"version": "configurationItemVersion", "accountId": "awsAccountId", "arn": "ARN", "configurationItemMD5Hash": "configurationStateMd5Hash",
	}
	streams := name
	if other[name] != "" {
		streams = other[name]
	}
	got, ok := written[streams]
	if !ok {
		t.Errorf("%s: %s is not written", path, name)
		return
	}

	_, isText := original["configuration"].(string)
	switch name {
	case "configurationItemCaptureTime", "resourceCreationTime":
		value, got = instant(value), instant(got)
	case "configurationStateId":
		if s, ok := value.(string); ok {
			value = json.Number(s)
		}
		if s, ok := got.(string); ok {
			got = json.Number(s)
		}
	case "configuration":
		value = inner(t, value)
	case "supplementaryConfiguration":
		if isText {
			unwrapped := map[string]any{}
			for k, v := range value.(map[string]any) {
				unwrapped[k] = inner(t, v)
			}
			value = unwrapped
		}
	case "tags":
		if len(value.(map[string]any)) == 0 {
			return // they may have been found elsewhere
		}
	case "resourceName":
		if value == nil || value == "" {
			return // likewise
		}
	case "relationships":
		value, got = edges(value), edges(got)
	}
	if diff := cmp.Diff(value, got); diff != "" {
		t.Errorf("%s: %s %s", path, name, diff)
	}
}

func inner(t *testing.T, v any) any {
	if text, ok := v.(string); ok && json.Valid([]byte(text)) {
		decode(t, []byte(text), &v)
	}
	return v
}

func instant(v any) any {
	text, ok := v.(string)
	if !ok {
		return v
	}
	if strings.HasPrefix(text, "datetime.datetime(2020, 4, 22, 13, 13, 17, 718000") {
		return int64(1587582797718000) // by the item's configurationStateId
	}
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return err
	}
	return moment.UnixMicro()
}

func edges(v any) map[[4]string]int {
	set := map[[4]string]int{}
	for _, e := range v.([]any) {
		edge := e.(map[string]any)
		text := func(name string) string { s, _ := edge[name].(string); return s }
		set[[4]string{text("resourceType"), text("resourceId"), text("resourceName"), text("relationshipName") + text("name")}]++
	}
	return set
}

func TestWriter(t *testing.T) {
	var b bytes.Buffer
	w := awsconfig.NewWriter(&b, awsconfig.WriterOptions{SnapshotID: `"x"`})
	if err := w.Close(); err != nil || b.String() != `{"fileVersion":"1.0","configSnapshotId":"\"x\"","configurationItems":[]}`+"\n" {
		t.Errorf("%v %s", err, b.String())
	}

	b.Reset()
	w = awsconfig.NewWriter(&b, awsconfig.WriterOptions{})
	good := history.Item{Key: history.Key{Type: "T", ID: "1"}, CapturedAt: 1_000_000, State: history.State{Deleted: true}}
	bad := good
	bad.State.Name = "\xff"
	if err := w.Write(&good); err != nil {
		t.Error(err)
	}
	if err := w.Write(&bad); err == nil {
		t.Error("a name that is not UTF-8 is written")
	}
	if err := w.Write(&good); err != nil {
		t.Error(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if list, _, refused := all(t, awsconfig.NewReader(&b, awsconfig.Options{})); len(list) != 2 || len(refused) > 0 {
		t.Errorf("%d items, %q", len(list), refused)
	}

	before := []byte("before")
	if got, err := awsconfig.Append(before, &bad); err == nil || string(got) != "before" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := awsconfig.Append(before, &good); err != nil || !strings.HasPrefix(string(got), `before{"configurationItemVersion":`) {
		t.Errorf("%q, %v", got, err)
	}

	w = awsconfig.NewWriter(full{}, awsconfig.WriterOptions{})
	if err := w.Close(); !errors.Is(err, errFull) {
		t.Error(err)
	}
	if err := w.Write(&good); !errors.Is(err, errFull) {
		t.Error(err)
	}
}

type full struct{}

var errFull = os.ErrClosed

func (full) Write([]byte) (int, error) { return 0, errFull }

func FuzzAWSConfig(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(base + `,"configuration":"\"{}\"","supplementaryConfiguration":{"a":"{\"a\":1,\"a\":2}"}}`))
	f.Add([]byte(base + `,"varve":{"derived":["configurationStateId"],"extras":{"configurationStateId":"1"}}}[`))
	f.Add([]byte("\ufeff{}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, lines, _ := all(t, awsconfig.NewReader(bytes.NewReader(text), awsconfig.Options{MaxItem: 1 << 16}))
		if n := len(lines); n > 0 && lines[n-1] > bytes.Count(text, []byte{'\n'})+1 {
			t.Fatalf("line %d", lines[n-1])
		}
		r := recorder.New(nil, recorder.Options{})
		for _, o := range list {
			if r.Prepare(&o) == nil {
				roundTrip(t, o)
			}
		}
	})
}
