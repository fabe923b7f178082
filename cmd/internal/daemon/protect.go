package daemon

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/varvehq/varve/api/gateway"
	"github.com/varvehq/varve/api/server"
	"github.com/varvehq/varve/cmd/internal/accesskey"
	"github.com/varvehq/varve/cmd/internal/certificate"
	"github.com/varvehq/varve/cmd/internal/token"
)

// loadSecrets reads the tokens, the access keys and the certificate.
func (d *Daemon) loadSecrets() (err error) {
	if d.o.TokenFile != "" {
		if d.tokens, err = token.Open(d.o.TokenFile); err != nil {
			return fmt.Errorf("the token file %w", err)
		}
	}
	if d.o.AWS.KeysFile != "" && !d.o.AWS.Anyone {
		if d.keys, err = accesskey.Open(d.o.AWS.KeysFile); err != nil {
			return fmt.Errorf("the file of access keys %w", err)
		}
	}
	if d.o.CertFile != "" || d.o.KeyFile != "" {
		if d.pair, err = certificate.Open(d.o.CertFile, d.o.KeyFile, d.o.Now, d.o.Logger); err != nil {
			return fmt.Errorf("the certificate %w", err)
		}
	}
	return nil
}

// Reload reads the tokens, the access keys and the certificate again. What cannot be used is told,
// and stays as it was. Calls under way go on with the token they began with.
func (d *Daemon) Reload() error {
	var errs []error
	if d.tokens != nil {
		if err := d.tokens.Reload(); err != nil {
			errs = append(errs, fmt.Errorf("the token file %w", err))
		}
	}
	if d.keys != nil {
		if err := d.keys.Reload(); err != nil {
			errs = append(errs, fmt.Errorf("the file of access keys %w", err))
		}
	}
	if d.pair != nil {
		if err := d.pair.Reload(); err != nil {
			errs = append(errs, fmt.Errorf("the certificate %w", err))
		}
	}
	return errors.Join(errs...)
}

// know tells who bears a token, for the gRPC door.
func (d *Daemon) know(authorization []string) (server.Principal, error) {
	name, err := d.tokens.Know(authorization)
	return server.Principal{Name: name}, err
}

// protect asks for tokens at the HTTP door, and tells it by what names TLS vouches
// for it.
func (d *Daemon) protect(o *gateway.Options) {
	if d.tokens != nil {
		o.Authenticate = func(r *http.Request) error {
			_, err := d.tokens.Know(r.Header.Values("Authorization"))
			if err != nil {
				d.o.Logger.Warn("request refused", "door", "HTTP", "peer", r.RemoteAddr, "err", err)
			}
			return err
		}
	}
	if d.pair != nil {
		o.Secure, o.Vouched = true, d.pair.Names
	}
}

// secured speaks TLS with those who come, if there is a certificate.
func (d *Daemon) secured(l net.Listener) net.Listener {
	if d.pair == nil {
		return l
	}
	return tls.NewListener(l, d.pair.Config("h2"))
}

func (d *Daemon) serveHTTP() error {
	if d.pair == nil {
		return d.http.Serve(d.httpListener)
	}
	d.http.TLSConfig = d.pair.Config("h2", "http/1.1")
	return d.http.ServeTLS(d.httpListener, "", "")
}

// tellDoors logs which doors are open, and what keeps strangers out.
func (d *Daemon) tellDoors() {
	for _, door := range []struct {
		name string
		at   net.Listener
	}{{"gRPC", d.grpcListener}, {"HTTP", d.httpListener}} {
		reach := "this machine"
		if !isLoopback(door.at.Addr()) {
			reach = "the network"
		}
		asks := "nobody"
		if d.tokens != nil {
			asks = "everybody for a token"
		}
		d.o.Logger.Info("door open", "door", door.name, "addr", door.at.Addr().String(), "reached_from", reach, "asks", asks, "tls", d.pair != nil)
	}
	d.tellAWS()
	if d.o.Pprof {
		d.o.Logger.Info("profiles are offered", "door", "HTTP", "path", "/debug/pprof/")
	}
}
