package history

import (
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
func DecodeContent(b []byte) (State, error) {
	d := decoder{b: b}
	flags := d.byte()
	s := State{Deleted: flags&1 != 0, CreatedAt: Moment(d.varint())}
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
		s.Relationships = make([]Relationship, n)
		for i := range s.Relationships {
			s.Relationships[i] = Relationship{
				Name: d.string(), Type: d.string(), ID: d.string(),
				ResourceName: d.string(), Account: d.string(), Region: d.string(),
			}
		}
	}
	if flags&2 != 0 {
		s.Configuration = d.b[:len(d.b):len(d.b)]
	}
	if d.short || flags > 3 || (flags&2 == 0 && len(d.b) > 0) {
		return State{}, errContent
	}
	return s, nil
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
	return slices.Sorted(maps.Keys(m))
}
