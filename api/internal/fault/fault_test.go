package fault_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/varvehq/varve/api/internal/fault"
	"github.com/varvehq/varve/history"
)

func TestEveryKindHasItsRow(t *testing.T) {
	for _, kind := range history.Kinds() {
		t.Run(kind.Error(), func(t *testing.T) {
			if fault.Code(kind) == codes.OK {
				t.Fatal("no gRPC code")
			}
			if fault.AWSException(kind) == "" {
				t.Error("no AWS exception")
			}
			for form, err := range map[string]error{
				"bare":    fmt.Errorf("memory: append: %w", kind),
				"error":   history.Errorf(kind, "why"),
				"wrapped": fmt.Errorf("memory: append: %w", history.Errorf(kind, "why")),
			} {
				st := fault.Status(err)
				if st.Code() != fault.Code(kind) || st.Message() == "" {
					t.Errorf("%s: %v", form, st)
				}
				if info := infoOf(t, st); info.GetReason() != kind.Error() || info.GetDomain() != "varve.dev" {
					t.Errorf("%s: %v", form, info)
				}
				if h := fault.HTTPStatus(st, runtime.HTTPStatusFromCode); h < 400 || h > 599 {
					t.Errorf("%s: HTTP %d", form, h)
				}
				if back := fault.Error(st); !errors.Is(back, kind) {
					t.Errorf("%s: comes back as %v", form, back)
				}
			}
		})
	}
}

func TestStatusNamesFieldAndValue(t *testing.T) {
	want := &history.Error{
		Kind: history.Invalid, Field: "key.type", Value: `"x\x00"`, Text: "holds a NUL character",
		Meta: map[string]string{"limit": "3"}, Err: errors.New("secret"),
	}
	st := fault.Status(fmt.Errorf("recorder: %w", want))

	if st.Message() != `key.type "x\x00": holds a NUL character` {
		t.Errorf("message %q", st.Message())
	}
	info := infoOf(t, st)
	if info.Metadata["field"] != want.Field || info.Metadata["value"] != want.Value || info.Metadata["limit"] != "3" {
		t.Errorf("metadata %v", info.Metadata)
	}
	bad, ok := st.Details()[1].(*errdetails.BadRequest)
	if !ok || bad.GetFieldViolations()[0].GetField() != want.Field {
		t.Errorf("details %v", st.Details())
	}
	back := fault.Error(st)
	if back.Field != want.Field || back.Value != want.Value || back.Text != want.Text || back.Meta["limit"] != "3" || len(back.Meta) != 1 {
		t.Errorf("comes back as %#v", back)
	}
}

func TestCausesStayHidden(t *testing.T) {
	for _, err := range []error{
		errors.New("open /var/lib/secret: no such file"),
		&history.Error{Kind: history.Internal, Text: "secret", Err: errors.New("secret")},
		&history.Error{Kind: history.DataLoss, Text: "version 3 is damaged", Err: errors.New("secret")},
	} {
		st := fault.Status(err)
		if strings.Contains(fmt.Sprint(st.Proto()), "secret") {
			t.Errorf("%v shows its cause: %v", err, st)
		}
		if !fault.Ours(st) {
			t.Errorf("%v is not taken for ours", err)
		}
	}
}

func TestOtherErrors(t *testing.T) {
	for _, c := range []struct {
		err  error
		code codes.Code
	}{
		{fmt.Errorf("bolt: append: %w", context.Canceled), codes.Canceled},
		{context.DeadlineExceeded, codes.DeadlineExceeded},
		{status.Error(codes.PermissionDenied, "no"), codes.PermissionDenied},
		{nil, codes.OK},
	} {
		st := fault.Status(c.err)
		if st.Code() != c.code {
			t.Errorf("%v gives %v", c.err, st)
		}
		if fault.Ours(st) {
			t.Errorf("%v is taken for ours", c.err)
		}
	}
}

func TestHTTPStatus(t *testing.T) {
	for kind, want := range map[history.Kind]int{
		history.TooLarge: http.StatusRequestEntityTooLarge, history.Ambiguous: http.StatusConflict,
		history.NotAlive: http.StatusNotFound, history.Compacted: http.StatusGone,
	} {
		if got := fault.HTTPStatus(fault.Status(kind), runtime.HTTPStatusFromCode); got != want {
			t.Errorf("%v: HTTP %d, want %d", kind, got, want)
		}
	}
	if got := fault.HTTPStatus(status.New(codes.PermissionDenied, ""), runtime.HTTPStatusFromCode); got != http.StatusForbidden {
		t.Errorf("a code of no kind: HTTP %d", got)
	}
}

func TestRefusals(t *testing.T) {
	for refusal, want := range map[fault.Refusal]struct {
		reason string
		code   codes.Code
		http   int
	}{
		fault.UnknownPath:      {"UNKNOWN_PATH", codes.NotFound, http.StatusNotFound},
		fault.MethodNotAllowed: {"METHOD_NOT_ALLOWED", codes.Unimplemented, http.StatusMethodNotAllowed},
		fault.UnknownHost:      {"UNKNOWN_HOST", codes.PermissionDenied, http.StatusMisdirectedRequest},
		fault.ForeignOrigin:    {"FOREIGN_ORIGIN", codes.PermissionDenied, http.StatusForbidden},
	} {
		st := fault.Status(refusal.Because("why \xff"))
		info := infoOf(t, st)
		if st.Code() != want.code || st.Message() != "why \uFFFD" || info.GetReason() != want.reason || info.GetDomain() != fault.Domain {
			t.Errorf("%s: %v", refusal, st)
		}
		if got := fault.HTTPStatus(st, runtime.HTTPStatusFromCode); got != want.http {
			t.Errorf("%s: HTTP %d", refusal, got)
		}
		if back := fault.Error(st); back != nil {
			t.Errorf("%s comes back as an error of the domain: %v", refusal, back)
		}
	}
}

func TestTextsAreBoundedAndValid(t *testing.T) {
	st := fault.Status(&history.Error{
		Kind: history.Invalid, Field: strings.Repeat("é", 5000), Value: "\xff", Text: strings.Repeat("x", 1<<20),
		Meta: map[string]string{"keys": strings.Repeat("y", 1<<20)},
	})
	if n := len(fmt.Sprint(st.Proto())); n > 32<<10 {
		t.Errorf("a status of %d bytes", n)
	}
	if infoOf(t, fault.WithRequestID(st, "r1")).GetMetadata()["value"] != "\uFFFD" {
		t.Error("invalid UTF-8 is not replaced")
	}
}

func infoOf(t *testing.T, st *status.Status) *errdetails.ErrorInfo {
	t.Helper()
	for _, d := range st.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info
		}
	}
	t.Fatalf("%v has no ErrorInfo", st)
	return nil
}
