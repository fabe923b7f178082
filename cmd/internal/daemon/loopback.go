package daemon

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/varvehq/varve/cmd/internal/config"
	"github.com/varvehq/varve/history"
)

// checkAddr refuses addresses that others could reach, unless they have to show a
// token and nobody on the way can read it: whoever reaches the daemon otherwise
// may ask and record anything.
func (d *Daemon) checkAddr(flag, addr string) error {
	if err := config.CheckAddr(addr, d.o.TokenFile != "", d.o.CertFile != ""); err != nil {
		return &history.Error{Kind: history.Invalid, Field: flag, Value: strconv.Quote(addr), Text: err.Error()}
	}
	return nil
}

func (d *Daemon) listen(ctx context.Context, flag, addr string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", flag, addr, err)
	}
	// The name localhost is a loopback address only where nobody says otherwise.
	if isLoopback(l.Addr()) {
		return l, nil
	}
	_, port, _ := net.SplitHostPort(addr)
	if err := config.BeyondLoopback(d.o.TokenFile != "", d.o.CertFile != "", port); err != nil {
		_ = l.Close()
		return nil, &history.Error{Kind: history.Invalid, Field: flag, Value: strconv.Quote(addr),
			Text: "leads to " + l.Addr().String() + ", which " + err.Error()}
	}
	return l, nil
}

// beyondLoopback reports whether others can reach the daemon by one of its doors.
func (d *Daemon) beyondLoopback() bool {
	return !isLoopback(d.grpcListener.Addr()) || !isLoopback(d.httpListener.Addr())
}

func isLoopback(addr net.Addr) bool {
	at, ok := addr.(*net.TCPAddr)
	return ok && at.IP.IsLoopback()
}
