package bolt

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"
	"sync"
)

// A delta writes one byte string by means of another, its base:
//
//	uvarint  length of the result
//	ops      uvarint length<<1, then that many literal bytes, or
//	         uvarint length<<1|1, then a varint: where to copy from in the base,
//	         relative to the end of the copy before
//
// Versions of a configuration differ in a few leaves, so the common front and
// back are cut off first; in the middle, blocks of the base are found again by
// a hash of eight bytes. Against zstd with the base as dictionary this is as
// small and several times cheaper to write and to read.

const (
	deltaWindow    = 8       // bytes a block is found by
	deltaTableBits = 16      // largest table of the base's blocks; a smaller base has a smaller one
	deltaEach      = 512     // in a longer middle of the base not every byte begins a block,
	deltaStep      = 3       // but one of so many
	deltaMaxMiddle = 1 << 20 // a longer middle of the base is indexed sparsely
	maxDeltaGrowth = 1 << 10 // a result so many times longer than what it is made of is damage
)

// appendDelta appends a delta that turns base into target.
func appendDelta(dst, base, target []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(target)))
	w := deltaWriter{dst: dst}

	front := commonPrefix(base, target)
	back := commonSuffix(base[front:], target[front:])
	w.copy(0, front)
	w.middle(base[front:len(base)-back], target[front:len(target)-back], front)
	w.copy(len(base)-back, back)
	w.flush()
	return w.dst
}

type deltaWriter struct {
	dst     []byte
	literal []byte // not yet written
	end     int    // of the copy before, in the base
}

func (w *deltaWriter) copy(at, n int) {
	if n == 0 {
		return
	}
	w.flush()
	w.dst = binary.AppendUvarint(w.dst, uint64(n)<<1|1)
	w.dst = binary.AppendVarint(w.dst, int64(at-w.end))
	w.end = at + n
}

func (w *deltaWriter) flush() {
	if len(w.literal) > 0 {
		w.dst = binary.AppendUvarint(w.dst, uint64(len(w.literal))<<1)
		w.dst = append(w.dst, w.literal...)
		w.literal = nil
	}
}

// middle writes target by blocks of base, which lies at offset in the whole.
func (w *deltaWriter) middle(base, target []byte, offset int) {
	if len(base) < deltaWindow || len(target) < deltaWindow {
		w.literal = target
		return
	}
	size := bits.Len(uint(min(len(base), 1<<deltaTableBits) - 1))
	pooled := deltaTables.Get().(*[1 << deltaTableBits]int32)
	defer deltaTables.Put(pooled)
	table, shift := pooled[:1<<size], 64-size // position in base + 1
	clear(table)
	step := 1 + len(base)/deltaMaxMiddle + len(base)>>(deltaTableBits+1)
	if len(base) > deltaEach {
		step = max(step, deltaStep) // a block is found nevertheless, and then its front
	}
	for i := 0; i+deltaWindow <= len(base); i += step {
		table[blockHash(base[i:])>>shift] = int32(i) + 1
	}
	done := 0 // of target, written
	for i := 0; i+deltaWindow <= len(target); {
		j := int(table[blockHash(target[i:])>>shift]) - 1
		if j < 0 || binary.LittleEndian.Uint64(base[j:]) != binary.LittleEndian.Uint64(target[i:]) {
			i++
			continue
		}
		back := commonSuffix(base[:j], target[done:i])
		n := back + commonPrefix(base[j:], target[i:])
		w.literal = target[done : i-back]
		w.copy(offset+j-back, n)
		i += n - back
		done = i
	}
	w.literal = target[done:]
}

var deltaTables = sync.Pool{New: func() any { return new([1 << deltaTableBits]int32) }}

func blockHash(b []byte) uint64 {
	return binary.LittleEndian.Uint64(b) * 0x9E3779B97F4A7C15
}

func commonPrefix(a, b []byte) int {
	n, i := min(len(a), len(b)), 0
	for ; i+8 <= n && binary.LittleEndian.Uint64(a[i:]) == binary.LittleEndian.Uint64(b[i:]); i += 8 {
	}
	for ; i < n && a[i] == b[i]; i++ {
	}
	return i
}

func commonSuffix(a, b []byte) int {
	n, i := min(len(a), len(b)), 0
	for ; i+8 <= n && binary.LittleEndian.Uint64(a[len(a)-i-8:]) == binary.LittleEndian.Uint64(b[len(b)-i-8:]); i += 8 {
	}
	for ; i < n && a[len(a)-1-i] == b[len(b)-1-i]; i++ {
	}
	return i
}

var errDelta = errors.New("a delta does not fit its base")

// deltaSize is the length of what delta makes of base; zero where it cannot be.
func deltaSize(base, delta []byte) int {
	length, n := binary.Uvarint(delta)
	if n <= 0 || length > maxPayload || length > uint64(len(delta)+len(base))*maxDeltaGrowth {
		return 0
	}
	return int(length)
}

// applyDelta appends what delta makes of base to dst.
func applyDelta(dst, base, delta []byte) ([]byte, error) {
	length, n := binary.Uvarint(delta)
	if n <= 0 || length > maxPayload || length > uint64(len(delta)+len(base))*maxDeltaGrowth {
		return nil, errDelta
	}
	delta = delta[n:]
	dst = slices.Grow(dst, int(length))
	begin, end := len(dst), 0
	for len(delta) > 0 {
		op, n := binary.Uvarint(delta)
		if n <= 0 {
			return nil, errDelta
		}
		delta = delta[n:]
		size := int(op >> 1)
		if op>>1 > length {
			return nil, errDelta
		}
		if op&1 == 0 {
			if size > len(delta) {
				return nil, errDelta
			}
			dst, delta = append(dst, delta[:size]...), delta[size:]
			continue
		}
		skip, n := binary.Varint(delta)
		if n <= 0 {
			return nil, errDelta
		}
		delta = delta[n:]
		at := end + int(skip)
		if at < 0 || at > len(base) || size > len(base)-at {
			return nil, errDelta
		}
		dst = append(dst, base[at:at+size]...)
		end = at + size
	}
	if len(dst)-begin != int(length) {
		return nil, errDelta
	}
	return dst, nil
}
