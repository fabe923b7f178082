package bolt

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"sync"

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
	codecDict   codec = 4 // number of a dictionary as uvarint, one s2 block written with it
	codecPacked codec = 5 // as 2, the delta itself written as in 4
	codecErased codec = 6 // nothing: the row is a tombstone, or bare
	codecBase   codec = 7 // number of another row of the resource as uvarint, a delta from its payload; log only
)

const maxPayload = 1 << 30

// erasedBody is the body of a row without content and origin.
var erasedBody = []byte{byte(codecErased)}

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

// sealBody makes a body that stands alone, quickly: written with a dictionary if
// there is one, else by s2, else as it is, whichever is shorter.
func sealBody(payload []byte, with *dict) []byte {
	return packer{with: with}.alone(payload)
}

// sealPlain makes a body that stands alone without a dictionary.
func sealPlain(payload []byte, encode func(dst, src []byte) []byte) []byte {
	return sealBehind(0, payload, encode)
}

// sealBehind leaves room for so many bytes before the body.
func sealBehind(front int, payload []byte, encode func(dst, src []byte) []byte) []byte {
	b := make([]byte, front+1, front+1+s2.MaxEncodedLen(len(payload)))
	if packed := encode(b[front+1:cap(b)], payload); len(packed) < len(payload) {
		b = append(b, packed...)
		b[front] = byte(codecS2)
		return slices.Clip(b)
	}
	b = append(b, payload...)
	b[front] = byte(codecPlain)
	return slices.Clip(b)
}

// sealDelta makes a body of the log: a delta from the payload of the row of a
// number, if that is much shorter.
func sealDelta(base uint32, before, payload []byte) ([]byte, bool) {
	buf := encodeBuffers.Get().(*[]byte)
	defer encodeBuffers.Put(buf)
	b := binary.AppendUvarint(append((*buf)[:0], byte(codecBase)), uint64(base))
	b = appendDelta(b, before, payload)
	*buf = b
	if len(b) > len(payload)/6 || len(payload)/maxDeltaGrowth >= len(b)+len(before)-binary.MaxVarintLen32 {
		return nil, false
	}
	return slices.Clone(b), true
}

// openBase returns the parts of a row's body that is a delta from another row: one
// with a lower number, so that no row builds on itself.
func openBase(r *row) (base uint32, delta []byte, err error) {
	no, k := binary.Uvarint(r.body[1:])
	if k <= 0 || no >= uint64(r.Number) {
		return 0, nil, errBody
	}
	return uint32(no), r.body[1+k:], nil
}

// sealWith writes something with a dictionary; plain if that is shorter.
func sealWith(payload []byte, with *dict, as codec, encode func(dst, src []byte) []byte) []byte {
	buf := encodeBuffers.Get().(*[]byte)
	defer encodeBuffers.Put(buf)
	*buf = slices.Grow((*buf)[:0], 1+binary.MaxVarintLen32+s2.MaxEncodedLen(len(payload)))
	b := binary.AppendUvarint(append(*buf, byte(as)), uint64(with.no))
	head := len(b)
	if packed := encode(b[head:cap(b)], payload); head+len(packed) < 1+len(payload) {
		return slices.Clone(b[:head+len(packed)])
	}
	return append([]byte{byte(codecPlain)}, payload...)
}

var encodeBuffers = sync.Pool{New: func() any { return new([]byte) }}

// openBody returns the payload of a body that stands alone, in memory of its own.
func openBody(body []byte, with *dicts, room *arena) ([]byte, error) {
	return appendOpened(room.take(payloadSize(body)), body, with)
}

// payloadSize is how long the payload of a body that stands alone is; of a damaged
// one, zero.
func payloadSize(body []byte) int {
	k := 1
	switch codecOf(body) {
	case codecPlain:
		return max(0, len(body)-1)
	case codecDict:
		_, n := binary.Uvarint(body[1:])
		k += max(0, n)
	case codecS2:
	default:
		return 0
	}
	n, err := s2.DecodedLen(body[k:])
	if err != nil || n > maxPayload {
		return 0
	}
	return n
}

// appendOpened writes the payload of a body that stands alone over an empty
// buffer, and returns it.
func appendOpened(empty, body []byte, with *dicts) ([]byte, error) {
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
	case codecDict:
		return appendUnpacked(empty, body, with)
	}
	return nil, errBody
}

// appendUnpacked reads what sealWith wrote with a dictionary, over an empty
// buffer.
func appendUnpacked(empty, body []byte, with *dicts) ([]byte, error) {
	no, k := binary.Uvarint(body[1:])
	if k <= 0 || no > math.MaxUint32 {
		return nil, errBody
	}
	d, err := with.find(dictNo(no))
	if err != nil {
		return nil, err
	}
	n, err := s2.DecodedLen(body[1+k:])
	if err != nil || n > maxPayload {
		return nil, errBody
	}
	b, err := d.Decode(slices.Grow(empty, n)[:n], body[1+k:])
	if err != nil {
		return nil, errBody
	}
	return b, nil
}
