package awsconfig

import (
	"context"
	"log/slog"
	"reflect"
	"slices"
	"time"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/settings"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/recorded"
)

// Options of a door. Store, Recorder, Settings and Authenticate are needed.
type Options struct {
	Store    history.Store
	Recorder Recorder
	Settings *settings.Settings
	Rules    *Rules // nil: nothing is answered that needs them
	NoRules  error  // why there are none; default: none are kept here

	Authenticate Authenticate // see Signed and Anyone

	Snapshots Snapshots // nil: none are delivered, and any bucket will do

	Now    func() time.Time // default time.Now
	Logger *slog.Logger     // default: discard
	Slow   time.Duration    // requests that take longer are logged. Default 0: none is

	// Observe, if set, is told of every request when it is answered: the operation,
	// "unknown" if it names none, and the code of an error, empty for success.
	Observe func(operation, code string, took time.Duration)
}

// Recorder takes what is put through the door.
type Recorder interface {
	Record(ctx context.Context, b history.Batch) (history.Receipt, error)
}

// Snapshots are delivered to buckets, from which templates of packs can be read; see
// package snapshot.
type Snapshots interface {
	// CheckChannel says why nothing can be delivered to the bucket of a channel:
	// snapshot.ErrNoBucket if there is none.
	CheckChannel(ctx context.Context, c *settings.Channel) error

	// Request asks for a snapshot of an owner's channel, and returns its id.
	Request(ctx context.Context, owner settings.Owner) (string, error)

	// Object reads an object of at most so many bytes: snapshot.ErrNoPlace,
	// ErrNoBucket, ErrNoObject, ErrTooLarge.
	Object(ctx context.Context, bucket, key string, most int64) ([]byte, error)
}

// Rules are what questions about rules are put to. All of it is needed but Linker.
type Rules struct {
	Engine *engine.Engine
	Shelf  *recorded.Shelf
	Graph  engine.Graph
	Linker history.Linker // the store's; nil: it keeps no links

	// Documents keep what was asked of rules, and what was only proposed.
	Documents history.Documents

	// Prepare brings a proposed observation to the form in which it would be
	// recorded.
	Prepare func(*history.Observation) error
}

// Door answers AWS Config's requests. Its methods are safe for concurrent use.
type Door struct {
	o          Options
	operations map[string]operation
}

// operation is how one call is answered.
type operation struct {
	shape.Operation
	answer func(ctx context.Context, c Caller, in any) (any, error) // nil: not offered
}

// handler answers one operation.
type handler struct {
	name    string
	in, out reflect.Type
	answer  func(ctx context.Context, c Caller, in any) (any, error)
}

// on makes a handler of a method. In and Out are the structs of package shape that
// the operation has; an operation without output has *shape.Empty.
func on[In, Out any](name string, answer func(ctx context.Context, c Caller, in *In) (*Out, error)) handler {
	return handler{name, reflect.TypeFor[In](), reflect.TypeFor[Out](), func(ctx context.Context, c Caller, in any) (any, error) {
		out, err := answer(ctx, c, in.(*In))
		if err != nil {
			return nil, err
		}
		return out, nil
	}}
}

// New makes a door.
func New(o Options) *Door {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.NoRules == nil {
		o.NoRules = history.Errorf(history.Unimplemented, "no rules are kept here")
	}
	d := &Door{o: o, operations: map[string]operation{}}
	for _, known := range shape.Operations {
		d.operations[known.Name] = operation{Operation: known}
	}
	for _, h := range d.handlers() {
		known, ok := d.operations[h.name]
		if !ok || known.Input != h.in || known.Output != h.out {
			panic("awsconfig: " + h.name + " is not answered in the shapes that it has")
		}
		known.answer = h.answer
		d.operations[h.name] = known
	}
	return d
}

// handlers are all operations that are offered.
func (d *Door) handlers() []handler {
	ofRules := slices.Concat(d.ruleHandlers(), d.complianceHandlers(), d.packHandlers(), d.proactiveHandlers())
	if d.o.Rules == nil {
		for i := range ofRules {
			ofRules[i].answer = func(context.Context, Caller, any) (any, error) { return nil, d.o.NoRules }
		}
	}
	return slices.Concat(d.settingHandlers(), d.deliveryHandlers(), d.itemHandlers(), ofRules)
}
