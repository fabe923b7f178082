package main

import (
	"log/slog"
	"net"
	"os"
)

// notify tells the service manager how the daemon is, if one has started it and
// wants to know: systemd's Type=notify.
func notify(log *slog.Logger, state string) {
	socket := os.Getenv("NOTIFY_SOCKET")
	if socket == "" {
		return
	}
	conn, err := net.Dial("unixgram", socket)
	if err == nil {
		_, err = conn.Write([]byte(state))
		_ = conn.Close()
	}
	if err != nil {
		log.Warn("the service manager is not told", "state", state, "err", err)
	}
}
