package bolt

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/klauspost/compress/s2"

	"github.com/varvehq/varve/history"
)

// A payload is what a version carries: where it comes from, and its content.
//
//	uvarint  length of the origin
//	origin   provider, source, run, actor, event id, source ip, extras: each a
//	         uvarint length and its bytes; nothing at all when all are empty
//	content  history.State.AppendContent
//
// Stored, a payload becomes a body, which begins with its codec.

// codec says how a body holds its payload.
type codec byte

const (
	codecPlain  codec = 0 // the payload itself
	codecS2     codec = 1 // one s2 block
	codecDelta  codec = 2 // a delta from the payload of the row before, segments only
	codecSealed codec = 3 // reserved: encrypted, with the id of its key
)

const maxPayload = 1 << 30

var errBody = errors.New("a stored body is damaged")

func appendPayload(b []byte, o *history.Origin, content []byte) []byte {
	return append(appendBytes(b, appendOrigin(nil, o)), content...)
}

// appendOrigin writes an origin, nothing at all if it is empty.
func appendOrigin(b []byte, o *history.Origin) []byte {
	if o.Provider == "" && o.Source == "" && o.Run == "" && o.Cause == (history.Cause{}) && o.Extras == nil {
		return b
	}
	for _, p := range [...]string{o.Provider, o.Source, string(o.Run), o.Cause.Actor, o.Cause.EventID, o.Cause.SourceIP} {
		b = appendBytes(b, p)
	}
	return appendBytes(b, o.Extras)
}

// splitPayload returns the parts of a payload without copying.
func splitPayload(b []byte) (origin, content []byte, err error) {
	n, k := binary.Uvarint(b)
	if k <= 0 || n > uint64(len(b)-k) {
		return nil, nil, errBody
	}
	return b[k : k+int(n)], b[k+int(n):], nil
}

func decodeOrigin(b []byte) (history.Origin, error) {
	if len(b) == 0 {
		return history.Origin{}, nil
	}
	d := decoder{b: b}
	o := history.Origin{Provider: d.string(), Source: d.string(), Run: history.RunID(d.string())}
	o.Cause = history.Cause{Actor: d.string(), EventID: d.string(), SourceIP: d.string()}
	if extras := d.bytes(); len(extras) > 0 {
		o.Extras = slices.Clone(extras)
	}
	return o, d.err()
}

// sealBody makes a body that stands alone: s2 where it is shorter.
func sealBody(payload []byte) []byte {
	b := make([]byte, 1, 1+s2.MaxEncodedLen(len(payload)))
	if packed := s2.Encode(b[1:cap(b)], payload); len(packed) < len(payload) {
		b = append(b, packed...)
		b[0] = byte(codecS2)
		return slices.Clip(b)
	}
	b = append(b[:1], payload...)
	b[0] = byte(codecPlain)
	return slices.Clip(b)
}

// openBody returns the payload of a body that stands alone, in memory of its own.
func openBody(body []byte) ([]byte, error) { return appendOpened(nil, body) }

// appendOpened writes the payload of a body that stands alone over an empty
// buffer, and returns it.
func appendOpened(empty, body []byte) ([]byte, error) {
	if len(body) == 0 {
		return nil, errBody
	}
	switch codec(body[0]) {
	case codecPlain:
		return append(empty, body[1:]...), nil
	case codecS2:
		n, err := s2.DecodedLen(body[1:])
		if err != nil || n > maxPayload {
			return nil, errBody
		}
		payload, err := s2.Decode(slices.Grow(empty, n)[:n], body[1:])
		if err != nil {
			return nil, errBody
		}
		return payload, nil
	}
	return nil, errBody
}
