package daemon

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/varvehq/varve/history"
)

// checkLoopback refuses addresses that others could reach: whoever reaches the
// daemon may ask and record anything, since there is no access control yet.
func checkLoopback(flag, addr string) error {
	bad := func(text string) error {
		return &history.Error{Kind: history.Invalid, Field: flag, Value: strconv.Quote(addr), Text: text}
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return bad("is not of the form HOST:PORT")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return bad("has no port from 0 to 65535")
	}
	ip, err := netip.ParseAddr(host)
	if host == "localhost" || err == nil && ip.IsLoopback() {
		return nil
	}
	return bad("is not a loopback address, and without access control nothing else is allowed yet; use 127.0.0.1:" + port)
}

func listen(ctx context.Context, flag, addr string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", flag, addr, err)
	}
	// The name localhost is a loopback address only where nobody says otherwise.
	if at, ok := l.Addr().(*net.TCPAddr); !ok || !at.IP.IsLoopback() {
		_ = l.Close()
		return nil, &history.Error{Kind: history.Invalid, Field: flag, Value: strconv.Quote(addr),
			Text: "leads to " + l.Addr().String() + ", which is not a loopback address"}
	}
	return l, nil
}
