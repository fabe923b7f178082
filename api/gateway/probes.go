package gateway

import (
	"io"
	"net/http"
)

// Where those ask who watch over the daemon.
const (
	livePath  = "/livez"  // the process answers
	readyPath = "/readyz" // the store answers and takes writes: what gRPC's health service says
)

// probes answers those who watch, by whatever name or address they reach us and
// without knowing who they are: they learn nothing but yes or no. All else goes on
// to next.
func probes(ready, next http.Handler) http.Handler {
	ready = bounded(ready)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case livePath, readyPath, "/healthz":
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Header().Set("Cache-Control", "no-store")
			if r.URL.Path != livePath || r.Method != http.MethodGet && r.Method != http.MethodHead {
				ready.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"status":"SERVING"}`)
		default:
			next.ServeHTTP(w, r)
		}
	})
}
