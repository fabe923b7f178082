package route_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/feed"
	"github.com/varvehq/varve/recorder/delivery/route"
)

const secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

func TestCheck(t *testing.T) {
	folder := "file://" + t.TempDir()
	signed := []delivery.Secret{{Value: secret}}
	for _, test := range []struct {
		name string
		s    delivery.Subscription
		want string // of the error; empty: OK
	}{
		{"OK: webhook", delivery.Subscription{Target: "https://ops.example/hook", Secrets: signed, Gzip: true, Timeout: time.Second}, ""},
		{"OK: file", delivery.Subscription{Target: folder + "/changes.ndjson", Gzip: true, Rotate: delivery.Rotation{Bytes: 1 << 20, Keep: 3}}, ""},
		{"OK: stdout", delivery.Subscription{Target: "file:-"}, ""},
		{"OK: a batch", delivery.Subscription{Target: "http://127.0.0.1:9/", Format: "cloudevents-batch", Batch: 100}, ""},
		{"No target", delivery.Subscription{}, "target is required"},
		{"No such scheme", delivery.Subscription{Target: "ftp://x/y"}, `target "ftp://x/y": is no target`},
		{"A metadata address", delivery.Subscription{Target: "http://169.254.169.254/latest"}, "target"},
		{"No such folder", delivery.Subscription{Target: folder + "/none/x"}, "make the folder first"},
		{"No such format", delivery.Subscription{Target: "https://x/y", Format: "cloudevent"}, "did you mean cloudevents"},
		{"Slack in a file", delivery.Subscription{Target: folder + "/x", Format: "slack"}, `format "slack": does not go into files`},
		{"A batch of what is sent alone", delivery.Subscription{Target: "https://x/y", Batch: 2}, "batch 2: does not go with format cloudevents"},
		{"Too large a batch", delivery.Subscription{Target: "https://x/y", Format: "cloudevents-batch", Batch: 101}, "at most 100"},
		{"A signed file", delivery.Subscription{Target: folder + "/x", Secrets: signed}, "secret does not go with a file"},
		{"A bad secret", delivery.Subscription{Target: "https://x/y", Secrets: []delivery.Secret{{Value: "hunter2"}}}, "secret does not begin with whsec_"},
		{"Rotation of a webhook", delivery.Subscription{Target: "https://x/y", Rotate: delivery.Rotation{Keep: 1}}, "rotation is of files"},
		{"Rotation of stdout", delivery.Subscription{Target: "file:-", Gzip: true}, "leave them out for standard output"},
		{"A setting given twice", delivery.Subscription{Target: folder + "/x?keep=3", Rotate: delivery.Rotation{Keep: 4}}, `target "keep=3": is given as an option, too`},
		{"A bad filter", delivery.Subscription{Target: "https://x/y", Filter: "typ == 1"}, "filter does not hold a condition"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := route.Options{}.Check(&test.s)
			if test.want == "" {
				if err != nil || test.s.Format == "" {
					t.Errorf("got %v, format %q", err, test.s.Format)
				}
				return
			}
			if !errors.Is(err, history.Invalid) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("the error tells the secret")
			}
		})
	}
}

func notice() *delivery.Notice {
	key := history.Key{Type: "T", ID: "a"}
	item := history.Item{Key: key, Version: 1, State: history.State{Configuration: []byte(`{"a":1}`)}}
	return &delivery.Notice{
		Event:        feed.New(history.Change{Seq: 1, Revision: 1, Kind: history.Created, Key: key, Version: 1, RecordedAt: 1, CapturedAt: 1}, history.Item{}, item),
		Subscription: "ops", Attempt: 1,
	}
}

func TestOpen(t *testing.T) {
	send := func(t *testing.T, s delivery.Subscription, o route.Options) {
		t.Helper()
		if err := o.Check(&s); err != nil {
			t.Fatal(err)
		}
		f, target, err := o.Open(s)
		if err != nil {
			t.Fatal(err)
		}
		defer target.Close()
		m, err := f.Encode([]*delivery.Notice{notice()}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if err := target.Deliver(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("A webhook, signed", func(t *testing.T) {
		var got http.Header
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
		defer server.Close()
		send(t, delivery.Subscription{Target: server.URL, Secrets: []delivery.Secret{{Value: secret}}}, route.Options{UserAgent: "varve/test"})
		if got.Get("Webhook-Signature") == "" || got.Get("User-Agent") != "varve/test" || !strings.HasPrefix(got.Get("Content-Type"), "application/cloudevents+json") {
			t.Errorf("got %v", got)
		}
	})
	t.Run("A file, with settings", func(t *testing.T) {
		name := filepath.Join(t.TempDir(), "changes.ndjson")
		s := delivery.Subscription{Target: "file://" + name, Rotate: delivery.Rotation{Bytes: 1 << 10, Keep: 1}}
		for range 4 {
			send(t, s, route.Options{})
		}
		text, err := os.ReadFile(name)
		if err != nil || !strings.HasPrefix(string(text), "{") {
			t.Errorf("got %s, %v", text, err)
		}
		all, err := filepath.Glob(name + "*")
		if err != nil || len(all) != 2 {
			t.Errorf("rotated into %v, %v", all, err)
		}
	})
}
