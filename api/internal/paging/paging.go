// Package paging reads the pages of an answer: so many items, and not many more
// bytes than whoever asked can take at once.
package paging

import "github.com/varvehq/varve/history"

// Items are read in chunks of about chunkBytes, since one document may be 16 MiB
// and a page has up to 1,000: the first chunk is small, and the next ones as long
// as the documents of the one before suggest.
const (
	FirstChunk = 16
	MaxChunk   = 1000
	chunkBytes = 4 << 20
)

// NextChunk is how many items to read after so many had so many bytes.
func NextChunk(items, bytes int) int {
	return max(1, min(MaxChunk, chunkBytes*items/max(1, bytes)))
}

// Bytes is what a page should not exceed, so that clients with gRPC's default
// limit of 4 MiB can read it. A page ends early rather than growing beyond; a
// single item may still be larger.
const Bytes = 3 << 20

// Fill reads until a page is full by number or by size, and reports whether
// there is more. take returns the size of what it took.
func Fill(size int, read func(limit int) ([]history.Item, bool, error), take func(history.Item) int) (more bool, err error) {
	for taken, bytes, chunk := 0, 0, FirstChunk; ; {
		items, more, err := read(min(chunk, size-taken))
		if err != nil {
			return false, err
		}
		before := bytes
		for i, item := range items {
			bytes += take(item)
			if taken++; bytes > Bytes {
				return more || i < len(items)-1, nil
			}
		}
		if !more || len(items) == 0 || taken >= size {
			return more && len(items) > 0, nil
		}
		chunk = NextChunk(len(items), bytes-before)
	}
}
