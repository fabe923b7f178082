package history

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"math"
	"slices"
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
	Forks       []Fork // earlier incarnations; never changed in place
}

// Fork is where a store parted from an earlier incarnation: what that one had
// given out up to there is this one's past as well, what it gave later is not.
type Fork struct {
	Incarnation uint32
	Revision    Revision
	Seq         Seq
}

// Restored is the lineage of a store restored at a moment from a copy of this
// one which ends with a revision and a sequence. Its incarnation is the moment's
// second where that is more than one higher, so that two stores restored from
// one copy are told apart.
func (l Lineage) Restored(rev Revision, seq Seq, at Moment) Lineage {
	forks := append(slices.Clone(l.Forks), Fork{l.Incarnation, rev, seq})
	next := max(uint64(l.Incarnation)+1, uint64(max(at, 0))/1e6)
	return Lineage{StoreID: l.StoreID, Incarnation: uint32(min(next, math.MaxUint32)), Forks: forks}
}

// Fork finds an earlier incarnation; false if this store does not come from it.
func (l Lineage) Fork(incarnation uint32) (Fork, bool) {
	for _, f := range l.Forks {
		if f.Incarnation == incarnation {
			return f, true
		}
	}
	return Fork{}, false
}

// Descendant is a store that knows where it comes from.
type Descendant interface {
	Lineage() Lineage
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
// ForeignToken if it is damaged, of another store, ahead of this one, or given
// by an earlier incarnation after this one parted from it.
func (l Lineage) Seq(p Position, newest Seq) (Seq, error) {
	if p == "" {
		return 0, nil
	}
	foreign := func(text string) (Seq, error) {
		return 0, &Error{Kind: ForeignToken, Field: "position", Value: shorten(string(p)), Text: text}
	}
	b, err := base64.RawURLEncoding.DecodeString(string(p))
	if err != nil || len(b) != positionBytes || len(p) != base64.RawURLEncoding.EncodedLen(positionBytes) || // line ends are skipped
		b[0] != 1 || crc32.ChecksumIEEE(b[:positionBytes-4]) != binary.BigEndian.Uint32(b[positionBytes-4:]) {
		return foreign("is not a position of the feed; take one from a change or an answer")
	}
	if [16]byte(b[1:17]) != l.StoreID {
		return foreign("belongs to another store")
	}
	seq := Seq(binary.BigEndian.Uint64(b[21:]))
	if given := binary.BigEndian.Uint32(b[17:]); given != l.Incarnation {
		fork, ok := l.Fork(given)
		switch {
		case !ok:
			return foreign("was given by another copy of this store; start again from a moment")
		case seq > fork.Seq:
			return foreign("was given after the backup that this store was restored from; start again from a moment")
		}
	}
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
