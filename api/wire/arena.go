package wire

import (
	"sync"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/timestamppb"

	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// Arena makes the messages of one batch, many of a kind in one piece of memory.
// A message that is kept keeps its neighbours; strings do not.
type Arena struct {
	observations  slab[varvev1.Observation]
	keys          slab[varvev1.ResourceKey]
	moments       slab[timestamppb.Timestamp]
	documents     slab[varvev1.Json]
	relationships slab[varvev1.Relationship]
	words         *wordList
}

// NewArena makes an arena for about n observations. Release it when nothing more
// is to be made. It is for one goroutine.
func NewArena(n int) *Arena {
	a := &Arena{words: words.Get().(*wordList)}
	a.observations.next, a.keys.next, a.moments.next, a.documents.next = n, n, n, n
	return a
}

// Release ends the making. What was made stays.
func (a *Arena) Release() {
	words.Put(a.words)
	a.words = nil
}

// Observation makes an empty observation.
func (a *Arena) Observation() *varvev1.Observation { return a.observations.take() }

// Key makes an empty key.
func (a *Arena) Key() *varvev1.ResourceKey { return a.keys.take() }

// Moment makes a timestamp of zero.
func (a *Arena) Moment() *timestamppb.Timestamp { return a.moments.take() }

// Document makes an empty document.
func (a *Arena) Document() *varvev1.Json { return a.documents.take() }

// Relationship makes an empty relationship.
func (a *Arena) Relationship() *varvev1.Relationship { return a.relationships.take() }

// Word returns text as a string, which is kept once for all batches if it comes
// again and again, and whether it is UTF-8.
func (a *Arena) Word(text []byte) (string, bool) {
	const longest, most = 128, 4096 // half a megabyte
	if known, ok := a.words.known[string(text)]; ok {
		return known, true
	}
	if !utf8.Valid(text) {
		return "", false
	}
	word := string(text)
	if len(text) <= longest {
		if len(a.words.known) >= most {
			clear(a.words.known)
		}
		a.words.known[word] = word
	}
	return word, true
}

type wordList struct{ known map[string]string }

var words = sync.Pool{New: func() any { return &wordList{known: map[string]string{}} }}

// slab makes values of one type, next of them together.
type slab[T any] struct {
	free []T
	next int
}

func (s *slab[T]) take() *T {
	if len(s.free) == 0 {
		s.free = make([]T, max(s.next, 1))
		s.next = 64
	}
	v := &s.free[0]
	s.free = s.free[1:]
	return v
}
