package bolt

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"os"

	"github.com/varvehq/varve/history"
)

// bbolt keeps two meta pages and writes them in turn; each names the last commit
// as of its writing. It reads the newer of those whose checksum is right, so
// that a damaged newer one silently takes the last commit back. What it maps
// beyond the end of a file that was cut short is a fault of the process. Both
// are looked for before bbolt opens the file.
//
// Layout of a meta page, in the byte order of the machine: a header of 16 bytes,
// then magic, version, page size and flags (uint32 each), root (16 bytes),
// freelist, pages in use, transaction, and the FNV-64a of all that (uint64 each).
// https://pkg.go.dev/go.etcd.io/bbolt (internal/common, Meta)
const (
	metaHeader  = 16
	metaSummed  = 56
	metaMagic   = 0xED0CDAED
	leastPage   = 1 << 10
	largestPage = 64 << 10
)

// fileState is what the meta pages say of a file.
type fileState struct {
	damaged []int // meta pages with a wrong checksum
	needs   int64 // bytes that the file must have
	size    int64

	// Of the newest meta page.
	pageSize       int64
	root, freelist uint64
	pages          uint64 // pages from this number on were never used
}

// inspect reads the meta pages of a file. A file that is missing or empty is
// sound: it is to be made.
func inspect(path string) (fileState, error) {
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return fileState{}, nil
	}
	if err != nil {
		return fileState{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return fileState{}, err
	}
	state := fileState{size: info.Size()}
	pageSize := int64(os.Getpagesize())
	newest := uint64(0)
	for page := range 2 {
		meta := make([]byte, metaHeader+metaSummed+8)
		_, err := f.ReadAt(meta, int64(page)*pageSize)
		if err != nil && err != io.EOF {
			return fileState{}, err
		}
		meta = meta[metaHeader:]
		sum := fnv.New64a()
		sum.Write(meta[:metaSummed])
		order := binary.NativeEndian
		if order.Uint32(meta) != metaMagic || order.Uint64(meta[metaSummed:]) != sum.Sum64() {
			state.damaged = append(state.damaged, page)
			continue
		}
		if size := int64(order.Uint32(meta[8:])); page == 0 && size >= leastPage && size <= largestPage {
			pageSize = size
		}
		if tx := order.Uint64(meta[48:]); tx >= newest {
			newest, state.pageSize, state.pages = tx, pageSize, order.Uint64(meta[40:])
			state.root, state.freelist, state.needs = order.Uint64(meta[16:]), order.Uint64(meta[32:]), int64(state.pages)*pageSize
		}
	}
	return state, nil
}

// check says what keeps a file from being opened.
func (f *fileState) check(path string) error {
	switch {
	case len(f.damaged) == 2:
		return history.Errorf(history.DataLoss, "%s is not a store of Varve, or both of its meta pages are damaged", path)
	case f.size < f.needs:
		return &history.Error{Kind: history.DataLoss,
			Text: fmt.Sprintf("%s was cut short: it has %d bytes and needs %d; run varve repair, or restore a backup", path, f.size, f.needs)}
	}
	return nil
}
