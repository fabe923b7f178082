package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"time"

	"google.golang.org/grpc/connectivity"
)

// answers returns when a request over HTTP was answered, and the gRPC server has
// taken the gateway's connection.
func (d *Daemon) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	d.conn.Connect()
	for state := d.conn.GetState(); state != connectivity.Ready; state = d.conn.GetState() {
		if !d.conn.WaitForStateChange(ctx, state) {
			return errors.New("the daemon does not answer itself over gRPC")
		}
	}

	scheme := "http"
	transport := &http.Transport{DisableKeepAlives: true} // and no proxy
	if d.pair != nil {
		scheme = "https"
		// The certificate names others' way to us, not this one.
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+d.HTTPAddr()+"/livez", nil)
	if err != nil {
		return err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("the daemon does not answer itself: %w", err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the daemon answers itself with %s", resp.Status)
	}
	return nil
}
