package awsconfig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/varvehq/varve/api/awsconfig/shape"
)

// MaxBody is the largest request in bytes.
const MaxBody = 4 << 20

// target is what X-Amz-Target begins with, before the name of an operation.
const target = "StarlingDoveService."

// contentType is that of answers. Requests may have another, or none.
const contentType = "application/x-amz-json-1.1"

// ServeHTTP answers one request.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := request{Request: r, id: uuid.NewString(), began: time.Now()}
	body, err := d.serve(&q)
	told := d.finish(&q, err)
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Amzn-Requestid", q.id)
	if told != nil {
		told.write(w)
		return
	}
	_, _ = w.Write(body) // who hung up needs no answer
}

// Refuse answers a request that others let come no further, for a reason in a text
// for its sender.
func (d *Door) Refuse(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", contentType)
	(&Exception{"AccessDeniedException", text, http.StatusForbidden}).write(w)
}

// request is one that is being answered, and what is known of it so far.
type request struct {
	*http.Request
	id        string
	began     time.Time
	caller    Caller
	operation operation // the zero one if there is none of the name
}

// serve answers with a body, or an error that exception can tell. Whatever happens
// in an operation, others are answered further on.
func (d *Door) serve(q *request) (answer []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			answer, err = nil, fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	name, ours := strings.CutPrefix(q.Header.Get("X-Amz-Target"), target)
	q.operation = d.operations[name]
	body, err := d.admit(q)
	switch {
	case err != nil:
		return nil, err
	case !ours:
		return nil, refuse("UnknownOperationException", "the header X-Amz-Target names no operation of AWS Config, such as %sDescribeConfigRules", target)
	case q.operation.Name == "":
		return nil, refuse("UnknownOperationException", "%s is no operation of AWS Config", name)
	case q.operation.answer == nil:
		return nil, refuse("UnknownOperationException", "%s is not offered here: %s", name, whyAbsent(q.operation.Operation))
	}
	in := reflect.New(q.operation.Input).Interface()
	if len(body) == 0 {
		body = []byte("{}")
	}
	if err := shape.Decode(body, in); err != nil {
		return nil, err
	}
	out, err := q.operation.answer(q.Context(), q.caller, in)
	if err != nil || q.operation.Output == reflect.TypeFor[shape.Empty]() {
		return nil, err
	}
	return shape.Encode(out)
}

// admit finds out who sent a request, and reads its body.
func (d *Door) admit(q *request) ([]byte, error) {
	prove, err := d.o.Authenticate(q.Request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, q.Body, MaxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, refuse("RequestEntityTooLargeException", "the request has more than %d bytes", MaxBody)
	case err != nil:
		return nil, refuse("SerializationException", "the body cannot be read to its end")
	}
	q.caller, err = prove(body)
	return body, err
}

// finish turns an error into what the client is told, and logs what became of a
// request in one line: never more of it than its operation, since what else is in
// it may be a secret.
func (d *Door) finish(q *request, err error) *Exception {
	var (
		told  *Exception
		code  string
		took  = time.Since(q.began)
		name  = q.operation.Name
		level = slog.LevelDebug
		text  = "call"
	)
	if name == "" {
		name = "unknown"
	}
	if err != nil {
		told = exception(err)
		code = told.Code
	}
	if d.o.Observe != nil {
		d.o.Observe(name, code, took)
	}
	failed := told != nil && told.Status >= http.StatusInternalServerError && q.Context().Err() == nil
	switch {
	case failed:
		level, text = slog.LevelError, "call failed"
	case told != nil && q.caller == (Caller{}):
		level, text = slog.LevelWarn, "call refused"
	case d.o.Slow > 0 && took > d.o.Slow:
		level, text = slog.LevelWarn, "slow call"
	}
	if !d.o.Logger.Enabled(context.Background(), level) {
		return told
	}
	attrs := []slog.Attr{
		slog.String("door", "AWS"), slog.String("method", name), slog.String("request", q.id), slog.String("access_key", q.caller.AccessKey),
		slog.String("peer", q.RemoteAddr), slog.String("code", code), slog.Duration("took", took),
	}
	if failed {
		attrs = append(attrs, slog.Any("err", err))
	}
	d.o.Logger.LogAttrs(context.Background(), level, text, attrs...)
	return told
}
