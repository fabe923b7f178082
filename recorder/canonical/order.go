package canonical

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// A stretch is text[start:end] of the text that the scanner writes. The objects in
// it that are out of order are jumbled[inner:innerEnd].
type stretch struct {
	start, end      int32
	inner, innerEnd int32
}

// A member is one member of an object. Its unescaped key is src[name:nameEnd], or
// lies in names, which is thought to follow src, if it had to be unescaped.
type member struct {
	head          uint64 // of the key, see head
	name, nameEnd int32
	at            int32   // where the key stands in src
	part          stretch // key and value
}

// An object is one whose members are out of order; no other has to be noted. Its
// part includes the braces, and its members are sorted[first:behind].
type object struct {
	part          stretch
	first, behind int32
}

// A rank is what it takes, mostly, to find the rank of a member.
type rank struct {
	head  uint64
	index int32
}

func (s *scanner) name(m *member) []byte {
	if end := int32(len(s.src)); m.name >= end {
		return s.names[m.name-end : m.nameEnd-end]
	}
	return s.src[m.name:m.nameEnd]
}

// compare compares two members by their keys.
func (s *scanner) compare(a, b *member) int {
	if a.head != b.head {
		return cmp.Compare(a.head, b.head)
	}
	return compareUTF16(s.name(a), s.name(b))
}

// jumble sorts the members of an object that has just closed and notes both. It
// refuses an object with two equal keys: they stand side by side once sorted, and
// of several duplicates the one that comes first in the source is named.
func (s *scanner) jumble(part stretch, members []member) error {
	ranks := slices.Grow(s.ranks[:0], len(members))
	for i := range members {
		ranks = append(ranks, rank{members[i].head, int32(i)})
	}
	s.ranks = ranks
	slices.SortFunc(ranks, func(a, b rank) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		if c := compareUTF16(s.name(&members[a.index]), s.name(&members[b.index])); c != 0 {
			return c
		}
		return cmp.Compare(a.index, b.index)
	})

	dup := 0
	for i := 1; i < len(ranks); i++ {
		a, b := ranks[i-1], ranks[i]
		if a.head != b.head || !bytes.Equal(s.name(&members[a.index]), s.name(&members[b.index])) {
			continue
		}
		if dup == 0 || b.index < ranks[dup].index {
			dup = i
		}
	}
	if dup > 0 {
		return s.duplicate(&members[ranks[dup-1].index], &members[ranks[dup].index])
	}

	first := len32(s.sorted)
	s.sorted = slices.Grow(s.sorted, len(members))
	for _, r := range ranks {
		s.sorted = append(s.sorted, members[r.index].part)
	}
	s.jumbled = append(s.jumbled, object{part, first, len32(s.sorted)})
	return nil
}

// finish copies what is left of the source and puts the text in order.
func (s *scanner) finish() []byte {
	s.flush(len(s.src))
	if len(s.jumbled) == 0 {
		return s.out
	}

	room := s.out[s.base:]
	s.text = append(s.text[:0], room...)
	s.arrange(room, stretch{0, len32(s.text), 0, len32(s.jumbled)})
	return s.out
}

// arrange writes a part of the text to the end of room, in order, and returns the
// room that is left in front of it.
//
// It goes backwards because of the order of jumbled. An object is noted when it
// closes, so the last one is not in another; those in it come just before it, and
// the one before those is again not in another:
//
//	text     {"c":{"y":1,"x":{"b":2,"a":3}},"b":[{"q":4,"p":5}],"a":6}
//	jumbled  {b,a} {y,x} {q,p} {c,b,a}
//
// Every byte is copied once, by the innermost object in which it lies.
func (s *scanner) arrange(room []byte, part stretch) []byte {
	end, innerEnd := part.end, part.innerEnd
	for innerEnd > part.inner {
		o := &s.jumbled[innerEnd-1]
		room = prepend(room, s.text[o.part.end-1:end])
		for i := o.behind - 1; i >= o.first; i-- {
			room = s.arrange(room, s.sorted[i])
			if i > o.first {
				room = prepend(room, comma)
			}
		}
		end, innerEnd = o.part.start+1, o.part.inner
	}
	return prepend(room, s.text[part.start:end])
}

var comma = []byte{','}

// prepend copies part to the end of room and returns the room in front of it.
func prepend(room, part []byte) []byte {
	left := len(room) - len(part)
	copy(room[left:], part)
	return room[:left]
}

// compareUTF16 compares two valid UTF-8 texts by their UTF-16 code units.
func compareUTF16(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return cmp.Compare(weight(a[i]), weight(b[i]))
		}
	}
	return cmp.Compare(len(a), len(b))
}

// weight returns the place of a byte of UTF-8 in the order of UTF-16.
//
// The order of UTF-8 bytes is the order of code points. That of UTF-16 differs
// in one thing: a character beyond U+FFFF begins with a surrogate, 0xd800 to
// 0xdbff, and so comes before those from U+E000 to U+FFFF. In UTF-8 the former
// begin with 0xf0 to 0xf4 and the latter with 0xee or 0xef, which no other byte
// of a text can be. They are moved to 0xfe and 0xff.
func weight(c byte) byte {
	if c == 0xee || c == 0xef {
		return c | 0x10
	}
	return c
}

// head returns the first eight bytes of a key, the first n of text, as a number:
// two keys have the order of their heads, unless these are equal. A shorter key
// is filled up with zeros.
func head(text []byte, n int) uint64 {
	var x uint64
	if len(text) >= 8 {
		x = binary.BigEndian.Uint64(text)
		if n < 8 {
			x &^= ^uint64(0) >> (8 * n)
		}
	} else {
		for i, c := range text[:n] {
			x |= uint64(c) << (56 - 8*i)
		}
	}
	if x&tops == 0 {
		return x
	}

	var weighed uint64
	for shift := 0; shift < 64; shift += 8 {
		weighed |= uint64(weight(byte(x>>shift))) << shift
	}
	return weighed
}
