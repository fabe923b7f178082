// Package webhook posts messages to an address of HTTP, signed as Standard
// Webhooks has it (https://www.standardwebhooks.com).
//
// A receiver in the same house is a receiver as any other: loopback and private
// addresses are allowed. What is never posted to are the addresses by which a
// machine talks to its own link or to its cloud's metadata service, however they
// are written, named or redirected to: see address.go.
package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/varvehq/varve/recorder/delivery"
)

// Options of a target. Only URL is required.
type Options struct {
	URL string // as CheckURL takes it

	// Secrets sign every message, each with a signature of its own, so that a
	// receiver may know any one of them while they change. Without one, messages
	// have an id and a time but no signature.
	Secrets []string // as CheckSecret takes them, at most MaxSecrets

	Gzip           bool          // compress bodies that get shorter by it
	Timeout        time.Duration // of a delivery, answer included; 0: 15 s
	ConnectTimeout time.Duration // of that, for the connection and for TLS each; 0: 5 s
	Concurrency    int           // deliveries at once; 0: 16
	Headers        http.Header   // sent with every message, as CheckHeaders takes them
	UserAgent      string        // "": varve

	// TLS says whom to trust and which certificate to show; nil: what the system
	// trusts.
	TLS *tls.Config

	// Proxy is asked for a proxy to go through. The address of the receiver can
	// then be checked no further than it is written in the URL: the proxy is the
	// one to refuse names. nil: there is none, whatever the environment says.
	Proxy func(*http.Request) (*url.URL, error)

	Resolver *net.Resolver    // nil: the system's
	Now      func() time.Time // nil: time.Now
}

// MaxSecrets is how many secrets can be in force at once.
const MaxSecrets = 8

// Target posts to one URL. It implements delivery.Target.
type Target struct {
	o         Options
	to        *url.URL
	keys      [][]byte
	transport *http.Transport
}

var _ delivery.Target = (*Target)(nil)

// New returns a target that has not connected yet. Its errors are those of
// CheckURL, CheckSecret and CheckHeaders.
func New(o Options) (*Target, error) {
	to, err := parseURL(o.URL)
	if err != nil {
		return nil, err
	}
	keys, err := keysOf(o.Secrets)
	if err != nil {
		return nil, err
	}
	if err := CheckHeaders(o.Headers); err != nil {
		return nil, err
	}
	o.Headers = o.Headers.Clone()
	setDefault(&o.Timeout, 15*time.Second)
	setDefault(&o.ConnectTimeout, 5*time.Second)
	setDefault(&o.Concurrency, 16)
	setDefault(&o.UserAgent, "varve")
	if o.Now == nil {
		o.Now = time.Now
	}

	dialer := &net.Dialer{Timeout: o.ConnectTimeout, Resolver: o.Resolver, ControlContext: allowed}
	transport := &http.Transport{
		Proxy:                  o.Proxy,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        o.TLS,
		TLSHandshakeTimeout:    o.ConnectTimeout,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // answers are read a little of, never unpacked
		MaxIdleConns:           o.Concurrency,
		MaxIdleConnsPerHost:    o.Concurrency,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
	return &Target{o: o, to: to, keys: keys, transport: transport}, nil
}

func setDefault[T time.Duration | int | string](option *T, value T) {
	var zero T
	if *option == zero {
		*option = value
	}
}

// Concurrency implements delivery.Target.
func (t *Target) Concurrency() int { return t.o.Concurrency }

// Close implements delivery.Target.
func (t *Target) Close() error {
	t.transport.CloseIdleConnections()
	return nil
}

// Deliver implements delivery.Target. Any answer of 2xx is the receiver's word
// that it has the message; any other is a *delivery.Refusal. An *AddressError says
// that nothing was sent. Errors do not tell the URL, whose path may be a secret,
// but its host.
func (t *Target) Deliver(ctx context.Context, m delivery.Message) error {
	ctx, cancel := context.WithTimeoutCause(ctx, t.o.Timeout, errNoAnswer)
	defer cancel()
	req, err := t.request(ctx, m)
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	// Without a client around it: whatever an answer asks for, nothing else is sent.
	resp, err := t.transport.RoundTrip(req)
	if err != nil {
		if errors.Is(context.Cause(ctx), errNoAnswer) {
			err = fmt.Errorf("%w within %v", errNoAnswer, t.o.Timeout)
		}
		return fmt.Errorf("webhook: %s: %w", t.to.Host, err)
	}
	defer resp.Body.Close()

	// The answer is there; of what follows nobody needs to be waited for long.
	defer time.AfterFunc(lingering, cancel).Stop()
	return t.judge(resp)
}

var errNoAnswer = errors.New("no answer")

// lingering is how long the rest of an answer may take. It is read so that the
// connection can be used again.
const lingering = time.Second

func (t *Target) request(ctx context.Context, m delivery.Message) (*http.Request, error) {
	body, encoding := m.Body, ""
	if t.o.Gzip {
		body, encoding = compressed(m.Body)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.to.String(), bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the request cannot be made") // the cause tells the URL
	}
	for name, values := range t.o.Headers {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", m.ContentType)
	req.Header.Set("User-Agent", t.o.UserAgent)
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	// Nothing is sent by this, but it lets the transport try once more when a
	// connection that was kept turns out to be dead. The receiver tells messages
	// that came twice by their id anyway.
	req.Header["Idempotency-Key"] = nil
	sign(req.Header, t.keys, m.ID, t.o.Now(), body)
	return req, nil
}
