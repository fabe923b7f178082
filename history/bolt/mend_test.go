package bolt

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestMend flips every bit of values of all lengths and their keys: each is put back.
// Of values that lack more, none is taken for one that was written.
func TestMend(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	noise := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		return b
	}
	for _, size := range []int{0, 1, 2, 7, 64, 300} {
		key := noise(1 + size%24)
		framed := sealValue(key, noise(size))
		for bit := range 8 * (len(key) + len(framed)) {
			all := append(bytes.Clone(key), framed...)
			all[bit/8] ^= 1 << (bit % 8)
			k, v, ok := mend(all[:len(key)], all[len(key):])
			if !ok || !bytes.Equal(k, key) || !bytes.Equal(v, framed) {
				t.Fatalf("%d bytes, bit %d: got %x %x, %t", size, bit, k, v, ok)
			}
			if all[bit/8] == append(bytes.Clone(key), framed...)[bit/8] {
				t.Fatal("what was handed in was changed")
			}
		}
		if size < 7 {
			continue
		}
		for range 2000 {
			all := append(bytes.Clone(key), framed...)
			for range 2 + rnd.IntN(6) {
				all[rnd.IntN(len(all))] ^= byte(1 + rnd.IntN(255))
			}
			k, v, ok := mend(all[:len(key)], all[len(key):])
			if whole := bytes.Equal(k, key) && bytes.Equal(v, framed); ok && !whole {
				t.Fatalf("%d bytes: %x is taken for what was written", size, all)
			}
		}
	}
	if _, _, ok := mend([]byte("k"), []byte{1, 2, 3}); ok {
		t.Error("a value without a checksum is mended")
	}
}
