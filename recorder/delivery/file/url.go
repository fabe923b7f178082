package file

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/varvehq/varve/history"
)

// place is what a URL says.
type place struct {
	path     string // "": standard output
	maxBytes int64
	keep     int
	gzip     bool
}

const (
	defaultBytes = 100 << 20
	defaultKeep  = 10
	mostKept     = 999_999
)

// CheckURL refuses what no message can be written to, as things stand on the disk:
// Invalid, with field, value and remedy. A URL is
//
//	file:///absolute/path, or file:/absolute/path
//	file:-                 the program's standard output
//
// A path may be followed by ? and, joined by &,
//
//	size=100MiB  begin a new file before one grows larger; bytes, KiB, MiB or GiB
//	keep=10      keep so many old files beside it
//	gzip=true    compress the old files
//
// A folder must be there, and what is there of that name must be a file that
// holds nothing or lines of JSON. Where within names a folder, it must lie in that
// one or below it.
func CheckURL(raw, within string) error {
	p, err := parseURL(raw)
	if err != nil || p.path == "" {
		return err
	}
	t := Target{place: p, within: within}
	if err := t.inside(); err != nil {
		return err
	}
	switch info, err := os.Stat(filepath.Dir(p.path)); {
	case errors.Is(err, fs.ErrNotExist):
		return t.foreign("is in a folder that is not there; make the folder first")
	case err != nil:
		return t.foreign("is in a folder that cannot be looked at: " + reason(err))
	case !info.IsDir():
		return t.foreign("is in something that is not a folder; choose a path whose folder is there")
	}
	switch info, err := os.Stat(p.path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return t.foreign("cannot be looked at: " + reason(err))
	case !info.Mode().IsRegular():
		return t.foreign("is not a file; choose a path of its own")
	}
	f, err := os.Open(p.path)
	if err != nil {
		return t.foreign("cannot be read: " + reason(err))
	}
	defer f.Close()
	if first, err := byteAt(f, 0); err == nil && !begins(first) {
		return t.foreign("holds something else than lines of JSON; choose another file, or move it away")
	}
	return nil
}

// inside refuses a path that leads out of the folder which files are to be in,
// links followed.
func (t *Target) inside() error {
	if t.within == "" {
		return nil
	}
	folder, err := filepath.EvalSymlinks(t.within)
	if err != nil {
		return t.foreign("cannot be written: the folder for files, " + t.within + ", cannot be looked at: " + reason(err))
	}
	at, err := filepath.EvalSymlinks(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		if at, err = filepath.EvalSymlinks(filepath.Dir(t.path)); err == nil {
			at = filepath.Join(at, filepath.Base(t.path))
		}
		if info, lerr := os.Lstat(t.path); lerr == nil && info.Mode()&fs.ModeSymlink != 0 {
			return t.foreign("is a link to what is not there; choose a path of its own")
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return t.foreign("is in a folder that is not there; make the folder first")
	}
	if err != nil {
		return t.foreign("cannot be looked at: " + reason(err))
	}
	if below, err := filepath.Rel(folder, at); err != nil || !filepath.IsLocal(below) {
		return t.foreign("is outside of " + t.within + ", where this daemon lets files be written; choose a path below that")
	}
	return nil
}

// reason is the system's word without the path, which stands before it.
func reason(err error) string {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err.Error()
	}
	return err.Error()
}

func parseURL(raw string) (place, error) {
	refuse := func(value, text string) (place, error) {
		return place{}, &history.Error{Kind: history.Invalid, Field: "target", Value: strconv.Quote(value), Text: text}
	}
	if raw == "file:-" {
		return place{}, nil
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return refuse(raw, "is not a URL; write file:///path, with % and ? in the path as %25 and %3F")
	case u.Scheme != "file":
		return refuse(raw, "is not a file; write file:///path, or file:- for standard output")
	case u.Opaque != "":
		return refuse(raw, "is a path from where the daemon happens to run; write file:///path from the root, or file:- for standard output")
	case u.Host != "" && u.Host != "localhost", u.User != nil:
		return refuse(raw, "has a host between the second slash and the third; write file:///path")
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return refuse(raw, "has a fragment; write # in the path as %23")
	case u.Path == "" || strings.HasSuffix(u.Path, "/"):
		return refuse(raw, "names no file; write file:///folder/file")
	case strings.ContainsRune(u.Path, 0):
		return refuse(raw, "has a NUL character in its path")
	}
	p := place{path: filepath.Clean(filepath.FromSlash(u.Path)), maxBytes: defaultBytes, keep: defaultKeep}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return refuse(raw, "has settings that cannot be read; write ?size=100MiB&keep=10&gzip=true")
	}
	for name, values := range query {
		if len(values) > 1 {
			return refuse(name, "is given twice")
		}
		ok := false
		switch value := values[0]; name {
		case "size":
			p.maxBytes, ok = parseBytes(value)
		case "keep":
			p.keep, err = strconv.Atoi(value)
			ok = err == nil && p.keep >= 0 && p.keep <= mostKept
		case "gzip":
			p.gzip, ok = value == "true", value == "true" || value == "false"
		default:
			return refuse(name, "is not a setting of a file; they are size, keep and gzip")
		}
		if !ok {
			return refuse(name+"="+values[0], "cannot be read; write size=100MiB, keep=10 (0 to 999999), gzip=true or false")
		}
	}
	return p, nil
}

// parseBytes reads a size from 1 KiB to 1 TiB.
func parseBytes(s string) (int64, bool) {
	shift := 0
	for i, unit := range []string{"KiB", "MiB", "GiB"} {
		if digits, ok := strings.CutSuffix(s, unit); ok {
			s, shift = digits, 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 || n > 1<<40>>shift {
		return 0, false
	}
	return n << shift, n<<shift >= 1<<10
}
