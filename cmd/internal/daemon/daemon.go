// Package daemon puts the parts together: a store, the recorder before it, the
// gRPC and HTTP doors before that, and what has to be done from time to time.
package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"

	"github.com/varvehq/varve/api/gateway"
	"github.com/varvehq/varve/api/server"
	"github.com/varvehq/varve/cmd/internal/accesskey"
	"github.com/varvehq/varve/cmd/internal/certificate"
	"github.com/varvehq/varve/cmd/internal/config"
	"github.com/varvehq/varve/cmd/internal/metrics"
	"github.com/varvehq/varve/cmd/internal/token"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/recorder"
	"github.com/varvehq/varve/recorder/canonical"
	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/feed"
	"github.com/varvehq/varve/recorder/delivery/snapshot"
	"github.com/varvehq/varve/recorder/settings"
	"github.com/varvehq/varve/rules/conformance"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/recorded"
)

// Where a daemon listens unless it is told otherwise.
const (
	DefaultGRPCAddr = config.GRPCAddr
	DefaultHTTPAddr = config.HTTPAddr
)

// Options of a daemon. Dir is needed, or a Store.
type Options struct {
	Dir      string // folder of the store; made if it is not there
	GRPCAddr string // host:port; port 0 takes a free one. Default DefaultGRPCAddr
	HTTPAddr string // as above. Default DefaultHTTPAddr

	// Hosts are names besides those of loopback under which HTTP requests may
	// address the daemon, as a proxy in front of it passes them on.
	Hosts []string

	// TokenFile, if set, names the tokens without which nobody may ask; CertFile
	// and KeyFile the certificate of both doors. Only with all of them may the
	// addresses lie beyond loopback.
	TokenFile         string
	CertFile, KeyFile string

	AWS AWS // who may ask in AWS Config's protocol

	Logger  *slog.Logger         // default: none
	Version string               // as GetStatus tells it
	Commit  string               // as the metrics tell it, besides Version
	Now     func() time.Time     // default: time.Now
	Slow    time.Duration        // calls that take longer are logged. Default 0: none is
	Traces  trace.TracerProvider // default: no traces. It stays the caller's to shut down
	Pprof   bool                 // profiles at /debug/pprof/

	Delivery Delivery // of changes to subscriptions
	Buckets  Buckets  // of AWS Config's delivery channels

	Managed conformance.Catalogue // of the managed rules of packs. Default: what this program computes

	Documents canonical.Limits // of each JSON document; default those of its package
	Tuning    bolt.Options     // of the store in Dir; Now, Logger, LockTimeout and Linker are ours

	GraphCache int // bytes to remember who uses what. Default graph.DefaultCacheBytes

	SweepEvery time.Duration // how often runs are looked at for their deadline. Default 1 minute
	FoldEvery  time.Duration // how often old sightings are folded. Default 1 day
	FoldAfter  time.Duration // how long ago those were recorded. Default 30 days
	Store      history.Store // instead of one in Dir. The daemon closes it
}

// Daemon is one running program: New, Start once, Stop once.
type Daemon struct {
	o         Options
	store     history.Store
	recorder  *recorder.Recorder
	shelf     *recorded.Shelf // nil: there are no rules
	feed      *feed.Source
	deliverer *delivery.Deliverer // nil: the store keeps no subscriptions
	settings  *settings.Settings  // nil: the store keeps none
	snapshots *snapshot.Deliverer // nil: the store keeps no delivery channels
	server    *server.Server
	conn      *grpc.ClientConn // from the HTTP to the gRPC door
	http      *http.Server
	metrics   *metrics.Metrics
	tokens    *token.File       // nil: everybody may ask
	keys      *accesskey.File   // of AWS Config's protocol; nil: none
	pair      *certificate.Pair // nil: no TLS

	grpcListener, httpListener net.Listener

	engine    *engine.Engine // nil: the store keeps no rules, or see noRules
	noRules   error          // why there are none that the store keeps; nil: it keeps none
	stopRules func()         // returns when they are no longer evaluated

	stop context.CancelFunc // ends what goes on in the background
	work sync.WaitGroup     // goroutines of this daemon

	started bool
}

// New makes a daemon that has not started.
func New(o Options) *Daemon {
	if o.GRPCAddr == "" {
		o.GRPCAddr = DefaultGRPCAddr
	}
	if o.HTTPAddr == "" {
		o.HTTPAddr = DefaultHTTPAddr
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.AWS.Account == "" {
		o.AWS.Account = config.Default().AWS.Account
	}
	if o.SweepEvery <= 0 {
		o.SweepEvery = time.Minute
	}
	if o.FoldEvery <= 0 {
		o.FoldEvery = 24 * time.Hour
	}
	if o.FoldAfter <= 0 {
		o.FoldAfter = 30 * 24 * time.Hour
	}
	return &Daemon{o: o, stop: func() {}, stopRules: func() {}}
}

// Start opens the store, listens, and returns when both doors answer, which it
// logs as "ready". An error leaves nothing behind: history.Invalid for an address
// that others can reach without the protection which that takes, history.Locked
// for a store that another process has.
func (d *Daemon) Start(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			d.abandon()
		}
	}()
	for _, a := range []struct{ flag, addr string }{{"--grpc-addr", d.o.GRPCAddr}, {"--http-addr", d.o.HTTPAddr}} {
		if err := d.checkAddr(a.flag, a.addr); err != nil {
			return err
		}
	}
	if err := d.checkAWS(); err != nil {
		return err
	}
	if err := d.loadSecrets(); err != nil {
		return err
	}
	if err := d.probe(ctx); err != nil {
		return err
	}
	if d.store = d.o.Store; d.store == nil {
		if d.store, err = open(d.o); err != nil {
			return err
		}
	}
	if err := d.startRules(ctx); err != nil {
		return err
	}
	if d.grpcListener, err = d.listen(ctx, "--grpc-addr", d.o.GRPCAddr); err != nil {
		return err
	}
	if d.httpListener, err = d.listen(ctx, "--http-addr", d.o.HTTPAddr); err != nil {
		return err
	}
	if err := d.checkAWS(); err != nil { // now that the name of the host is an address
		return err
	}
	if err := d.startDelivery(ctx); err != nil {
		return err
	}
	if documents, ok := history.Power[history.Documents](d.store); ok {
		d.settings = settings.New(documents, d.o.Now)
	}
	if err := d.startSnapshots(); err != nil {
		return err
	}
	if err := d.openDoors(); err != nil {
		return err
	}
	if err := d.answers(ctx); err != nil {
		return err
	}
	background, stop := context.WithCancel(context.Background())
	d.stop = stop
	d.work.Go(func() { d.sweep(background) })
	d.work.Go(func() { d.watch(background) })
	if d.snapshots != nil {
		d.work.Go(func() { d.deliverSnapshots(background) })
	}
	if folder, ok := d.store.(history.Folder); ok {
		d.work.Go(func() { d.fold(background, folder) })
	}
	d.started = true
	d.tellDoors()
	d.o.Logger.Info("ready", "grpc", d.GRPCAddr(), "http", d.HTTPAddr())
	return nil
}

// probe refuses addresses that are taken, or that others can reach, where a store is
// yet to be made: none is left behind. One that is there is opened first, which may
// take long: nobody listens who does not answer.
func (d *Daemon) probe(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(d.o.Dir, bolt.FileName)); d.o.Store != nil || err == nil {
		return nil
	}
	for _, a := range []struct{ flag, addr string }{{"--grpc-addr", d.o.GRPCAddr}, {"--http-addr", d.o.HTTPAddr}} {
		l, err := d.listen(ctx, a.flag, a.addr)
		if err != nil {
			return err
		}
		defer l.Close() // when all were probed: two may be the same
	}
	return nil
}

// open opens the store in the folder. A function of its own, so that a nil
// *bolt.Store never hides in an interface.
func open(o Options) (history.Store, error) {
	o.Tuning.Now, o.Tuning.Logger, o.Tuning.LockTimeout = o.Now, o.Logger, time.Second
	o.Tuning.Linker = graph.NewLinker()
	store, err := bolt.Open(o.Dir, o.Tuning)
	if err != nil {
		return nil, err
	}
	return store, nil
}

// openDoors serves gRPC, and HTTP by way of gRPC.
func (d *Daemon) openDoors() error {
	d.metrics = d.newMetrics()
	d.recorder = recorder.New(d.traced(d.store), recorder.Options{Limits: d.o.Documents, Now: d.o.Now})
	d.server = server.New(d.store, counted{d.recorder, d.metrics}, d.serverOptions())
	d.serve("gRPC", func() error { return d.server.Serve(d.secured(d.grpcListener)) })

	var err error
	if d.conn, err = d.server.Connect(d.wire(clientSide)); err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(d.HTTPAddr())
	options := gateway.Options{
		Port: port, Hosts: d.o.Hosts, Pages: d.pages(), OpenAPI: varvev1.OpenAPI, Version: d.o.Version,
	}
	if door := d.awsDoor(); door != nil {
		options.Another = door
	}
	d.protect(&options)
	handler, err := gateway.New(d.conn, options)
	if err != nil {
		return err
	}
	d.http = &http.Server{
		Handler: d.metrics.HTTP(d.tracedHTTP(handler)),
		// Bodies and answers have no limit as a whole: the gateway limits how
		// long they stall.
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(d.o.Logger.Handler(), slog.LevelWarn),
	}
	d.serve("HTTP", func() error { return d.serveHTTP() })
	return nil
}

func (d *Daemon) serve(door string, serve func() error) {
	d.work.Go(func() {
		if err := serve(); err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, grpc.ErrServerStopped) {
			d.o.Logger.Error("stopped answering", "door", door, "err", err)
		}
	})
}

// GRPCAddr is where gRPC is answered, with the port in force; empty before Start.
func (d *Daemon) GRPCAddr() string { return addrOf(d.grpcListener) }

// HTTPAddr is where HTTP is answered, as above.
func (d *Daemon) HTTPAddr() string { return addrOf(d.httpListener) }

func addrOf(l net.Listener) string {
	if l == nil {
		return ""
	}
	return l.Addr().String()
}

// sweep aborts runs whose deadline has come.
func (d *Daemon) sweep(ctx context.Context) {
	tick := time.NewTicker(d.o.SweepEvery)
	defer tick.Stop()
	for {
		aborted, err := d.recorder.Sweep(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			d.o.Logger.Error("runs could not be swept", "err", err)
		case aborted > 0:
			d.o.Logger.Info("runs timed out", "aborted", aborted)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
