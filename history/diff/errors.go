package diff

import (
	"errors"
	"strconv"
)

// Errors about what was handed in.
var (
	// ErrDocument means that bytes are not one JSON document: bad syntax, a
	// duplicate object key, a lone surrogate, invalid UTF-8 or too deep a nesting.
	ErrDocument = errors.New("not a JSON document")

	// ErrPatch means that bytes or operations are not an RFC 6902 patch: an
	// unknown operation, a missing member, a malformed pointer or value.
	ErrPatch = errors.New("not a JSON patch")
)

// Errors of a well-formed patch that does not fit the document; always wrapped
// in an [ApplyError].
var (
	// ErrPath means that an operation names a place which the document has not.
	ErrPath = errors.New("no such place in the document")

	// ErrTest means that a test operation found another value than it expects.
	ErrTest = errors.New("value differs from the expected one")

	// ErrTooLarge means that the copy operations of a patch would blow up the
	// document.
	ErrTooLarge = errors.New("patch copies too much")
)

// ApplyError says which operation of a patch stopped [Apply]. Err is, or wraps,
// [ErrPatch], [ErrPath], [ErrTest], [ErrTooLarge], or [ErrDocument] where a copy
// would nest too deep.
type ApplyError struct {
	Index int    // of the operation in the patch, from 0
	Op    string // as the operation has it
	Path  string // as the operation has it
	Err   error
}

// Error gives index, operation, path and reason.
func (e *ApplyError) Error() string {
	return "diff: operation " + strconv.Itoa(e.Index) + ": " + e.Op + " " + strconv.Quote(e.Path) + ": " + e.Err.Error()
}

// Unwrap returns the reason.
func (e *ApplyError) Unwrap() error { return e.Err }
