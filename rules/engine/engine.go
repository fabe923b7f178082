package engine

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"runtime"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memo"
	"github.com/varvehq/varve/rules"
)

// Store is what an engine works on.
type Store interface {
	history.Store
	history.Documents
}

// Options of an engine. Store and Language are needed.
type Options struct {
	Store    Store
	Language Language
	Graph    Graph            // nil: nothing is related to anything
	Now      func() time.Time // default time.Now
	Workers  int              // default: one for each core
	Cache    int              // bytes of what is remembered of others that rules looked at, and again of verdicts; default 64 MiB
	Logger   *slog.Logger     // default: discard

	// Keep is how long the position is not written again; default one second,
	// negative: no time.
	// Whatever came after it is evaluated again by the next start, which records
	// nothing that is there.
	Keep time.Duration
}

// Engine follows a store and keeps the verdicts of all recorded rules as they are
// to be. Its methods are safe for concurrent use.
type Engine struct {
	o        Options
	store    Store
	rules    *catalog
	queue    *queue
	depends  *depends
	due      *due
	cache    *Cache
	recorded *recorded
	poked    chan struct{}
	group    sync.WaitGroup // of Run

	counted counted

	mu      sync.Mutex
	begin   []*sweep // of the start
	kept    Through  // written
	failing error
	asked   []history.Key // rules that are to be evaluated anew
	open    map[*sweep]struct{}
	leftOut map[history.Key]bool // what was logged as that
}

// Of the document that keeps the position.
const (
	collection   = "compliance"
	positionName = "evaluated"
)

// New makes an engine, which begins where the last one ended when Run is called.
func New(ctx context.Context, o Options) (*Engine, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Workers <= 0 {
		o.Workers = max(1, runtime.GOMAXPROCS(0)-1)
	}
	if o.Cache <= 0 {
		o.Cache = 64 << 20
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Keep == 0 {
		o.Keep = time.Second
	}
	e := &Engine{
		o: o, store: o.Store, rules: &catalog{language: o.Language, log: o.Logger, damaged: map[history.Key]error{}}, depends: newDepends(), due: &due{},
		cache: NewCache(o.Cache), recorded: memo.New[history.Key, step](o.Cache), poked: make(chan struct{}, 1), open: map[*sweep]struct{}{},
		leftOut: map[history.Key]bool{},
	}
	e.due.sooner = e.Poke
	head, err := o.Store.Head(ctx)
	if err != nil {
		return nil, err
	}
	r, err := o.Store.AsOf(ctx, history.At{})
	if err != nil {
		return nil, err
	}
	if err := e.rules.load(ctx, r); err != nil {
		return nil, err
	}
	through, err := e.resume(ctx)
	if err != nil {
		return nil, err
	}
	if through.Time == 0 {
		through = Through{Position: head.Position, Revision: head.Revision}
	}
	e.kept = through
	e.queue = newQueue(through)
	e.startUp(through.Time)
	return e, nil
}

// resume reads how far verdicts have come; zero: not at all, or what followed is
// no longer kept, or it is damaged.
func (e *Engine) resume(ctx context.Context) (Through, error) {
	d, err := e.store.Document(ctx, collection, positionName)
	if errors.Is(err, history.NotFound) {
		return Through{}, nil
	}
	var t Through
	if err == nil {
		if err = json.Unmarshal(d.Body, &t); err != nil {
			err = &history.Error{Kind: history.DataLoss, Field: collection + "/" + positionName, Text: "cannot be read", Err: err}
		}
	}
	if err == nil {
		_, _, err = e.store.Changes(ctx, t.Position, 1, 0)
	}
	switch {
	case errors.Is(err, history.DataLoss):
		e.o.Logger.Error("all is evaluated anew: how far it was evaluated is damaged", "error", err)
		return Through{}, nil
	case errors.Is(err, history.Compacted), errors.Is(err, history.ForeignToken):
		return Through{}, nil
	}
	return t, err
}

// startUp plans what has to be evaluated again before all goes on as if nothing
// had happened: what looks at others in full, since what was looked at is not
// kept; and what has come since a moment without being a tick.
func (e *Engine) startUp(since history.Moment) {
	for _, r := range e.rules.list() {
		from := history.Newest
		for _, v := range r.Versions {
			if v.From > since {
				from = min(from, v.From)
			}
		}
		if since == 0 || r.any((*Version).looksAround) {
			from = history.FirstMoment
		}
		if from != history.Newest {
			e.begin = append(e.begin, &sweep{ruling: r, from: from})
		}
	}
	if since != 0 {
		e.begin = append(e.begin, &sweep{from: since + 1})
	}
}

// Run follows the store until ctx ends, and returns when all has come to rest. It
// is called once. The error is of the store, where it cannot go on.
func (e *Engine) Run(ctx context.Context) error {
	first := e.queue.open(func(*Through) {})
	for _, s := range e.begin {
		e.sweep(ctx, first, s)
	}
	e.queue.release(first)
	for range e.o.Workers {
		e.group.Go(func() { e.work(ctx) })
	}
	e.group.Go(func() { e.watch(ctx) })
	e.group.Go(func() { e.keeper(ctx) })
	err := e.follow(ctx)
	e.group.Wait()
	return errors.Join(err, e.keep(context.WithoutCancel(ctx)))
}

// Rulings are the recorded rules as the engine has them, in key order, deleted ones
// included, damaged ones not.
func (e *Engine) Rulings() []*Ruling { return e.rules.list() }

// Active is how many rules are in force now.
func (e *Engine) Active() (n int) {
	now := e.now()
	for _, r := range e.rules.list() {
		if r.at(now) != nil {
			n++
		}
	}
	return n
}

// Damaged is how many rules are not evaluated since what is recorded of them is damaged.
func (e *Engine) Damaged() int {
	e.rules.mu.RLock()
	defer e.rules.mu.RUnlock()
	return len(e.rules.damaged)
}

// DamagedRules are those rules, named as RuleKey does, and why they cannot be read.
func (e *Engine) DamagedRules() map[history.Key]error {
	e.rules.mu.RLock()
	defer e.rules.mu.RUnlock()
	return maps.Clone(e.rules.damaged)
}

// Current are the rules that stand at a reader's moment, in key order. Those that the
// engine has made ready are not made ready once more; it may not know of others yet.
// DataLoss if one is damaged: an answer must not seem to be what it too says.
func (e *Engine) Current(ctx context.Context, r history.Reader) ([]*Ruling, error) {
	ready := map[history.Key]*Ruling{}
	for _, one := range e.Rulings() {
		ready[one.key()] = one
	}
	items, err := history.Few(ctx, r, history.Query{Type: rules.TypeRule, Fields: history.FieldsKey})
	if err != nil {
		return nil, err
	}
	var list []*Ruling
	for i := range items {
		k := items[i].Key
		one, err := LoadRuling(ctx, r, e.rules.language, k, ready[k])
		if err != nil {
			return nil, err
		}
		if one != nil {
			list = append(list, one)
		}
	}
	return list, nil
}

// EvaluatedThrough says how far verdicts have come.
func (e *Engine) EvaluatedThrough() Through {
	return e.queue.evaluated()
}

// Wait waits until everything recorded up to a position is evaluated.
func (e *Engine) Wait(ctx context.Context, p history.Position) error {
	for {
		e.queue.mu.Lock()
		changed, through := e.queue.changed, e.queue.through
		e.queue.mu.Unlock()
		if through.Position == p {
			return nil
		}
		next, _, err := e.store.Changes(ctx, p, 1, 0)
		if err != nil {
			return err
		}
		if len(next) > 0 && through.reaches(&next[0]) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// reaches reports whether everything before a change is evaluated.
func (t *Through) reaches(c *history.Change) bool {
	if t.Seq == 0 {
		return c.Revision <= t.Revision // the end of all, when the engine first began
	}
	return c.Seq <= t.Seq+1
}

// WaitTime waits until the clock is evaluated up to a moment, which it must have
// reached.
func (e *Engine) WaitTime(ctx context.Context, m history.Moment) error {
	e.Poke()
	return e.queue.until(ctx, func() bool { return e.queue.through.Time >= m })
}

// Poke makes the engine look at the clock now.
func (e *Engine) Poke() {
	select {
	case e.poked <- struct{}{}:
	default:
	}
}

// EvaluateAnew evaluates rules, named by RuleKey, on everything in their scope as if
// it had changed just now. Whoever waits for a later moment with WaitTime waits for
// that too.
func (e *Engine) EvaluateAnew(list ...history.Key) {
	e.mu.Lock()
	e.asked = append(e.asked, list...)
	e.mu.Unlock()
	e.Poke()
}

// takeAsked are the rules that are to be evaluated anew.
func (e *Engine) takeAsked() (list []*Ruling) {
	e.mu.Lock()
	asked := e.asked
	e.asked = nil
	e.mu.Unlock()
	for _, k := range asked {
		if r := e.rules.find(k); r != nil {
			list = append(list, r)
		}
	}
	return list
}

// Failing is why evaluation does not get on at present; nil while it does.
func (e *Engine) Failing() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.failing
}

func (e *Engine) failed(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil {
		e.o.Logger.Error("rules are not evaluated", "error", err)
	}
	e.failing = err
}

// keeper writes the position now and then.
func (e *Engine) keeper(ctx context.Context) {
	for {
		e.mu.Lock()
		kept := e.kept
		e.mu.Unlock()
		if e.queue.until(ctx, func() bool { return e.queue.through != kept }) != nil {
			return
		}
		e.failed(nil) // it gets on
		wait := e.o.Keep
		if err := e.keep(ctx); err != nil {
			if ctx.Err() != nil {
				return
			}
			e.failed(err)
			wait = retryAfter
		}
		if wait > 0 && !pause(ctx, wait) {
			return
		}
	}
}

// keep writes the position. All verdicts up to it are recorded by now.
func (e *Engine) keep(ctx context.Context) error {
	t := e.queue.evaluated()
	e.mu.Lock()
	defer e.mu.Unlock()
	if t == e.kept {
		return nil
	}
	body, err := json.Marshal(t)
	if err != nil {
		return err
	}
	if _, err = e.store.PutDocuments(ctx, []history.DocumentWrite{{Collection: collection, Name: positionName, Body: body}}); err == nil {
		e.kept = t
	}
	return err
}

// pause waits; false: ctx has ended.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// now is the present; it never goes back behind a look at the clock.
func (e *Engine) now() history.Moment {
	e.queue.mu.Lock()
	defer e.queue.mu.Unlock()
	return max(history.MomentOf(e.o.Now()), e.queue.opened.Time)
}
