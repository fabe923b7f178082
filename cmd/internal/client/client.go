// Package client is the program's connection to the daemon: it tells a daemon
// that cannot be reached from one that refuses, and waits a little for one that
// was there a moment ago.
package client

import (
	"context"
	"fmt"
	"math"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// Patience is how long a daemon that was reached and is lost may stay away.
const Patience = 5 * time.Second

// Conn is a connection to one daemon; close it with Close. Its methods are safe
// for concurrent use.
//
// Calls that fail because the daemon went away are made again until Patience has
// passed; hence only repeatable calls may go through it. A daemon that was never
// reached is not waited for, nor one that is not who it should be. Errors are
// [*Refusal], [*Unreachable], [*Untrusted] or the context's.
type Conn struct {
	varvev1.HistoryServiceClient
	varvev1.GraphServiceClient
	varvev1.RecorderServiceClient
	varvev1.RunServiceClient
	varvev1.MaintenanceServiceClient
	varvev1.ComplianceServiceClient
	varvev1.WatchServiceClient
	varvev1.SubscriptionServiceClient

	addr  string
	conn  *grpc.ClientConn
	seen  atomic.Bool // the daemon has answered
	hello *handshakes // nil: no TLS
}

// Dial prepares a connection to the daemon at host:port, without TLS or token;
// nothing is sent yet.
func Dial(addr string) (*Conn, error) { return Access{}.Dial(addr) }

// Dial prepares a connection to the daemon at host:port, or with TLS at
// https://host:port; nothing is sent yet.
func (a Access) Dial(addr string) (*Conn, error) {
	target, secure := strings.CutPrefix(addr, "https://")
	if strings.HasPrefix(target, "http://") {
		return nil, fmt.Errorf("address %q: write HOST:PORT without http://, or https://HOST:PORT for TLS", addr)
	}
	host, port, err := net.SplitHostPort(target)
	if err != nil || port == "" || strings.Contains(port, "/") {
		return nil, fmt.Errorf("address %q is not of the form HOST:PORT or https://HOST:PORT", addr)
	}
	c := &Conn{addr: addr}
	security, err := a.options(c, host, secure)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", addr, err)
	}
	conn, err := grpc.NewClient(target, append(security,
		grpc.WithNoProxy(),
		grpc.WithWriteBufferSize(128<<10), // batches come in hundreds of kilobytes
		grpc.WithChainUnaryInterceptor(c.call),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32), grpc.MaxCallSendMsgSize(math.MaxInt32)),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.5, Jitter: 0.2, MaxDelay: 400 * time.Millisecond},
			MinConnectTimeout: Patience / 2,
		}),
		// The daemon allows a ping every 10 s.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 11 * time.Second, Timeout: Patience}))...)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", addr, err)
	}
	c.conn = conn
	c.HistoryServiceClient = varvev1.NewHistoryServiceClient(conn)
	c.GraphServiceClient = varvev1.NewGraphServiceClient(conn)
	c.RecorderServiceClient = varvev1.NewRecorderServiceClient(conn)
	c.RunServiceClient = varvev1.NewRunServiceClient(conn)
	c.WatchServiceClient = varvev1.NewWatchServiceClient(conn)
	c.MaintenanceServiceClient = varvev1.NewMaintenanceServiceClient(conn)
	c.ComplianceServiceClient = varvev1.NewComplianceServiceClient(conn)
	c.SubscriptionServiceClient = varvev1.NewSubscriptionServiceClient(conn)
	return c, nil
}

// Addr is the daemon's address.
func (c *Conn) Addr() string { return c.addr }

// Close ends the connection and every call under way.
func (c *Conn) Close() error { return c.conn.Close() }

// call is the interceptor of unary calls.
func (c *Conn) call(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	return c.Insist(ctx, func() error { return invoke(ctx, method, req, reply, conn, opts...) })
}

// Insist runs a repeatable piece of work, again and again while it fails because
// the daemon went away. Work made of streams, which no interceptor repeats, goes
// through it; what the work achieved it reports with Progress.
func (c *Conn) Insist(ctx context.Context, work func() error) error {
	var away Away
	for {
		err := work()
		if !lost(err) {
			if status.Code(err) != codes.Canceled {
				c.Progress(nil)
			}
			return c.explain(ctx, err)
		}
		if err := away.Wait(ctx, c, err); err != nil {
			return err
		}
	}
}

// Once runs a piece of work that is not to be repeated.
func (c *Conn) Once(ctx context.Context, work func() error) error {
	err := work()
	if err == nil {
		c.Progress(nil)
	}
	return c.explain(ctx, err)
}

// Progress notes that the daemon answers, and ends its absence.
func (c *Conn) Progress(away *Away) {
	c.seen.Store(true)
	if away != nil {
		away.since = time.Time{}
	}
}

// Away is the absence of a daemon; the zero Away is none.
type Away struct {
	since time.Time
}

// pause is the time between two attempts to reach a lost daemon.
const pause = 100 * time.Millisecond

// Wait is called each time an attempt fails with err. It returns nil after a
// pause if another attempt should be made, else why not: err if the daemon is
// there, [*Unreachable] if it has been away for too long, a [*Refusal] if it is
// the daemon itself that says so.
func (a *Away) Wait(ctx context.Context, c *Conn, err error) error {
	if !lost(err) || ctx.Err() != nil {
		return c.explain(ctx, err)
	}
	if untrusted := c.hello.failure(); untrusted != nil {
		return &Untrusted{Addr: c.addr, Err: untrusted}
	}
	if !c.seen.Load() {
		return c.gone(err)
	}
	now := time.Now()
	if a.since.IsZero() {
		a.since = now
	}
	if now.Sub(a.since) >= Patience {
		return c.gone(err)
	}
	select {
	case <-time.After(pause):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
