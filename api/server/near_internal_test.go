package server

import (
	"math/rand/v2"
	"testing"
)

// TestEdits compares with the plain definition.
func TestEdits(t *testing.T) {
	var plain func(a, b string) int
	plain = func(a, b string) int {
		switch {
		case a == "" || b == "":
			return len(a) + len(b)
		case a[0] == b[0]:
			return plain(a[1:], b[1:])
		}
		return 1 + min(plain(a[1:], b), plain(a, b[1:]), plain(a[1:], b[1:]))
	}
	random := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		b := make([]byte, random.IntN(7))
		for i := range b {
			b[i] = 'a' + byte(random.IntN(3))
		}
		return string(b)
	}
	for range 5000 {
		a, b, most := word(), word(), random.IntN(4)
		want := plain(a, b)
		if want > most {
			want = -1
		}
		if got := edits(a, b, most); got != want {
			t.Fatalf("%q to %q with %d at most: got %d, want %d", a, b, most, got, want)
		}
	}
}
