package file

import (
	"bytes"
	"errors"
	"io"
	"os"
)

// repair cuts off the last line if it has no end: the program, or the machine,
// died while it was written. Only files that hold JSON are touched, and only
// lines that begin like it: what somebody else wrote is not ours to cut.
func (t *Target) repair(f *os.File) error {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	if first, err := byteAt(f, 0); err != nil || !begins(first) {
		if err != nil {
			return err
		}
		return t.foreign("holds something else than lines of JSON; choose another file, or move it away")
	}
	end, err := lastLineEnd(f, info.Size())
	if err != nil || end == info.Size() {
		return err
	}
	if first, err := byteAt(f, end); err != nil || !begins(first) && first != 0 { // some file systems leave zeros
		if err != nil {
			return err
		}
		return t.foreign("ends in something else than a line of JSON; choose another file, or move it away")
	}
	if err := f.Truncate(end); err != nil {
		return err
	}
	return f.Sync()
}

// begins reports whether a message may begin so.
func begins(b byte) bool { return b == '{' || b == '[' }

func byteAt(f *os.File, at int64) (byte, error) {
	var b [1]byte
	_, err := f.ReadAt(b[:], at)
	return b[0], err
}

// lastLineEnd is where the last whole line of a file of that size ends.
func lastLineEnd(f *os.File, size int64) (int64, error) {
	block := make([]byte, 64<<10)
	for end := size; end > 0; {
		from := max(end-int64(len(block)), 0)
		n, err := f.ReadAt(block[:end-from], from)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if i := bytes.LastIndexByte(block[:n], '\n'); i >= 0 {
			return from + int64(i) + 1, nil
		}
		end = from
	}
	return 0, nil
}
