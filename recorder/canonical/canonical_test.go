package canonical_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varvehq/varve/recorder/canonical"
)

// accepted holds documents and their canonical forms.
var accepted = map[string]struct{ src, want string }{
	"null":   {"null", "null"},
	"true":   {" true\n", "true"},
	"false":  {"\tfalse", "false"},
	"string": {`"a"`, `"a"`},
	"array":  {" [ 1 , [ ] , { } ]\r\n", "[1,[],{}]"},
	"object": {`{"b":1,"a":2}`, `{"a":2,"b":1}`},

	"NumbersVerbatim": {
		"[1.0, 1, 1e0, 1E+0, -0, 0, 0.10, 1e400, -1e-400, 123456789012345678901234567890.5]",
		"[1.0,1,1e0,1E+0,-0,0,0.10,1e400,-1e-400,123456789012345678901234567890.5]",
	},
	"ShortestEscapes": {
		`"\u0022\u005c\/\u0008\u000C\u000a\u000D\u0009\u0000\u001F\u007f\u003c\u00e9\u2028\ud83d\uDE00"`,
		`"\"\\/\b\f\n\r\t\u0000\u001f` + "\x7f<é\u2028😀" + `"`,
	},
	"CanonicalEscapesStay": {`"\"\\\b\f\n\r\t\u0000\u001f"`, `"\"\\\b\f\n\r\t\u0000\u001f"`},
	"LiteralsStay":         {"\"\x7f</>&'é\u2028\u2029\ufeff\ufffd😀\"", "\"\x7f</>&'é\u2028\u2029\ufeff\ufffd😀\""},
	"NoNormalisation":      {"{\"e\u0301\":1,\"\u00e9\":2}", "{\"e\u0301\":1,\"\u00e9\":2}"},

	"EmptyKey":      {`{"a":1,"":2}`, `{"":2,"a":1}`},
	"NULKey":        {`{"a\u0000":1,"a":2,"\u0000":3}`, `{"\u0000":3,"a":2,"a\u0000":1}`},
	"EscapedKeys":   {`{"\u0062":1,"\u0061":{"\/":1,"\n":2}}`, `{"a":{"\n":2,"/":1},"b":1}`},
	"UTF16Order":    {"{\"\uffff\":1,\"\ue000\":2,\"😀\":3,\"\ud7ff\":4,\"é\":5}", "{\"é\":5,\"\ud7ff\":4,\"😀\":3,\"\ue000\":2,\"\uffff\":1}"},
	"LongCommonKey": {`{"configuration-b":1,"configuration-a":2,"configuration-":3,"configur":4}`, `{"configur":4,"configuration-":3,"configuration-a":2,"configuration-b":1}`},
	"Nested": {
		`{"c": {"y":1,"x":{"b":2,"a":3}}, "b": [{"q":4,"p":5}, {"r":{"t":6,"s":7}}], "a": 8}`,
		`{"a":8,"b":[{"p":5,"q":4},{"r":{"s":7,"t":6}}],"c":{"x":{"a":3,"b":2},"y":1}}`,
	},
}

func TestForm(t *testing.T) {
	for name, c := range accepted {
		t.Run(name, func(t *testing.T) {
			src := []byte(c.src)
			got, err := canonical.Form(src, canonical.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
			if string(src) != c.src {
				t.Errorf("source changed to %s", src)
			}
			if got := canonical.IsCanonical(src); got != (c.src == c.want) {
				t.Errorf("IsCanonical(source) = %v", got)
			}
			if !canonical.IsCanonical(got) {
				t.Error("IsCanonical(form) = false")
			}
		})
	}
}

// refused holds documents and where and why they are refused.
var refused = map[string]struct {
	src     string
	kind    canonical.Kind
	pointer string
	offset  int
}{
	"Empty":          {"", canonical.Syntax, "", 0},
	"WhiteSpaceOnly": {" \n", canonical.Syntax, "", 2},
	"ByteOrderMark":  {"\ufeff{}", canonical.Syntax, "", 0},
	"TrailingData":   {"{} {}", canonical.Syntax, "", 3},
	"TrailingComma":  {`{"a":[1,]}`, canonical.Syntax, "/a/1", 8},
	"MissingComma":   {`{"a":[1 2]}`, canonical.Syntax, "/a", 8},
	"MissingColon":   {`{"a" 1}`, canonical.Syntax, "/a", 5},
	"MissingValue":   {`{"a":}`, canonical.Syntax, "/a", 5},
	"MissingKey":     {`{"a":1,}`, canonical.Syntax, "", 7},
	"BareKey":        {`{a:1}`, canonical.Syntax, "", 1},
	"EndsEarly":      {`{"a":[true`, canonical.Syntax, "/a", 10},
	"EndsInString":   {`{"a":"b`, canonical.Syntax, "/a", 7},
	"EndsInEscape":   {`["\u00`, canonical.Syntax, "/0", 6},
	"Mismatch":       {`[1}`, canonical.Syntax, "", 2},
	"BadLiteral":     {`{"a":nul}`, canonical.Syntax, "/a", 8},
	"LeadingZero":    {`[01]`, canonical.Syntax, "", 2},
	"LeadingPlus":    {`[+1]`, canonical.Syntax, "/0", 1},
	"BareMinus":      {`-`, canonical.Syntax, "", 1},
	"NoFraction":     {`[1.]`, canonical.Syntax, "/0", 3},
	"NoExponent":     {`[1e+]`, canonical.Syntax, "/0", 4},
	"NotANumber":     {`[NaN]`, canonical.Syntax, "/0", 1},
	"Control":        {"[\"a\nb\"]", canonical.Syntax, "/0", 3},
	"UnknownEscape":  {`["\x41"]`, canonical.Syntax, "/0", 3},
	"BadHex":         {`["\u00g0"]`, canonical.Syntax, "/0", 6},
	"NULByte":        {"[\x00]", canonical.Syntax, "/0", 1},

	"Duplicate":          {`{"spec":[{"x":0,"x":1}]}`, canonical.DuplicateKey, "/spec/0", 16},
	"DuplicateByEscape":  {`{"a":1,"\u0061":2}`, canonical.DuplicateKey, "", 7},
	"DuplicateUnordered": {`{"a":1,"c":2,"b":3,"c":4,"a":5}`, canonical.DuplicateKey, "", 19},
	"DuplicateEmpty":     {`{"a":{"":1,"":2}}`, canonical.DuplicateKey, "/a", 11},

	"InvalidByte":       {"{\"a\":\"x\xffy\"}", canonical.InvalidUTF8, "/a", 7},
	"InvalidInKey":      {"{\"a\xc3\":1}", canonical.InvalidUTF8, "", 3},
	"EncodedSurrogate":  {"[\"\xed\xa0\x80\"]", canonical.InvalidUTF8, "/0", 2},
	"Overlong":          {"[\"\xc0\x80\"]", canonical.InvalidUTF8, "/0", 2},
	"InvalidAfterValue": {"{}\xff", canonical.InvalidUTF8, "", 2},
	"UTF16":             {"\xff\xfe{\x00", canonical.InvalidUTF8, "", 0},

	"LoneHigh":       {`{"a~/b":["\ud800"]}`, canonical.LoneSurrogate, "/a~0~1b/0", 10},
	"LoneLow":        {`["x\udc00\ud800"]`, canonical.LoneSurrogate, "/0", 3},
	"LoneHighTwice":  {`["\ud800\ud800"]`, canonical.LoneSurrogate, "/0", 2},
	"LoneHighAtEnd":  {`["\ud83d\ude0"]`, canonical.LoneSurrogate, "/0", 2},
	"LoneInKey":      {`{"a":{"\udfff":1}}`, canonical.LoneSurrogate, "/a", 7},
	"LoneHighAndBMP": {`["\ud800\u0041"]`, canonical.LoneSurrogate, "/0", 2},
}

func TestFormRefused(t *testing.T) {
	for name, c := range refused {
		t.Run(name, func(t *testing.T) {
			_, err := canonical.Form([]byte(c.src), canonical.Limits{})
			var got *canonical.Error
			if !errors.As(err, &got) {
				t.Fatalf("got %v, want a *canonical.Error", err)
			}
			want := &canonical.Error{Kind: c.kind, Pointer: c.pointer, Offset: c.offset}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(canonical.Error{}, "Problem", "Remedy")); diff != "" {
				t.Errorf("%v\n(-want +got)\n%s", err, diff)
			}
			if canonical.IsCanonical([]byte(c.src)) {
				t.Error("IsCanonical = true")
			}
		})
	}
}

func TestAppend(t *testing.T) {
	t.Run("KeepsWhatIsThere", func(t *testing.T) {
		for name, c := range accepted {
			got, err := canonical.Append([]byte("before"), []byte(c.src), canonical.Limits{})
			if err != nil || string(got) != "before"+c.want {
				t.Errorf("%s: got %s, %v", name, got, err)
			}
		}
	})
	t.Run("ReturnsDstWhenRefused", func(t *testing.T) {
		dst := append(make([]byte, 0, 100), "before"...)
		for name, c := range refused {
			got, err := canonical.Append(dst, []byte(c.src), canonical.Limits{})
			if err == nil || string(got) != "before" {
				t.Errorf("%s: got %s, %v", name, got, err)
			}
		}
	})
	t.Run("ManyAtOnce", func(t *testing.T) {
		var done sync.WaitGroup
		for range 8 {
			done.Go(func() {
				for range 50 {
					for name, c := range accepted {
						got, err := canonical.Append(nil, []byte(c.src), canonical.Limits{})
						if err != nil || string(got) != c.want {
							t.Errorf("%s: got %s, %v", name, got, err)
						}
					}
				}
			})
		}
		done.Wait()
	})
}

func TestLimits(t *testing.T) {
	nested := func(depth int) []byte {
		return []byte(strings.Repeat(`{"":[`, depth/2) + strings.Repeat(`]}`, depth/2))
	}
	padded := func(length int) []byte {
		return append(bytes.Repeat([]byte{' '}, length-1), '0')
	}
	cases := map[string]struct {
		lim  canonical.Limits
		src  []byte
		want canonical.Kind // empty if accepted
	}{
		"DefaultDepth":       {canonical.Limits{}, nested(canonical.DefaultMaxDepth), ""},
		"DefaultDepthPassed": {canonical.Limits{}, append(append([]byte{'['}, nested(canonical.DefaultMaxDepth)...), ']'), canonical.TooDeep},
		"HighestDepth":       {canonical.Limits{MaxDepth: 1 << 40}, nested(canonical.HighestMaxDepth), ""},
		"HighestDepthPassed": {canonical.Limits{MaxDepth: 1 << 40}, nested(canonical.HighestMaxDepth + 2), canonical.TooDeep},
		"OwnDepth":           {canonical.Limits{MaxDepth: 2}, []byte(`[{"a":0},[],{}]`), ""},
		"OwnDepthPassed":     {canonical.Limits{MaxDepth: 2}, []byte(`[{"a":[]}]`), canonical.TooDeep},
		"OwnDepthInObject":   {canonical.Limits{MaxDepth: 2}, []byte(`[{"a":{}}]`), canonical.TooDeep},
		"DefaultSize":        {canonical.Limits{}, padded(canonical.DefaultMaxBytes), ""},
		"DefaultSizePassed":  {canonical.Limits{}, padded(canonical.DefaultMaxBytes + 1), canonical.TooLarge},
		"OwnSize":            {canonical.Limits{MaxBytes: 4}, []byte(`null`), ""},
		"OwnSizePassed":      {canonical.Limits{MaxBytes: 4}, []byte(`null `), canonical.TooLarge},
		"OpenToTheEnd":       {canonical.Limits{}, bytes.Repeat([]byte{'['}, canonical.DefaultMaxBytes), canonical.TooDeep},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := canonical.Form(c.src, c.lim)
			var refusal *canonical.Error
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (!errors.As(err, &refusal) || refusal.Kind != c.want):
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// TestLarge has documents that take minutes where the work grows with the square
// of the keys or with the depth times the length.
func TestLarge(t *testing.T) {
	prefix := strings.Repeat("k", 120)
	shared := []byte{'{'}
	for i := range 100_000 {
		shared = fmt.Appendf(shared, `"%s%05d":0,`, prefix, i*7919%100_000)
	}
	shared[len(shared)-1] = '}'

	cases := map[string][]byte{
		"Descending":     wide(100_000),
		"SharedPrefix":   shared,
		"Deep":           deep(canonical.HighestMaxDepth, 4<<20),
		"LongString":     []byte(`["` + strings.Repeat("x", 1<<20) + `"]`),
		"LongEscapes":    []byte(`["` + strings.Repeat(`\ud83d\ude00\/`, 1<<20/14) + `"]`),
		"LongWhiteSpace": []byte(strings.Repeat(" ", 1<<20) + "[0" + strings.Repeat("\t\n", 1<<20) + "]"),
	}
	for name, src := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := canonical.Form(src, highest)
			if err != nil {
				t.Fatal(err)
			}
			if name == "Deep" {
				if want := deepForm(canonical.HighestMaxDepth, 4<<20); !bytes.Equal(got, want) {
					t.Error("wrong form")
				}
				return // the oracle is quadratic here
			}
			if want, err := appendOracle(nil, src); err != nil || !bytes.Equal(got, want) {
				t.Errorf("jsontext differs: %v", err)
			}
		})
	}
	t.Run("LastOfManyIsDuplicate", func(t *testing.T) {
		src := wide(100_000)
		at := len(src)
		src = append(src[:at-1], `,"key-0050000":0}`...)
		var refusal *canonical.Error
		if _, err := canonical.Form(src, canonical.Limits{}); !errors.As(err, &refusal) || refusal.Kind != canonical.DuplicateKey || refusal.Offset != at {
			t.Errorf("got %v, want a duplicate at byte %d", err, at)
		}
	})
}

func deepForm(depth, length int) []byte {
	return []byte(strings.Repeat(`{"a":0,"b":`, depth) + `"` + strings.Repeat("x", length) + `"` + strings.Repeat("}", depth))
}

func TestAppendString(t *testing.T) {
	t.Run("OK", func(t *testing.T) {
		for r := rune(0); r < 0x11000; r++ {
			if utf16.IsSurrogate(r) {
				continue
			}
			text := "a" + string(r) + "b"
			got, err := canonical.AppendString([]byte("x"), text)
			if err != nil {
				t.Fatal(err)
			}
			want, err := appendOracle([]byte("x"), fmt.Appendf(nil, `"a%sb"`, escapeUTF16(r)))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("U+%04X: got %q, want %q", r, got, want)
			}
		}
	})
	t.Run("InvalidUTF8", func(t *testing.T) {
		got, err := canonical.AppendString([]byte("x"), "a\ufffd\n\xed\xa0\x80")
		var refusal *canonical.Error
		if !errors.As(err, &refusal) || refusal.Kind != canonical.InvalidUTF8 || refusal.Offset != 5 {
			t.Errorf("got %v", err)
		}
		if string(got) != "x" {
			t.Errorf("got %q, want dst as it was", got)
		}
	})
}
