package bolt

// arena hands out memory for the payloads of one answer, several of which share
// an allocation: an answer is mostly used and let go as a whole. Whoever keeps a
// part of it keeps arenaBytes at most. A nil arena hands out each piece by itself.
type arena struct {
	free     []byte
	expected int // how many pieces are still to come
}

const arenaBytes = 32 << 10

// take returns an empty slice with room for n bytes.
func (a *arena) take(n int) []byte {
	if a == nil {
		return make([]byte, 0, n)
	}
	a.expected--
	if n > len(a.free) {
		if n > arenaBytes/4 {
			return make([]byte, 0, n)
		}
		a.free = make([]byte, min(arenaBytes, n+max(a.expected, 0)*(n+n/8)))
	}
	b := a.free[:0:n]
	a.free = a.free[n:]
	return b
}
