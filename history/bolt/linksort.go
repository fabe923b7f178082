package bolt

import (
	"slices"
	"sync"
)

// radixBits is by how many bits of a resource's number found links are sorted at
// once: their counts lie in a processor's nearest cache.
const radixBits = 11

// linkRoom is where the links of one term after another are gathered and sorted.
type linkRoom struct {
	found, spare []foundLink
}

// keptLinks is how much room is kept for the next question.
const keptLinks = 1 << 16

// linkRooms are those that nobody uses.
var linkRooms = sync.Pool{New: func() any { return new(linkRoom) }}

func (m *linkRoom) release() {
	if cap(m.found)+cap(m.spare) <= keptLinks {
		linkRooms.Put(m)
	}
}

// sort puts what was found in the order of answers. Many links are sorted by
// resource without comparing any: of a resource there are few.
func (f *linkFinder) sort() {
	found, room := f.found, f.spare
	if slices.IsSortedFunc(found, f.answered) {
		return
	}
	if len(found) < 1<<radixBits {
		slices.SortFunc(found, f.answered)
		return
	}
	room = slices.Grow(room[:0], len(found))[:len(found)]
	var all rid // bits in which they differ
	for i := range found {
		all |= found[i].rid ^ found[0].rid
	}
	for shift := 0; all>>shift > 0; shift += radixBits {
		var next [1 << radixBits]int32
		for i := range found {
			next[found[i].rid>>shift%(1<<radixBits)]++
		}
		sum := int32(0)
		for i, n := range next {
			next[i], sum = sum, sum+n
		}
		for i := range found {
			at := &next[found[i].rid>>shift%(1<<radixBits)]
			room[*at] = found[i]
			*at++
		}
		found, room = room, found
	}
	for i := 0; i < len(found); {
		end := i + 1
		for end < len(found) && found[end].rid == found[i].rid {
			end++
		}
		if end > i+1 {
			slices.SortFunc(found[i:end], f.answered)
		}
		i = end
	}
	f.found, f.spare = found, room
}
