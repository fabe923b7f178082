package webhook_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/webhook"
)

var message = delivery.Message{ID: "msg_1", ContentType: "application/json", Body: []byte(`{"a":1.0}`)}

// lines are those of a file of testdata that are not empty and no comments.
func lines(t testing.TB, name string) []string {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []string
	for s := bufio.NewScanner(f); s.Scan(); {
		if line := s.Text(); line != "" && !strings.HasPrefix(line, "# ") {
			list = append(list, line)
		}
	}
	if len(list) == 0 {
		t.Fatalf("%s is empty", name)
	}
	return list
}

// TestForgery: a URL that leads to where messages are not sent is refused when
// the subscription is created, in whatever way it is written.
func TestForgery(t *testing.T) {
	list := lines(t, "forgery.txt")
	for _, raw := range list {
		err := webhook.CheckURL(raw)
		var e *history.Error
		if !errors.As(err, &e) || e.Kind != history.Invalid || e.Field != "target" || e.Text == "" {
			t.Errorf("%s: %v", raw, err)
		}
		if _, err := webhook.New(webhook.Options{URL: raw}); err == nil {
			t.Errorf("%s: a target was made", raw)
		}
	}
	t.Logf("%d URLs refused", len(list))
}

// TestAllowed is the control group.
func TestAllowed(t *testing.T) {
	for _, raw := range lines(t, "allowed.txt") {
		if err := webhook.CheckURL(raw); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

// TestForgedNames: names are taken, but what they stand for when the connection
// is made is looked at.
func TestForgedNames(t *testing.T) {
	var taken atomic.Int32
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { taken.Add(1) }))
	defer receiver.Close()
	port := receiver.Listener.Addr().(*net.TCPAddr).Port

	zone := map[string][]string{
		"link.test.":         {"169.254.169.254"},
		"low.test.":          {"169.254.0.1"},
		"ecs.test.":          {"169.254.170.2"},
		"alibaba.test.":      {"100.100.100.200"},
		"azure.test.":        {"168.63.129.16"},
		"oracle.test.":       {"192.0.0.192"},
		"zero.test.":         {"0.0.0.0"},
		"multicast.test.":    {"224.0.0.251"},
		"broadcast.test.":    {"255.255.255.255"},
		"aws6.test.":         {"fd00:ec2::254"},
		"google6.test.":      {"fd20:ce::254"},
		"link6.test.":        {"fe80::a9fe:a9fe"},
		"none6.test.":        {"::"},
		"mapped.test.":       {"::ffff:169.254.169.254"},
		"compatible.test.":   {"::169.254.169.254"},
		"nat64.test.":        {"64:ff9b::a9fe:a9fe"},
		"localnat64.test.":   {"64:ff9b:1::a9fe:a9fe"},
		"6to4.test.":         {"2002:a9fe:a9fe::1"},
		"teredo.test.":       {"2001:0:a9fe:a9fe::1"},
		"several.test.":      {"169.254.169.254", "fd00:ec2::254", "100.100.100.200"},
		"alias.test.":        {"=link.test."},
		"metadata.internal.": {"169.254.169.254"},
	}
	resolver := serveDNS(t, func(name string, _ int) []string { return zone[name] })
	for name := range zone {
		for _, host := range []string{strings.TrimSuffix(name, "."), strings.ToUpper(name)} {
			target := newTarget(t, webhook.Options{URL: fmt.Sprintf("http://%s:%d/", host, port), Resolver: resolver})
			var at *webhook.AddressError
			err := target.Deliver(t.Context(), message)
			if errors.Is(err, syscall.EAFNOSUPPORT) && strings.Contains(zone[name][0], ":") {
				continue // a machine that has no IPv6 sends nothing there
			}
			if !errors.As(err, &at) {
				t.Errorf("%s: %v", host, err)
			}
		}
	}
	if n := taken.Load(); n != 0 {
		t.Errorf("%d messages arrived", n)
	}

	t.Run("a good address beside a bad one is used", func(t *testing.T) {
		resolver := serveDNS(t, func(string, int) []string { return []string{"169.254.169.254", "127.0.0.1"} })
		target := newTarget(t, webhook.Options{URL: fmt.Sprintf("http://both.test:%d/", port), Resolver: resolver})
		if err := target.Deliver(t.Context(), message); err != nil || taken.Load() != 1 {
			t.Errorf("%v, %d arrived", err, taken.Load())
		}
	})
}

// TestRebinding: a name that stands for a good address first and for a bad one
// later is refused then.
func TestRebinding(t *testing.T) {
	var taken atomic.Int32
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		taken.Add(1)
		w.Header().Set("Connection", "close")
	}))
	defer receiver.Close()
	resolver := serveDNS(t, func(_ string, asked int) []string {
		if asked == 0 {
			return []string{"127.0.0.1"}
		}
		return []string{"169.254.169.254"}
	})
	target := newTarget(t, webhook.Options{
		URL: fmt.Sprintf("http://rebind.test:%d/", receiver.Listener.Addr().(*net.TCPAddr).Port), Resolver: resolver,
	})
	if err := target.Deliver(t.Context(), message); err != nil {
		t.Fatalf("first: %v", err)
	}
	for i := range 3 {
		var at *webhook.AddressError
		if err := target.Deliver(t.Context(), message); !errors.As(err, &at) || at.Addr != netip.MustParseAddr("169.254.169.254") {
			t.Errorf("later %d: %v", i, err)
		}
	}
	if n := taken.Load(); n != 1 {
		t.Errorf("%d messages arrived, want 1", n)
	}
}

// TestRedirects: no answer sends a message elsewhere, wherever that is.
func TestRedirects(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()

	locations := append(lines(t, "forgery.txt"), other.URL, "/", "//"+strings.TrimPrefix(other.URL, "http://"), "")
	for _, code := range []int{300, 301, 302, 303, 304, 305, 307, 308, 399} {
		var location atomic.Value
		first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if l := location.Load().(string); l != "" {
				w.Header()["Location"] = []string{strings.ReplaceAll(l, "\t", " ")}
			}
			w.WriteHeader(code)
		}))
		target := newTarget(t, webhook.Options{URL: first.URL})
		for _, l := range locations {
			location.Store(l)
			err := target.Deliver(t.Context(), message)
			var refusal *delivery.Refusal
			if !errors.As(err, &refusal) || !strings.Contains(refusal.Reason, "redirects are not followed") || refusal.Gone {
				t.Errorf("%d to %q: %v", code, l, err)
			}
		}
		first.Close()
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("%d messages were sent elsewhere", n)
	}
}

// TestProxy: the environment's proxy, which would look up names itself, is not
// used; one that is asked for is, and names are then its business.
func TestProxy(t *testing.T) {
	var direct, proxied atomic.Int32
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { direct.Add(1) }))
	defer receiver.Close()
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { proxied.Add(1) }))
	defer proxy.Close()
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	o := webhook.Options{
		URL:      fmt.Sprintf("http://receiver.test:%d/", receiver.Listener.Addr().(*net.TCPAddr).Port),
		Resolver: serveDNS(t, func(string, int) []string { return []string{"127.0.0.1"} }),
	}
	if err := newTarget(t, o).Deliver(t.Context(), message); err != nil || direct.Load() != 1 || proxied.Load() != 0 {
		t.Errorf("%v, %d came directly and %d by the proxy", err, direct.Load(), proxied.Load())
	}
	o.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(proxy.URL) }
	if err := newTarget(t, o).Deliver(t.Context(), message); err != nil || direct.Load() != 1 || proxied.Load() != 1 {
		t.Errorf("%v, %d came directly and %d by the proxy that was asked for", err, direct.Load(), proxied.Load())
	}
}

func newTarget(t testing.TB, o webhook.Options) *webhook.Target {
	t.Helper()
	target, err := webhook.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = target.Close() })
	return target
}

// deliver is Deliver in a test that goes on.
func deliver(t testing.TB, o webhook.Options) error {
	t.Helper()
	return newTarget(t, o).Deliver(context.WithoutCancel(t.Context()), message)
}
