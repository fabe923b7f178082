package source

import (
	"fmt"

	"github.com/varvehq/varve/history"
)

// Reader reads observations one after another. It is not safe for concurrent
// use.
type Reader interface {
	// Next returns the next observation, whose JSON values are as the source
	// wrote them, and the line on which it begins, counted from 1.
	//
	// The error is io.EOF at the end. A *LineError is about one observation;
	// reading goes on with the next call. Any other error is a *BrokenError,
	// and every later call returns it again.
	Next() (o history.Observation, line int, err error)
}

// LineError says why one observation cannot be taken.
type LineError struct {
	Line int // on which it begins
	Err  error
}

// Error reads `line 3: reason`.
func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

func (e *LineError) Unwrap() error { return e.Err }

// BrokenError says why nothing more can be read: the file cannot be read, or it
// is not clear where the next observation would begin.
type BrokenError struct {
	Line int // where it broke
	Err  error
}

// Error reads `line 3: reason; the rest cannot be read`.
func (e *BrokenError) Error() string {
	return fmt.Sprintf("line %d: %v; the rest cannot be read", e.Line, e.Err)
}

func (e *BrokenError) Unwrap() error { return e.Err }
