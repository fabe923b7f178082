package client

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Refusal is the daemon's answer that it will not, or cannot.
type Refusal struct {
	Code    codes.Code
	Reason  string // UPPER_SNAKE_CASE, from ErrorInfo
	Message string
	Meta    map[string]string
}

func (r *Refusal) Error() string { return r.Message }

// Unreachable means that nobody answers at the daemon's address.
type Unreachable struct {
	Addr string
	Lost bool // it did answer before
	Err  error
}

func (u *Unreachable) Error() string {
	if u.Lost {
		return fmt.Sprintf("daemon at %s was lost and did not come back within %s: %s", u.Addr, Patience, cause(u.Err))
	}
	if text := status.Convert(u.Err).Message(); strings.Contains(text, "server preface") {
		return fmt.Sprintf("daemon at %s does not answer in gRPC; if it speaks TLS, its address is https://%s, and HTTP has a port of its own", u.Addr, u.Addr)
	}
	return fmt.Sprintf("daemon at %s is unreachable: %s; start it with `varve serve --data DIR`, or say where it is with VARVE_ADDR", u.Addr, cause(u.Err))
}

func (u *Unreachable) Unwrap() error { return u.Err }

// lost reports whether err means that the daemon went away.
func lost(err error) bool { return status.Code(err) == codes.Unavailable }

// explain turns an error of gRPC into one of this package's.
func (c *Conn) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s, ok := status.FromError(err)
	switch {
	case !ok:
		return err
	case s.Code() == codes.Unavailable && c.hello.failure() != nil:
		return &Untrusted{Addr: c.addr, Err: c.hello.failure()}
	case s.Code() == codes.Unavailable:
		return c.gone(err)
	}
	r := RefusalOf(s.Proto())
	if r.Code == codes.Unauthenticated {
		r.Message = fmt.Sprintf("daemon at %s: %s; --token-file FILE or VARVE_TOKEN gives the token to show", c.addr, s.Message())
	}
	return r
}

// gone tells a daemon that is away from one that says that it cannot.
func (c *Conn) gone(err error) error {
	if r := RefusalOf(status.Convert(err).Proto()); r.Reason != "" {
		return r
	}
	return &Unreachable{Addr: c.addr, Lost: c.seen.Load(), Err: err}
}

// RefusalOf reads a refusal which stands inside an answer.
func RefusalOf(s *rpcstatus.Status) *Refusal {
	r := &Refusal{Code: codes.Code(s.GetCode()), Message: s.GetMessage()}
	for _, detail := range s.GetDetails() {
		var info errdetails.ErrorInfo
		if detail.UnmarshalTo(&info) == nil {
			r.Reason, r.Meta = info.GetReason(), info.GetMetadata()
			break
		}
	}
	if r.Message == "" {
		r.Message = strings.ToLower(r.Code.String())
	}
	return r
}

// Reason is the reason of a refusal, "" for any other error.
func Reason(err error) string {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Reason
	}
	return ""
}

// cause digs the operating system's words out of gRPC's.
func cause(err error) string {
	text := status.Convert(err).Message()
	for _, before := range []string{`connect: `, `error while dialing: `, `Error while dialing: `, `desc = `} {
		if i := strings.LastIndex(text, before); i >= 0 {
			text = text[i+len(before):]
			break
		}
	}
	return strings.Trim(text, `"`)
}
