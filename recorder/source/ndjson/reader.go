package ndjson

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/source"
)

// DefaultMaxLine is the longest line where [Options] say nothing else, in bytes.
const DefaultMaxLine = 64 << 20

// Options of a reader; the zero value works.
type Options struct {
	MaxLine int    // bytes of the longest line; default 64 MiB
	Source  string // of observations that name none
}

// Reader reads observations line by line. It is a [source.Reader].
type Reader struct {
	in   *bufio.Reader
	o    Options
	d    decoder
	line int
	long []byte // a line that did not fit into the buffer of in
	err  error  // why nothing more can be read
}

// NewReader returns a reader of r. It reads ahead.
func NewReader(r io.Reader, o Options) *Reader {
	if o.MaxLine <= 0 {
		o.MaxLine = DefaultMaxLine
	}
	return &Reader{in: bufio.NewReaderSize(r, 64<<10), o: o}
}

// Next returns the observation of the next line that is not empty, and the
// number of the line. See [source.Reader] for the errors.
func (r *Reader) Next() (history.Observation, int, error) {
	for {
		line, err := r.next()
		if err != nil {
			return history.Observation{}, r.line, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		o, err := r.d.observation(line)
		if err != nil {
			return history.Observation{}, r.line, &source.LineError{Line: r.line, Err: err}
		}
		if o.Origin.Source == "" {
			o.Origin.Source = r.o.Source
		}
		return o, r.line, nil
	}
}

// next returns the next line, valid until the following call.
func (r *Reader) next() ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}
	r.line++
	line, err := r.in.ReadSlice('\n')
	if err == nil && len(line) <= r.o.MaxLine {
		return line, nil
	}

	r.long = append(r.long[:0], line...)
	size := len(line)
	for errors.Is(err, bufio.ErrBufferFull) {
		line, err = r.in.ReadSlice('\n')
		size += len(line)
		if size <= r.o.MaxLine {
			r.long = append(r.long, line...)
		}
	}
	switch {
	case err != nil && err != io.EOF:
		r.err = &source.BrokenError{Line: r.line, Err: err}
		return nil, r.err
	case err == io.EOF:
		r.err = io.EOF
		if size == 0 {
			r.line--
			return nil, io.EOF
		}
	}
	if size > r.o.MaxLine {
		return nil, &source.LineError{Line: r.line, Err: history.Errorf(history.TooLarge,
			"is %d bytes long, at most %d are read", size, r.o.MaxLine)}
	}
	return r.long, nil
}
