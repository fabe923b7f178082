package delivery

import (
	"log/slog"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

// Options of a Deliverer. Check and Open are needed.
type Options struct {
	// Check fills in what a definition leaves to its target (Format), and refuses
	// what cannot be sent to it: history.Invalid with field, value and remedy. It
	// opens nothing.
	Check func(*Subscription) error

	// Open makes the format and the target of a definition that was checked. The
	// Deliverer closes the target. For one subscription there is never more than
	// one open at a time.
	Open func(Subscription) (Format, Target, error)

	Logger *slog.Logger     // default: none
	Now    func() time.Time // default: time.Now
}

// Deliverer sends the changes of one store to its subscriptions. Start it once,
// and stop it once, before the store closes. Its methods are safe for concurrent
// use; those that change something are carried out one after another.
type Deliverer struct {
	store     history.Store
	documents history.Documents
	source    *feed.Source
	o         Options
}
