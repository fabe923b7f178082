package recorder

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memo"
	"github.com/varvehq/varve/recorder/canonical"
)

// Limits of a batch where [Options] say nothing else.
const (
	DefaultMaxBatchItems = 1000
	DefaultMaxBatchBytes = 32 << 20
)

// Options of a recorder; the zero value works.
type Options struct {
	// Redact, if set, takes secrets out of an observation before anything else
	// happens to it. It may change the observation in every way. The JSON
	// values are as the source wrote them and may not even be valid. An error
	// refuses the observation. It is called by several goroutines at once.
	Redact func(*history.Observation) error

	Limits        canonical.Limits // of each JSON value
	MaxBatchItems int              // default 1,000
	MaxBatchBytes int              // of texts and JSON values together; default 32 MiB

	Now func() time.Time // default time.Now
}

// Recorder takes observations and collection runs. It is safe for concurrent
// use.
type Recorder struct {
	store  history.Store
	o      Options
	memory *memory
}

// New returns a recorder that appends to store.
func New(store history.Store, o Options) *Recorder {
	if o.MaxBatchItems <= 0 {
		o.MaxBatchItems = DefaultMaxBatchItems
	}
	if o.MaxBatchBytes <= 0 {
		o.MaxBatchBytes = DefaultMaxBatchBytes
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Recorder{store: store, o: o, memory: memo.New[history.Hash, history.Hash](rememberBytes)}
}

// Record prepares the observations of a batch, whose JSON values are as the
// source wrote them, and appends those that can be stored. The receipt has one
// result for each in order; a refused one has a *[history.Error].
//
// An error means that nothing is known of the batch's fate, unless it is
// TooLarge or Invalid: then nothing was recorded. The batch itself is neither
// changed nor kept.
func (r *Recorder) Record(ctx context.Context, b history.Batch) (history.Receipt, error) {
	record, err := r.Ready(ctx, b)
	if err != nil {
		return history.Receipt{}, err
	}
	return record(ctx)
}

// Ready is the part of Record that needs not wait for the batches before it: it
// prepares the observations, and returns what appends them, to be called once.
// Who records one batch after another gets the next one ready meanwhile. The
// batch must not change before record has returned; an error is as those of
// Record.
func (r *Recorder) Ready(ctx context.Context, b history.Batch) (record func(context.Context) (history.Receipt, error), err error) {
	if b.Run != "" && !b.Run.Valid() {
		return nil, badRunID(b.Run)
	}
	if err := r.checkSize(b.Observations); err != nil {
		return nil, err
	}

	prepared := make([]history.Observation, len(b.Observations))
	refused := make([]error, len(b.Observations))
	given := make([]*[]byte, len(b.Observations)) // what prepared ones still need
	err = each(ctx, b.Observations, func(i int) {
		prepared[i] = b.Observations[i]
		prepared[i].Origin.Run = b.Run
		given[i], refused[i] = r.prepare(&prepared[i])
	})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (history.Receipt, error) {
		receipt, err := r.append(ctx, b, prepared, refused)
		for _, buffer := range given {
			if err == nil && buffer != nil { // after an error the store may still be at it
				givenBuffers.Put(buffer)
			}
		}
		return receipt, err
	}, nil
}

// append hands what was not refused to the store and joins the results of both.
func (r *Recorder) append(ctx context.Context, b history.Batch, prepared []history.Observation, refused []error) (history.Receipt, error) {
	b.Observations = prepared
	if slices.ContainsFunc(refused, isRefused) {
		b.Observations = make([]history.Observation, 0, len(prepared))
		for i, err := range refused {
			if isRefused(err) {
				b.Refused++
				continue
			}
			b.Observations = append(b.Observations, prepared[i])
		}
	}
	good := len(b.Observations)

	if good == 0 && (b.Run == "" || b.Refused == 0) {
		head, err := r.store.Head(ctx)
		return history.Receipt{Results: join(nil, refused), Revision: head.Revision, Position: head.Position}, err
	}
	receipt, err := r.store.Append(ctx, b)
	if err != nil {
		return history.Receipt{}, err
	}
	if len(receipt.Results) != good {
		return history.Receipt{}, &history.Error{Kind: history.Invalid, Field: "operation id",
			Text: "was used for another batch; give every batch its own"}
	}
	receipt.Results = join(receipt.Results, refused)
	return receipt, nil
}

func isRefused(err error) bool { return err != nil }

// join puts the refusals among the results of what was not refused.
func join(taken []history.Result, refused []error) []history.Result {
	if len(taken) == len(refused) {
		return taken
	}
	results := make([]history.Result, len(refused))
	for i, err := range refused {
		if isRefused(err) {
			results[i].Err = err
			continue
		}
		results[i], taken = taken[0], taken[1:]
	}
	return results
}

func (r *Recorder) checkSize(list []history.Observation) error {
	if len(list) > r.o.MaxBatchItems {
		return &history.Error{Kind: history.TooLarge, Field: "observations", Value: fmt.Sprint(len(list)),
			Text: fmt.Sprintf("are more than %d; send them in several batches", r.o.MaxBatchItems)}
	}
	bytes := 0
	for i := range list {
		if bytes += size(&list[i]); bytes > r.o.MaxBatchBytes {
			return &history.Error{Kind: history.TooLarge, Field: "observations",
				Text: fmt.Sprintf("are larger than %d bytes together; send them in several batches", r.o.MaxBatchBytes)}
		}
	}
	return nil
}

// size is what an observation holds, in bytes.
func size(o *history.Observation) int {
	k, s, from := &o.Key, &o.State, &o.Origin
	n := len(k.Account) + len(k.Region) + len(k.Type) + len(k.ID) +
		len(s.ARN) + len(s.Name) + len(s.AvailabilityZone) + len(s.Status) + len(s.Configuration) +
		len(from.Provider) + len(from.Source) + len(from.Extras) +
		len(from.Cause.Actor) + len(from.Cause.EventID) + len(from.Cause.SourceIP)
	for key, value := range s.Tags {
		n += len(key) + len(value)
	}
	for name, doc := range s.Supplementary {
		n += len(name) + len(doc)
	}
	for i := range s.Relationships {
		rel := &s.Relationships[i]
		n += len(rel.Name) + len(rel.Type) + len(rel.ID) + len(rel.ResourceName) + len(rel.Account) + len(rel.Region)
	}
	return n
}

// A batch with less than this many bytes of configuration is not worth a second
// goroutine: it takes less than a tenth of a millisecond.
const parallelAbove = 32 << 10

// each calls do for every index of the list, on several cores if there is
// enough to do, and stops early when the context ends.
func each(ctx context.Context, list []history.Observation, do func(i int)) error {
	workers, bytes := 1, 0
	for i := range list {
		bytes += len(list[i].State.Configuration)
	}
	if bytes > parallelAbove {
		workers = min(runtime.GOMAXPROCS(0), len(list))
	}

	var next atomic.Int64
	work := func() error {
		for {
			i := int(next.Add(1)) - 1
			if i >= len(list) {
				return nil
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			do(i)
		}
	}
	if workers == 1 {
		return work()
	}
	var group errgroup.Group
	for range workers {
		group.Go(work)
	}
	return group.Wait()
}
