package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Directory is a place in which each bucket is a folder, made when it is first
// written to, and keys are paths below it.
type Directory struct{ path string }

// NewDirectory is the place at a path. The folder must be there.
func NewDirectory(path string) (*Directory, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is no folder", path)
	}
	return &Directory{path}, nil
}

// Check implements Place: every name of one folder is that of a bucket.
func (d *Directory) Check(_ context.Context, bucket string) error {
	if !filepath.IsLocal(bucket) || bucket == "." || bucket != filepath.Base(bucket) {
		return fmt.Errorf("%q: %w", bucket, ErrNoBucket)
	}
	return nil
}

// Put implements Place: the object is a file of its own until it is on the disk,
// and renamed then.
func (d *Directory) Put(ctx context.Context, bucket, key string, body io.ReadSeeker) (err error) {
	if err := d.Check(ctx, bucket); err != nil {
		return err
	}
	below := filepath.FromSlash(key)
	if !filepath.IsLocal(below) {
		return fmt.Errorf("the key %q leads out of its bucket", key)
	}
	// A root does not follow links out of it.
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	path := filepath.Join(bucket, below)
	if err := root.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	part := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".part")
	if err := write(root, part, body); err != nil {
		return errors.Join(err, ignoreMissing(root.Remove(part)))
	}
	if err := root.Rename(part, path); err != nil {
		return errors.Join(err, ignoreMissing(root.Remove(part)))
	}
	return d.syncFolders(root, filepath.Dir(path))
}

// Get implements Place. Only files are objects.
func (d *Directory) Get(ctx context.Context, bucket, key string) (body io.ReadCloser, err error) {
	if err := d.Check(ctx, bucket); err != nil {
		return nil, err
	}
	below := filepath.FromSlash(key)
	if !filepath.IsLocal(below) {
		return nil, fmt.Errorf("%q: %w", key, ErrNoObject)
	}
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	path := filepath.Join(bucket, below)
	switch info, err := root.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := root.Stat(bucket); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%q: %w", bucket, ErrNoBucket)
		}
		return nil, fmt.Errorf("%q: %w", key, ErrNoObject)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%q: %w", key, ErrNoObject)
	}
	return root.Open(path)
}

func write(root *os.Root, name string, body io.Reader) (err error) {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := io.Copy(f, body); err != nil {
		return err
	}
	return f.Sync()
}

// syncFolders makes the names of an object and of the folders above it durable.
func (d *Directory) syncFolders(root *os.Root, folder string) error {
	for {
		f, err := root.Open(folder)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
		if folder == "." {
			return nil
		}
		folder = filepath.Dir(folder)
	}
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
