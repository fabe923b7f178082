package bolt

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// mend finds the one bit that was flipped in a value whose checksum does not match,
// in its key, or in the checksum, and returns both as they were written; false if it
// takes more than one bit. CRC-32C tells any two single flips apart that lie less
// than 2^31 - 1 bits from each other. Greater damage looks like a single flip by
// chance, once in 2^32 for each bit of the value: whoever mends examines what the
// value says as well.
//
// Castagnoli, Bräuer, Herrmann: Optimization of Cyclic Redundancy-Check Codes with
// 24 and 32 Parity Bits, IEEE Transactions on Communications 41 (1993).
func mend(key, framed []byte) (mendedKey, mendedValue []byte, ok bool) {
	if len(framed) < 4 {
		return nil, nil, false
	}
	key, framed = bytes.Clone(key), bytes.Clone(framed)
	wrong := checksum(key, framed[4:]) ^ binary.BigEndian.Uint32(framed)
	if bits.OnesCount32(wrong) == 1 { // of the checksum itself
		binary.BigEndian.PutUint32(framed, checksum(key, framed[4:]))
		return key, framed, true
	}
	// What the checksum becomes when bit i of the last byte is flipped, then of the
	// one before, and so on.
	var flips [8]uint32
	for i := range flips {
		flips[i] = castagnoli[1<<i]
	}
	for _, part := range [][]byte{framed[4:], key} {
		for n := len(part) - 1; n >= 0; n-- {
			for i, f := range flips {
				if f == wrong {
					part[n] ^= 1 << i
					return key, framed, true
				}
				flips[i] = castagnoli[byte(f)] ^ f>>8
			}
		}
	}
	return nil, nil, false
}
