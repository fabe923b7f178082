package awsconfig

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/settings"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/recorded"
)

// MaxBody is the largest request in bytes.
const MaxBody = 4 << 20

// target is what X-Amz-Target begins with, before the name of an operation.
const target = "StarlingDoveService."

// contentType is that of requests and answers.
const contentType = "application/x-amz-json-1.1"

// Caller is who is asking, and about which region.
type Caller struct {
	Account, Region string
	AccessKey       string // its id
}

// Options of a door. Store, Recorder, Settings and Authenticate are needed.
type Options struct {
	Store    history.Store
	Recorder Recorder
	Settings *settings.Settings
	Rules    *Rules // nil: the store keeps no rules

	// Authenticate tells who sent a request with this body; the error is an
	// *Exception.
	Authenticate func(r *http.Request, body []byte) (Caller, error)

	// Deliverable says why nothing can be delivered to the bucket of a channel that is
	// put: NoSuchBucketException, InsufficientDeliveryPolicyException. nil: any bucket
	// will do.
	Deliverable func(ctx context.Context, c settings.Channel) error

	Now    func() time.Time // default time.Now
	Logger *slog.Logger     // default: discard
}

// Recorder takes what is put through the door.
type Recorder interface {
	Record(ctx context.Context, b history.Batch) (history.Receipt, error)
}

// Rules are what questions about rules are put to. All of it is needed but Linker.
type Rules struct {
	Engine *engine.Engine
	Shelf  *recorded.Shelf
	Graph  engine.Graph
	Linker history.Linker // the store's; nil: it keeps no links

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
	return slices.Concat(
		d.settingHandlers(), d.deliveryHandlers(), d.itemHandlers(),
		d.ruleHandlers(), d.complianceHandlers(), d.packHandlers(), d.proactiveHandlers(),
	)
}

// ServeHTTP answers one request.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := uuid.NewString()
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Amzn-Requestid", id)
	body, err := d.serve(r)
	if err != nil {
		e := exception(err)
		if e.Status >= http.StatusInternalServerError {
			d.o.Logger.Error("request failed", "door", "AWS", "target", r.Header.Get("X-Amz-Target"), "request", id, "err", err)
		}
		e.write(w)
		return
	}
	_, _ = w.Write(body) // who hung up needs no answer
}

// serve answers with a body, or an error that exception can tell.
func (d *Door) serve(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, MaxBody))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, refuse("RequestEntityTooLargeException", "the request has more than %d bytes", MaxBody)
		}
		return nil, refuse("SerializationException", "the body cannot be read to its end")
	}
	caller, err := d.o.Authenticate(r, body)
	if err != nil {
		return nil, err
	}
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), target)
	if !ok {
		return nil, refuse("UnknownOperationException", "the header X-Amz-Target names no operation of AWS Config, such as %sDescribeConfigRules", target)
	}
	op, ok := d.operations[name]
	if !ok {
		return nil, refuse("UnknownOperationException", "%s is no operation of AWS Config", name)
	}
	if op.answer == nil {
		return nil, refuse("UnknownOperationException", "%s is not offered here", name)
	}
	in := reflect.New(op.Input).Interface()
	if len(body) == 0 {
		body = []byte("{}")
	}
	if err := shape.Decode(body, in); err != nil {
		return nil, err
	}
	out, err := op.answer(r.Context(), caller, in)
	if err != nil {
		return nil, err
	}
	if op.Output == reflect.TypeFor[shape.Empty]() {
		return nil, nil
	}
	return shape.Encode(out)
}
