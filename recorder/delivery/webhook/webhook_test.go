package webhook_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/webhook"
)

var now = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)

func secretOf(fill byte, size int) string {
	return "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, size))
}

// request is one as it arrived.
type request struct {
	http.Header
	method, path, proto string
	body                []byte
}

// receiver keeps what arrives and answers 204.
func receiver(t testing.TB) (*httptest.Server, func() []request) {
	t.Helper()
	var mu sync.Mutex
	var list []request
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		list = append(list, request{r.Header, r.Method, r.RequestURI, r.Proto, body})
		mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	}))
	s.EnableHTTP2 = true
	t.Cleanup(s.Close)
	return s, func() []request {
		mu.Lock()
		defer mu.Unlock()
		got := list
		list = nil
		return got
	}
}

func TestDeliver(t *testing.T) {
	s, arrived := receiver(t)
	s.Start()
	secrets := []string{secretOf(1, 24), secretOf(2, 64)}
	big := delivery.Message{ID: "msg_2", ContentType: "application/x-ndjson", Body: bytes.Repeat([]byte(`{"n":12345678901234567890}`+"\n"), 1000)}
	target := newTarget(t, webhook.Options{
		URL: s.URL + "/hook%2Fa?x=1&y=%20", Secrets: secrets, Gzip: true, Now: func() time.Time { return now },
		Headers: http.Header{"Authorization": {"Bearer x"}}, UserAgent: "varve/1",
	})
	for _, m := range []delivery.Message{message, big} {
		if err := target.Deliver(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	list := arrived()
	if len(list) != 2 {
		t.Fatalf("%d requests", len(list))
	}
	for i, m := range []delivery.Message{message, big} {
		r := list[i]
		if r.method != "POST" || r.path != "/hook%2Fa?x=1&y=%20" {
			t.Errorf("%s %s", r.method, r.path)
		}
		for name, want := range map[string]string{
			"Content-Type": m.ContentType, "Authorization": "Bearer x", "User-Agent": "varve/1",
			"Webhook-Id": m.ID, "Webhook-Timestamp": "1772357400",
			"Content-Encoding": map[string]string{"msg_2": "gzip"}[m.ID],
			"Content-Length":   fmt.Sprint(len(r.body)),
			"Idempotency-Key":  "",
			"Accept-Encoding":  "",
		} {
			if got := r.Get(name); got != want {
				t.Errorf("%s: %s %q, want %q", m.ID, name, got, want)
			}
		}
		var signatures []string
		for _, key := range [][]byte{bytes.Repeat([]byte{1}, 24), bytes.Repeat([]byte{2}, 64)} {
			mac := hmac.New(sha256.New, key)
			fmt.Fprintf(mac, "%s.1772357400.%s", m.ID, r.body)
			signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		}
		if got := r.Get("Webhook-Signature"); got != strings.Join(signatures, " ") {
			t.Errorf("%s: signature %s", m.ID, got)
		}
		body := r.body
		if m.ID == "msg_2" {
			z, err := gzip.NewReader(bytes.NewReader(body))
			if err == nil {
				body, err = io.ReadAll(z)
			}
			if err != nil {
				t.Error(err)
			}
			if len(r.body) > len(m.Body)/10 {
				t.Errorf("%d of %d bytes are left", len(r.body), len(m.Body))
			}
		}
		if !bytes.Equal(body, m.Body) {
			t.Errorf("%s: %d bytes arrived, %d were sent", m.ID, len(body), len(m.Body))
		}
	}

	t.Run("without secret and compression", func(t *testing.T) {
		if err := deliver(t, webhook.Options{URL: s.URL}); err != nil {
			t.Fatal(err)
		}
		r := arrived()[0]
		if r.Get("Webhook-Id") != "msg_1" || r.Get("Webhook-Signature") != "" || r.Get("User-Agent") != "varve" || r.Get("Content-Encoding") != "" {
			t.Errorf("%v", r.Header)
		}
	})
}

func TestTLS(t *testing.T) {
	s, arrived := receiver(t)
	s.StartTLS()
	trusting := s.Client().Transport.(*http.Transport).TLSClientConfig
	if err := deliver(t, webhook.Options{URL: s.URL, TLS: trusting}); err != nil {
		t.Fatal(err)
	}
	if r := arrived(); len(r) != 1 || r[0].proto != "HTTP/2.0" {
		t.Errorf("%+v", r)
	}
	var refusal *delivery.Refusal
	var unknown *tls.CertificateVerificationError
	if err := deliver(t, webhook.Options{URL: s.URL}); !errors.As(err, &unknown) || errors.As(err, &refusal) {
		t.Errorf("a certificate nobody signed: %v", err)
	}
}

// TestAnswers: what an answer means.
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name   string
		code   int
		header map[string]string
		body   string
		want   delivery.Refusal // Reason without the host; empty: taken
	}{
		{name: "200", code: 200, body: "ok"},
		{name: "201", code: 201},
		{name: "202", code: 202},
		{name: "299", code: 299},
		{name: "200 that asks to wait", code: 200, header: map[string]string{"Retry-After": "5"}},
		{name: "400", code: 400, body: "bad\r\n\x1b[31m  payload\u202e ", want: delivery.Refusal{Reason: "answers 400 Bad Request: bad [31m payload"}},
		{name: "404", code: 404, want: delivery.Refusal{Reason: "answers 404 Not Found"}},
		{name: "410", code: 410, body: "gone away", want: delivery.Refusal{Reason: "answers 410 Gone: gone away", Gone: true}},
		{name: "429 seconds", code: 429, header: map[string]string{"Retry-After": "120"}, want: delivery.Refusal{Reason: "answers 429 Too Many Requests", RetryAfter: 2 * time.Minute}},
		{name: "503 date", code: 503, header: map[string]string{"Retry-After": "Sun, 01 Mar 2026 09:31:30 GMT"}, want: delivery.Refusal{Reason: "answers 503 Service Unavailable", RetryAfter: 90 * time.Second}},
		{name: "500 with date", code: 500, header: map[string]string{"Retry-After": "Sunday, 01-Mar-26 09:31:00 GMT"}, want: delivery.Refusal{Reason: "answers 500 Internal Server Error", RetryAfter: time.Minute}},
		{name: "date in the past", code: 503, header: map[string]string{"Retry-After": "Sun, 01 Mar 2026 09:29:00 GMT"}, want: delivery.Refusal{Reason: "answers 503 Service Unavailable"}},
		{name: "date in the year 9999", code: 503, header: map[string]string{"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, want: delivery.Refusal{Reason: "answers 503 Service Unavailable", RetryAfter: 24 * time.Hour}},
		{name: "very many seconds", code: 503, header: map[string]string{"Retry-After": "99999999999999999999"}, want: delivery.Refusal{Reason: "answers 503 Service Unavailable", RetryAfter: 24 * time.Hour}},
		{name: "less than nothing", code: 503, header: map[string]string{"Retry-After": "-5"}, want: delivery.Refusal{Reason: "answers 503 Service Unavailable"}},
		{name: "nonsense", code: 503, header: map[string]string{"Retry-After": "soon"}, want: delivery.Refusal{Reason: "answers 503 Service Unavailable"}},
		{name: "302", code: 302, header: map[string]string{"Location": "http://169.254.169.254/"}, want: delivery.Refusal{
			Reason: "answers 302 Found, and redirects are not followed; put the address that takes messages into the subscription"}},
		{name: "much text", code: 500, body: strings.Repeat("é", 100_000), want: delivery.Refusal{Reason: "answers 500 Internal Server Error: " + strings.Repeat("é", 300) + "…"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for name, value := range c.header {
					w.Header().Set(name, value)
				}
				w.WriteHeader(c.code)
				_, _ = io.WriteString(w, c.body)
			}))
			defer s.Close()
			err := deliver(t, webhook.Options{URL: s.URL, Now: func() time.Time { return now }})
			if c.want.Reason == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			c.want.Reason = strings.TrimPrefix(s.URL, "http://") + " " + c.want.Reason
			var got *delivery.Refusal
			if !errors.As(err, &got) || *got != c.want {
				t.Errorf("got  %+v\nwant %+v", err, c.want)
			}
		})
	}
}

// TestPatience: nobody is waited for too long, and nothing is told of the path.
func TestPatience(t *testing.T) {
	release := make(chan struct{})
	hung := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/endless" {
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer hung.Close()
	defer close(release)

	t.Run("no answer", func(t *testing.T) {
		err := deliver(t, webhook.Options{URL: hung.URL + "/secret-path", Timeout: 50 * time.Millisecond})
		if err == nil || !strings.HasSuffix(err.Error(), "no answer within 50ms") || strings.Contains(err.Error(), "secret-path") {
			t.Error(err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		err := newTarget(t, webhook.Options{URL: hung.URL + "/secret-path"}).Deliver(ctx, message)
		if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "secret-path") {
			t.Error(err)
		}
	})
	t.Run("an answer that does not end is an answer", func(t *testing.T) {
		if err := deliver(t, webhook.Options{URL: hung.URL + "/endless"}); err != nil {
			t.Error(err)
		}
	})
	t.Run("nobody there", func(t *testing.T) {
		err := deliver(t, webhook.Options{URL: "http://127.0.0.1:1/secret-path"}) // a port that no listener is given
		if err == nil || !strings.Contains(err.Error(), "connection refused") || strings.Contains(err.Error(), "secret-path") {
			t.Error(err)
		}
	})
	t.Run("no TLS", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0") // connects, and says nothing
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		err = deliver(t, webhook.Options{URL: "https://" + l.Addr().String(), ConnectTimeout: time.Second}) // of which connecting takes nothing
		if err == nil || !strings.Contains(err.Error(), "TLS handshake timeout") {
			t.Error(err)
		}
	})
}

// TestStaleConnection: a connection that the receiver closed in between costs no
// delivery.
func TestStaleConnection(t *testing.T) {
	s, arrived := receiver(t)
	s.Start()
	target := newTarget(t, webhook.Options{URL: s.URL})
	for i := range 20 {
		if err := target.Deliver(t.Context(), message); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		s.CloseClientConnections()
	}
	if n := len(arrived()); n != 20 {
		t.Errorf("%d arrived", n)
	}
}

// TestConcurrency: as many as are said are under way at once, each on a
// connection that is used again.
func TestConcurrency(t *testing.T) {
	var mu sync.Mutex
	connections := map[string]bool{}
	gate := make(chan struct{})
	var waiting sync.WaitGroup
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		connections[r.RemoteAddr] = true
		mu.Unlock()
		waiting.Done()
		<-gate
	}))
	defer s.Close()
	target := newTarget(t, webhook.Options{URL: s.URL})
	if target.Concurrency() != 16 {
		t.Fatalf("concurrency %d", target.Concurrency())
	}
	for range 3 {
		waiting.Add(16)
		var sent sync.WaitGroup
		for range 16 {
			sent.Go(func() {
				if err := target.Deliver(t.Context(), message); err != nil {
					t.Error(err)
				}
			})
		}
		waiting.Wait() // all 16 are there at once
		for range 16 {
			gate <- struct{}{}
		}
		sent.Wait()
	}
	// net/http uses a connection no more if it learns 50 ms late that all was written.
	if n := len(connections); n < 16 || n >= 2*16 {
		t.Errorf("%d connections, want 16 and hardly more", n)
	}
}

func TestCheckSecret(t *testing.T) {
	for _, good := range []string{secretOf(0, 24), secretOf(7, 32), secretOf(255, 64), secretOf('x', 25)} {
		if err := webhook.CheckSecret(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	valuable := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("Valuable"), 4))
	for name, bad := range map[string]string{
		"does not begin with whsec_": valuable,
		"has 23 bytes, too few":      secretOf('V', 23),
		"has 0 bytes, too few":       "whsec_",
		"has 65 bytes, too many":     secretOf('V', 65),
		"is not standard base64":     "whsec_" + strings.TrimRight(valuable, "="),
		"is not standard":            "whsec_" + valuable[:8] + "-_" + valuable[10:],
		"has a line end":             "whsec_" + valuable + "\n",
		"does not begin":             " whsec_" + valuable,
	} {
		err := webhook.CheckSecret(bad)
		var e *history.Error
		if !errors.As(err, &e) || e.Kind != history.Invalid || e.Field != "secret" || !strings.Contains(e.Text, name) || !strings.Contains(e.Text, "; write whsec_") {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && len(bad) > 20 && strings.Contains(err.Error(), bad[8:20]) {
			t.Errorf("the secret is told: %v", err)
		}
		if _, err := webhook.New(webhook.Options{URL: "http://localhost/", Secrets: []string{secretOf(1, 32), bad}}); err == nil {
			t.Errorf("%s: a target was made", name)
		}
	}
	many := make([]string, webhook.MaxSecrets+1)
	for i := range many {
		many[i] = secretOf(byte(i), 32)
	}
	if _, err := webhook.New(webhook.Options{URL: "http://localhost/", Secrets: many}); !errors.Is(err, history.Invalid) {
		t.Errorf("%d secrets: %v", len(many), err)
	}
}

func TestCheckHeaders(t *testing.T) {
	if err := webhook.CheckHeaders(http.Header{"X-Api-Key": {"a", "b"}, "Authorization": {"Basic eA=="}}); err != nil {
		t.Error(err)
	}
	for name, h := range map[string]http.Header{
		"is not a name":      {"a b": {"x"}},
		"is written X-Key":   {"x-key": {"x"}},
		"control characters": {"X-Key": {"valuable\r\nX-Other: 1"}},
		"is set by delivery": {"Webhook-Signature": {"v1,valuable"}},
		"itself":             {"Host": {"valuable"}},
		"leave it out":       {"Proxy-Authorization": {"valuable"}},
	} {
		err := webhook.CheckHeaders(h)
		var e *history.Error
		if !errors.As(err, &e) || e.Field != "header" || !strings.Contains(e.Text, name) || strings.Contains(err.Error(), "valuable") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckURL(t *testing.T) {
	for raw, want := range map[string]string{
		"":                              `target "": is not a scheme`,
		"example.com":                   "is not a scheme",
		"http://u:valuable@example.com": "has a user name before the host",
		"https://example.com/#frag":     "has a fragment",
		"https://example.com:99999/":    "ports go from 1 to 65535",
		"https://a..b/":                 "with single dots between",
		"https://" + strings.Repeat("a.", 130) + "b/": "too long for a name",
		"http://0x7f000001/":                          "write 127.0.0.1",
		"http://169.254.169.254/":                     `target "169.254.169.254": address 169.254.169.254 is link-local, where metadata services are; messages are not sent there`,
		"http://[::ffff:169.254.169.254]/":            "another form of 169.254.169.254",
	} {
		err := webhook.CheckURL(raw)
		if err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(want, `target "": `)) || strings.Contains(err.Error(), "valuable") {
			t.Errorf("%s: %v", raw, err)
		}
	}
	if err := webhook.CheckURL("https://example.com/" + strings.Repeat("a", 4096)); !errors.Is(err, history.TooLarge) {
		t.Error(err)
	}
}

// FuzzCheckURL: a URL that is taken leads to the host that it says, whoever reads
// it.
func FuzzCheckURL(f *testing.F) {
	for _, name := range []string{"forgery.txt", "allowed.txt"} {
		for _, raw := range lines(f, name) {
			f.Add(raw)
		}
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if webhook.CheckURL(raw) != nil {
			return
		}
		target, err := webhook.New(webhook.Options{URL: raw, Resolver: &net.Resolver{
			PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no network") },
		}})
		if err != nil {
			t.Fatalf("%q is taken, but %v", raw, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // nothing is to be sent, but the request is made
		if err := target.Deliver(ctx, message); !errors.Is(err, context.Canceled) {
			t.Fatalf("%q: %v", raw, err)
		}
	})
}
