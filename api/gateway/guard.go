package gateway

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"google.golang.org/grpc/status"

	"github.com/varvehq/varve/api/internal/fault"
)

// guard lets only those requests pass that were meant for us by who sent them.
// A page from elsewhere can make a browser send requests to a loopback address;
// two headers tell such requests apart:
//
//   - Host. A name that an attacker points at 127.0.0.1 (DNS rebinding) makes his
//     page same-origin with us, but the browser still sends his name. Known are
//     localhost and loopback addresses with our port, the names for which our
//     certificate is valid with the same port, and the hosts of [Options].
//   - Origin, or Sec-Fetch-Site: what comes from a page of another origin is
//     refused, whatever its method, since answers here have no public part.
//
// Programs that are no browsers send neither Origin nor Sec-Fetch-Site. After
// that it is asked who they are.
type guard struct {
	port         string
	secure       bool
	hosts        []string
	vouched      func(name string) bool
	authenticate func(r *http.Request) error
	another      Protocol // may be nil
	next         http.Handler
	fail         func(w http.ResponseWriter, r *http.Request, err error)
}

var (
	errHost   = fault.UnknownHost.Because("the Host header names neither a loopback address with this port nor a configured host")
	errOrigin = fault.ForeignOrigin.Because("requests of pages from elsewhere are refused")
)

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	another := g.another != nil && r.Method == http.MethodPost && r.URL.Path == "/"
	if err := g.meant(r); err != nil {
		if another {
			g.another.Refuse(w, status.Convert(err).Message())
			return
		}
		g.fail(w, r, err)
		return
	}
	if g.authenticate != nil && !another {
		if err := g.authenticate(r); err != nil {
			g.fail(w, r, fault.Unauthenticated.Because(err.Error()))
			return
		}
	}
	g.next.ServeHTTP(w, r)
}

// meant returns why a request was not meant for us by who sent it.
func (g *guard) meant(r *http.Request) error {
	if !g.known(r.Host) {
		return errHost
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
		return errOrigin
	}
	for _, origin := range r.Header.Values("Origin") {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || !g.known(u.Host) {
			return errOrigin
		}
	}
	return nil
}

// known reports whether host, perhaps with a port, is a name of ours.
func (g *guard) known(host string) bool {
	host = strings.ToLower(host)
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), "80"
		if g.secure {
			port = "443"
		}
	}
	if slices.Contains(g.hosts, host) || slices.Contains(g.hosts, name) {
		return true
	}
	if port != g.port {
		return false
	}
	addr, err := netip.ParseAddr(name)
	return name == "localhost" || err == nil && addr.IsLoopback() || g.vouched != nil && g.vouched(name)
}
