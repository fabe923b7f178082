package snapshot

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/settings"
	"github.com/varvehq/varve/recorder/source/awsconfig"
)

// file is an object that is being written, packed, on the local disk.
type file struct {
	temp  *os.File
	pack  *gzip.Writer
	out   *awsconfig.Writer
	Items int
}

// newFile makes a file in a folder ("": the system's for such); id is that of the
// snapshot, empty for others.
func newFile(folder, id string) (*file, error) {
	temp, err := os.CreateTemp(folder, "varve-delivery-*.json.gz")
	if err != nil {
		return nil, err
	}
	pack := gzip.NewWriter(temp)
	return &file{temp: temp, pack: pack, out: awsconfig.NewWriter(pack, awsconfig.WriterOptions{SnapshotID: id})}, nil
}

// add writes an item, which has all its fields.
func (f *file) add(i *history.Item) error {
	f.Items++
	return f.out.Write(i)
}

// body ends the file, and is what was written.
func (f *file) body() (io.ReadSeeker, error) {
	if err := errors.Join(f.out.Close(), f.pack.Close()); err != nil {
		return nil, err
	}
	_, err := f.temp.Seek(0, io.SeekStart)
	return f.temp, err
}

// discard removes the file from the local disk.
func (f *file) discard() error { return errors.Join(f.temp.Close(), os.Remove(f.temp.Name())) }

// pageItems is how many items are read at once, where one may be large.
const pageItems = 200

// addAll writes all live resources that a recorder records, as they stand at the
// reader's moment.
func (f *file) addAll(ctx context.Context, r history.Reader, rec *settings.Recorder) error {
	for _, q := range rec.Owner.Questions(history.Query{Limit: pageItems}) {
		for {
			items, more, err := r.Items(ctx, q)
			if err != nil {
				return err
			}
			for i := range items {
				if !rec.Records(items[i].Key.Type) || items[i].Erased {
					continue
				}
				if err := f.add(&items[i]); err != nil {
					return err
				}
			}
			if !more {
				break
			}
			last := items[len(items)-1].Key
			q.After = &last
		}
	}
	return nil
}
