package awsconfig_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/canonical"
	source "github.com/varvehq/varve/recorder/source/awsconfig"
)

// needShared reads a packed file that lies beside the checkout, and skips without
// it. CI has none either: a clone has no such neighbour.
func needShared(t *testing.T, name string) []byte {
	t.Helper()
	packed, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "aws", name))
	if err != nil {
		if testing.Short() {
			t.Skip("reads a file beside the checkout")
		}
		t.Skipf("SKIP: ../shared/aws/%s is not there: nothing real to compare with", name)
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// members are those of an object, with their values as they stand.
type members = map[string]jsontext.Value

// parse reads what a test cannot do without.
func parse[T any](t *testing.T, text []byte) (value T) {
	t.Helper()
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return value
}

// form is the one text of a JSON value; numbers keep their digits.
func form(t *testing.T, doc []byte) string {
	t.Helper()
	if doc == nil {
		return ""
	}
	text, err := canonical.Form(doc, canonical.Limits{})
	if err != nil {
		t.Fatalf("%v in %s", err, doc)
	}
	return string(text)
}

// inside is the form of the document that a string holds as text; of what holds
// none it is its own.
func inside(t *testing.T, doc []byte) string {
	t.Helper()
	if len(doc) > 0 && doc[0] == '"' {
		if text := parse[string](t, doc); jsontext.Value(text).IsValid() {
			return form(t, []byte(text))
		}
	}
	return form(t, doc)
}

// recordText records the items of a text of AWS Config's.
func (w *world) recordText(text []byte) {
	w.t.Helper()
	in := source.NewReader(bytes.NewReader(text), source.Options{})
	for {
		o, _, err := in.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			w.t.Fatalf("%v in %s", err, text)
		}
		w.record(o)
	}
}

// inAPI are the names of members that the stream's dialect calls otherwise.
var inAPI = map[string]string{
	"awsAccountId": "accountId", "ARN": "arn", "configurationItemVersion": "version", "configurationStateMd5Hash": "configurationItemMD5Hash",
}

// same holds an item that is told against the one that AWS told, in either
// dialect. Every member of AWS's is there, and means the same, but
//
//	the order of relationships, which are a set, and of members within a
//	configuration, which is that of the canonical form;
//	what says nothing: null, "", a creation in 1970;
//	tags, where AWS tells none and the configuration does.
//
// What is there beside is what AWS always has, where those who took the answer
// down cut it away, and a name that AWS left to the configuration to tell.
func same(t *testing.T, got, want members) {
	t.Helper()
	texts := texts{t, want["awsAccountId"] == nil && (want["configuration"] == nil || want["configuration"][0] == '"')}
	known := map[string]bool{"resourceName": true}
	for name, value := range want {
		if api, ok := inAPI[name]; ok {
			name = api
		}
		if s := string(value); s == "null" || s == `""` || s == "0" {
			continue
		}
		known[name] = true
		a, b := form(t, got[name]), form(t, value)
		switch name {
		case "configuration":
			a, b = inside(t, got[name]), inside(t, value)
		case "supplementaryConfiguration":
			a, b = texts.told(got[name]), texts.saved(value)
		case "relationships":
			a, b = set(t, got[name]), set(t, value)
		case "configurationStateId":
			a, b = strings.Trim(a, `"`), strings.Trim(b, `"`)
		case "tags":
			if b == "{}" {
				continue
			}
		}
		if a != b {
			t.Errorf("%s: %s, AWS %s", name, a, b)
		}
	}
	for name := range got {
		usual := []string{"accountId", "configurationStateId", "configurationItemMD5Hash", "supplementaryConfiguration", "tags", "relationships", "relatedEvents"}
		if !known[name] && !slices.Contains(usual, name) {
			t.Errorf("%s: %s, AWS none", name, got[name])
		}
	}
}

// texts compares supplementary configurations. AWS's API has them as JSON text,
// its files as JSON, in which a string is one.
type texts struct {
	t   *testing.T
	api bool
}

func (c texts) told(object []byte) string { return texts{c.t, true}.saved(object) }

func (c texts) saved(object []byte) string {
	c.t.Helper()
	var list []string
	for name, doc := range parse[members](c.t, object) {
		read := form
		if c.api {
			read = inside
		}
		list = append(list, fmt.Sprintf("%q %s", name, read(c.t, doc)))
	}
	slices.Sort(list)
	return strings.Join(list, "\n")
}

// set are the entries of a list, in no order, without what says nothing.
func set(t *testing.T, list []byte) string {
	t.Helper()
	var entries []string
	for _, entry := range parse[[]members](t, list) {
		var parts []string
		for name, value := range entry {
			if name == "name" {
				name = "relationshipName"
			}
			if s := string(value); s != "null" && s != `""` {
				parts = append(parts, name+" "+s)
			}
		}
		slices.Sort(parts)
		entries = append(entries, strings.Join(parts, ", "))
	}
	slices.Sort(entries)
	return strings.Join(slices.Compact(entries), "\n")
}

// TestRealAnswers records the items of real answers, as whoever saved them would,
// and asks for them as AWS Config was asked.
func TestRealAnswers(t *testing.T) {
	type recording struct {
		Body      members `json:"body"`
		From      string  `json:"from"`
		Operation string  `json:"operation"`
	}
	var histories, lists, items int
	saved := parse[[]recording](t, needShared(t, "recorded-responses.json.gz"))
	for _, r := range saved {
		if r.Operation != "GetResourceConfigHistory" && r.Operation != "ListDiscoveredResources" {
			continue
		}
		t.Run(strings.TrimSuffix(r.From, ".json"), func(t *testing.T) {
			if r.Operation == "ListDiscoveredResources" {
				lists++
				sameList(t, r.Body)
				return
			}
			list := parse[[]members](t, r.Body["configurationItems"])
			if len(list) == 0 {
				return
			}
			histories++
			items += len(list)
			w, first := open(t), list[0]
			// Retention is not what is tried here.
			w.clock.at.Store(int64(capturedAt(t, first)) + time.Hour.Microseconds())
			for _, it := range list {
				if it["accountId"] == nil { // cut away by hand; nothing can be recorded without
					it["accountId"] = jsontext.Value(`"` + account + `"`)
				}
				text, err := json.Marshal(it)
				if err != nil {
					t.Fatal(err)
				}
				w.recordText(text)
			}
			_, answer := w.answerTo(parse[string](t, first["accountId"]), parse[string](t, first["awsRegion"]), r.Operation,
				fmt.Sprintf(`{"resourceType":%s,"resourceId":%s}`, first["resourceType"], first["resourceId"]))
			told := parse[[]members](t, parse[members](t, answer)["configurationItems"])
			if list = distinct(t, list); len(told) != len(list) {
				t.Fatalf("%d items, AWS %d: %s", len(told), len(list), answer)
			}
			for i := range list {
				same(t, told[i], list[i])
			}
		})
	}
	if histories != 11 || lists != 5 || items != 14 {
		t.Errorf("%d histories with %d items, and %d lists", histories, items, lists)
	}
}

// distinct leaves out of a history, newest first, items that are the same as the
// one before: evidence of the version, and none of their own.
func distinct(t *testing.T, list []members) []members {
	content := func(it members) string {
		it = maps.Clone(it)
		delete(it, "configurationItemCaptureTime")
		delete(it, "configurationStateId")
		text, err := json.Marshal(it)
		if err != nil {
			t.Fatal(err)
		}
		return form(t, text)
	}
	var kept []members
	for i, it := range list {
		if i == len(list)-1 || content(it) != content(list[i+1]) {
			kept = append(kept, it)
		}
	}
	return kept
}

// capturedAt is the capture of an item, of which all times are seconds.
func capturedAt(t *testing.T, it members) history.Moment {
	t.Helper()
	seconds := parse[float64](t, it["configurationItemCaptureTime"])
	return history.MomentOf(time.UnixMilli(int64(seconds * 1000)))
}

// sameList discovers what AWS Config listed, and asks for the list.
func sameList(t *testing.T, body members) {
	t.Helper()
	w := open(t)
	var want []string
	for _, entry := range parse[[]members](t, body["resourceIdentifiers"]) {
		o := history.Observation{Key: key(parse[string](t, entry["resourceType"]), parse[string](t, entry["resourceId"]))}
		o.State = history.State{Name: parse[string](t, entry["resourceName"]), Configuration: []byte("{}")}
		w.record(o)
		want = append(want, o.Key.Type)
	}
	_, answer := w.answer("ListDiscoveredResources", `{"resourceType":"`+want[0]+`"}`)
	if got := parse[members](t, answer); set(t, got["resourceIdentifiers"]) != set(t, body["resourceIdentifiers"]) {
		t.Errorf("%s, AWS %s", got["resourceIdentifiers"], body["resourceIdentifiers"])
	}
}

// TestRealItems records one item of each of 77 types and asks for it, by its
// history and in a batch.
func TestRealItems(t *testing.T) {
	saved := parse[members](t, needShared(t, "example-cis.json.gz"))
	if len(saved) != 78 {
		t.Errorf("%d items", len(saved))
	}
	// What AWS's API has no word for: whoever wrote the samples down added it.
	const transition = "resourceTransitionStatus"
	for name, text := range saved {
		t.Run(name, func(t *testing.T) {
			w, it := open(t), parse[members](t, text)
			o, _, err := source.NewReader(bytes.NewReader(text), source.Options{}).Next()
			if err != nil {
				t.Fatal(err)
			}
			// Times stand there as Python prints them.
			it["configurationItemCaptureTime"] = seconds(o.CapturedAt)
			if it["resourceCreationTime"] != nil {
				it["resourceCreationTime"] = seconds(o.State.CreatedAt)
			}
			delete(it, transition)
			asked := fmt.Sprintf(`{"resourceType":%s,"resourceId":%s}`, it["resourceType"], it["resourceId"])
			home := o.Key.Region
			if home == "Not Applicable" { // of one sample; no request can be about that
				o.Key.Region, it["awsRegion"] = region, jsontext.Value(`"`+region+`"`)
				home = region
			}
			if home == "global" {
				home = region
			}
			w.record(o)
			_, answer := w.answerTo(o.Key.Account, home, "GetResourceConfigHistory", asked)
			told := parse[[]members](t, parse[members](t, answer)["configurationItems"])
			if len(told) != 1 {
				t.Fatalf("%s", answer)
			}
			same(t, told[0], it)

			_, answer = w.answerTo(o.Key.Account, home, "BatchGetResourceConfig", `{"resourceKeys":[`+asked+`]}`)
			base := parse[[]members](t, parse[members](t, answer)["baseConfigurationItems"])
			if len(base) != 1 {
				t.Fatalf("%s", answer)
			}
			for _, absent := range []string{"tags", "relatedEvents", "relationships", "configurationItemMD5Hash"} {
				delete(it, absent)
				delete(told[0], absent)
			}
			supplementary := parse[members](t, told[0]["supplementaryConfiguration"])
			for _, tags := range []string{"Tags", "tags", "BucketTaggingConfiguration"} {
				delete(supplementary, tags)
			}
			rest, err := json.Marshal(supplementary)
			if err != nil {
				t.Fatal(err)
			}
			told[0]["supplementaryConfiguration"] = rest
			same(t, base[0], told[0])
		})
	}
}

// seconds are a moment on the wire.
func seconds(m history.Moment) jsontext.Value {
	text := fmt.Sprintf("%d.%06d", m/1_000_000, m%1_000_000)
	return jsontext.Value(strings.TrimSuffix(strings.TrimRight(text, "0"), "."))
}
