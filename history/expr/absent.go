package expr

import (
	"errors"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// absent is an error that says no more than that a value is not there.
type absent string

func (a absent) Error() string { return string(a) }

// Absent reports whether an evaluation failed because what it asked for is not
// there: a member, an element, a value of the type that an operator takes. Every
// other failure is a failure of the evaluation itself: out of steps or of time,
// an overflow, a number without an exact value, a text that is no timestamp.
func Absent(err error) bool {
	if errors.As(err, new(absent)) {
		return true
	}
	var e *evaluation
	if !errors.As(err, &e) {
		return false
	}
	text := e.err.Error()
	for _, beginning := range missing {
		if strings.HasPrefix(text, beginning) {
			return true
		}
	}
	return strings.HasSuffix(text, "expected iterable type") // got 'types.Int', expected iterable type
}

// missing is how cel-go's errors begin when a value is not there: they have
// nothing else to tell them by. What follows may be a user's own words.
var missing = [...]string{
	"no such key", "no such attribute", "no such overload", "no such field",
	"index out of bounds", "index out of range", "index '", // index '5' out of range in list size '3'
	"unsupported index type", "unsupported index value",
	"optional.none() dereference",
}

// Undecidable makes an error value that any number of evaluations may share: what
// exists but cannot be told.
func Undecidable(err error) ref.Val {
	// An id keeps cel-go from writing that of the node which comes upon the error.
	return types.NewErrWithNodeID(-1, "%w", err)
}
