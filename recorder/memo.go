package recorder

import (
	"bytes"
	"crypto/sha256"
	"sync"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memo"
)

// Most of what a collector brings is as it brought it the last time, byte by
// byte. The hash of what became of it then is remembered, and is all that a store
// needs to find it unchanged. A recorder with a redaction hook remembers nothing.

// rememberBytes bounds what is remembered: some half a million states.
const rememberBytes = 128 << 20

// memory knows the hash of a state's stored form by that of what was given: the
// type of the resource, which its name and tags may follow from, and the state.
type memory = memo.Cache[history.Hash, history.Hash]

var givenBuffers = sync.Pool{New: func() any { return new([]byte) }}

// encodeGiven writes what is given over a buffer, and returns the hash of it.
func encodeGiven(buffer *[]byte, o *history.Observation) history.Hash {
	*buffer = append(append((*buffer)[:0], o.Key.Type...), 0)
	*buffer = o.State.AppendContent(*buffer)
	return sha256.Sum256(*buffer)
}

// decodeGiven reads it back, into memory of its own.
func decodeGiven(buffer []byte) (o history.Observation, err error) {
	typ, content, _ := bytes.Cut(bytes.Clone(buffer), []byte{0})
	o.Key.Type = string(typ)
	o.State, err = history.DecodeContent(content)
	return o, err
}

// recall fills in what a store needs of an observation that came before; false if
// it is another. What was given must not change until the store has taken it.
func (r *Recorder) recall(o *history.Observation, hash history.Hash, given []byte) bool {
	was, ok := r.memory.Get(hash)
	if !ok {
		return false
	}
	o.Hash = was
	o.Complete = func() (history.State, error) {
		again, err := decodeGiven(given)
		if err == nil {
			err = r.form(&again)
		}
		return again.State, err
	}
	o.State = history.State{Deleted: o.State.Deleted || o.State.Status.Deletes(), Status: o.State.Status}
	o.State.Normalize() // as the whole is
	return true
}
