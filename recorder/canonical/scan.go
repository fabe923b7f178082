package canonical

import (
	"strconv"
	"sync"
)

// A scanner reads one document by recursive descent and writes it without white
// space and with canonical strings, but with the members of objects still in the
// order of the source. What is out of order it notes, and finish puts right.
//
// Members and objects are noted by their place in that text, counted from its
// beginning. The text is never longer than the source, so a place fits where an
// offset into the source does.
type scanner struct {
	src []byte // up to the first byte that is not UTF-8
	bad []byte // from there on
	lim Limits

	quiet bool // nothing is written or noted, and keys may come twice: see Cursor

	pos   int // the next byte of src to read
	start int // where the document begins, behind leading white space
	depth int // how many arrays and objects are open

	// The text so far is out[base:] and then src[done:pos], which is still to
	// be copied. A byte of src in there has its place shift bytes further on.
	out   []byte
	base  int
	done  int
	shift int

	members []member  // of the objects that are open, outermost first
	names   []byte    // their keys that have escapes, unescaped
	jumbled []object  // the closed objects whose members are out of order
	sorted  []stretch // the members of those, each object's together and in order

	ranks []rank   // see jumble
	text  []byte   // see finish
	path  []string // see within
}

// scratch keeps scanners for reuse, with slices that have grown already.
var scratch = sync.Pool{New: func() any { return new(scanner) }}

func newScanner(dst, src []byte, lim Limits) *scanner {
	s := scratch.Get().(*scanner)
	s.src, s.lim = src, lim
	s.out, s.base = dst, len(dst)
	return s
}

// release gives the scanner back, without what belongs to the caller. One that
// a large document has made grow is left to the garbage collector.
func (s *scanner) release() {
	const mostBytes, mostMembers = 1 << 20, 1 << 14
	if max(cap(s.names), cap(s.text)) > mostBytes ||
		max(cap(s.members), cap(s.sorted), cap(s.ranks), cap(s.jumbled)) > mostMembers {
		return
	}
	*s = scanner{
		members: s.members[:0],
		names:   s.names[:0],
		jumbled: s.jumbled[:0],
		sorted:  s.sorted[:0],
		ranks:   s.ranks[:0],
		text:    s.text[:0],
	}
	scratch.Put(s)
}

// document reads the whole source.
func (s *scanner) document() error {
	if len(s.src) > s.lim.MaxBytes {
		return s.tooLarge()
	}
	s.cut()

	s.space()
	s.start = s.pos
	if err := s.value(); err != nil {
		return s.located(err)
	}
	s.space()
	if s.pos < len(s.src) || len(s.bad) > 0 {
		return s.unexpected(s.pos, "nothing after the document")
	}
	return nil
}

func (s *scanner) value() error {
	switch s.peek() {
	case '{':
		if s.quiet {
			return s.pass()
		}
		return s.object()
	case '[':
		return s.array()
	case '"':
		_, err := s.str()
		return err
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return s.number()
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	}
	return s.unexpected(s.pos, "a value")
}

func (s *scanner) array() error {
	if s.depth++; s.depth > s.lim.MaxDepth {
		return s.tooDeep()
	}

	s.pos++
	s.space()
	if s.peek() != ']' {
		for i := 0; ; i++ {
			if err := s.value(); err != nil {
				return s.within(strconv.Itoa(i), err)
			}
			s.space()
			if s.peek() != ',' {
				break
			}
			s.pos++
			s.space()
		}
	}
	if s.peek() != ']' {
		return s.unexpected(s.pos, "',' or ']'")
	}
	s.pos++
	s.depth--
	return nil
}

// object reads an object and notes it if its keys do not ascend. Its members
// are the top of s.members: those of an object within it are pushed above the
// member whose value it is, and are gone when that value has been read.
func (s *scanner) object() error {
	if s.depth++; s.depth > s.lim.MaxDepth {
		return s.tooDeep()
	}
	start, inner := s.place(s.pos), len32(s.jumbled)
	first, names := len(s.members), len(s.names)
	ascending := true

	s.pos++
	s.space()
	if s.peek() != '}' {
		for {
			this := len(s.members)
			if err := s.key(); err != nil {
				return err
			}
			if ascending && this > first {
				before, after := &s.members[this-1], &s.members[this]
				order := s.compare(before, after)
				if order == 0 {
					return s.duplicate(before, after)
				}
				ascending = order < 0
			}
			if err := s.memberValue(); err != nil {
				return s.within(string(s.name(&s.members[this])), err)
			}
			if s.peek() != ',' {
				break
			}
			s.pos++
			s.space()
		}
	}
	if s.peek() != '}' {
		return s.unexpected(s.pos, "',' or '}'")
	}
	s.pos++

	if !ascending {
		part := stretch{start, s.place(s.pos), inner, len32(s.jumbled)}
		if err := s.jumble(part, s.members[first:]); err != nil {
			return err
		}
	}
	s.members, s.names = s.members[:first], s.names[:names]
	s.depth--
	return nil
}

// key reads a key and pushes the member that begins with it.
func (s *scanner) key() error {
	if s.peek() != '"' {
		return s.unexpected(s.pos, "a key in double quotes")
	}
	at := s.pos
	part := stretch{start: s.place(at), inner: len32(s.jumbled)}

	escaped, err := s.str()
	if err != nil {
		return err
	}
	s.members = append(s.members, member{})
	m := &s.members[len(s.members)-1]
	m.at, m.part = int32(at), part
	m.name, m.nameEnd = int32(at+1), int32(s.pos-1)
	m.head = head(s.src[m.name:], int(m.nameEnd-m.name))
	if escaped {
		from := len(s.names)
		s.names = appendUnescaped(s.names, s.src[m.name:m.nameEnd])
		m.name, m.nameEnd = int32(len(s.src)+from), int32(len(s.src)+len(s.names))
		m.head = head(s.names[from:], len(s.names)-from)
	}
	return nil
}

// memberValue reads the colon and the value of the member on top, and the white
// space behind it.
func (s *scanner) memberValue() error {
	this := len(s.members) - 1
	s.space()
	if s.peek() != ':' {
		return s.unexpected(s.pos, "':'")
	}
	s.pos++
	s.space()
	if err := s.value(); err != nil {
		return err
	}
	part := &s.members[this].part
	part.end, part.innerEnd = s.place(s.pos), len32(s.jumbled)
	s.space()
	return nil
}

// pass is object where nothing has to be noted.
func (s *scanner) pass() error {
	if s.depth++; s.depth > s.lim.MaxDepth {
		return s.tooDeep()
	}
	s.pos++
	s.space()
	for s.peek() != '}' {
		if s.peek() != '"' {
			return s.unexpected(s.pos, "a key in double quotes")
		}
		if _, err := s.str(); err != nil {
			return err
		}
		s.space()
		if s.peek() != ':' {
			return s.unexpected(s.pos, "':'")
		}
		s.pos++
		s.space()
		if err := s.value(); err != nil {
			return err
		}
		s.space()
		if s.peek() != ',' {
			break
		}
		s.pos++
		s.space()
		if s.peek() == '}' {
			return s.unexpected(s.pos, "a key in double quotes")
		}
	}
	if s.peek() != '}' {
		return s.unexpected(s.pos, "',' or '}'")
	}
	s.pos++
	s.depth--
	return nil
}

func len32[T any](list []T) int32 { return int32(len(list)) }
