// Package file appends messages to a file, a line each, or writes them to
// standard output.
//
// A message has been delivered when it is on the disk: it is synced, and so is the
// folder after a file was made or renamed. What was being written when the
// program died is taken out of the file before the next message goes in, so that
// there are whole lines only; that message comes again.
//
// A file that grows too large gets a number behind its name, the next one for
// every file, and a new one is begun. If another program moves the file away, a
// new one is begun as well.
package file

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery"
)

// Options of a target. Only URL is required.
type Options struct {
	URL    string       // as CheckURL takes it
	Within string       // the folder that the file must lie in or below; "": anywhere
	Stdout io.Writer    // what file:- means; nil: os.Stdout
	Log    *slog.Logger // told when old files cannot be packed or removed; nil: nobody is
}

// Target writes to one file. It implements delivery.Target.
type Target struct {
	place
	within string
	log    *slog.Logger
	turn   chan struct{} // holds one: whoever takes it may write
	stdout io.Writer     // nil: there is a path
	f      *os.File      // nil: not open

	packing sync.Mutex // one at a time
	packers sync.WaitGroup
}

var _ delivery.Target = (*Target)(nil)

// One line of standard output is not to be torn by another subscription's.
var stdoutTurn = newTurn()

func newTurn() chan struct{} {
	turn := make(chan struct{}, 1)
	turn <- struct{}{}
	return turn
}

// New returns a target. The file is opened by the first Deliver: a disk that is
// not there yet is a failure of deliveries, not of the subscription. The error is
// that of a URL that cannot be meant, whatever the disk has.
func New(o Options) (*Target, error) {
	p, err := parseURL(o.URL)
	if err != nil {
		return nil, err
	}
	t := &Target{place: p, within: o.Within, log: o.Log, turn: newTurn()}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	if p.path == "" {
		t.turn, t.stdout = stdoutTurn, o.Stdout
		if t.stdout == nil {
			t.stdout = os.Stdout
		}
	}
	return t, nil
}

// Concurrency implements delivery.Target.
func (t *Target) Concurrency() int { return 1 }

// Deliver implements delivery.Target. A disk that hangs, or a reader of standard
// output that does not read, is waited for no longer than ctx lasts; what was
// begun is then finished in its own time, and messages after it wait.
func (t *Target) Deliver(ctx context.Context, m delivery.Message) error {
	select {
	case <-ctx.Done():
		return fmt.Errorf("file: %w", context.Cause(ctx))
	case <-t.turn:
	}
	done := make(chan error, 1)
	go func() {
		err := t.write(m.Body)
		t.turn <- struct{}{}
		done <- err
	}()
	select {
	case <-ctx.Done():
		return fmt.Errorf("file: %w", context.Cause(ctx))
	case err := <-done:
		if err != nil {
			return fmt.Errorf("file: %w", err)
		}
		return nil
	}
}

// Close implements delivery.Target. It waits until old files are packed.
func (t *Target) Close() error {
	if t.stdout != nil {
		return nil
	}
	<-t.turn
	defer func() { t.turn <- struct{}{} }()
	t.packers.Wait()
	return t.close()
}

func (t *Target) close() error {
	if t.f == nil {
		return nil
	}
	err := t.f.Close()
	t.f = nil
	return err
}

func (t *Target) write(body []byte) error {
	if !bytes.HasSuffix(body, []byte("\n")) {
		body = append(body[:len(body):len(body)], '\n')
	}
	if t.stdout != nil {
		_, err := t.stdout.Write(body)
		return err
	}
	size, err := t.ready(int64(len(body)))
	if err != nil {
		return err
	}
	if _, err := t.f.Write(body); err != nil {
		// What went in goes out again, now or when the file is opened next.
		if undo := t.f.Truncate(size); undo != nil {
			_ = t.close()
		}
		return err
	}
	if err := t.f.Sync(); err != nil {
		// Nobody knows what the disk has, and asking again would not tell.
		_ = t.close()
		return err
	}
	return nil
}

// ready sees to it that the file is open and has room, and tells its size.
func (t *Target) ready(room int64) (int64, error) {
	// Whoever moves the file away may do so right after it was opened.
	for range 3 {
		if t.f != nil && !t.current() {
			_ = t.close()
		}
		if t.f != nil {
			break
		}
		if err := t.open(); err != nil {
			return 0, err
		}
	}
	if t.f == nil {
		return 0, t.foreign("is moved away again and again")
	}
	info, err := t.f.Stat()
	if err == nil && info.Size() > 0 && info.Size()+room > t.maxBytes {
		if err := t.rotate(); err != nil {
			return 0, err
		}
		info, err = t.f.Stat()
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// current reports whether the open file is still the one of that name.
func (t *Target) current() bool {
	named, err := os.Stat(t.path)
	if err != nil {
		return false
	}
	open, err := t.f.Stat()
	return err == nil && os.SameFile(named, open)
}

// open opens the file, or makes it, for this target alone.
func (t *Target) open() (err error) {
	if err := t.inside(); err != nil {
		return err
	}
	if info, err := os.Stat(t.path); err == nil && !info.Mode().IsRegular() { // to open a pipe may take for ever
		return t.foreign("is not a file; choose a path of its own")
	}
	f, err := os.OpenFile(t.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	if err := lock(f); err != nil {
		return &history.Error{Kind: history.Locked, Field: "target", Value: t.path,
			Text: "is written by another subscription or program; give each a file of its own", Err: err}
	}
	if err := t.repair(f); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(t.path)); err != nil {
		return err
	}
	t.f = f
	t.pack()
	return nil
}

func (t *Target) foreign(text string) error {
	return &history.Error{Kind: history.Invalid, Field: "target", Value: t.path, Text: text}
}
