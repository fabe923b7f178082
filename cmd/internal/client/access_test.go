package client_test

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/varvehq/varve/cmd/internal/certificate/certtest"
	"github.com/varvehq/varve/cmd/internal/client"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// secure starts a daemon whose certificate ends at until.
func secure(t *testing.T, ca *certtest.Authority, until time.Time, names ...string) string {
	t.Helper()
	cert, key := ca.Issue(t, until, names...)
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(&pair)))
	varvev1.RegisterHistoryServiceServer(s, &daemon{status: fine})
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return "https://" + l.Addr().String()
}

// TestTrust: who is not who he should be is told at once, and how to mend it.
func TestTrust(t *testing.T) {
	ca, other := certtest.New(t), certtest.New(t)
	soon := time.Now().Add(time.Hour)
	plain, _ := serve(t, "127.0.0.1:0", &daemon{status: fine})
	for name, tt := range map[string]struct{ addr, ca, want string }{
		"OK":        {secure(t, ca, soon, "127.0.0.1"), ca.File, ""},
		"Stranger":  {secure(t, ca, soon, "127.0.0.1"), other.File, "; --ca-file FILE or VARVE_CA_FILE names an authority"},
		"Expired":   {secure(t, ca, time.Now().Add(-time.Minute), "127.0.0.1"), ca.File, "certificate has expired"},
		"OtherName": {secure(t, ca, soon, "varve.example"), ca.File, "doesn't contain any IP SANs"},
		"NoTLS":     {"https://" + plain, ca.File, "does not speak TLS; leave out https://"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := client.Access{CAFile: tt.ca, Token: "a-token-0123456789"}.Dial(tt.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			attempts, err := insist(t, c)
			var u *client.Untrusted
			switch {
			case tt.want == "" && err == nil:
			case !errors.As(err, &u) || !strings.Contains(err.Error(), tt.want) || tt.want == "":
				t.Errorf("got %v", err)
			}
			if attempts != 1 {
				t.Errorf("asked %d times", attempts)
			}
		})
	}
}

// TestTokenStaysSecret: without TLS a token goes no further than this machine.
func TestTokenStaysSecret(t *testing.T) {
	a := client.Access{Token: "a-token-0123456789"}
	for _, addr := range []string{"10.0.0.1:7420", "varve.example:7420", "http://10.0.0.1:7420"} {
		if _, err := a.Dial(addr); err == nil || !strings.Contains(err.Error(), "https://") {
			t.Errorf("%s: %v", addr, err)
		}
	}
	for _, addr := range []string{"127.0.0.1:7420", "localhost:7420", "[::1]:7420", "https://varve.example:7420"} {
		c, err := a.Dial(addr)
		if err != nil {
			t.Errorf("%s: %v", addr, err)
			continue
		}
		_ = c.Close()
	}
}
