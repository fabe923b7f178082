// Package secretfile reads files of secrets, one a line, which nobody but their
// owner may have access to.
package secretfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxBytes is how large a file may be.
const maxBytes = 1 << 20

// Line is one line of a file, without blanks at its ends.
type Line struct {
	Number int
	Text   string
}

// Read reads the lines of a file that say something: not those that are blank or
// begin with #. A file that others than its owner may read is refused, unless it is
// a credential of systemd. The errors begin with the file's name, call what is in it
// secrets ("tokens"), and never hold any of it.
func Read(name, secrets string) ([]Line, error) {
	bad := func(text string, args ...any) error {
		return fmt.Errorf("%s "+text, append([]any{name}, args...)...)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, bad("cannot be read: %w", plain(err))
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, bad("cannot be read: %w", plain(err))
	case info.IsDir():
		return nil, bad("is a folder; give a file of %s", secrets)
	case info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 && !isCredential(name):
		return nil, bad("has mode %04o: others than its owner have access to the %s; run chmod 600 %s", info.Mode().Perm(), secrets, name)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxBytes+1))
	switch {
	case err != nil:
		return nil, bad("cannot be read: %w", plain(err))
	case len(text) > maxBytes:
		return nil, bad("is larger than 1 MiB; give a file of %s", secrets)
	}
	var said []Line
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			said = append(said, Line{n, line})
		}
	}
	return said, nil
}

// isCredential tells whether systemd keeps the file for this service alone: it
// does so by an access control list, which looks like a permission of the group.
func isCredential(name string) bool {
	folder := os.Getenv("CREDENTIALS_DIRECTORY")
	return folder != "" && filepath.Dir(filepath.Clean(name)) == filepath.Clean(folder)
}

// plain takes the file's name off an error that will be told with it.
func plain(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
