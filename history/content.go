package history

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"unsafe"
)

// Hash is the SHA-256 of a State's content. Equal states have equal hashes, and
// nobody can make two different states share one.
type Hash [sha256.Size]byte

// String is hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// AppendContent appends the content of s, a deterministic encoding of all that
// is compared, and returns the extended buffer. s must be in normal form.
//
//	flags    byte      bit 0: deleted, bit 1: has a configuration
//	createdAt          varint
//	strings            arn, name, availabilityZone, status
//	tags               count, then key and value, sorted by key
//	supplementary      count, then name and JSON, sorted by name
//	relationships      count, then their six strings, sorted
//	configuration      the rest
//
// Strings are their length as uvarint and their bytes. The configuration stands
// last and bare, so that a delta between two contents sees plain JSON.
func (s *State) AppendContent(b []byte) []byte {
	var flags byte
	if s.Deleted {
		flags |= 1
	}
	if s.Configuration != nil {
		flags |= 2
	}
	b = append(b, flags)
	b = binary.AppendVarint(b, int64(s.CreatedAt))
	for _, v := range [...]string{s.ARN, s.Name, s.AvailabilityZone, string(s.Status)} {
		b = appendString(b, v)
	}
	b = binary.AppendUvarint(b, uint64(len(s.Tags)))
	for _, k := range sortedKeys(s.Tags) {
		b = appendString(appendString(b, k), s.Tags[k])
	}
	b = binary.AppendUvarint(b, uint64(len(s.Supplementary)))
	for _, k := range sortedKeys(s.Supplementary) {
		b = appendString(appendString(b, k), s.Supplementary[k])
	}
	b = binary.AppendUvarint(b, uint64(len(s.Relationships)))
	for _, r := range s.Relationships {
		for _, v := range [...]string{r.Name, r.Type, r.ID, r.ResourceName, r.Account, r.Region} {
			b = appendString(b, v)
		}
	}
	return append(b, s.Configuration...)
}

// HashContent is the hash of an encoded State.
func HashContent(content []byte) Hash { return sha256.Sum256(content) }

// DecodeContent reads what AppendContent wrote. The State's strings and JSON
// values are parts of b, which must not change afterwards.
func DecodeContent(b []byte) (s State, err error) {
	err = s.setConfiguration(b, s.decodeHead(b, func(n int) []Relationship { return make([]Relationship, n) }))
	return s, err
}

// ContentReader decodes contents one after the other, best those of a resource's
// versions: most differ from the one before in the configuration alone, and all that
// stands before it is known already. The zero value works.
type ContentReader struct {
	// Expect is how many contents are still to be read, as far as is known: lists of
	// relationships of theirs share memory.
	Expect int

	head  []byte // of the content read last, up to the configuration; nil: to be read again
	state State  // what it says
	lists []Relationship
}

// sharedLists is how many relationships share memory at most: whoever keeps a list
// keeps the others.
const sharedLists = 64

// list makes a list of so many relationships, all of them empty.
func (r *ContentReader) list(n int) []Relationship {
	if n > len(r.lists) {
		r.lists = make([]Relationship, n*max(1, min(1+r.Expect, sharedLists/n)))
	}
	l := r.lists[:n:n]
	r.lists = r.lists[n:]
	return l
}

// Decode reads what AppendContent wrote into an empty State. Its strings are parts
// of b or of a content read before, its JSON values parts of b: none of that may
// change afterwards. No map, list or JSON value is part of two States, but each must
// stay as it is until the last content is read.
func (r *ContentReader) Decode(b []byte, s *State) error {
	r.Expect--
	if r.head != nil && bytes.HasPrefix(b, r.head) {
		*s = r.state
		s.Tags = maps.Clone(s.Tags)
		if n := len(s.Relationships); n > 0 {
			s.Relationships = r.list(n)
			copy(s.Relationships, r.state.Relationships)
		}
		return s.setConfiguration(b, len(r.head))
	}
	n := s.decodeHead(b, r.list)
	if r.head, r.state = nil, *s; n > 0 && s.Supplementary == nil {
		r.head = b[:n]
	}
	return s.setConfiguration(b, n)
}

// setConfiguration takes what follows the head, of so many bytes: none where it is
// damaged.
func (s *State) setConfiguration(b []byte, head int) error {
	switch {
	case head == 0 || b[0]&2 == 0 && head < len(b):
		*s = State{}
		return errContent
	case b[0]&2 != 0:
		s.Configuration = b[head:len(b):len(b)]
	}
	return nil
}

// decodeHead reads what stands before the configuration, and tells how long it is;
// zero: damaged. list makes a list of so many relationships.
func (s *State) decodeHead(b []byte, list func(int) []Relationship) int {
	d := decoder{b: b}
	flags := d.byte()
	s.Deleted, s.CreatedAt = flags&1 != 0, Moment(d.varint())
	s.ARN, s.Name, s.AvailabilityZone, s.Status = d.string(), d.string(), d.string(), Status(d.string())
	if n := d.count(2); n > 0 {
		s.Tags = make(map[string]string, n)
		for range n {
			k := d.string()
			s.Tags[k] = d.string()
		}
	}
	if n := d.count(2); n > 0 {
		s.Supplementary = make(map[string][]byte, n)
		for range n {
			k := d.string()
			s.Supplementary[k] = d.bytes()
		}
	}
	if n := d.count(6); n > 0 {
		s.Relationships = list(n)
		for i := range s.Relationships {
			r := &s.Relationships[i]
			r.Name, r.Type, r.ID = d.string(), d.string(), d.string()
			r.ResourceName, r.Account, r.Region = d.string(), d.string(), d.string()
		}
	}
	if d.short || flags > 3 {
		return 0
	}
	return len(b) - len(d.b)
}

var errContent = errors.New("content of a state is damaged")

// decoder reads the front of b; after short it returns zero values only.
type decoder struct {
	b     []byte
	short bool
}

func (d *decoder) fail() { d.b, d.short = nil, true }

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.fail()
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

// count reads the length of a list, each of whose members takes so many bytes at
// least: damage must not ask for memory.
func (d *decoder) count(least int) int {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || v > uint64((len(d.b)-n)/least) {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return int(v)
}

func (d *decoder) bytes() []byte {
	if len(d.b) > 0 && d.b[0] < 0x80 && int(d.b[0]) < len(d.b) { // most are short
		end := 1 + int(d.b[0])
		v := d.b[1:end:end]
		d.b = d.b[end:]
		return v
	}
	n := d.count(1)
	v := d.b[:n:n]
	d.b = d.b[n:]
	return v
}

// string is a part of b, which does not change: a state has dozens of them.
func (d *decoder) string() string {
	v := d.bytes()
	return unsafe.String(unsafe.SliceData(v), len(v))
}

func appendString[T string | []byte](b []byte, v T) []byte {
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}

func sortedKeys[V any](m map[string]V) []string {
	if len(m) == 0 {
		return nil
	}
	keys := slices.AppendSeq(make([]string, 0, len(m)), maps.Keys(m))
	slices.Sort(keys)
	return keys
}
