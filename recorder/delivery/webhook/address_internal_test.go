package webhook

import (
	"errors"
	"testing"
)

// TestDialledAddress: what the dialer is about to connect to, in the form in which
// it says so. Names do not lead to zones, but a resolver of another kind may.
func TestDialledAddress(t *testing.T) {
	for _, address := range []string{
		"169.254.169.254:80", "[fe80::1]:80", "[fe80::1%lo]:80", "[fe80::a9fe:a9fe%eth0]:443", "[fd00:ec2::254%1]:80",
		"[::ffff:169.254.169.254%x]:80", "[::]:80", "0.0.0.0:80",
	} {
		var at *AddressError
		if err := allowed(t.Context(), "tcp", address, nil); !errors.As(err, &at) {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"127.0.0.1:80", "[::1]:80", "[::1%lo]:80", "10.0.0.1:65535", "[fd12::1]:80"} {
		if err := allowed(t.Context(), "tcp", address, nil); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"", "localhost:80", "127.0.0.1", "/run/docker.sock"} {
		if err := allowed(t.Context(), "unix", address, nil); err == nil {
			t.Errorf("%q is taken", address)
		}
	}
}
