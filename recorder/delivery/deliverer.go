package delivery

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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
// use; those that change one subscription are carried out one after another.
type Deliverer struct {
	store     history.Store
	documents history.Documents
	source    *feed.Source
	o         Options

	news  news // of the feed
	turns gate // how many may read, filter and write messages at once

	mu      sync.Mutex
	runners map[string]*runner

	write   chan struct{} // has one if there is something to write
	writing sync.Mutex    // held while documents are written

	started, stopped atomic.Bool
	background       context.Context
	end              context.CancelFunc
	work             sync.WaitGroup
}

// grace is how long what is under way may take when a run ends.
const grace = time.Second

// New makes a Deliverer that has not started.
func New(store history.Store, documents history.Documents, source *feed.Source, o Options) *Deliverer {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Deliverer{
		store: store, documents: documents, source: source, o: o,
		// Half of the machine stays with those who record, however many
		// subscriptions have something to do.
		turns:   newGate(max(1, runtime.GOMAXPROCS(0)/2)),
		runners: map[string]*runner{},
		write:   make(chan struct{}, 1),
	}
}

// Start reads the subscriptions and begins to send. What is damaged of one of
// them disables it and holds up no other; an error says that the store could not
// be read at all, or has no feed that a sequence can be asked of.
func (d *Deliverer) Start(ctx context.Context) error {
	if _, ok := history.Power[history.Descendant](d.store); !ok {
		return history.Errorf(history.Unimplemented, "this store has no subscriptions")
	}
	head, err := d.store.Head(ctx)
	if err != nil {
		return err
	}
	if err := d.load(ctx); err != nil {
		return err
	}
	d.background, d.end = context.WithCancel(context.Background())
	d.started.Store(true)
	d.news.begin()
	d.work.Go(func() { d.news.watch(d.background, d.store, head.Position) })
	d.work.Go(d.keepWriting)
	for _, r := range d.all() {
		r.start()
	}
	return nil
}

// Stop ends what is under way, writes how far every subscription has come, and
// returns. Deliveries that do not end soon, or before ctx is done, are broken off:
// these are sent again after the next start.
func (d *Deliverer) Stop(ctx context.Context) error {
	if !d.started.Load() || !d.stopped.CompareAndSwap(false, true) {
		return nil
	}
	runners := d.all()
	errs := make([]error, len(runners)+1)
	var stopping sync.WaitGroup
	for i, r := range runners {
		stopping.Go(func() { errs[i] = r.stop(ctx, grace) })
	}
	stopping.Wait()
	d.end()
	d.work.Wait()
	// What has been delivered is worth to be known even if there is no time left.
	errs[len(runners)] = d.flush(context.WithoutCancel(ctx))
	return errors.Join(errs...)
}

// running refuses whoever comes before the start or after the end.
func (d *Deliverer) running() error {
	if !d.started.Load() || d.stopped.Load() {
		return history.Errorf(history.Unavailable, "subscriptions are not served at present")
	}
	return nil
}

// all are the subscriptions that there are, by name.
func (d *Deliverer) all() []*runner {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := make([]*runner, 0, len(d.runners))
	for _, r := range d.runners {
		if r.exists {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b *runner) int { return strings.Compare(a.name, b.name) })
	return list
}

func (d *Deliverer) now() history.Moment { return history.MomentOf(d.o.Now()) }

func (d *Deliverer) lineage() history.Lineage {
	descendant, _ := history.Power[history.Descendant](d.store) // Start has asked
	return descendant.Lineage()
}

// seqOf is the sequence of a position of this store.
func (d *Deliverer) seqOf(p history.Position) (history.Seq, error) {
	return d.lineage().Seq(p, math.MaxInt64)
}
