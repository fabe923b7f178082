// Package fault is the one table between the kinds of domain errors and what
// each front door says of them.
package fault

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"github.com/varvehq/varve/history"
)

// Domain stands in every ErrorInfo: reasons are unique within it.
const Domain = "varve.dev"

// row is what the doors say of one kind.
type row struct {
	code codes.Code
	http int    // HTTP status
	aws  string // exception of AWS Config
	text string // message of an error that brings none of its own
}

var table = map[history.Kind]row{
	history.Internal: {codes.Internal, http.StatusInternalServerError, "InternalFailure", "internal error"},

	history.Invalid:       {codes.InvalidArgument, http.StatusBadRequest, "ValidationException", "a field cannot be accepted"},
	history.TooLarge:      {codes.InvalidArgument, http.StatusRequestEntityTooLarge, "ValidationException", "over a limit"},
	history.Future:        {codes.OutOfRange, http.StatusBadRequest, "ValidationException", "lies in the future"},
	history.ForeignToken:  {codes.InvalidArgument, http.StatusBadRequest, "InvalidNextTokenException", "the token is not of this query"},
	history.Unimplemented: {codes.Unimplemented, http.StatusNotImplemented, "UnknownOperationException", "not offered here"},

	history.NotFound:      {codes.NotFound, http.StatusNotFound, "ResourceNotDiscoveredException", "not found"},
	history.NotAlive:      {codes.NotFound, http.StatusNotFound, "ResourceNotDiscoveredException", "did not exist then"},
	history.Ambiguous:     {codes.FailedPrecondition, http.StatusConflict, "ValidationException", "several resources match"},
	history.Conflict:      {codes.Aborted, http.StatusConflict, "ResourceConcurrentModificationException", "the expected version is not the newest"},
	history.AlreadyExists: {codes.AlreadyExists, http.StatusConflict, "ResourceInUseException", "exists already"},
	history.RunClosed:     {codes.FailedPrecondition, http.StatusConflict, "ResourceInUseException", "the run is closed"},
	history.RunTainted:    {codes.FailedPrecondition, http.StatusConflict, "ResourceInUseException", "an item of the run was refused"},
	history.RunTooGreedy:  {codes.FailedPrecondition, http.StatusConflict, "ResourceInUseException", "the run would delete too much"},
	history.Compacted:     {codes.OutOfRange, http.StatusGone, "ValidationException", "older than what is kept"},

	history.Unavailable: {codes.Unavailable, http.StatusServiceUnavailable, "ServiceUnavailable", "the store is closed, or takes no writes"},
	history.Locked:      {codes.Unavailable, http.StatusServiceUnavailable, "ServiceUnavailable", "another process has the store"},
	history.NewerFormat: {codes.FailedPrecondition, http.StatusInternalServerError, "InternalFailure", "the store was written by a newer version"},
	history.DataLoss:    {codes.DataLoss, http.StatusInternalServerError, "InternalFailure", "stored bytes are damaged"},
}

// Refusal is why a door turns a request away before it is a question to a
// history. That is no kind of domain error and stands in a table of its own.
type Refusal string

// The refusals, by their reason.
const (
	UnknownPath      Refusal = "UNKNOWN_PATH"
	MethodNotAllowed Refusal = "METHOD_NOT_ALLOWED"
	UnknownHost      Refusal = "UNKNOWN_HOST"
	ForeignOrigin    Refusal = "FOREIGN_ORIGIN"
	Unauthenticated  Refusal = "UNAUTHENTICATED" // of both doors
)

var refusals = map[Refusal]row{
	UnknownPath:      {code: codes.NotFound, http: http.StatusNotFound},
	MethodNotAllowed: {code: codes.Unimplemented, http: http.StatusMethodNotAllowed},
	UnknownHost:      {code: codes.PermissionDenied, http: http.StatusMisdirectedRequest},
	ForeignOrigin:    {code: codes.PermissionDenied, http: http.StatusForbidden},
	Unauthenticated:  {code: codes.Unauthenticated, http: http.StatusUnauthorized},
}

// Because is a refusal as an error, which Status leaves as it is.
func (r Refusal) Because(text string) error {
	info := &errdetails.ErrorInfo{Reason: string(r), Domain: Domain}
	return with(status.New(refusals[r].code, bounded(text)), info).Err()
}

// Code is the gRPC code of a kind.
func Code(k history.Kind) codes.Code { return table[k].code }

// AWSException is the name of the exception by which AWS Config says it.
func AWSException(k history.Kind) string { return table[k].aws }

// Status is what a gRPC client is told of err: nil is OK, an error of a kind
// has its code, its message without the cause, and an ErrorInfo; cancelled and
// overdue contexts have their codes, a status stays as it is. Everything else
// is Internal, and its text stays here.
func Status(err error) *status.Status {
	if err == nil {
		return nil
	}
	var (
		domain *history.Error
		kind   history.Kind
	)
	if errors.As(err, &domain) && domain.Kind != history.Internal {
		return domainStatus(domain)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return status.New(codes.Canceled, "the request was cancelled")
	case errors.Is(err, context.DeadlineExceeded):
		return status.New(codes.DeadlineExceeded, "the request took longer than it was given")
	case errors.As(err, &kind):
		return domainStatus(&history.Error{Kind: kind, Text: table[kind].text})
	}
	if st, ok := status.FromError(err); ok {
		return st
	}
	return domainStatus(&history.Error{Text: table[history.Internal].text})
}

func domainStatus(e *history.Error) *status.Status {
	info := &errdetails.ErrorInfo{Reason: e.Kind.Error(), Domain: Domain, Metadata: map[string]string{}}
	for k, v := range e.Meta {
		info.Metadata[k] = bounded(v)
	}
	if e.Field != "" {
		info.Metadata["field"] = bounded(e.Field)
	}
	if e.Value != "" {
		info.Metadata["value"] = bounded(e.Value)
	}
	details := []protoadapt.MessageV1{info}
	if e.Field != "" && Code(e.Kind) == codes.InvalidArgument {
		details = append(details, &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{
			Field: bounded(e.Field), Description: bounded(e.Text), Reason: e.Kind.Error(),
		}}})
	}
	return with(status.New(Code(e.Kind), bounded(e.Message())), details...)
}

// WithRequestID adds the id under which the log knows the request.
func WithRequestID(st *status.Status, id string) *status.Status {
	return with(st, &errdetails.RequestInfo{RequestId: id})
}

// Ours reports whether the daemon is to blame, so that the log wants the cause.
func Ours(st *status.Status) bool {
	switch st.Code() {
	case codes.Internal, codes.Unknown, codes.DataLoss:
		return true
	}
	return false
}

// HTTPStatus is the HTTP status of a gRPC status: that of its reason if a
// table has one, else that of its code.
func HTTPStatus(st *status.Status, ofCode func(codes.Code) int) int {
	if info := errorInfo(st); info != nil {
		for kind, row := range table {
			if kind.Error() == info.GetReason() {
				return row.http
			}
		}
		if row, ok := refusals[Refusal(info.GetReason())]; ok {
			return row.http
		}
	}
	return ofCode(st.Code())
}

// Error is the way back: the domain error that a status tells of, nil if it
// tells of none.
func Error(st *status.Status) *history.Error {
	info := errorInfo(st)
	if info == nil {
		return nil
	}
	for _, kind := range history.Kinds() {
		if kind.Error() != info.GetReason() {
			continue
		}
		e := &history.Error{Kind: kind, Text: st.Message()}
		e.Meta = maps.Clone(info.GetMetadata())
		e.Field, e.Value = e.Meta["field"], e.Meta["value"]
		delete(e.Meta, "field")
		delete(e.Meta, "value")
		if len(e.Meta) == 0 {
			e.Meta = nil
		}
		e.Text = ownText(e)
		return e
	}
	return nil
}

// ownText takes field and value off the front of the text, where Message puts
// them.
func ownText(e *history.Error) string {
	for _, front := range []string{e.Field + " " + e.Value + ": ", e.Field + " "} {
		if text, ok := strings.CutPrefix(e.Text, front); ok && e.Field != "" {
			return text
		}
	}
	return e.Text
}

func errorInfo(st *status.Status) *errdetails.ErrorInfo {
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == Domain {
			return info
		}
	}
	return nil
}

// with adds details. It cannot fail: the code is not OK and the details are
// messages of valid text.
func with(st *status.Status, details ...protoadapt.MessageV1) *status.Status {
	detailed, err := st.WithDetails(details...)
	if err != nil {
		return st
	}
	return detailed
}

// maxText bounds one text of a status. Statuses travel in HTTP/2 trailers,
// where clients allow as little as 8 KiB.
const maxText = 1024

// bounded makes a text fit for a status.
func bounded(text string) string {
	if len(text) > maxText {
		text = text[:maxText-len("…")] + "…"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
