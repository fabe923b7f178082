package shape_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/history"
)

// TestOperations makes every plan, which panics on a tag that cannot be read, and
// fills every shape, so that each is written and read again as it was.
func TestOperations(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range shape.Operations {
		t.Run(o.Name, func(t *testing.T) {
			if seen[o.Name] {
				t.Error("stands there twice")
			}
			seen[o.Name] = true
			for _, typ := range []reflect.Type{o.Input, o.Output} {
				v := reflect.New(typ)
				fill(v.Elem(), 0)
				text, err := shape.Encode(v.Interface())
				if err != nil {
					t.Fatal(err)
				}
				again := reflect.New(typ)
				var violations shape.Violations
				if err := shape.Decode(text, again.Interface()); err != nil && !errors.As(err, &violations) {
					t.Fatal(err)
				}
				if diff := cmp.Diff(v.Interface(), again.Interface()); diff != "" {
					t.Errorf("%s\n%s", text, diff)
				}
			}
		})
	}
}

// fill gives every field a value of its own.
func fill(v reflect.Value, n int) int {
	switch n++; v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			n = fill(v.Field(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		n = fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			n = fill(v.Index(i), n)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for _, key := range []string{"a \"key\"", "ключ"} {
			value := reflect.New(v.Type().Elem()).Elem()
			n = fill(value, n)
			v.SetMapIndex(reflect.ValueOf(key), value)
		}
	case reflect.String:
		v.SetString(strings.Repeat("ü\"\\\n", n%3) + "x")
	case reflect.Bool:
		v.SetBool(true)
	default:
		v.SetInt(int64(n))
	}
	return n
}

func TestDecode(t *testing.T) {
	t.Run("UnknownAndNull", func(t *testing.T) {
		var in shape.GetResourceConfigHistoryInput
		decode(t, `{"resourceType":"T","resourceId":"i","chronologicalOrder":null,"Limit":7,"new":{"a":[1,{"b":null}]}}`, &in)
		if want := (shape.GetResourceConfigHistoryInput{ResourceType: "T", ResourceID: "i"}); in != want {
			t.Errorf("%+v", in)
		}
	})
	t.Run("Moments", func(t *testing.T) {
		for text, want := range map[string]history.Moment{
			`1767323045.678`:       1767323045678000,
			`1767323045.678901234`: 1767323045678901,
			`1767323045`:           1767323045000000,
			`1.767323045678E9`:     1767323045678000,
			`0`:                    0,
		} {
			var in shape.GetResourceConfigHistoryInput
			decode(t, `{"resourceType":"T","resourceId":"i","laterTime":`+text+`}`, &in)
			if in.LaterTime != want {
				t.Errorf("%s: %d, want %d", text, in.LaterTime, want)
			}
		}
	})
	t.Run("Malformed", func(t *testing.T) {
		for text, want := range map[string]string{
			``:                                     "the body ends within its JSON",
			`{"resourceType":"T"`:                  "the body ends within its JSON",
			`[]`:                                   "the body is not an object",
			`null`:                                 "the body is not an object",
			`{} {}`:                                "something follows the JSON object",
			`{"resourceType":1}`:                   "resourceType is not a string",
			`{"resourceType":["T"]}`:               "resourceType is not a string",
			`{"limit":"7"}`:                        "limit is not a whole number of 32 bits",
			`{"limit":7.5}`:                        "limit is not a whole number of 32 bits",
			`{"limit":2147483648}`:                 "limit is not a whole number of 32 bits",
			`{"laterTime":"2026-07-18T00:00:00Z"}`: "laterTime is not a number of seconds since 1970-01-01",
			`{"laterTime":1e999999999}`:            "laterTime is not a number of seconds since 1970-01-01",
			`{"laterTime":1767323045678}`:          "laterTime is not a number of seconds since 1970-01-01, before the year 10000",
			`{"resourceType":"a","resourceType":"b"}`: "the body is not valid JSON: duplicate object member name",
		} {
			var in shape.GetResourceConfigHistoryInput
			err := shape.Decode([]byte(text), &in)
			var malformed *shape.Malformed
			if !errors.As(err, &malformed) || !strings.HasPrefix(malformed.Text, want) {
				t.Errorf("%s\n got %v\nwant %s", text, err, want)
			}
		}
	})
	t.Run("Violations", func(t *testing.T) {
		for _, c := range []struct {
			into any
			text string
			want []string
		}{
			{&shape.PutRetentionConfigurationInput{}, `{}`,
				[]string{`Value null at 'retentionPeriodInDays' failed to satisfy constraint: Member must not be null`}},
			{&shape.PutRetentionConfigurationInput{}, `{"RetentionPeriodInDays":29}`,
				[]string{`Value '29' at 'retentionPeriodInDays' failed to satisfy constraint: Member must have value greater than or equal to 30`}},
			{&shape.PutRetentionConfigurationInput{}, `{"RetentionPeriodInDays":2558}`,
				[]string{`Value '2558' at 'retentionPeriodInDays' failed to satisfy constraint: Member must have value less than or equal to 2557`}},
			{&shape.DeleteConfigRuleInput{}, `{"ConfigRuleName":""}`, []string{
				`Value '' at 'configRuleName' failed to satisfy constraint: Member must have length greater than or equal to 1`,
				`Value '' at 'configRuleName' failed to satisfy constraint: Member must satisfy regular expression pattern: .*\S.*`}},
			{&shape.PutConfigRuleInput{}, `{"ConfigRule":{"Source":{"Owner":"ME"}}}`,
				[]string{`Value 'ME' at 'configRule.source.owner' failed to satisfy constraint: Member must satisfy enum value set: [CUSTOM_LAMBDA, AWS, CUSTOM_POLICY]`}},
			{&shape.UntagResourceInput{}, `{"ResourceArn":"a","TagKeys":["ok",""]}`,
				[]string{`Value '' at 'tagKeys.2.member' failed to satisfy constraint: Member must have length greater than or equal to 1`}},
			{&shape.UntagResourceInput{}, `{"ResourceArn":"a","TagKeys":[]}`,
				[]string{`Value '[]' at 'tagKeys' failed to satisfy constraint: Member must have length greater than or equal to 1`}},
			{&shape.TagResourceInput{}, `{"ResourceArn":"a","Tags":[{"Key":"` + strings.Repeat("ü", 129) + `"}]}`,
				[]string{`Value '` + strings.Repeat("ü", 64) + `…' at 'tags.1.member.key' failed to satisfy constraint: Member must have length less than or equal to 128`}},
		} {
			err := shape.Decode([]byte(c.text), c.into)
			var got shape.Violations
			if errors.As(err, &got); cmp.Diff([]string(got), c.want) != "" {
				t.Errorf("%s: %v\n%s", c.text, err, cmp.Diff([]string(got), c.want))
			}
		}
	})
}

func TestEncode(t *testing.T) {
	got, err := shape.Encode(&shape.DescribeConfigurationRecordersOutput{ConfigurationRecorders: []shape.ConfigurationRecorder{{
		Name: "default", RecordingGroup: &shape.RecordingGroup{AllSupported: true},
	}}})
	want := `{"ConfigurationRecorders":[{"name":"default","recordingGroup":{"allSupported":true,"includeGlobalResourceTypes":false,"resourceTypes":[]}}]}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v\nwant %s", got, err, want)
	}
	if got, err := shape.Encode(&shape.GetCustomRulePolicyOutput{PolicyText: "\xff"}); err == nil {
		t.Errorf("text that is not UTF-8 became %q", got)
	}
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := shape.Decode([]byte(text), into); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// FuzzDecode sends any text through any shape: nothing panics, and what was read is
// written as what reads the same.
func FuzzDecode(f *testing.F) {
	for i, text := range []string{`{}`, `{"ConfigRule":{"Source":{"Owner":"AWS"}}}`, `{"laterTime":1767323045.678}`, `{"Tags":{"a":"b"}}`, `{"a":[[[`} {
		f.Add(uint(i), []byte(text))
	}
	f.Fuzz(func(t *testing.T, which uint, text []byte) {
		o := shape.Operations[which%uint(len(shape.Operations))]
		in := reflect.New(o.Input)
		var violations shape.Violations
		if err := shape.Decode(text, in.Interface()); err != nil && !errors.As(err, &violations) {
			return
		}
		written, err := shape.Encode(in.Interface())
		if err != nil {
			t.Fatal(err)
		}
		again := reflect.New(o.Input)
		if err := shape.Decode(written, again.Interface()); err != nil && !errors.As(err, &violations) {
			t.Fatalf("%s: %v", written, err)
		}
		if rewritten, err := shape.Encode(again.Interface()); err != nil || string(rewritten) != string(written) {
			t.Errorf("%s, %v\nwant %s", rewritten, err, written)
		}
	})
}
