package server

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/varvehq/varve/api/internal/fault"
)

// RequestIDHeader carries the id under which the log knows a request: taken
// from the caller if it is short and plain, made up otherwise, and given back.
const RequestIDHeader = "x-request-id"

func (s *Server) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (resp any, err error) {
	patience := s.opts.Slow
	if waits, ok := req.(interface{ GetWait() *durationpb.Duration }); ok && patience > 0 {
		patience += max(0, waits.GetWait().AsDuration())
	}
	err = s.intercept(ctx, info.FullMethod, patience, func(ctx context.Context) (err error) {
		resp, err = handler(ctx, req)
		return err
	})
	return resp, err
}

func (s *Server) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	const asLongAsItTakes = 0
	return s.intercept(ss.Context(), info.FullMethod, asLongAsItTakes, func(ctx context.Context) error {
		return handler(srv, streamWithContext{ss, ctx})
	})
}

type streamWithContext struct {
	grpc.ServerStream
	ctx context.Context
}

func (s streamWithContext) Context() context.Context { return s.ctx }

// admit finds out who asks. It implements tap.ServerInHandle, which is asked
// before a message is read: strangers do not get to fill our memory.
func (s *Server) admit(ctx context.Context, info *tap.Info) (context.Context, error) {
	switch info.FullMethodName {
	case healthv1.Health_Check_FullMethodName, healthv1.Health_List_FullMethodName:
		return ctx, nil // for those who watch over the daemon and know no secrets
	}
	who, err := s.opts.Authenticate(info.Header.Get("authorization"))
	if err != nil {
		ctx = metadata.NewIncomingContext(ctx, info.Header)
		c := call{method: info.FullMethodName, id: requestID(ctx), began: s.opts.Now()}
		return nil, s.finish(ctx, c, fault.Unauthenticated.Because(err.Error()))
	}
	return context.WithValue(ctx, principalKey{}, who), nil
}

// intercept is the one place that every call passes which was admitted: may they
// ask, and what became of it. A call that takes longer than its patience is slow;
// zero is endless patience.
func (s *Server) intercept(ctx context.Context, method string, patience time.Duration, serve func(context.Context) error) (err error) {
	call := call{method: method, id: requestID(ctx), who: Local, began: s.opts.Now(), patience: patience}
	if s.opts.Authenticate != nil {
		call.who = PrincipalFrom(ctx)
	}
	defer func() {
		if p := recover(); p != nil {
			err = panicked{p, debug.Stack()}
		}
		err = s.finish(ctx, call, err)
	}()
	// It fails on a transport that has no headers, where nobody misses it.
	_ = grpc.SetHeader(ctx, metadata.Pairs(RequestIDHeader, call.id))

	ctx = context.WithValue(ctx, principalKey{}, call.who)
	if err := s.opts.Authorizer.Authorize(ctx, call.who, method); err != nil {
		return status.Error(codes.PermissionDenied, err.Error())
	}
	return serve(ctx)
}

type call struct {
	method, id string
	who        Principal
	began      time.Time
	patience   time.Duration
}

// finish turns an error into what the client sees, and logs what became of a
// call in one line: never more of a request than its method, since what else is
// in it may be a secret.
func (s *Server) finish(ctx context.Context, c call, err error) error {
	st, took := fault.Status(err), s.opts.Now().Sub(c.began)
	if !s.methods[c.method] {
		c.method = "unknown"
	}
	if s.opts.Observe != nil {
		s.opts.Observe(c.method, st.Code(), took)
	}
	level, text := slog.LevelDebug, "call"
	switch {
	case fault.Ours(st):
		level, text = slog.LevelError, "call failed"
	case st.Code() == codes.Unauthenticated || st.Code() == codes.PermissionDenied:
		level, text = slog.LevelWarn, "call refused"
	case c.patience > 0 && took > c.patience:
		level, text = slog.LevelWarn, "slow call"
	}
	if log := s.opts.Logger; log.Enabled(ctx, level) {
		attrs := []slog.Attr{
			slog.String("method", c.method), slog.String("request", c.id), slog.String("principal", c.who.Name),
			slog.String("peer", peerOf(ctx)), slog.String("code", st.Code().String()), slog.Duration("took", took),
		}
		if fault.Ours(st) {
			attrs = append(attrs, slog.Any("err", err))
		}
		log.LogAttrs(ctx, level, text, attrs...)
	}
	if err == nil {
		return nil
	}
	return fault.WithRequestID(st, c.id).Err()
}

// panicked is a panic that was caught on its way out of a handler.
type panicked struct {
	value any
	stack []byte
}

func (p panicked) Error() string { return fmt.Sprintf("panic: %v\n%s", p.value, p.stack) }

func requestID(ctx context.Context) string {
	if given := metadata.ValueFromIncomingContext(ctx, RequestIDHeader); len(given) == 1 && isPlain(given[0]) {
		return given[0]
	}
	return uuid.NewString()
}

func isPlain(id string) bool {
	for _, c := range []byte(id) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == ':', c == '/':
		default:
			return false
		}
	}
	return 0 < len(id) && len(id) <= 128
}

// peerOf is the address of who asks. The gateway, which reaches us within the
// process, is believed whom it asks for; its own word is the last.
func peerOf(ctx context.Context) string {
	p, ok := peer.FromContext(ctx)
	switch {
	case !ok:
		return ""
	case p.Addr.Network() != inProcess:
		return p.Addr.String()
	}
	asked := strings.Join(metadata.ValueFromIncomingContext(ctx, "x-forwarded-for"), ", ")
	return strings.TrimSpace(asked[strings.LastIndexByte(asked, ',')+1:])
}
