package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// Access is what it takes to be let in, and to know whom one talks to; the zero
// Access shows nothing.
type Access struct {
	Token  string // shown with every call
	CAFile string // authorities for https in PEM; default the system's
}

// options are those of the connection that have to do with trust.
func (a Access) options(c *Conn, host string, secure bool) ([]grpc.DialOption, error) {
	var options []grpc.DialOption
	if a.Token != "" {
		if !secure && !isLoopback(host) {
			return nil, errors.New("a token would be sent for everybody on the way to read; write https:// before the address")
		}
		options = append(options, grpc.WithPerRPCCredentials(bearer(a.Token)))
	}
	if !secure {
		return append(options, grpc.WithTransportCredentials(insecure.NewCredentials())), nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.CAFile != "" {
		text, err := os.ReadFile(a.CAFile)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s holds no certificate in PEM", a.CAFile)
		}
	}
	c.hello = &handshakes{TransportCredentials: credentials.NewTLS(config), last: new(atomic.Pointer[error])}
	return append(options, grpc.WithTransportCredentials(c.hello)), nil
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// bearer is a token as gRPC sends it. It may go over a connection without TLS,
// since options lets it go no further than loopback that way.
type bearer string

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

func (bearer) RequireTransportSecurity() bool { return false }

// handshakes is TLS that remembers whom it did not trust: gRPC tells it as one
// more way to be unreachable, and another attempt will not help.
type handshakes struct {
	credentials.TransportCredentials
	last *atomic.Pointer[error] // shared by clones; nil within: the last one went well
}

func (h *handshakes) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := h.TransportCredentials.ClientHandshake(ctx, authority, raw)
	var verification *tls.CertificateVerificationError
	var header tls.RecordHeaderError
	if errors.As(err, &verification) || errors.As(err, &header) {
		h.last.Store(&err)
	} else {
		h.last.Store(nil)
	}
	return conn, info, err
}

func (h *handshakes) Clone() credentials.TransportCredentials {
	return &handshakes{h.TransportCredentials.Clone(), h.last}
}

// failure is why the last handshake failed for good; nil if it did not.
func (h *handshakes) failure() error {
	if h == nil {
		return nil
	}
	if err := h.last.Load(); err != nil {
		return *err
	}
	return nil
}

// Untrusted means that somebody answers at the daemon's address who does not
// prove to be the daemon.
type Untrusted struct {
	Addr string
	Err  error
}

func (u *Untrusted) Error() string {
	remedy := ""
	var unknown x509.UnknownAuthorityError
	var header tls.RecordHeaderError
	switch {
	case errors.As(u.Err, &unknown):
		remedy = "; --ca-file FILE or VARVE_CA_FILE names an authority to trust"
	case errors.As(u.Err, &header):
		return fmt.Sprintf("daemon at %s does not speak TLS; leave out https://", u.Addr)
	}
	var verification *tls.CertificateVerificationError
	err := u.Err
	if errors.As(err, &verification) {
		err = verification.Err
	}
	return fmt.Sprintf("daemon at %s cannot be trusted: %v%s", u.Addr, err, remedy)
}

func (u *Untrusted) Unwrap() error { return u.Err }
