package canonical

import (
	"cmp"
	"slices"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"
)

// TestOrder compares the order of keys with the simple truth: encode both as
// UTF-16 and compare that.
func TestOrder(t *testing.T) {
	text := rapid.StringOfN(rapid.OneOf(
		rapid.RuneFrom([]rune("\x00ab\x7f\u0080é\u07ff\u0800\ud7ff\ue000\uefff\uf000\ufffd\uffff\U00010000😀\U000fffff\U0010ffff")),
		rapid.Rune(),
	), 0, 12, -1)

	rapid.Check(t, func(t *rapid.T) {
		prefix := text.Draw(t, "prefix")
		a, b := prefix+text.Draw(t, "a"), prefix+text.Draw(t, "b")
		want := slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))

		if got := compareUTF16([]byte(a), []byte(b)); got != want {
			t.Fatalf("compareUTF16(%q, %q) = %d, want %d", a, b, got, want)
		}
		headA, headB := head([]byte(a), len(a)), head([]byte(b), len(b))
		if got := cmp.Compare(headA, headB); got != 0 && got != want {
			t.Fatalf("heads of %q and %q compare as %d, want %d", a, b, got, want)
		}
		if longer := head([]byte(a+"and more text"), len(a)); longer != headA {
			t.Fatalf("head of %q depends on what follows: %x, %x", a, headA, longer)
		}
	})
}
