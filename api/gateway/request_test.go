package gateway_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/varvehq/varve/api/internal/apitest"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func TestIDsOfAllKinds(t *testing.T) {
	d := open(t, apitest.Options{})
	for _, id := range []string{"-/name", "a/b:c%d#e", "a b", "100%", "%2F", "+", "?&=", ";", "é🦀", `"\`, "[x]", "{y}", ".", "..", "*"} {
		d.Record(t, observation(id, `1`))
		code, body := d.Get(t, "/v1/items:lookup?type=T&id="+url.QueryEscape(id))
		var item struct{ Key struct{ ID string } }
		if err := json.Unmarshal(body, &item); err != nil || code != 200 || item.Key.ID != id {
			t.Errorf("%q: %d %s", id, code, body)
		}
	}
	// As an RFC 3986 URL writes them, where only + and & and # mean something else.
	for raw, id := range map[string]string{"-/name": "-/name", "a/b:c%25d%23e": "a/b:c%d#e", "a%20b": "a b"} {
		if code, body := d.Get(t, "/v1/items:lookup?type=T&id="+raw); code != 200 {
			t.Errorf("%q: %d %s", id, code, body)
		}
	}
}

func TestQueries(t *testing.T) {
	d := open(t, apitest.Options{})
	o := observation("a", `{"n":1.0}`)
	o.Tags = map[string]string{"k": "v"}
	d.Record(t, o, observation("b", `2`))

	for path, want := range map[string]string{
		"/v1/items:count":                                    `{"count":2,"groups":[]}`,
		"/v1/items:count?groupBy=GROUP_BY_TYPE":              `{"count":2,"groups":[{"name":"T","count":2}]}`,
		"/v1/items:count?tags=k%3Dv&at=2026-03-02T00:00:00Z": `{"count":1,"groups":[]}`,
		"/v1/items:count?at=2026-03-02T01:00:00%2B01:00":     `{"count":2,"groups":[]}`,
		"/v1/items:count?at=2026-03-02T01:00:00+01:00":       `{"count":2,"groups":[]}`, // a blank, to a form
		"/v1/items:count?at=2026-03-01T23:59:59.999999Z":     `{"count":0,"groups":[]}`,
		"/v1/items:count?at=1066-10-14T09:00:00Z":            `{"count":0,"groups":[]}`,
		"/v1/items:count?at=0001-01-01T00:00:00Z":            `{"count":0,"groups":[]}`,
		"/v1/items:count?at=0001-01-01T00:00:00%2B01:00":     `{"count":0,"groups":[]}`,
		"/v1/items:count?knownAt=0001-01-01T00:00:00Z":       `{"count":0,"groups":[]}`,
		"/v1/items:count?account=&region=x":                  `{"count":0,"groups":[]}`,
		"/v1/items:count?show_deleted=true":                  `{"count":2,"groups":[]}`,
		"/v1/items:lookup?type=T&id=a&readMask=key.id,capturedAt,deleted,configuration": `{"key":{"account":"","region":"","type":"","id":"a"},` +
			`"deleted":false,"capturedAt":"2026-03-02T00:00:00Z","configuration":{"n":1.0}}`,
		"/v1/items?pageSize=1&readMask=version&readMask=late": "",
		"/v1/runs": `{"runs":[],"nextPageToken":""}`,
	} {
		code, body := d.Get(t, path)
		if want == "" {
			fault(t, code, body, 400, history.Invalid)
		} else if code != 200 || string(body) != want {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}

	for query, field := range map[string]string{
		"pageSize=ten":                 "pageSize",
		"pageSize=1&page_size=2":       "", // either of the two
		"pageSize=1&pageSize=2":        "pageSize",
		"pageSize=2147483648":          "pageSize",
		"pageSize=-1":                  "pageSize",
		"showDeleted=yes":              "showDeleted",
		"at=yesterday":                 "at",
		"at=2026-02-30T00:00:00Z":      "at",
		"at=9999-12-31T23:59:59-01:00": "at",
		"type=%ff":                     "type",
		"idPrefix=a%c3":                "idPrefix",
		"tags=k%3Dv&tags=%ed%a0%80":    "tags",
		"readMask=%ff":                 "readMask",
		"pageSize=%ff":                 "pageSize",
		"%ff=1":                        "\uFFFD",
		"typ=T":                        "typ",
		"tags":                         "tags",
		"tags=x":                       "tags",
		"knownAt=soon":                 "knownAt",
		"pageToken=x":                  "pageToken",
		"readMask=colour":              "readMask",
		"at.seconds=3":                 "at.seconds",
		"type=a;b":                     "query",
		"type=%zz":                     "query",
	} {
		code, body := d.Get(t, "/v1/items?"+query)
		f := apitest.ReadFault(t, body)
		if code != 400 || f.Details[0].Metadata["field"] != field && field != "" || strings.Contains(f.Message, "strconv") {
			t.Errorf("%s: %d %s", query, code, body)
		}
	}
	for path, field := range map[string]string{
		"/v1/items:lookup?type=T&id=%ff": "id", "/v1/items:diff?type=T&id=a&from=%ff": "from", "/v1/runs/%ff": "name",
	} {
		code, body := d.Get(t, path)
		if f := fault(t, code, body, 400, history.Invalid); f.Details[0].Metadata["field"] != field {
			t.Errorf("%s: %s", path, body)
		}
	}
	code, body := d.Get(t, "/v1/items?pageSize=ten")
	if f := fault(t, code, body, 400, history.Invalid); f.Message != `pageSize "ten": is not a whole number from -2147483648 to 2147483647` {
		t.Error(f.Message)
	}
}

// TestNoRouteTakesWhatItDoesNotKnow walks the routes as the .proto files have
// them.
func TestNoRouteTakesWhatItDoesNotKnow(t *testing.T) {
	d := open(t, apitest.Options{})
	routes := 0
	for _, file := range []protoreflect.FileDescriptor{
		varvev1.File_varve_v1_history_proto, varvev1.File_varve_v1_recorder_proto, varvev1.File_varve_v1_run_proto,
	} {
		for i := range file.Services().Len() {
			for j := range file.Services().Get(i).Methods().Len() {
				m := file.Services().Get(i).Methods().Get(j)
				rule, _ := proto.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
				if rule == nil {
					continue
				}
				method, path, body := "GET", rule.GetGet(), ""
				if path == "" {
					method, path, body = "POST", rule.GetPost(), "{}"
				}
				path = strings.ReplaceAll(path, "{name=runs/*}", "runs/x")
				code, text := d.Do(t, method, path+"?colour=red", body, nil)
				if f := fault(t, code, text, 400, history.Invalid); f.Details[0].Metadata["field"] != "colour" {
					t.Errorf("%s: %s", path, text)
				}
				routes++
			}
		}
	}
	if routes < 13 {
		t.Errorf("only %d routes", routes)
	}
}

func TestBodies(t *testing.T) {
	d := open(t, apitest.Options{})
	const path = "/v1/items:batchRecord"
	for body, field := range map[string]string{
		``:                                      "observations",
		`{}`:                                    "observations",
		`null`:                                  "body",
		`[]`:                                    "body",
		`{"observations":[]} x`:                 "body",
		`{"observations":[{`:                    "observations[0]",
		`{"observations":{}}`:                   "observations",
		`{"observations":[null]}`:               "observations[0]",
		`{"observations":[{"colour":1}]}`:       "observations[0].colour",
		`{"observations":[{"captured_at":1}]}`:  "observations[0].captured_at",
		`{"observations":[],"observations":[]}`: "observations",
		`{"requestId":"a","request_id":"a"}`:    "request_id",
		`{"observations":[{"key":{"id":7}}]}`:   "observations[0].key.id",
		`{"observations":[{"key":{"id":"\ud800"}}]}`:         "observations[0].key.id",
		"{\"observations\":[{\"key\":{\"id\":\"\xff\"}}]}":   "observations[0].key.id",
		`{"observations":[{"tags":{"a":"1","\u0061":"2"}}]}`: "observations[0].tags.a",
		`{"observations":[{"tags":{"\udc00":"1"}}]}`:         "observations[0].tags",
		`{"observations":[{"supplementary":{"a":1,"a":2}}]}`: "observations[0].supplementary.a",
		`{"observations":[{"expectVersion":-1}]}`:            "observations[0].expectVersion",
		`{"observations":[{"expectVersion":1.5}]}`:           "observations[0].expectVersion",
		`{"observations":[{"expectVersion":4294967296}]}`:    "observations[0].expectVersion",
		`{"observations":[{"deleted":"true"}]}`:              "observations[0].deleted",
		`{"observations":[{"capturedAt":"yesterday"}]}`:      "observations[0].capturedAt",
		`{"observations":[{"configuration":{"a":}}]}`:        "observations[0].configuration",
		`{"observations":[{"configuration":01}]}`:            "observations[0]",
	} {
		code, text := d.Post(t, path, body)
		f := fault(t, code, text, 400, history.Invalid)
		if f.Details[0].Metadata["field"] != field {
			t.Errorf("%s: %s", body, text)
		}
	}
	code, text := d.Post(t, path, `{"observations":[{"captured_at":"2026-03-01T00:00:00Z","colour":1}]}`)
	if f := apitest.ReadFault(t, text); code != 400 || f.Message != "observations[0].colour is not a field of Observation" {
		t.Errorf("field names of the .proto files are taken too: %s", text)
	}
	code, text = d.Post(t, path, `{"Observations":[]}`)
	if f := apitest.ReadFault(t, text); code != 400 || !strings.HasSuffix(f.Message, "did you mean observations?") {
		t.Errorf("%s", text)
	}
	code, text = d.Post(t, "/v1/runs?runId=r1", ``)
	if code != 200 || !strings.HasPrefix(string(text), `{"name":"runs/r1","scope":{"accounts":[],"regions":[],"types":[]},`) {
		t.Errorf("a run of no body: %d %s", code, text)
	}
	code, text = d.Post(t, "/v1/runs/r1:abort", `{"reason":"why"}`)
	if code != 200 || !strings.Contains(string(text), `"state":"STATE_ABORTED"`) || !strings.Contains(string(text), `"observed":0`) {
		t.Errorf("%d %s", code, text)
	}
}

func TestBodyLimit(t *testing.T) {
	d := open(t, apitest.Options{})
	code, text := d.Post(t, "/v1/items:batchRecord", `{"observations":[{"configuration":"`+strings.Repeat("x", 64<<20)+`"}]}`)
	if f := fault(t, code, text, 413, history.TooLarge); f.Details[0].Metadata["field"] != "body" {
		t.Errorf("%s", text)
	}
}
