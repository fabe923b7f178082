package canonical_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/varvehq/varve/recorder/canonical"
)

// TestErrorText shows the texts, which are for people: whoever wants to know what
// went wrong looks at the kind.
func TestErrorText(t *testing.T) {
	cases := map[string]struct{ src, want string }{
		"Duplicate":     {`{"spec":[{"a":1,"a":2}]}`, `duplicate key "a" at /spec/0 (byte 16): also given at byte 10; keep one of them`},
		"TopLevel":      {`{"a" 1}`, `unexpected '1' at /a (byte 5): expected ':'`},
		"Empty":         {``, `document is empty at top level (byte 0): expected a value`},
		"EndsEarly":     {`{"a":[`, `document ends early at /a/0 (byte 6): expected a value`},
		"Control":       {"{\"a\":\"\n\"}", `control character 0x0a in a string at /a (byte 6): write it as \n`},
		"InvalidUTF8":   {"[\"\xff\"]", `invalid UTF-8 byte 0xff at /0 (byte 2): encode text as UTF-8, and other bytes as base64`},
		"LoneSurrogate": {`["\ud800"]`, `lone surrogate \ud800 at /0 (byte 2): escape both halves of the pair, high before low, or write the character itself`},
		"OddPointer":    {"{\"two words\\n\":[}", `unexpected '}' at "/two words\n/0" (byte 16): expected a value`},
		"TooDeep":       {`[[[[]]]]`, `nesting deeper than 3 levels at /0/0/0 (byte 3): flatten the document or raise the limit`},
		"TooLarge":      {strings.Repeat(" ", 100), `document of 100 bytes is larger than 64 bytes: split the document or raise the limit`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := canonical.Form([]byte(c.src), canonical.Limits{MaxBytes: 64, MaxDepth: 3})
			if err == nil || err.Error() != c.want {
				t.Errorf("\n got %v\nwant %s", err, c.want)
			}
		})
	}
	t.Run("Shortened", func(t *testing.T) {
		for n := range 10 {
			key := strings.Repeat("k", n) + strings.Repeat("😀", 10_000)
			_, err := canonical.Form([]byte(`{"`+key+`":{"a":0,"a":0}}`), canonical.Limits{})
			var refusal *canonical.Error
			if !errors.As(err, &refusal) {
				t.Fatalf("got %v, want a *canonical.Error", err)
			}
			if text := err.Error(); len(text) > 250 || !utf8.ValidString(text) {
				t.Errorf("got %q", text)
			}
			if refusal.Pointer != "/"+key {
				t.Errorf("got a pointer of %d bytes, want %d", len(refusal.Pointer), len(key)+1)
			}
		}
	})
}
