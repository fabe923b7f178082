package awsconfig_test

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/source"
	"github.com/varvehq/varve/recorder/source/awsconfig"
)

// base is an item that is accepted, without its last brace.
const base = `{"awsAccountId":"1","awsRegion":"r","resourceType":"T","resourceId":"i","configurationItemCaptureTime":"2024-05-01T12:00:00Z","configuration":{}`

func TestReaderRefuses(t *testing.T) {
	without := func(name string) string {
		var kept []string
		for _, member := range strings.Split(base[1:], ",") {
			if !strings.HasPrefix(member, `"`+name+`"`) {
				kept = append(kept, member)
			}
		}
		return "{" + strings.Join(kept, ",") + "}"
	}
	with := func(members string) string { return base + "," + members + "}" }
	at := func(time string) string {
		return strings.Replace(base, `"2024-05-01T12:00:00Z"`, time, 1) + "}"
	}
	for _, c := range []struct{ text, want string }{
		{without("awsAccountId"), `awsAccountId (or accountId) is required`},
		{without("awsRegion"), `awsRegion is required`},
		{without("resourceType"), `resourceType is required`},
		{without("resourceId"), `resourceId is required`},
		{without("configurationItemCaptureTime"), `configurationItemCaptureTime is required`},
		{without("configuration"), `configuration is required, and null is none; set deleted if the resource is gone, or status ResourceNotRecorded`},
		{strings.Replace(base, `"r"`, "null", 1) + "}", `awsRegion is required`},
		{strings.Replace(base, `"r"`, "7", 1) + "}", `awsRegion is a number, not a string`},
		{strings.Replace(base, `"T"`, `""`, 1) + "}", `type is required`},
		{with(`"accountId":"2"`), `awsAccountId contradicts what the item says under the other dialect's name`},
		{with(`"arn":"a","ARN":"b"`), `arn contradicts what the item says under the other dialect's name`},
		{with(`"version":"1.2","configurationItemVersion":"1.3"`), `version contradicts configurationItemVersion`},
		{with(`"configurationItemStatus":"Fine"`), `status "Fine": is not a status; known are OK, ResourceDiscovered, ResourceNotRecorded, ResourceDeleted and ResourceDeletedNotRecorded`},
		{with(`"configurationItemStatus":"ResourceDeleted"`), `configuration contradicts deleted; a deleted resource has none`},
		{with(`"tags":[{"key":"a","value":"b"}]`), `tags is a list, not an object`},
		{with(`"tags":{"a":null}`), `tags "a": is null, not a string`},
		{with(`"relationships":{}`), `relationships is an object, not a list`},
		{with(`"relationships":[1]`), `relationships/0 is a number, not an object`},
		{with(`"relationships":[{"name":1}]`), `relationships/0/name is a number, not a string`},
		{with(`"relationships":[{"name":"a","relationshipName":"b"}]`), `relationships/0/relationshipName contradicts what the entry says under the other dialect's name`},
		{with(`"relationships":[{"name":"a","resourceType":"t"}]`), `relationships/0 needs an id or a resourceName`},
		{with(`"supplementaryConfiguration":"{}"`), `supplementaryConfiguration is a string, not an object`},
		{with(`"resourceCreationTime":"yesterday"`), `resourceCreationTime "yesterday": is not an ISO 8601 time; write 2006-01-02T15:04:05.000Z`},
		{with(`"varve":1`), `varve is a number, not an object`},
		{with(`"varve":{"x":1}`), `member "varve/x": is not known; varve is for what Varve itself writes`},
		{with(`"varve":{"derived":["tags"]}`), `varve/derived "tags": is never derived`},
		{with(`"varve":{"derived":1}`), `varve/derived is a number, not a list`},
		{with(`"varve":{"provider":1}`), `varve/provider is a number, not a string`},
		{with(`"varve":{"cause":1}`), `varve/cause is a number, not an object`},
		{with(`"varve":{"cause":{"x":1}}`), `member "varve/cause/x": is not known`},
		{with(`"varve":{"cause":{"actor":1}}`), `varve/cause/actor is a number, not a string`},
		{with(`"varve":{"extras":1}`), `varve/extras is a number, not an object`},
		{with(`"x":1,"varve":{"extras":{"x":1}}`), `varve/extras "x": is a member of the item as well`},
		{at(`1714557600000`), `configurationItemCaptureTime 1714557600000: lies outside the years 1970 to 9999`},
		{at(`1e99`), `configurationItemCaptureTime 1e99: lies outside the years 1970 to 9999; numbers are seconds since 1970, with a fraction if need be`},
		{at(`-5`), `configurationItemCaptureTime -5: lies outside the years 1970 to 9999; numbers are seconds since 1970, with a fraction if need be`},
		{at(`0`), `configurationItemCaptureTime 0: lies outside the years 1970 to 9999`},
		{at(`{}`), `configurationItemCaptureTime is an object, not a time`},
		{at(`""`), `configurationItemCaptureTime "": is not an ISO 8601 time; write 2006-01-02T15:04:05.000Z`},
		{at(`"datetime.datetime(2020, 2, 30, 0, 0)"`), `configurationItemCaptureTime "datetime.datetime(2020, 2, 30, 0, 0)": is not an ISO 8601 time; write 2006-01-02T15:04:05.000Z`},
		{with(`"tags":{},"tags":{}`), `duplicate key "tags"`},
		{with("\"resourceName\":\"\xff\""), `invalid UTF-8 byte 0xff at /resourceName`},
		{`"text"`, `holds no configuration items`},
		{`null`, `holds no configuration items`},
		{`{}`, `holds no configuration items`},
		{`{"ConfigRules":[{"resourceType":"T"}]}`, `holds no configuration items`},
		{`{"configurationItem":null}`, `holds no configuration items`},
		{`{"invokingEvent":"{"}`, `holds no configuration items`},
		{`{"Message":"{\"Message\":\"{}\"}"}`, `holds no configuration items`},
		{`{"configurationItems":[7]}`, `is not a configuration item, which is an object`},
		{`[[[[[[[[[[{"resourceType":1}]]]]]]]]]]`, `holds no configuration items`},
		{`{"configurationItemSummary":{}}`, `holds only the summary of an oversized configuration item; read the file that its s3DeliverySummary names`},
	} {
		list, _, bad := all(t, awsconfig.NewReader(strings.NewReader(c.text+"\n"+base+"}"), awsconfig.Options{}))
		if len(list) != 1 || len(bad) != 1 || !strings.HasPrefix(bad[0], "line 1: "+c.want) {
			t.Errorf("%s\ngot  %q, %d items\nwant line 1: %s", c.text, bad, len(list), c.want)
		}
	}
}

func TestReaderTimes(t *testing.T) {
	const noon = history.Moment(1714557600000000)
	for text, want := range map[string]history.Moment{
		`"2024-05-01T10:00:00Z"`:                 noon,
		`"2024-05-01T10:00:00.000Z"`:             noon,
		`"2024-05-01T12:00:00.123456789+02:00"`:  noon + 123456,
		`"2024-05-01T12:00:00.5+0200"`:           noon + 500000,
		`"2024-05-01 05:00:00.000001-05:00"`:     noon + 1,
		`1714557600`:                             noon,
		`1714557600.123`:                         noon + 123000,
		`1714557600.1234569`:                     noon + 123456,
		`1.7145576E9`:                            noon,
		`1714557600123e-3`:                       noon + 123000,
		`17145576e+2`:                            noon,
		`0.000001`:                               1,
		`"datetime.datetime(2024, 5, 1, 10, 0)"`: noon,
		`"datetime.datetime(2024, 5, 1, 10, 0, tzinfo=tzutc())"`:                                                  noon,
		`"datetime.datetime(2024, 5, 1, 10, 0, 0, 7, tzinfo=datetime.timezone.utc)"`:                              noon + 7,
		`"datetime.datetime(2024, 5, 1, 12, 0, 3, tzinfo=tzoffset(None, 7200))"`:                                  noon + 3000000,
		`"datetime.datetime(2024, 5, 1, 5, 30, tzinfo=tzoffset('EST', -16200))"`:                                  noon,
		`"datetime.datetime(2024, 5, 1, 10, 0, tzinfo=tzlocal())"`:                                                noon,
		`"datetime.datetime(2024, 5, 1, 10, 0, tzinfo=tzlocal())","configurationStateId":17`:                      noon,
		`"datetime.datetime(2024, 5, 1, 3, 0, tzinfo=tzlocal())","configurationStateId":"1714557600000"`:          noon,
		`"datetime.datetime(2024, 5, 1, 15, 45, 0, 1999, tzinfo=tzlocal())","configurationStateId":1714557600001`: noon + 1999,
		`"datetime.datetime(2024, 5, 1, 15, 46, tzinfo=tzlocal())","configurationStateId":1714557600000`:          noon + 20760000000,
	} {
		text := strings.Replace(base, `"2024-05-01T12:00:00Z"`, text, 1) + "}"
		list, _, bad := all(t, awsconfig.NewReader(strings.NewReader(text), awsconfig.Options{}))
		if len(bad) > 0 || list[0].CapturedAt != want {
			t.Errorf("%s\ngot  %q %v\nwant %v", text, bad, list, want)
		}
	}
}

// Both dialects of an item give the same observation.
func TestReaderDialects(t *testing.T) {
	stream := `{"awsAccountId":"1","awsRegion":"r","resourceType":"T","resourceId":"i","ARN":"a","configurationItemVersion":"1.3",
		"configurationStateMd5Hash":"","configurationStateId":1714557600500,"configurationItemCaptureTime":"2024-05-01T10:00:00.500Z",
		"relationships":[{"resourceType":"t","resourceId":"i","resourceName":null,"name":"n"}],"tags":{},"resourceName":null,"resourceCreationTime":null,
		"configuration":{"a":[1.0,"x"]},"supplementaryConfiguration":{"Acl":"{\"b\":1}","Policy":{"b":1},"On":true,"Text":"plain"}}`
	api := `{"accountId":"1","awsRegion":"r","resourceType":"T","resourceId":"i","arn":"a","version":"1.3",
		"configurationItemMD5Hash":"","configurationStateId":"1714557600500","configurationItemCaptureTime":1714557600.5,
		"relationships":[{"resourceType":"t","resourceId":"i","relationshipName":"n"}],"resourceName":"",
		"configuration":"{\"a\":[1.0,\"x\"]}","supplementaryConfiguration":{"Acl":"\"{\\\"b\\\":1}\"","Policy":"{\"b\":1}","On":"true","Text":"plain"}}`
	list, _, bad := all(t, awsconfig.NewReader(strings.NewReader(stream+api), awsconfig.Options{Source: "x"}))
	if len(bad) > 0 || len(list) != 2 {
		t.Fatal(bad)
	}
	list = prepared(t, list)
	if diff := cmp.Diff(list[0], list[1]); diff != "" {
		t.Error(diff)
	}
	if list[0].Origin.Source != "x" {
		t.Error(list[0].Origin)
	}
}

func TestReaderBroken(t *testing.T) {
	fault := errors.New("unplugged")
	file := "{\"configurationItems\":[\n" + base + "},\n" + base + "}\n],\n\"nextToken\":null}\n"
	for name, c := range map[string]struct {
		r     io.Reader
		items int
		want  string
	}{
		"CutOffInItem":  {strings.NewReader(file[:len(base)+40]), 1, "line 3: the file ends in the middle of a JSON value; the rest cannot be read"},
		"CutOffInFile":  {strings.NewReader(file[:len(file)-4]), 2, "line 5: the file ends in the middle of a JSON value; the rest cannot be read"},
		"NotJSON":       {strings.NewReader(strings.Replace(file, ",\n\"next", "\n;\"next", 1)), 2, "line 5: not valid JSON: invalid character ';'"},
		"NotJSONAtAll":  {strings.NewReader("\n\nhello"), 0, "line 3: not valid JSON: invalid character 'h'"},
		"CannotBeRead":  {io.MultiReader(strings.NewReader(file[:len(base)+30]), iotest.ErrReader(fault)), 1, "line 3: unplugged; the rest cannot be read"},
		"ItemTooLong":   {strings.NewReader(file + base + `,"x":"` + strings.Repeat("x", 200_000) + `"}`), 2, "line 6: is longer than 100000 bytes; the rest cannot be read"},
		"MemberTooLong": {strings.NewReader(base + strings.Repeat(`,"x":"`+strings.Repeat("x", 30_000)+`"`, 5) + `}`), 0, "line 1: is longer than 100000 bytes; the rest cannot be read"},
		"ListTooLong":   {strings.NewReader("[" + base + "}," + base + `,"x":[` + strings.Repeat("1,", 200_000) + `1]}]`), 1, "line 1: is longer than 100000 bytes; the rest cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			r := awsconfig.NewReader(c.r, awsconfig.Options{MaxItem: 100_000})
			list, _, bad := all(t, r)
			if len(list) != c.items || len(bad) != 1 || !strings.HasPrefix(bad[0], c.want) {
				t.Errorf("%d items, %q\nwant %s", len(list), bad, c.want)
			}
			_, _, err := r.Next()
			if _, _, again := r.Next(); !errors.Is(again, err) || !errors.As(err, new(*source.BrokenError)) {
				t.Errorf("afterwards %v, then %v", err, again)
			}
		})
	}
}

func TestReaderLines(t *testing.T) {
	text := "\n" + base + "}\n\n[\n\n" + base + "\n}, " + base + "},\n7,\n" + base + "}]\n{\n\"configurationItems\": [\n" +
		strings.Repeat(base+",\n\"x\":\n1},\n", 100) + base + "}\n]\n} " + base + "}\n{\"configurationItem\":\n\n" + base + "}}"
	for name, r := range map[string]io.Reader{
		"Whole":    strings.NewReader(text),
		"ByteWise": iotest.OneByteReader(strings.NewReader(text)),
	} {
		list, lines, bad := all(t, awsconfig.NewReader(r, awsconfig.Options{}))
		if len(list) != 107 || len(bad) != 1 || !strings.HasPrefix(bad[0], "line 8:") {
			t.Fatalf("%s: %d items, %q", name, len(list), bad)
		}
		for i, line := range lines {
			want := 12 + 3*(i-4)
			switch {
			case i < 4:
				want = [...]int{2, 6, 7, 9}[i]
			case i > 104:
				want = [...]int{314, 315}[i-105]
			}
			if line != want {
				t.Fatalf("%s: item %d on line %d, want %d", name, i, line, want)
			}
		}
	}
}

func TestReaderEmpty(t *testing.T) {
	for _, text := range []string{"", " \n\t", "[]", `{"configurationItems":[]}`, `{"configurationItems":null}`, `[] {"configurationItems":[],"nextToken":"x"}`} {
		if list, _, bad := all(t, awsconfig.NewReader(strings.NewReader(text), awsconfig.Options{})); len(list)+len(bad) > 0 {
			t.Errorf("%q: %v %q", text, list, bad)
		}
	}
}

// repeated is an endless file, cut off after n items.
type repeated struct {
	n    int
	rest string
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.rest == "" {
		if r.n == 0 {
			return 0, io.EOF
		}
		r.n--
		r.rest = base + `,"x":"` + strings.Repeat("x", 10_000) + `"},` + "\n"
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// A file of 20 MB takes no more memory than some of its items.
func TestReaderStreams(t *testing.T) {
	r := awsconfig.NewReader(&repeated{n: 2_000, rest: `{"configurationItems":[`}, awsconfig.Options{})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 2_000 {
		if _, _, err := r.Next(); err != nil {
			t.Fatal(i, err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapInuse) - int64(before.HeapInuse); grown > 4<<20 {
		t.Errorf("%d bytes are still in use", grown)
	}
	runtime.KeepAlive(r)
}
