package history

import (
	"fmt"
	"strings"
)

// Kind says what kind of thing went wrong. The list is closed: api/internal/fault
// maps each kind to its gRPC code, HTTP status and AWS exception. A Kind is an
// error itself, so that errors.Is(err, history.NotFound) holds for every error
// of that kind however it is wrapped.
type Kind uint8

// The kinds, grouped by the moment they occur.
const (
	Internal Kind = iota // a fault of ours

	// The question or the data is wrong; asking again is of no use.
	Invalid       // a field that cannot be accepted
	TooLarge      // a document, id or batch over its limit
	Future        // a capture later than the clock allows, a revision not yet given
	ForeignToken  // a page token or position of another query, store or incarnation
	Unimplemented // a known operation that this backend or version does not offer

	// The state of the store stands against it.
	NotFound      // no such resource, version or run
	NotAlive      // the resource is known, but not at the moment asked
	Ambiguous     // several resources match; say account and region
	Conflict      // expect version did not match
	AlreadyExists // a run of that name
	RunClosed     // the run is complete or aborted
	RunTainted    // an item of the run was refused: it can only be aborted, or forced
	RunTooGreedy  // the run would delete over half its scope
	Compacted     // below the floor of what is kept

	// The store itself.
	Unavailable // closed, or takes no writes: a failed disk, or a full one
	Locked      // another process has the store
	NewerFormat // written by a newer version of this program
	DataLoss    // stored bytes are damaged
)

var kindNames = [...]string{
	Internal: "INTERNAL", Invalid: "INVALID_FIELD", TooLarge: "TOO_LARGE", Future: "IN_THE_FUTURE",
	ForeignToken: "FOREIGN_TOKEN", Unimplemented: "UNIMPLEMENTED", NotFound: "NOT_FOUND", NotAlive: "NOT_ALIVE",
	Ambiguous: "AMBIGUOUS", Conflict: "VERSION_CONFLICT", AlreadyExists: "ALREADY_EXISTS", RunClosed: "RUN_CLOSED",
	RunTainted: "RUN_TAINTED", RunTooGreedy: "RUN_WOULD_DELETE_TOO_MUCH", Compacted: "COMPACTED",
	Unavailable: "UNAVAILABLE", Locked: "STORE_LOCKED", NewerFormat: "NEWER_FORMAT", DataLoss: "DATA_LOSS",
}

// Kinds returns every kind, for the tables that must map each of them.
func Kinds() []Kind {
	kinds := make([]Kind, len(kindNames))
	for i := range kinds {
		kinds[i] = Kind(i)
	}
	return kinds
}

// Error is the kind's name as it stands in ErrorInfo.reason: UPPER_SNAKE_CASE.
func (k Kind) Error() string { return kindNames[k] }

// Error is an error of a kind which names the field, its value and the remedy.
type Error struct {
	Kind  Kind
	Field string            // as the source wrote it; empty when no field is to blame
	Value string            // the value, shortened
	Text  string            // what is wrong, and what to do about it
	Meta  map[string]string // further facts for programs
	Err   error             // the cause, never shown to clients
}

// Errorf makes an error of a kind about no field in particular.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Text: fmt.Sprintf(format, args...)}
}

// Error reads `field "value": text: cause`.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message())
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Message is the error's text without its cause: what a client may see.
func (e *Error) Message() string {
	switch {
	case e.Field != "" && e.Value != "":
		return fmt.Sprintf("%s %s: %s", e.Field, e.Value, e.Text)
	case e.Field != "":
		return e.Field + " " + e.Text
	}
	return e.Text
}

// Is makes every error of a kind match that kind.
func (e *Error) Is(target error) bool {
	k, ok := target.(Kind)
	return ok && k == e.Kind
}

func (e *Error) Unwrap() error { return e.Err }
