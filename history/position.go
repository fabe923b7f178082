package history

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"strings"
)

// Position is opaque text that resumes the feed of one store anywhere. The
// empty Position is the start of the feed.
type Position string

// Lineage tells stores apart: the id given at creation, and the incarnation,
// which grows when a store is restored so that what was handed out before the
// restore is recognised.
type Lineage struct {
	StoreID     [16]byte
	Incarnation uint32
}

const positionBytes = 1 + 16 + 4 + 8 + 4 // form, store, incarnation, sequence, checksum

// Position writes the position after seq in a store of one partition.
func (l Lineage) Position(seq Seq) Position {
	b := make([]byte, 0, positionBytes)
	b = append(b, 1)
	b = append(b, l.StoreID[:]...)
	b = binary.BigEndian.AppendUint32(b, l.Incarnation)
	b = binary.BigEndian.AppendUint64(b, uint64(seq))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return Position(base64.RawURLEncoding.EncodeToString(b))
}

// Seq reads a position of this lineage whose newest sequence is newest.
// ForeignToken if it is damaged, of another store, or ahead of this one.
func (l Lineage) Seq(p Position, newest Seq) (Seq, error) {
	if p == "" {
		return 0, nil
	}
	foreign := func(text string) (Seq, error) {
		return 0, &Error{Kind: ForeignToken, Field: "position", Value: shorten(string(p)), Text: text}
	}
	b, err := base64.RawURLEncoding.DecodeString(string(p))
	if err != nil || len(b) != positionBytes || b[0] != 1 ||
		crc32.ChecksumIEEE(b[:positionBytes-4]) != binary.BigEndian.Uint32(b[positionBytes-4:]) {
		return foreign("is not a position of the feed; take one from a change or an answer")
	}
	if [16]byte(b[1:17]) != l.StoreID {
		return foreign("belongs to another store")
	}
	if binary.BigEndian.Uint32(b[17:]) != l.Incarnation {
		return foreign("was given before this store was restored; start again from a moment")
	}
	seq := Seq(binary.BigEndian.Uint64(b[21:]))
	if seq > newest {
		return foreign("is ahead of the store")
	}
	return seq, nil
}

func shorten(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "…"
	}
	return s
}
