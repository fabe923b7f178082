// Package delivery sends the changes of the feed to subscribers: each at least
// once, in order for each resource, through crashes on either side. DESIGN.md
// beside it has the whole of it.
package delivery

import (
	"context"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

// Notice is one event on its way to one subscription.
type Notice struct {
	*feed.Event
	Subscription string
	StoreID      [16]byte

	// Previous is the sequence that the subscription matched before this one, in
	// the same partition; zero: this is its first. A receiver that holds what it
	// got by sequence can follow Previous back and prove that it lacks nothing.
	Previous history.Seq

	// FilterError says why the filter could not decide: the event is then sent
	// rather than lost.
	FilterError string

	Attempt int // from 1
}

// Message is what is handed to a target: one notice, or several where the format
// packs them together.
type Message struct {
	ID          string // the same however often it is sent
	ContentType string
	Body        []byte
}

// Format writes notices. Its methods are safe for concurrent use.
type Format interface {
	// Batches says how many notices one message may hold, 1 at least.
	Batches() int

	// Encode writes a message of 1 to Batches() notices. now is when it is
	// written, for formats that tell it.
	Encode(notices []*Notice, now time.Time) (Message, error)
}

// Target takes messages. Its methods are safe for concurrent use.
type Target interface {
	// Concurrency says how many messages may be under way at once, 1 at least.
	Concurrency() int

	// Deliver returns nil once the receiver has taken the message: on its disk,
	// or acknowledged by its answer. Any error means that it may or may not have;
	// a *Refusal tells more.
	Deliver(ctx context.Context, m Message) error

	// Close lets go of connections and files, once nothing is under way.
	Close() error
}

// Refusal is a receiver's own answer that it does not take a message.
type Refusal struct {
	Reason     string        // for people: status line, start of the body
	RetryAfter time.Duration // the receiver asks not to be tried before; 0: it does not say
	Gone       bool          // the receiver wants nothing any more: the subscription is disabled
}

// Error is the reason.
func (r *Refusal) Error() string { return r.Reason }
