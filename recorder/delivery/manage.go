package delivery

import (
	"context"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

var errLater = history.Errorf(history.Unimplemented, "subscriptions are not yet served")

// New makes a Deliverer that has not started.
func New(store history.Store, documents history.Documents, source *feed.Source, o Options) *Deliverer {
	return &Deliverer{store: store, documents: documents, source: source, o: o}
}

// Start reads the subscriptions and begins to send. What is damaged of one of
// them disables it and holds up no other; an error says that the store could not
// be read at all.
func (d *Deliverer) Start(ctx context.Context) error { return errLater }

// Stop ends what is under way, writes how far every subscription has come, and
// returns. Deliveries that do not end soon, or before ctx is done, are broken off:
// these are sent again after the next start.
func (d *Deliverer) Stop(ctx context.Context) error { return errLater }

// Put makes a subscription or replaces the definition of one, and returns how it
// stands. What was outstanding stays so, and is sent the new way. It remains
// paused or disabled if it was, unless o.From is set: then it begins there anew,
// without what was outstanding and with a new chain of Previous.
//
// Invalid with field, value and remedy for what cannot be; ForeignToken or
// Compacted for a position that the store does not know or no longer keeps.
// Nothing is changed then.
func (d *Deliverer) Put(ctx context.Context, s Subscription, o PutOptions) (Status, error) {
	return Status{}, errLater
}

// Get tells how a subscription stands: NotFound if there is none of that name.
func (d *Deliverer) Get(ctx context.Context, name string) (Status, error) { return Status{}, errLater }

// List tells how up to limit subscriptions stand, by name, after the given one
// ("" = from the start), and whether there are more. A limit of 0 is none.
func (d *Deliverer) List(ctx context.Context, after string, limit int) ([]Status, bool, error) {
	return nil, false, errLater
}

// Delete forgets a subscription with its dead letters: NotFound if there is none
// of that name. Nothing more is sent once it has returned.
func (d *Deliverer) Delete(ctx context.Context, name string) error { return errLater }

// Pause stops sending until Resume; what is under way is broken off if it does
// not end soon, and sent again. NotFound as Get.
func (d *Deliverer) Pause(ctx context.Context, name string) (Status, error) { return Status{}, errLater }

// Resume goes on with a subscription that was paused or disabled, from where it
// is. Failed events are tried at once. NotFound as Get; Invalid if what it is to
// go on from cannot be read: then it has to be put with a From.
func (d *Deliverer) Resume(ctx context.Context, name string) (Status, error) { return Status{}, errLater }

// Test sends one message now, whatever the state, about a made-up resource of the
// type Varve::Test::Resource with sequence 0. It neither waits for what is under
// way nor counts. NotFound as Get; that the receiver did not take it is no error.
func (d *Deliverer) Test(ctx context.Context, name string) (TestResult, error) {
	return TestResult{}, errLater
}

// DeadLetters returns up to limit events that were given up, by sequence, after
// the given one, and whether there are more. A limit of 0 is none. NotFound as
// Get.
func (d *Deliverer) DeadLetters(ctx context.Context, name string, after history.Seq, limit int) ([]DeadLetter, bool, error) {
	return nil, false, errLater
}

// Replay makes dead letters outstanding again, and tells how many: those of the
// given sequences, or with none given all of them. They are tried at once, with
// all of RetryFor before them. Of all, those stay whose change was pruned, and
// those for which there is no room among the outstanding ones. NotFound as Get, or
// if one of the sequences is not a dead letter; Compacted if it was pruned:
// nothing is replayed then.
func (d *Deliverer) Replay(ctx context.Context, name string, seqs ...history.Seq) (int, error) {
	return 0, errLater
}
