package awsconfig_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/configservice"

	"github.com/varvehq/varve/api/awsconfig"
	"github.com/varvehq/varve/api/awsconfig/sigv4"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memory"
	"github.com/varvehq/varve/recorder"
	"github.com/varvehq/varve/recorder/delivery/snapshot"
	"github.com/varvehq/varve/recorder/settings"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/managed"
	"github.com/varvehq/varve/rules/recorded"
)

// The account and region of clients, unless a test says otherwise.
const (
	account = "123456789012"
	region  = "eu-west-1"
	secret  = "the-secret-of-every-key"
)

// world is a door over a store, with all that is behind it.
type world struct {
	t        *testing.T
	clock    *clock
	store    *memory.Store
	recorder *recorder.Recorder
	engine   *engine.Engine
	settings *settings.Settings
	snapshot *snapshot.Deliverer // delivers when it is told to
	buckets  string              // the folder into which
	options  awsconfig.Options   // of the door
	url      string
}

// clock is a time that tests move.
type clock struct{ at atomic.Int64 }

func (c *clock) Now() time.Time          { return time.UnixMicro(c.at.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.at.Add(d.Microseconds()) }
func (c *clock) moment() history.Moment  { return history.Moment(c.at.Load()) }

// open makes a world, at noon of a day in July.
func open(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{}}
	w.clock.at.Store(time.Date(2026, 7, 18, 12, 0, 0, 0, time.UTC).UnixMicro())
	linker := graph.NewLinker()
	w.store = memory.New(memory.Options{Linker: linker, Now: w.clock.Now, StoreID: [16]byte{1, 2, 3}})
	w.recorder = recorder.New(w.store, recorder.Options{Now: w.clock.Now})
	w.settings = settings.New(w.store, w.clock.Now)
	var err error
	if w.engine, err = engine.New(t.Context(), engine.Options{Store: w.store, Language: managed.Language{}, Graph: around{}, Now: w.clock.Now}); err != nil {
		t.Fatal(err)
	}
	following, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := w.engine.Run(following); err != nil {
			t.Error(err)
		}
	}()
	w.buckets = t.TempDir()
	place, err := snapshot.NewDirectory(w.buckets)
	if err != nil {
		t.Fatal(err)
	}
	w.snapshot = snapshot.New(snapshot.Options{Store: w.store, Settings: w.settings, Place: place, Now: w.clock.Now, Temp: t.TempDir()})
	w.options = awsconfig.Options{
		Store: w.store, Recorder: w.recorder, Settings: w.settings, Snapshots: w.snapshot, Now: w.clock.Now,
		Rules: &awsconfig.Rules{
			Engine: w.engine, Shelf: recorded.New(w.store), Graph: around{}, Linker: linker, Prepare: w.recorder.Prepare,
			Documents: w.store,
		},
		Authenticate: awsconfig.Signed(&sigv4.Verifier{Service: awsconfig.Service, Find: keys, Now: w.clock.Now}),
	}
	server := httptest.NewServer(awsconfig.New(w.options))
	w.url = server.URL
	t.Cleanup(func() {
		server.Close()
		stop()
		<-done
		_ = w.store.Close()
	})
	return w
}

// keys are those of all accounts: the id is the account, the secret always the same.
// The accounts of some samples have a digit less or more than AWS's.
func keys(id string) (sigv4.Key, bool) {
	return sigv4.Key{ID: id, Secret: secret, Account: id}, len(id) >= 11 && strings.Trim(id, "0123456789") == ""
}

// signer signs at the time of a world.
type signer struct {
	*v4.Signer
	clock *clock
}

func (s signer) SignHTTP(ctx context.Context, c aws.Credentials, r *http.Request, payload, service, region string, _ time.Time, options ...func(*v4.SignerOptions)) error {
	return s.Signer.SignHTTP(ctx, c, r, payload, service, region, s.clock.Now(), options...)
}

// client is one of AWS's own, in the usual account and region.
func (w *world) client() *configservice.Client { return w.clientOf(account, region) }

func (w *world) clientOf(account, region string) *configservice.Client {
	return configservice.New(configservice.Options{
		Region:           region,
		BaseEndpoint:     aws.String(w.url),
		Credentials:      credentials.NewStaticCredentialsProvider(account, secret, ""),
		HTTPSignerV4:     signer{v4.NewSigner(), w.clock},
		HTTPClient:       whole{},
		RetryMaxAttempts: 1,
	})
}

// ownClient has a transport of its own: closing any httptest.Server closes idle
// connections of net/http's, which a test beside may have just taken up.
var ownClient = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}

// whole is an HTTP client that has read an answer when it returns it. AWS's own
// closes the body of the request then; if that had more than 4 KiB, and was answered
// before net/http noticed its end, net/http takes the closed body for a failed one and
// drops the connection, with what is left of the answer.
type whole struct{}

func (whole) Do(r *http.Request) (*http.Response, error) {
	answer, err := ownClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	answer.Body = io.NopCloser(bytes.NewReader(text))
	return answer, err
}

// around shows rules who uses what.
type around struct{}

func (around) Related(ctx context.Context, r history.Reader, k history.Key) (engine.Neighbours, error) {
	a, err := graph.At(r).Around(ctx, k, graph.Outgoing)
	return engine.Neighbours(a), err
}

func (around) Referrers(ctx context.Context, r history.Reader, k history.Key) (engine.Neighbours, error) {
	a, err := graph.At(r).Around(ctx, k, graph.Incoming)
	return engine.Neighbours(a), err
}

func (around) Touched(k history.Key, before, after *history.State) []string {
	return graph.Touched(k, before, after)
}
