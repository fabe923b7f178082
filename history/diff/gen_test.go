package diff_test

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"
)

// tb is what checks need of a test, be it one of Go or one of rapid, which makes
// failing documents smaller.
type tb interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// canonical is the form documents are compared in, made by the oracle.
func canonical(t tb, raw string) string {
	t.Helper()
	text, err := jsontext.AppendFormat(nil, raw, jsontext.ReorderRawObjects(true))
	if err != nil {
		t.Fatalf("canonical form of %.80q: %v", raw, err)
	}
	return string(text)
}

// hostileNumbers are equal or near as numbers and different as text, or do not
// fit a float64 at all.
var hostileNumbers = []string{
	"0", "-0", "0.0", "1", "1.0", "1e0", "10e-1", "1E400", "-1e-400", "100", "1e2",
	"9007199254740992", "9007199254740993", "12345678901234567890", "12345678901234567891",
	"0.1", "0.10", "0.1000000000000000055511151231257827021181583404541015625",
}

// hostileStrings are JSON literals; some differ in their escapes only.
var hostileStrings = []string{
	`""`, `"a"`, `"\u0061"`, `"<>&"`, `"\u003c\u003e\u0026"`, `"a/b"`, `"a\/b"`, `"~"`, `"~0"`, `"~1"`, `"~01"`,
	`"\""`, `"\\"`, `"\\\\"`, `"\\\""`, `"\u0000"`, `"\u001b[31m"`, `"\u007f"`, `"\u009b2J"`, `"\u2028"`, `"\u202e"`,
	`"😀"`, `"\ud83d\ude00"`, `"\uffff"`, `"\ue000"`, `"é"`, `"e\u0301"`, `"-"`, `"0"`, `"00"`, `"-1"`,
	`"[name=a]"`, `"[]"`, `"name"`, `"Key"`, `"id"`, `"a=b,c"`, `"one\ntwo\nthree"`, `"one\n2\nthree\n"`, `"null"`,
}

func genNumber() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom(hostileNumbers), rapid.StringMatching(`-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,4})?`))
}

func genString() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom(hostileStrings), rapid.Custom(func(t *rapid.T) string {
		literal, err := jsontext.AppendQuote(nil, rapid.String().Draw(t, "string"))
		if err != nil {
			t.Fatal(err)
		}
		return string(literal)
	}))
}

// genJSON draws the text of a document at most this deep.
func genJSON(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		kinds := []string{"number", "string", "literal", "array", "object", "records"}
		if depth == 0 {
			kinds = kinds[:3]
		}
		switch rapid.SampledFrom(kinds).Draw(t, "kind") {
		case "number":
			return genNumber().Draw(t, "number")
		case "string":
			return genString().Draw(t, "string")
		case "literal":
			return rapid.SampledFrom([]string{"null", "true", "false"}).Draw(t, "literal")
		case "array":
			return "[" + strings.Join(rapid.SliceOfN(genJSON(depth-1), 0, 6).Draw(t, "elements"), ",") + "]"
		case "records":
			return genRecords(depth-1).Draw(t, "records")
		}
		return genObject(depth-1).Draw(t, "object")
	})
}

func genObject(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		// Different literals may be the same key: what counts is the canonical one.
		keys := rapid.SliceOfNDistinct(genString(), 0, 5, func(literal string) string {
			key, err := jsontext.AppendUnquote(nil, literal)
			if err != nil {
				t.Fatal(err)
			}
			return string(key)
		}).Draw(t, "keys")
		var members []string
		for _, key := range keys {
			members = append(members, key+":"+genJSON(depth).Draw(t, "value"))
		}
		return "{" + strings.Join(members, ",") + "}"
	})
}

// genRecords draws an array of objects that look alike, as configurations have
// them: few keys, few values, names that may repeat.
func genRecords(depth int) *rapid.Generator[string] {
	record := rapid.Custom(func(t *rapid.T) string {
		name := rapid.SampledFrom([]string{`"a"`, `"b"`, `"c"`, `"a/b"`, `"x,y=z"`, `""`, "1", "1.0", "null", "[]"}).Draw(t, "name")
		key := rapid.SampledFrom([]string{"name", "name", "name", "Key", "id"}).Draw(t, "key")
		return `{"` + key + `":` + name + `,"value":` + genJSON(depth).Draw(t, "value") + `}`
	})
	return rapid.Custom(func(t *rapid.T) string {
		return "[" + strings.Join(rapid.SliceOfN(record, 0, 5).Draw(t, "records"), ",") + "]"
	})
}

// genPair draws two documents: unrelated, or one an edited form of the other.
func genPair() *rapid.Generator[[2]string] {
	return rapid.Custom(func(t *rapid.T) [2]string {
		before := genJSON(4).Draw(t, "before")
		if rapid.IntRange(0, 4).Draw(t, "unrelated") == 0 {
			return [2]string{before, genJSON(4).Draw(t, "after")}
		}
		return [2]string{before, mutate(t, before)}
	})
}

// mutate edits a document in a few places, by what it holds and not by this
// package's own idea of a patch.
func mutate(t *rapid.T, raw string) string {
	dice := rapid.IntRange(0, 11).Draw(t, "dice")
	v := jsontext.Value(raw)
	switch kind := v.Kind(); {
	case dice == 0:
		return genJSON(2).Draw(t, "replacement")
	case kind == '[':
		parts := split(t, raw)
		for range rapid.IntRange(1, 3).Draw(t, "edits") {
			parts = mutateList(t, parts)
		}
		return "[" + strings.Join(parts, ",") + "]"
	case kind == '{':
		parts := split(t, raw)
		var members []string
		for i := 0; i+1 < len(parts); i += 2 {
			switch rapid.IntRange(0, 5).Draw(t, "member") {
			case 0: // removed
			case 1:
				members = append(members, parts[i]+":"+mutate(t, parts[i+1]))
			case 2: // renamed
				if fresh := `"renamed ` + strings.Trim(parts[i], `"`) + `"`; jsontext.Value(fresh).IsValid() {
					members = append(members, fresh+":"+parts[i+1])
				}
			default:
				members = append(members, parts[i]+":"+parts[i+1])
			}
		}
		return "{" + strings.Join(members, ",") + "}"
	case kind == '0':
		return genNumber().Draw(t, "number")
	}
	return genJSON(1).Draw(t, "scalar")
}

func mutateList(t *rapid.T, parts []string) []string {
	at := rapid.IntRange(0, len(parts)).Draw(t, "at")
	if at == len(parts) {
		return append(parts, genJSON(1).Draw(t, "appended"))
	}
	switch rapid.SampledFrom([]string{"insert", "remove", "edit", "swap", "double"}).Draw(t, "edit") {
	case "insert":
		return slices.Insert(parts, at, genJSON(1).Draw(t, "inserted"))
	case "remove":
		return slices.Delete(parts, at, at+1)
	case "swap":
		other := rapid.IntRange(0, len(parts)-1).Draw(t, "other")
		parts[at], parts[other] = parts[other], parts[at]
	case "double":
		return slices.Insert(parts, at, parts[at])
	default:
		parts[at] = mutate(t, parts[at])
	}
	return parts
}

// split returns the texts inside an array or object, keys and values in turn.
func split(t *rapid.T, raw string) []string {
	d := jsontext.NewDecoder(strings.NewReader(raw))
	if _, err := d.ReadToken(); err != nil {
		t.Fatal(err)
	}
	var parts []string
	for d.PeekKind() != ']' && d.PeekKind() != '}' {
		v, err := d.ReadValue()
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, string(v.Clone()))
	}
	return parts
}
