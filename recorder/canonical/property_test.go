package canonical_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/varvehq/varve/recorder/canonical"
)

// TestWritings checks that a value has one form, however it is written: with any
// white space, any escapes and its members in any order.
func TestWritings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := values(6).Draw(t, "value")
		one := write(v, rapid.Uint64().Draw(t, "one way"))
		other := write(v, rapid.Uint64().Draw(t, "other way"))

		accepted := checkAgainstOracle(t, one)
		if otherAccepted := checkAgainstOracle(t, other); accepted != otherAccepted {
			t.Fatalf("accepted in one way only\n  one %s\nother %s", one, other)
		}
		if !accepted {
			return // a duplicate key
		}
		form, _ := canonical.Form(one, highest)
		otherForm, _ := canonical.Form(other, highest)
		if !bytes.Equal(form, otherForm) {
			t.Fatalf("two forms\n  one %s\nother %s", form, otherForm)
		}
	})
}

// TestDamaged checks documents that were right before some bytes were changed.
func TestDamaged(t *testing.T) {
	const spoilers = "\"\\{}[],:0-.eEu \n\x00\x7f\x80\xc3\xed\xf4\xff"
	rapid.Check(t, func(t *rapid.T) {
		src := write(values(4).Draw(t, "value"), rapid.Uint64().Draw(t, "way"))
		for range rapid.IntRange(1, 3).Draw(t, "damages") {
			i := rapid.IntRange(0, len(src)-1).Draw(t, "place")
			c := spoilers[rapid.IntRange(0, len(spoilers)-1).Draw(t, "byte")]
			switch rapid.SampledFrom([]string{"replace", "insert", "remove", "cut"}).Draw(t, "damage") {
			case "replace":
				src[i] = c
			case "insert":
				src = append(src[:i], append([]byte{c}, src[i:]...)...)
			case "remove":
				src = append(src[:i], src[i+1:]...)
			case "cut":
				src = src[:i]
			}
			if len(src) == 0 {
				break
			}
		}
		checkAgainstOracle(t, src)
	})
}

// TestDepths checks nesting around the limit, of arrays and objects in any turn.
func TestDepths(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 600).Draw(t, "limit")
		depth := limit + rapid.IntRange(-1, 1).Draw(t, "more")
		object := rapid.SliceOfN(rapid.Bool(), depth, depth).Draw(t, "objects")

		var src strings.Builder
		for _, o := range object {
			if o {
				src.WriteString(`{"b":`)
			} else {
				src.WriteString(`[`)
			}
		}
		src.WriteString("0")
		for i := range object {
			if object[depth-1-i] {
				src.WriteString(`,"a":{}}`)
			} else {
				src.WriteString(`]`)
			}
		}

		checkAgainstOracle(t, []byte(src.String()))
		deepest := depth
		for i, o := range object {
			if o && i+2 > deepest {
				deepest = i + 2 // the {} of its member a
			}
		}
		_, err := canonical.Form([]byte(src.String()), canonical.Limits{MaxDepth: limit})
		if accepted := err == nil; accepted != (deepest <= limit) {
			t.Fatalf("depth %d, limit %d: %v", deepest, limit, err)
		}
	})
}

// A value is nil, a token (written as it is), a string, a []value or an object.
type (
	value  any
	token  string
	object []struct {
		key   string
		value value
	}
)

// values generates hostile values up to a depth.
func values(depth int) *rapid.Generator[value] {
	return rapid.Custom(func(t *rapid.T) value {
		kinds := 4
		if depth > 0 {
			kinds = 6
		}
		switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
		case 0:
			return token(rapid.SampledFrom([]string{"null", "true", "false"}).Draw(t, "literal"))
		case 1:
			return token(numbers.Draw(t, "number"))
		case 2:
			return texts.Draw(t, "text")
		case 3:
			return strings.Repeat(texts.Draw(t, "text"), rapid.IntRange(0, 50).Draw(t, "times"))
		case 4:
			elements := make([]value, rapid.IntRange(0, 4).Draw(t, "elements"))
			for i := range elements {
				elements[i] = values(depth-1).Draw(t, "element")
			}
			return elements
		}
		members := make(object, rapid.IntRange(0, 16).Draw(t, "members"))
		for i := range members {
			members[i].key = keys.Draw(t, "key")
			members[i].value = values(depth/2).Draw(t, "member")
		}
		return members
	})
}

var numbers = rapid.OneOf(
	rapid.SampledFrom([]string{
		"0", "-0", "0.0", "-0.0e-0", "1", "1.0", "1e0", "1E+00", "1e400", "-1e-400",
		"9007199254740993", "18446744073709551616", "0.1", "0.30000000000000004",
	}),
	rapid.StringMatching(`-?[1-9][0-9]{19,39}`),
	rapid.StringMatching(`-?(0|[1-9][0-9]{0,5})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,4})?`),
)

var texts = rapid.OneOf(
	rapid.SampledFrom([]string{
		"", "\x00", "\b\f\n\r\t", "\x1f\x7f", `"\/`, "<>&'", "\u0080", "é", "e\u0301", "\u2028\u2029",
		"\ud7ff", "\ue000", "\ufeff", "\ufffd", "\uffff", "😀", "\U00010000", "\U0010ffff", "1234567", "12345678",
	}),
	rapid.String(),
	rapid.StringOfN(rapid.RuneFrom([]rune("ab\x00\\\"\u00e9\ue000\uffff\U00010000😀")), 0, 12, -1),
)

// keys generates keys of which many begin alike and few are equal.
var keys = rapid.OneOf(
	texts,
	rapid.Custom(func(t *rapid.T) string {
		prefix := rapid.SampledFrom([]string{"", "k", "1234567", "12345678", "ééé", "a\uffff", "😀😀"}).Draw(t, "prefix")
		return prefix + texts.Draw(t, "rest")
	}),
)

// write returns the JSON text of a value, written in a way that the seed decides.
func write(v value, seed uint64) []byte {
	w := writer{rand.New(rand.NewPCG(seed, 0))}
	return w.append(nil, v)
}

type writer struct{ *rand.Rand }

func (w writer) append(dst []byte, v value) []byte {
	dst = w.space(dst)
	switch v := v.(type) {
	case token:
		dst = append(dst, v...)
	case string:
		dst = w.text(dst, v)
	case []value:
		dst = append(dst, '[')
		for i, element := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = w.append(dst, element)
		}
		dst = append(w.space(dst), ']')
	case object:
		dst = append(dst, '{')
		for i, at := range w.Perm(len(v)) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = w.space(w.text(w.space(dst), v[at].key))
			dst = w.append(append(dst, ':'), v[at].value)
		}
		dst = append(w.space(dst), '}')
	default:
		panic(fmt.Sprintf("a value of type %T", v))
	}
	return w.space(dst)
}

func (w writer) space(dst []byte) []byte {
	for w.IntN(3) == 0 {
		dst = append(dst, " \n\t\r"[w.IntN(4)])
	}
	return dst
}

// text writes a string with some of its characters escaped, at least those that
// have to be.
func (w writer) text(dst []byte, text string) []byte {
	short := strings.NewReplacer(`"`, `\"`, `\`, `\\`, `/`, `\/`, "\b", `\b`, "\f", `\f`, "\n", `\n`, "\r", `\r`, "\t", `\t`)
	dst = append(dst, '"')
	for _, r := range text {
		way := w.IntN(4)
		if short := short.Replace(string(r)); way > 1 && short != string(r) {
			dst = append(dst, short...)
			continue
		}
		if way == 0 || r < ' ' || r == '"' || r == '\\' {
			escape := escapeUTF16(r)
			if w.IntN(2) == 0 {
				escape = strings.ReplaceAll(strings.ToUpper(escape), `\U`, `\u`)
			}
			dst = append(dst, escape...)
			continue
		}
		dst = append(dst, string(r)...)
	}
	return append(dst, '"')
}

// escapeUTF16 returns \uXXXX, or two of them.
func escapeUTF16(r rune) string {
	var escape strings.Builder
	for _, unit := range utf16.Encode([]rune{r}) {
		fmt.Fprintf(&escape, `\u%04x`, unit)
	}
	return escape.String()
}
