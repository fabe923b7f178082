package webhook_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/webhook"
)

// BenchmarkDeliver sends a message of 3,500 bytes to a local receiver, 16 at
// once, and beside it, as bare, the same bytes by an http.Client that signs and
// checks nothing.
func BenchmarkDeliver(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
	}))
	defer s.Close()
	m := delivery.Message{ID: "msg_0123456789abcdef", ContentType: "application/cloudevents+json", Body: bytes.Repeat([]byte(`{"configuration":"x"}`), 3500/21)}

	measure := func(name string, send func() error) {
		b.Run(name, func(b *testing.B) {
			b.SetParallelism(8) // of 2 processors
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := send(); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
		})
	}
	bare := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	measure("bare", func() error {
		resp, err := bare.Post(s.URL, m.ContentType, bytes.NewReader(m.Body))
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.Body.Close()
	})
	plain := newTarget(b, webhook.Options{URL: s.URL})
	measure("unsigned", func() error { return plain.Deliver(b.Context(), m) })
	signed := newTarget(b, webhook.Options{URL: s.URL, Secrets: []string{secretOf(1, 32)}})
	measure("signed", func() error { return signed.Deliver(b.Context(), m) })
	packed := newTarget(b, webhook.Options{URL: s.URL, Secrets: []string{secretOf(1, 32)}, Gzip: true})
	measure("signed and compressed", func() error { return packed.Deliver(b.Context(), m) })
}
