package rules

import (
	"context"
	"time"

	"github.com/varvehq/varve/history"
)

// Judge is a rule made ready: compiled once, it evaluates any number of
// resources, on any number of goroutines.
type Judge interface {
	// Judge gives the verdict on a live resource in the rule's scope. It depends
	// on nothing but the subject. What goes wrong in the evaluation is a verdict,
	// ERROR with its text; the error is of the context, or of what Others read.
	Judge(ctx context.Context, s *Subject) (Verdict, error)

	// Needs says what a verdict may depend on beside the resource itself.
	Needs() Needs
}

// Needs are what else a rule looks at.
type Needs struct {
	Clock  bool // Subject.Now
	Others bool // Subject.Others
}

// Subject is what one evaluation looks at.
type Subject struct {
	Item   *Decoded       // the resource, in the version that stands at the moment
	Now    time.Time      // the moment of the evaluation, on the captured axis
	Others Others         // nil: there are none to be seen
	Owner  Owner          // of the rule
	Moment history.Moment // as Now
}

// Others are the resources beside the one that is judged, all at the moment of
// the evaluation and as known at one revision. They are those of the rule's owner
// only. What is asked becomes what the verdict depends on.
type Others interface {
	// Related lists the live resources of a type ("" = any) that a resource uses,
	// and Referrers those that use it, in key order.
	Related(ctx context.Context, k history.Key, typ string) ([]*Decoded, error)
	Referrers(ctx context.Context, k history.Key, typ string) ([]*Decoded, error)

	// Inventory lists the live resources of a type, in key order.
	Inventory(ctx context.Context, typ string) ([]*Decoded, error)
}
