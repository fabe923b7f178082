package ndjson_test

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/internal/realdata"
	"github.com/varvehq/varve/recorder/source"
	"github.com/varvehq/varve/recorder/source/ndjson"
)

var _ source.Reader = (*ndjson.Reader)(nil)

// all reads everything; lines that cannot be taken it returns as text.
func all(t testing.TB, r source.Reader) (list []history.Observation, bad []string) {
	t.Helper()
	for {
		o, line, err := r.Next()
		var e *source.LineError
		switch {
		case errors.Is(err, io.EOF):
			return list, bad
		case errors.As(err, &e):
			if e.Line != line || !errors.As(err, new(*history.Error)) {
				t.Errorf("line %d: %#v", line, err)
			}
			bad = append(bad, err.Error())
		case err != nil:
			t.Fatal(err)
		default:
			list = append(list, o)
		}
	}
}

func TestReader(t *testing.T) {
	const full = `{"time":"2024-05-01T12:00:00.1234567+02:00","provider":"aws","account":"1","region":"eu-west-1","type":"T","id":"-/x",
"name":"n","arn":"arn:aws:x","availabilityZone":"a","createdAt":"2020-01-01T00:00:00Z","status":"OK","tags":{"a":"b","":"c\u0000"},
"configuration":{"n": 12345678901234567890.10,"a":[ ]},"supplementary":{"P":"x","Q":null},
"relationships":[{"name":"Is contained in Vpc","type":"V","id":"vpc-1","account":"2","region":"r"},{"type":"W","name":"z","resourceName":"w"}],
"deleted":false,"cause":{"actor":"me","eventId":"e","sourceIp":"::1"},"source":"s","extras":{"version":"1.3"}}`
	list, bad := all(t, ndjson.NewReader(strings.NewReader(strings.ReplaceAll(full, "\n", "")), ndjson.Options{Source: "elsewhere"}))
	if len(bad) > 0 {
		t.Fatal(bad)
	}
	want := []history.Observation{{
		Key:        history.Key{Account: "1", Region: "eu-west-1", Type: "T", ID: "-/x"},
		CapturedAt: 1714557600123456,
		State: history.State{
			ARN: "arn:aws:x", Name: "n", AvailabilityZone: "a", CreatedAt: 1577836800000000, Status: history.StatusOK,
			Tags:          map[string]string{"a": "b", "": "c\x00"},
			Configuration: []byte(`{"n": 12345678901234567890.10,"a":[ ]}`),
			Supplementary: map[string][]byte{"P": []byte(`"x"`), "Q": []byte(`null`)},
			Relationships: []history.Relationship{
				{Name: "Is contained in Vpc", Type: "V", ID: "vpc-1", Account: "2", Region: "r"},
				{Name: "z", Type: "W", ResourceName: "w"},
			},
		},
		Origin: history.Origin{
			Provider: "aws", Source: "s", Cause: history.Cause{Actor: "me", EventID: "e", SourceIP: "::1"},
			Extras: []byte(`{"version":"1.3"}`),
		},
	}}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Error(diff)
	}
}

func TestReaderTakes(t *testing.T) {
	for name, line := range map[string]string{
		"Nulls": `{"time":"2024-05-01T12:00:00Z","type":"T","id":"1","configuration":0,"provider":null,"account":null,"region":null,"name":null,` +
			`"arn":null,"availabilityZone":null,"createdAt":null,"status":null,"tags":null,"supplementary":null,"relationships":null,"deleted":null,"cause":null,"source":null,"extras":null}`,
		"Empties":     `{"time":"2024-05-01T12:00:00Z","type":"T","id":"1","configuration":0,"name":"","tags":{},"supplementary":{},"relationships":[],"cause":{},"extras":{}}`,
		"Blanks":      " \t{ \"time\" : \"2024-05-01T12:00:00Z\" , \"type\":\"T\",\"id\":\"1\",\"configuration\": 0 } \t\r",
		"EscapedName": `{"\u0074ime":"2024-05-01T12:00:00Z","type":"T","id":"1","configuration":0}`,
		"LowDigits":   `{"time":"2024-05-01T12:00:00.00000099999999999Z","type":"T","id":"1","configuration":0}`,
	} {
		t.Run(name, func(t *testing.T) {
			list, bad := all(t, ndjson.NewReader(strings.NewReader(line), ndjson.Options{}))
			if len(bad) > 0 || len(list) != 1 {
				t.Fatal(bad, list)
			}
			o := list[0]
			o.State.Normalize()
			o.Origin.Extras = nil
			want := history.Observation{Key: history.Key{Type: "T", ID: "1"}, CapturedAt: 1714564800000000, State: history.State{Configuration: []byte("0")}}
			if diff := cmp.Diff(want, o); diff != "" {
				t.Error(diff)
			}
		})
	}

	for name, line := range map[string]string{
		"Deletion":         `{"time":"2024-05-01T12:00:00Z","type":"T","id":"1","configuration":null,"deleted":true}`,
		"DeletionBare":     `{"time":"2024-05-01T12:00:00Z","type":"T","id":"1","deleted":true}`,
		"DeletionByStatus": `{"time":"2024-05-01T12:00:00Z","type":"T","id":"1","status":"ResourceDeleted"}`,
		"DeletionByBoth":   `{"time":"2024-05-01T12:00:00Z","type":"T","id":"1","status":"ResourceDeleted","deleted":true}`,
	} {
		t.Run(name, func(t *testing.T) {
			list, bad := all(t, ndjson.NewReader(strings.NewReader(line), ndjson.Options{}))
			if len(bad) > 0 || !list[0].State.Deleted || list[0].State.Configuration != nil {
				t.Error(bad, list)
			}
		})
	}
}

func TestReaderRefuses(t *testing.T) {
	// What is not JSON is explained by package canonical: its words may change.
	const base = `"time":"2024-05-01T12:00:00Z","type":"T","id":"1","configuration":0`
	for _, c := range []struct{ line, want string }{
		{`x`, `not valid JSON: unexpected 'x'`},
		{`{`, `not valid JSON: document ends early`},
		{`{` + base + `,"tags":{"a":"b"}`, `not valid JSON: document ends early`},
		{`{` + base + `,"name":"` + "\xff" + `"}`, `invalid UTF-8 byte 0xff at /name (byte 77)`},
		{`{"configuration":{"a":["\ud800"]}}`, `lone surrogate \ud800 at /configuration/a/0 (byte 24)`},
		{`{` + base + `}{}`, `the line goes on after its object; write one observation a line`},
		{`{` + base + `} x`, `not valid JSON: unexpected 'x'`},
		{`[]`, `the line is a list, not an object`},
		{`"time"`, `the line is a string, not an object`},
		{`7`, `the line is a number, not an object`},
		{`null`, `the line is null, not an object`},
		{`{` + base + `,"Name":"n"}`, `member "Name": is not known; put what has no member here into extras`},
		{`{` + base + `,"id":"1"}`, `id is given twice`},
		{`{` + base + `,"\u0069d":"1"}`, `id is given twice`},
		{`{"type":"T","id":"1","configuration":0}`, `time is required`},
		{`{"time":"2024-05-01T12:00:00Z","id":"1","configuration":0}`, `type is required`},
		{`{"time":"2024-05-01T12:00:00Z","type":"T","id":null,"configuration":0}`, `id is required`},
		{`{"time":"2024-05-01T12:00:00Z","type":"T","id":""}`, `id is required`},
		{`{"time":"2023-13-01"}`, `time "2023-13-01": is not an RFC 3339 time; write 2006-01-02T15:04:05Z`},
		{`{"time":"2023-01-01T00:00:00"}`, `time "2023-01-01T00:00:00": is not an RFC 3339 time; write 2006-01-02T15:04:05Z`},
		{`{"time":1700000000}`, `time is a number, not a string`},
		{`{"time":"1969-12-31T23:59:59Z"}`, `time "1969-12-31T23:59:59Z": lies outside the years 1970 to 9999`},
		{`{"time":"1970-01-01T00:00:00Z"}`, `time "1970-01-01T00:00:00Z": lies outside the years 1970 to 9999`},
		{`{` + base + `,"createdAt":"` + strings.Repeat("9", 80) + `"}`, `createdAt "` + strings.Repeat("9", 64) + `"…: is not an RFC 3339 time; write 2006-01-02T15:04:05Z`},
		{`{` + base + `,"account":123}`, `account is a number, not a string`},
		{`{` + base + `,"tags":[]}`, `tags is a list, not an object`},
		{`{` + base + `,"tags":{"a":1}}`, `tags "a": is a number, not a string`},
		{`{` + base + `,"tags":{"a":null}}`, `tags "a": is null, not a string`},
		{`{` + base + `,"tags":{"a":"x","b":"","a":"x"}}`, `tags "a": is given twice`},
		{`{` + base + `,"deleted":"true"}`, `deleted is a string, not true or false`},
		{`{` + base + `,"deleted":true}`, `configuration contradicts deleted; a deleted resource has none`},
		{`{"time":"2024-05-01T12:00:00Z","type":"T","id":"1"}`,
			`configuration is required, and null is none; set deleted if the resource is gone, or status ResourceNotRecorded`},
		{`{` + base + `,"status":"ok"}`,
			`status "ok": is not a status; known are OK, ResourceDiscovered, ResourceNotRecorded, ResourceDeleted and ResourceDeletedNotRecorded`},
		{`{` + base + `,"supplementary":{"a":1,"a":1}}`, `supplementary "a": is given twice`},
		{`{` + base + `,"supplementary":7}`, `supplementary is a number, not an object`},
		{`{` + base + `,"relationships":{}}`, `relationships is an object, not a list`},
		{`{` + base + `,"relationships":[7]}`, `relationships/0 is a number, not an object`},
		{`{` + base + `,"relationships":[{"name":"n","type":"t","id":"i"},{"name":"n","type":"t"}]}`, `relationships/1 needs an id or a resourceName`},
		{`{` + base + `,"relationships":[{"target":"n"}]}`, `member "relationships/0/target": is not known`},
		{`{` + base + `,"relationships":[{"id":"n","id":"n"}]}`, `relationships/0/id is given twice`},
		{`{` + base + `,"relationships":[{"id":7}]}`, `relationships/0/id is a number, not a string`},
		{`{` + base + `,"cause":"me"}`, `cause is a string, not an object`},
		{`{` + base + `,"cause":{"who":"me"}}`, `member "cause/who": is not known`},
		{`{` + base + `,"extras":[1]}`, `extras is a list, not an object`},
		{`{` + base + `,"source":"s" "name":"n"}`, `not valid JSON: unexpected '"'`},
	} {
		list, bad := all(t, ndjson.NewReader(strings.NewReader(c.line), ndjson.Options{}))
		if len(list) != 0 || len(bad) != 1 || !strings.HasPrefix(bad[0], "line 1: "+c.want) {
			t.Errorf("%q\ngot  %q %v\nwant line 1: %s", c.line, bad, list, c.want)
		}
	}
}

// A bad line, however bad, does not harm its neighbours.
func TestReaderGoesOn(t *testing.T) {
	good := func(id int) string {
		return fmt.Sprintf(`{"time":"2024-05-01T12:00:00Z","type":"T","id":"%d","configuration":{}}`, id)
	}
	text := strings.Join([]string{good(1), "", `{"time":"x"}`, good(4), `{"a":{"b":[`, "]]]", good(7), "  ", strings.Repeat("x", 400<<10), good(10), "\xff", good(12)}, "\n")
	r := ndjson.NewReader(iotest.OneByteReader(strings.NewReader(text)), ndjson.Options{MaxLine: 300 << 10})
	var lines, ids []string
	for {
		o, line, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			lines = append(lines, fmt.Sprint(line))
			continue
		}
		ids = append(ids, o.Key.ID)
		if o.Key.ID != fmt.Sprint(line) {
			t.Errorf("%s on line %d", o.Key.ID, line)
		}
	}
	if got := strings.Join(ids, " "); got != "1 4 7 10 12" {
		t.Errorf("took %s", got)
	}
	if got := strings.Join(lines, " "); got != "3 5 6 9 11" {
		t.Errorf("refused %s", got)
	}
	if _, line, err := r.Next(); !errors.Is(err, io.EOF) || line != 12 {
		t.Errorf("after the end: line %d, %v", line, err)
	}
}

func TestReaderLongLines(t *testing.T) {
	line := func(n int) string {
		return `{"time":"2024-05-01T12:00:00Z","type":"T","id":"1","configuration":"` + strings.Repeat("x", n) + `"}`
	}
	for _, n := range []int{64<<10 - 72, 64<<10 - 71, 64<<10 - 70, 64<<10 - 69, 1 << 20} {
		text := line(n) + "\n" + line(1) + "\n" + line(n)
		list, bad := all(t, ndjson.NewReader(strings.NewReader(text), ndjson.Options{}))
		if len(bad) > 0 || len(list) != 3 || len(list[0].State.Configuration) != n+2 || len(list[2].State.Configuration) != n+2 {
			t.Errorf("%d: %v %d", n, bad, len(list))
		}
	}
	r := ndjson.NewReader(strings.NewReader(line(100)+"\n"+line(1)+"\n"), ndjson.Options{MaxLine: 100})
	list, bad := all(t, r)
	if want := []string{"line 1: is 171 bytes long, at most 100 are read"}; len(list) != 1 || !cmp.Equal(bad, want) {
		t.Errorf("%v %v", bad, list)
	}
}

func TestReaderBroken(t *testing.T) {
	fault := errors.New("unplugged")
	text := `{"time":"2024-05-01T12:00:00Z","type":"T","id":"1","configuration":{}}` + "\n" + `{"time`
	r := ndjson.NewReader(io.MultiReader(strings.NewReader(text), iotest.ErrReader(fault)), ndjson.Options{})
	if _, _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, line, err := r.Next()
		var e *source.BrokenError
		if !errors.As(err, &e) || !errors.Is(err, fault) || e.Line != 2 || line != 2 {
			t.Errorf("line %d: %v", line, err)
		}
	}
}

// What was returned stays, whatever is read afterwards.
func TestReaderSharesNothing(t *testing.T) {
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, `{"time":"2024-05-01T12:00:00Z","type":"T%d","id":"%d","configuration":{"n":%d},"tags":{"k%d":"%d"},"supplementary":{"s":%d},"extras":{"e":%d}}`+"\n", i, i, i, i, i, i, i)
	}
	list, bad := all(t, ndjson.NewReader(strings.NewReader(b.String()), ndjson.Options{}))
	if len(bad) > 0 || len(list) != 5000 {
		t.Fatal(bad)
	}
	for i, o := range list {
		n := fmt.Sprint(i)
		if o.Key.ID != n || o.Key.Type != "T"+n || string(o.State.Configuration) != `{"n":`+n+`}` || o.State.Tags["k"+n] != n ||
			string(o.State.Supplementary["s"]) != n || string(o.Origin.Extras) != `{"e":`+n+`}` {
			t.Fatalf("%d: %+v", i, o)
		}
	}
}

func TestReaderOnRealData(t *testing.T) {
	for _, path := range realdata.Glob(t, "*.ndjson.gz") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			f, err := source.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if format, err := f.Detect(); format != source.NDJSON || err != nil {
				t.Errorf("detected %v, %v", format, err)
			}
			r := ndjson.NewReader(f, ndjson.Options{})
			for {
				o, line, err := r.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if o.State.Deleted != (o.State.Configuration == nil) {
					t.Errorf("line %d: %+v", line, o.State)
				}
			}
			if f.BytesRead() != f.Size {
				t.Errorf("%d of %d bytes read", f.BytesRead(), f.Size)
			}
		})
	}
}
