package server

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/varvehq/varve/api/internal/fault"
)

// RequestIDHeader carries the id under which the log knows a request: taken
// from the caller if it is short and plain, made up otherwise, and given back.
const RequestIDHeader = "x-request-id"

func (s *Server) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (resp any, err error) {
	err = s.intercept(ctx, info.FullMethod, func(ctx context.Context) (err error) {
		resp, err = handler(ctx, req)
		return err
	})
	return resp, err
}

func (s *Server) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	return s.intercept(ss.Context(), info.FullMethod, func(ctx context.Context) error {
		return handler(srv, streamWithContext{ss, ctx})
	})
}

type streamWithContext struct {
	grpc.ServerStream
	ctx context.Context
}

func (s streamWithContext) Context() context.Context { return s.ctx }

// intercept is the one place that every call passes: who asks, may they, what
// became of it.
func (s *Server) intercept(ctx context.Context, method string, serve func(context.Context) error) (err error) {
	call := call{method: method, id: requestID(ctx), who: Local, began: time.Now()}
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
}

// finish turns an error into what the client sees, and logs what it does not.
func (s *Server) finish(ctx context.Context, c call, err error) error {
	st := fault.Status(err)
	log := s.opts.Logger.With("method", c.method, "request", c.id)
	if fault.Ours(st) {
		log.LogAttrs(ctx, slog.LevelError, "call failed", slog.Any("err", err))
	}
	if log.Enabled(ctx, slog.LevelDebug) {
		log.LogAttrs(ctx, slog.LevelDebug, "call", slog.String("principal", c.who.Name), slog.String("peer", peerOf(ctx)),
			slog.String("code", st.Code().String()), slog.Duration("took", time.Since(c.began)))
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

func peerOf(ctx context.Context) string {
	if p, ok := peer.FromContext(ctx); ok {
		return p.Addr.String()
	}
	return ""
}
