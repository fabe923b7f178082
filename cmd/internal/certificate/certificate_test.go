package certificate_test

import (
	"crypto/tls"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/varvehq/varve/cmd/internal/certificate"
	"github.com/varvehq/varve/cmd/internal/certificate/certtest"
)

func copyTo(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o600); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Second) // however coarse the file system's clock is
	if err := os.Chtimes(to, later, later); err != nil {
		t.Fatal(err)
	}
}

// TestRenewal: new files are taken at the next look, and half of them, or expired
// ones, are not.
func TestRenewal(t *testing.T) {
	ca := certtest.New(t)
	cert, key := ca.Issue(t, time.Now().Add(time.Hour), "old.example")
	now := time.Now()
	var log strings.Builder
	p, err := certificate.Open(cert, key, func() time.Time { return now }, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	config := p.Config("h2")
	serves := func(name string) {
		t.Helper()
		pair, err := config.GetCertificate(&tls.ClientHelloInfo{})
		if err != nil || pair.Leaf.DNSNames[0] != name || !p.Names(name) {
			t.Errorf("want %s, have %v, %v\n%s", name, pair.Leaf.DNSNames, err, log.String())
		}
	}
	serves("old.example")

	newCert, newKey := ca.Issue(t, time.Now().Add(2*time.Hour), "new.example")
	copyTo(t, newCert, cert)
	serves("old.example") // too early for a look
	now = now.Add(11 * time.Second)
	serves("old.example") // the key is the old one yet
	if !strings.Contains(log.String(), "not taken") {
		t.Error(log.String())
	}
	copyTo(t, newKey, key)
	now = now.Add(11 * time.Second)
	serves("new.example")

	badCert, badKey := ca.Issue(t, time.Now().Add(-time.Hour), "bad.example")
	copyTo(t, badCert, cert)
	copyTo(t, badKey, key)
	if err := p.Reload(); err == nil || !strings.Contains(err.Error(), "expired on") {
		t.Error(err)
	}
	serves("new.example")
}

func TestRefusals(t *testing.T) {
	ca := certtest.New(t)
	cert, key := ca.Issue(t, time.Now().Add(time.Hour), "a")
	expired, expiredKey := ca.Issue(t, time.Now().Add(-time.Minute), "a")
	early, earlyKey := ca.Issue(t, time.Now().Add(48*time.Hour), "a")
	for name, tt := range map[string]struct{ cert, key, want string }{
		"NoCertificate": {cert + "x", key, cert + "x cannot be read: no such file"},
		"NoKey":         {cert, key + "x", key + "x cannot be read: no such file"},
		"KeyOfAnother":  {cert, expiredKey, "private key does not match"},
		"Swapped":       {key, cert, "PEM inputs may have been switched"},
		"Expired":       {expired, expiredKey, "expired on"},
		"TooEarly":      {early, earlyKey, "is not valid before"},
	} {
		_, err := certificate.Open(tt.cert, tt.key, time.Now, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
