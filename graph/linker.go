package graph

import (
	"bytes"
	"encoding/binary"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memo"
)

// Linker reads the links of versions for a store. It implements history.Linker;
// the zero value works, one that NewLinker made remembers what it found in a
// resource's version before: most versions say the same of relationships.
type Linker struct {
	before *memo.Cache[history.Key, *findings]
}

// rememberBytes bounds what a linker remembers.
const rememberBytes = 24 << 20

// NewLinker makes a linker that remembers.
func NewLinker() Linker {
	return Linker{memo.New[history.Key, *findings](rememberBytes)}
}

// findings is all that was found in a version, with the links made of it.
type findings struct {
	text  []byte
	links []history.Link
}

// Tables implements history.Linker.
func (Linker) Tables() string { return TablesVersion() }

// Links implements history.Linker.
func (l Linker) Links(k history.Key, s *history.State) []history.Link {
	if l.before == nil || s.Deleted {
		return Links(k, s)
	}
	x := extractors.Get().(*extractor)
	defer extractors.Put(x)
	defer x.forget()
	x.read(k, s)
	if !x.foundText() {
		return x.links()
	}
	before, ok := l.before.Get(k)
	if ok && bytes.Equal(before.text, x.all) {
		return before.links
	}
	now := &findings{bytes.Clone(x.all), x.links()}
	size := len(now.text)
	for i := range now.links {
		size += len(now.links[i].Term) + len(now.links[i].Detail)
	}
	l.before.Put(k, now, size)
	return now.links
}

// foundText writes all that was found as one text, into x.all: the links of equal
// texts of one resource are equal. False where there is more than that: labels
// and selectors are not written.
func (x *extractor) foundText() bool {
	if x.labels != nil {
		return false
	}
	b := append(x.all[:0], x.buf...)
	add := func(s span) {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(s.from)), uint64(s.to))
	}
	for i := range x.found {
		f := &x.found[i]
		if f.selector != nil {
			return false
		}
		add(f.term)
		add(f.source)
		add(f.account)
		add(f.region)
		b = appendText(b, f.name)
		b = append(b, bit(f.inverse), byte(f.reach))
	}
	for _, borne := range x.bears {
		add(borne.span)
		b = append(b, bit(borne.keyed))
	}
	for _, name := range x.names {
		b = appendText(b, name)
	}
	for _, n := range [...]int{len(x.buf), len(x.found), len(x.bears)} { // there is one way to read it
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	x.all = b
	return true
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}
