// Package certificate keeps the certificate of a server fresh: what renews it
// writes two files, and the server goes on.
package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"
)

// lookEvery is how often the files are looked at, when somebody says hello.
const lookEvery = 10 * time.Second

// Pair is a certificate and its key in two PEM files. It is safe for concurrent
// use.
type Pair struct {
	certFile, keyFile string
	now               func() time.Time
	log               *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	stamp   [2]stamp
	looked  time.Time
}

// stamp tells one state of a file from another.
type stamp struct {
	modified time.Time
	size     int64
}

// Open reads a certificate with those that lead to its authority, and its key.
// One that is not valid by the clock of now is refused.
func Open(certFile, keyFile string, now func() time.Time, log *slog.Logger) (*Pair, error) {
	p := &Pair{certFile: certFile, keyFile: keyFile, now: now, log: log}
	return p, p.Reload()
}

// Reload reads the files again. If they cannot be used, the error says why and
// the certificate stays as it is.
func (p *Pair) Reload() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reload()
}

func (p *Pair) reload() error {
	p.looked = p.now()
	p.stamp = p.stamps()
	pair, err := load(p.certFile, p.keyFile, p.now())
	if err != nil {
		return err
	}
	p.current = pair
	return nil
}

func load(certFile, keyFile string, now time.Time) (*tls.Certificate, error) {
	cert, err := read(certFile)
	if err != nil {
		return nil, err
	}
	key, err := read(keyFile)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("%s with %s: %w", certFile, keyFile, err)
	}
	switch leaf := pair.Leaf; {
	case now.After(leaf.NotAfter):
		return nil, fmt.Errorf("%s expired on %s; renew it", certFile, leaf.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(leaf.NotBefore):
		return nil, fmt.Errorf("%s is not valid before %s; is the clock right?", certFile, leaf.NotBefore.UTC().Format(time.RFC3339))
	}
	return &pair, nil
}

func read(name string) ([]byte, error) {
	text, err := os.ReadFile(name)
	var path *fs.PathError
	if errors.As(err, &path) {
		return nil, fmt.Errorf("%s cannot be read: %w", name, path.Err)
	}
	return text, err
}

func (p *Pair) stamps() (s [2]stamp) {
	for i, name := range []string{p.certFile, p.keyFile} {
		if info, err := os.Stat(name); err == nil {
			s[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return s
}

// Leaf is the certificate in force.
func (p *Pair) Leaf() *x509.Certificate {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current.Leaf
}

// Names tells whether the certificate in force is valid for a name or address.
func (p *Pair) Names(host string) bool { return p.Leaf().VerifyHostname(host) == nil }

// Config is how a server uses the pair, for these protocols.
func (p *Pair) Config(protocols ...string) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: protocols, GetCertificate: p.get}
}

// get looks at the files now and then. A new pair that is not whole yet, because
// only one of its files was written, is tried again at the next look.
func (p *Pair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now().Sub(p.looked) < lookEvery {
		return p.current, nil
	}
	p.looked = p.now()
	before := p.stamp
	if p.stamps() == before {
		return p.current, nil
	}
	if err := p.reload(); err != nil {
		p.stamp = before
		p.log.Error("the new certificate is not taken", "err", err)
		return p.current, nil
	}
	p.log.Info("new certificate", "file", p.certFile, "until", p.current.Leaf.NotAfter.UTC())
	return p.current, nil
}
