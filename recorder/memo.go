package recorder

import (
	"bytes"
	"slices"
	"sync"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memo"
)

// Most of what a collector brings is as it brought it the last time, byte by
// byte. What became of it then is remembered, within a bound of memory, and need
// not be worked out again. A recorder with a redaction hook remembers nothing.

// rememberBytes bounds what is remembered, of given and prepared states together.
const rememberBytes = 128 << 20

// remembered is what became of a state. It is never changed.
type remembered struct {
	given   []byte // the state as the source gave it, encoded
	extras  []byte // likewise
	state   history.State
	content []byte // the state that was made of it, encoded; state is part of it
	hash    history.Hash
	tidied  []byte // the extras that were made of those given
}

type memory = memo.Cache[history.Key, *remembered]

var givenBuffers = sync.Pool{New: func() any { return new([]byte) }}

// recall fills in what became of an observation that came before; false if it is
// another, whose state is then encoded in given.
func (r *Recorder) recall(o *history.Observation, given *[]byte) bool {
	*given = o.State.AppendContent((*given)[:0])
	was, ok := r.memory.Get(o.Key)
	if !ok || !bytes.Equal(was.given, *given) || !bytes.Equal(was.extras, o.Origin.Extras) {
		return false
	}
	o.State, o.Content, o.Hash, o.Origin.Extras = was.state, was.content, was.hash, was.tidied
	return true
}

// remember keeps what became of an observation.
func (r *Recorder) remember(o *history.Observation, given, extras []byte) {
	was := &remembered{content: o.State.AppendContent(make([]byte, 0, len(given)+len(given)/8))}
	var err error
	if was.state, err = history.DecodeContent(was.content); err != nil {
		return // it cannot be: we have just written it
	}
	was.hash = history.HashContent(was.content)
	was.extras, was.tidied = slices.Clone(extras), slices.Clone(o.Origin.Extras)
	if was.given = was.content; !bytes.Equal(given, was.content) {
		was.given = slices.Clone(given)
	}
	o.State, o.Content, o.Hash = was.state, was.content, was.hash
	r.memory.Put(o.Key, was, len(was.given)+len(was.content)+len(was.extras)+len(was.tidied))
}
