package delivery

import (
	"time"

	"github.com/varvehq/varve/history"
)

// State is in one word how a subscription does.
type State string

// The states.
const (
	Active   State = "active"   // it sends, or has nothing to send
	Failing  State = "failing"  // its target takes nothing at present, and is tried again
	Paused   State = "paused"   // by whoever manages it
	Disabled State = "disabled" // by its receiver's wish, or because it cannot go on by itself: Subscription.Disabled says why
)

// Status is how a subscription stands. The counts begin with its creation. After a
// crash they may lack what happened in the second before.
type Status struct {
	Subscription Subscription // the values of its secrets are left out
	State        State

	Position history.Position // everything up to it has been read
	Seq      history.Seq      // of Position
	Previous history.Seq      // the last that matched; zero: none did

	Matched      uint64 // events that the filter chose
	Delivered    uint64 // events that the receiver took
	Failed       uint64 // attempts at an event that failed
	Retried      uint64 // attempts at an event after its first one
	DeadLettered uint64 // events given up, those replayed since included
	DeadLetters  int    // of these, kept to be looked at and replayed
	Dropped      uint64 // dead letters that were dropped for newer ones
	Missed       uint64 // changes that were pruned before they could be read or sent
	FilterErrors uint64 // events sent because the filter could not decide

	// Outstanding are events that matched, and were neither taken nor given up.
	Outstanding int

	// LagEvents is how many changes are behind the store's newest: outstanding
	// ones, and those not yet read, which may or may not match. OldestUndelivered
	// is when the oldest of all these was recorded, Lag how long ago that is; zero
	// when there are none.
	LagEvents         uint64
	OldestUndelivered history.Moment
	Lag               time.Duration

	LastDelivered history.Moment // when a receiver last took something; zero: never
	LastFailure   *Failure       // nil: nothing ever failed
}

// Failure is an attempt that failed, or what keeps a subscription from trying.
type Failure struct {
	At     history.Moment
	Seq    history.Seq // of the event; of a batch the first one's; zero: of no event
	Reason string
}

// DeadLetter is an event that was given up.
type DeadLetter struct {
	Seq          history.Seq
	Previous     history.Seq // as in Notice
	Key          history.Key
	RecordedAt   history.Moment // of the change
	Attempts     int
	FirstFailure history.Moment
	LastFailure  history.Moment
	Reason       string // of the last failure
	FilterError  string // as in Notice
}

// TestResult is what came of a test message.
type TestResult struct {
	ID       string        // of the message
	Duration time.Duration // until the receiver answered, or did not
	Failure  string        // why it was not taken; "": it was
}
