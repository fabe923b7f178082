package server

import "github.com/varvehq/varve/history"

// Items are read in chunks of about chunkBytes, since one document may be 16 MiB
// and a page has up to 1,000: the first chunk is small, and the next ones as long
// as the documents of the one before suggest.
const (
	firstChunk = 16
	maxChunk   = 1000
	chunkBytes = 4 << 20
)

func nextChunk(items, bytes int) int {
	return max(1, min(maxChunk, chunkBytes*items/max(1, bytes)))
}

// fill reads until a page is full by number or by size, and reports whether
// there is more. take returns the size of what it took.
func fill(size int, read func(limit int) ([]history.Item, bool, error), take func(history.Item) int) (more bool, err error) {
	for taken, bytes, chunk := 0, 0, firstChunk; ; {
		items, more, err := read(min(chunk, size-taken))
		if err != nil {
			return false, err
		}
		before := bytes
		for i, item := range items {
			bytes += take(item)
			if taken++; bytes > pageBytes {
				return more || i < len(items)-1, nil
			}
		}
		if !more || len(items) == 0 || taken >= size {
			return more && len(items) > 0, nil
		}
		chunk = nextChunk(len(items), bytes-before)
	}
}
