package client_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/varvehq/varve/cmd/internal/client"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// daemon answers GetStatus with a function, and exports nothing.
type daemon struct {
	varvev1.UnimplementedHistoryServiceServer
	status func() (*varvev1.GetStatusResponse, error)
}

func (d *daemon) GetStatus(context.Context, *varvev1.GetStatusRequest) (*varvev1.GetStatusResponse, error) {
	return d.status()
}

func (*daemon) ExportItems(*varvev1.ExportItemsRequest, varvev1.HistoryService_ExportItemsServer) error {
	return nil
}

// serve starts a daemon at addr and returns the address with what stops it.
func serve(t *testing.T, addr string, d *daemon) (string, func()) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	varvev1.RegisterHistoryServiceServer(s, d)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return l.Addr().String(), s.Stop
}

func dial(t *testing.T, addr string) *client.Conn {
	t.Helper()
	c, err := client.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func ask(c *client.Conn) error {
	_, err := c.GetStatus(context.Background(), &varvev1.GetStatusRequest{})
	return err
}

// insist asks through a stream, and tells how often it did.
func insist(t *testing.T, c *client.Conn) (attempts int, err error) {
	err = c.Insist(t.Context(), func() error {
		attempts++
		stream, err := c.ExportItems(t.Context(), &varvev1.ExportItemsRequest{})
		if err == nil {
			_, err = stream.Recv()
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	})
	return attempts, err
}

func fine() (*varvev1.GetStatusResponse, error) { return &varvev1.GetStatusResponse{}, nil }

func TestNeverReached(t *testing.T) {
	const addr = "127.0.0.1:1" // of which no listener can be given the port
	attempts, err := insist(t, dial(t, addr))
	var u *client.Unreachable
	if !errors.As(err, &u) || u.Lost {
		t.Fatalf("got %v", err)
	}
	if attempts != 1 {
		t.Errorf("asked a daemon that was never there %d times", attempts)
	}
	want := "daemon at " + addr + " is unreachable: connection refused; start it with `varve serve --data DIR`"
	if !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestLost(t *testing.T) {
	t.Parallel()
	addr, stop := serve(t, "127.0.0.1:0", &daemon{status: fine})
	c := dial(t, addr)
	if err := ask(c); err != nil {
		t.Fatal(err)
	}
	stop()

	begin := time.Now()
	err := ask(c)
	var u *client.Unreachable
	if !errors.As(err, &u) || !u.Lost {
		t.Fatalf("got %v", err)
	}
	if took := time.Since(begin); took < client.Patience || took > client.Patience+time.Minute {
		t.Errorf("gave up after %s", took)
	}
}

func TestComesBack(t *testing.T) {
	t.Parallel()
	addr, stop := serve(t, "127.0.0.2:0", &daemon{status: fine}) // nobody else takes a port there meanwhile
	c := dial(t, addr)
	if err := ask(c); err != nil {
		t.Fatal(err)
	}
	stop()

	nobody, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	answer := make(chan error, 1)
	go func() { answer <- ask(c) }()
	for range 3 { // attempts
		conn, err := nobody.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
	}
	_ = nobody.Close()
	serve(t, addr, &daemon{status: fine})
	if err := <-answer; err != nil {
		t.Errorf("the daemon came back: %v", err)
	}
}

func TestRefusal(t *testing.T) {
	var calls atomic.Int32
	s, err := status.New(codes.NotFound, "nothing of that name").WithDetails(
		&errdetails.ErrorInfo{Reason: "NOT_FOUND", Metadata: map[string]string{"type": "T"}})
	if err != nil {
		t.Fatal(err)
	}
	addr, _ := serve(t, "127.0.0.1:0", &daemon{status: func() (*varvev1.GetStatusResponse, error) {
		calls.Add(1)
		return nil, s.Err()
	}})
	err = ask(dial(t, addr))
	var r *client.Refusal
	if !errors.As(err, &r) || r.Code != codes.NotFound || r.Meta["type"] != "T" || client.Reason(err) != "NOT_FOUND" {
		t.Fatalf("got %#v", err)
	}
	if err.Error() != "nothing of that name" || calls.Load() != 1 {
		t.Errorf("%d calls, %q", calls.Load(), err)
	}
}

// A daemon that says itself that it is not available was reached: what it says
// is told, once it had its time.
func TestRefusesToWrite(t *testing.T) {
	s, err := status.New(codes.Unavailable, "the disk has no room").WithDetails(&errdetails.ErrorInfo{Reason: "UNAVAILABLE"})
	if err != nil {
		t.Fatal(err)
	}
	addr, _ := serve(t, "127.0.0.1:0", &daemon{status: func() (*varvev1.GetStatusResponse, error) { return nil, s.Err() }})
	err = ask(dial(t, addr))
	if client.Reason(err) != "UNAVAILABLE" || err.Error() != "the disk has no room" {
		t.Errorf("got %v", err)
	}
}

func TestDialRefuses(t *testing.T) {
	for _, addr := range []string{"", "localhost", ":", "a:b:c"} {
		if _, err := client.Dial(addr); err == nil {
			t.Errorf("%q was taken", addr)
		}
	}
}
