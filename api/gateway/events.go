package gateway

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/grpc-ecosystem/grpc-gateway/v2/utilities"
	"google.golang.org/protobuf/proto"

	"github.com/varvehq/varve/api/internal/fault"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

const (
	watchPath = "/v1/changes:watch"

	// A comment keeps those in between from cutting a stream in which nothing
	// happens.
	commentEvery = 15 * time.Second

	// retryAfter is how long a receiver waits before it comes back, in
	// milliseconds: the daemon may be starting again.
	retryAfter = "1000"
)

// events streams changes as server-sent events to who accepts these, and as
// newline-delimited JSON, by generated code, to all others.
//
// https://html.spec.whatwg.org/multipage/server-sent-events.html
type events struct {
	g      *gateway
	client varvev1.WatchServiceClient
}

func (e *events) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet || !acceptsEvents(r.Header.Values("Accept")) {
		e.g.mux.ServeHTTP(w, r)
		return
	}
	req, err := e.request(r)
	if err != nil {
		e.g.fail(w, r, err)
		return
	}
	stream, err := e.client.WatchChanges(passedOn(r), req)
	if err != nil {
		e.g.fail(w, r, err)
		return
	}
	first, err := stream.Recv()
	if err != nil {
		e.g.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold events back
	out := eventWriter{w: w, control: http.NewResponseController(w)}
	if err := out.write([]byte("retry: " + retryAfter + "\n\n")); err != nil {
		return
	}
	e.forward(r, &out, stream, first)
}

// request reads the query; where a receiver comes back, it goes on where it was.
func (e *events) request(r *http.Request) (*varvev1.WatchChangesRequest, error) {
	form, err := e.g.questions[http.MethodGet+" "+watchPath].read(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	req := &varvev1.WatchChangesRequest{}
	if err := runtime.PopulateQueryParameters(req, form, utilities.NewDoubleArray(nil)); err != nil {
		return nil, err
	}
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		req.Position, req.Since = last, nil
	}
	return req, nil
}

// forward writes what comes until the stream or the receiver ends. One message at
// most waits for the receiver here.
func (e *events) forward(r *http.Request, out *eventWriter, stream varvev1.WatchService_WatchChangesClient, first *varvev1.WatchChangesResponse) {
	type received struct {
		message *varvev1.WatchChangesResponse
		err     error
	}
	next := make(chan received)
	go func() {
		got := received{message: first}
		for {
			select {
			case next <- got:
			case <-r.Context().Done():
				return
			}
			if got.err != nil {
				return
			}
			got.message, got.err = stream.Recv()
		}
	}()
	silence := time.NewTicker(commentEvery)
	defer silence.Stop()
	for {
		var err error
		select {
		case got := <-next:
			switch {
			case errors.Is(got.err, io.EOF):
				return
			case got.err != nil:
				_ = out.event("failure", "", fault.Status(got.err).Proto()) // it is over anyhow
				return
			}
			err = out.message(got.message)
			silence.Reset(commentEvery)
		case <-silence.C:
			err = out.write([]byte(":\n\n"))
		case <-r.Context().Done():
			return
		}
		if err != nil {
			return // the receiver is gone
		}
	}
}

// eventWriter writes events, each at once.
type eventWriter struct {
	w       io.Writer
	control *http.ResponseController
	buf     bytes.Buffer
}

func (w *eventWriter) message(m *varvev1.WatchChangesResponse) error {
	switch part := m.GetPart().(type) {
	case *varvev1.WatchChangesResponse_Change:
		return w.event("change", part.Change.GetChange().GetPosition(), part.Change)
	case *varvev1.WatchChangesResponse_Progress_:
		return w.event("progress", part.Progress.GetPosition(), part.Progress)
	}
	return nil
}

func (w *eventWriter) event(name, id string, data proto.Message) error {
	text, err := marshaler{}.Marshal(data)
	if err != nil {
		return err
	}
	w.buf.Reset()
	if id != "" {
		w.buf.WriteString("id: " + id + "\n")
	}
	w.buf.WriteString("event: " + name + "\n")
	for line := range bytes.FieldsFuncSeq(text, func(c rune) bool { return c == '\n' || c == '\r' }) { // blanks of JSON, if any
		w.buf.WriteString("data: ")
		w.buf.Write(line)
		w.buf.WriteByte('\n')
	}
	w.buf.WriteByte('\n')
	return w.write(w.buf.Bytes())
}

func (w *eventWriter) write(p []byte) error {
	if _, err := w.w.Write(p); err != nil {
		return err
	}
	return w.control.Flush()
}

// acceptsEvents reports whether an Accept header names server-sent events. What it
// prefers does not count: who names them can read them.
func acceptsEvents(accept []string) bool {
	for _, list := range accept {
		for part := range strings.SplitSeq(list, ",") {
			if kind, _, err := mime.ParseMediaType(part); err == nil && kind == "text/event-stream" {
				return true
			}
		}
	}
	return false
}
