package source

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	bufferBytes = 256 << 10

	// The window of zstd --long=31 is 2 GiB; --long=27, which its manual calls
	// for, is what files come with.
	maxZstdWindow = 512 << 20
)

// File is a file opened for reading, decompressed if need be.
type File struct {
	// Name is the path, or "stdin".
	Name string

	// Size is the length of the file as it is stored, -1 if it is not known.
	Size int64

	raw    *meter
	text   *bufio.Reader // decompressed
	closes []func() error
}

// Open opens a file, standard input for the path "-". Gzip and zstd are known by
// their first bytes, whatever the file is called. A byte order mark is left out.
func Open(path string) (*File, error) {
	if path == "-" {
		return newFile("stdin", -1, io.NopCloser(os.Stdin))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	size := int64(-1)
	info, err := f.Stat()
	switch {
	case err == nil && info.IsDir():
		err = fmt.Errorf("%s: is a folder; name the files in it", path)
	case err == nil && info.Mode().IsRegular():
		size = info.Size()
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return newFile(path, size, f)
}

// newFile closes r if it fails.
func newFile(name string, size int64, r io.ReadCloser) (*File, error) {
	f := &File{Name: name, Size: size, raw: &meter{r: r}, closes: []func() error{r.Close}}
	if err := f.unpack(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
	}
	return f, nil
}

func (f *File) unpack() error {
	stored := bufio.NewReaderSize(f.raw, bufferBytes)
	magic, err := stored.Peek(4)
	if err != nil && err != io.EOF {
		return err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(stored)
		if err != nil {
			return err
		}
		f.closes = append(f.closes, z.Close)
		f.text = bufio.NewReaderSize(z, bufferBytes)
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(stored, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return err
		}
		f.closes = append(f.closes, func() error { z.Close(); return nil })
		f.text = bufio.NewReaderSize(z, bufferBytes)
	default:
		f.text = stored
	}

	mark, err := f.text.Peek(3)
	switch {
	case err != nil && err != io.EOF:
		return err
	case bytes.HasPrefix(mark, []byte{0xff, 0xfe}), bytes.HasPrefix(mark, []byte{0xfe, 0xff}):
		return errors.New("is UTF-16; convert it to UTF-8")
	case bytes.Equal(mark, []byte{0xef, 0xbb, 0xbf}):
		_, err = f.text.Discard(len(mark))
		return err
	}
	return nil
}

// Read reads decompressed text.
func (f *File) Read(p []byte) (int, error) { return f.text.Read(p) }

// Detect tells the format of what is still to be read, without reading it. It
// waits for more than there is only if that does not tell.
func (f *File) Detect() (Format, error) {
	_, err := f.text.Peek(1)
	peek, _ := f.text.Peek(f.text.Buffered())
	if format := Detect(peek); err == nil && bytes.IndexByte(peek, '\n') >= 0 && format != Unknown {
		return format, nil
	}
	peek, err = f.text.Peek(DetectBytes)
	if err != nil && err != io.EOF {
		return Unknown, fmt.Errorf("%s: %w", f.Name, err)
	}
	return Detect(peek), nil
}

// BytesRead is how much of the file as it is stored has been read so far; of
// Size, if that is known. It may be called while others read.
func (f *File) BytesRead() int64 { return f.raw.n.Load() }

// Close closes the file, but not standard input.
func (f *File) Close() error {
	var errs []error
	for i := len(f.closes) - 1; i >= 0; i-- {
		errs = append(errs, f.closes[i]())
	}
	f.closes = nil
	return errors.Join(errs...)
}

// meter counts what is read through it.
type meter struct {
	r io.Reader
	n atomic.Int64
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.n.Add(int64(n))
	return n, err
}
