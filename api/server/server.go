// Package server answers gRPC, on a history.Store, a recorder, history/diff and the
// graph. It translates and decides nothing about histories; what it decides itself
// is how questions are paged, capped, masked and put together.
package server

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/stats"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

// MaxMessage is the largest request in bytes that is received, and what a client
// should allow for answers: two versions of the largest document fit.
const MaxMessage = 64 << 20

// A request for bulk is half a megabyte and more, with several of them under way:
// gRPC's own 32 KiB of buffer and 64 KiB of window make dozens of pieces of each.
const (
	readBuffer = 128 << 10
	window     = 4 << 20
)

// Recorder takes observations as a source wrote them and records them: its own
// refusals stand among the results, in the order of the batch.
type Recorder interface {
	Record(ctx context.Context, b history.Batch) (history.Receipt, error)
	// Ready does what of Record needs not wait for the batches before it, and
	// returns what does the rest.
	Ready(ctx context.Context, b history.Batch) (record func(context.Context) (history.Receipt, error), err error)
	OpenRun(ctx context.Context, r history.Run) (history.Run, error)
	CloseRun(ctx context.Context, id history.RunID, how history.Disposal, reason string) (history.Run, error)
}

// Options of a server; the zero value works.
type Options struct {
	Version    string           // of the daemon, as GetStatus tells it
	Logger     *slog.Logger     // default: none
	Authorizer Authorizer       // default: Everyone
	Now        func() time.Time // default: time.Now

	// Compliance answers about rules. Default: none are evaluated, and none put, for
	// which NoCompliance tells the reason. Default: it is not implemented.
	Compliance   *Compliance
	NoCompliance error

	// Subscriptions answers for those. Default: there are none, and none can be made.
	Subscriptions Subscriptions

	// Authenticate tells who asks by the values of the authorization header, or
	// why not, in a text for the client. It is asked before anything else of a
	// call is received, must not block, and spares checks of health.
	// Default: everybody is Local.
	Authenticate func(authorization []string) (Principal, error)

	// Observe is called once per call that came to its end. A method that is not
	// ours is told as "unknown". Default: nobody is told.
	Observe func(method string, code codes.Code, took time.Duration)

	// Feed tells the events of the store; others may read it as well. What erases
	// versions by another way than this server makes it forget them.
	// Default: one of our own.
	Feed *feed.Source

	// GraphCache is how many bytes are taken at most to remember who uses what.
	// Default: graph.DefaultCacheBytes.
	GraphCache int

	Slow  time.Duration // calls that take longer are logged. Default 0: none is
	Stats stats.Handler // sees what goes over the wire, as tracing does. Default: none
}

// Server is the gRPC door. Make one with New.
type Server struct {
	store    history.Store
	feed     *feed.Source
	recorder Recorder
	users    *graph.Cache
	opts     Options
	grpc     *grpc.Server
	health   *probe
	methods  map[string]bool // full names of all that is served

	draining context.Context // done when Drain was called
	drain    context.CancelFunc

	lineageOnce sync.Mutex
	lineage     *lineage // see lineageOf
}

// New makes a server of all services, of health and of reflection. The store and
// the recorder stay the caller's to close.
func New(store history.Store, recorder Recorder, opts Options) *Server {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Authorizer == nil {
		opts.Authorizer = Everyone{}
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.NoCompliance == nil {
		opts.NoCompliance = lacks("evaluate rules")
	}
	if opts.Feed == nil {
		opts.Feed = feed.NewSource(store, feed.Options{})
	}
	s := &Server{
		store: store, feed: opts.Feed, recorder: recorder, users: graph.NewCache(store, opts.GraphCache),
		opts: opts, health: newProbe(store, opts.Logger),
	}
	s.draining, s.drain = context.WithCancel(context.Background())
	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(MaxMessage),
		grpc.ConnectionTimeout(10 * time.Second), // to say hello, TLS included
		grpc.ForceServerCodecV2(newCodec()),
		grpc.ReadBufferSize(readBuffer),
		grpc.InitialWindowSize(window),
		grpc.InitialConnWindowSize(window),
		grpc.UnaryInterceptor(s.unary),
		grpc.StreamInterceptor(s.stream),
		// A client that waits for changes may look whether we still live.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
	}
	if opts.Authenticate != nil {
		options = append(options, grpc.InTapHandle(s.admit))
	}
	if opts.Stats != nil {
		options = append(options, grpc.StatsHandler(opts.Stats))
	}
	s.grpc = grpc.NewServer(options...)
	varvev1.RegisterRecorderServiceServer(s.grpc, &recorderService{Server: s})
	varvev1.RegisterRunServiceServer(s.grpc, &runService{Server: s})
	varvev1.RegisterHistoryServiceServer(s.grpc, &historyService{Server: s})
	varvev1.RegisterGraphServiceServer(s.grpc, &graphService{Server: s})
	varvev1.RegisterWatchServiceServer(s.grpc, &watchService{Server: s})
	varvev1.RegisterMaintenanceServiceServer(s.grpc, &maintenanceService{Server: s})
	varvev1.RegisterComplianceServiceServer(s.grpc, &complianceService{Server: s})
	varvev1.RegisterSubscriptionServiceServer(s.grpc, &subscriptionService{Server: s})
	for name := range s.grpc.GetServiceInfo() {
		s.health.add(name)
	}
	healthv1.RegisterHealthServer(s.grpc, s.health)
	reflection.Register(s.grpc)
	s.methods = map[string]bool{}
	for name, service := range s.grpc.GetServiceInfo() {
		for _, method := range service.Methods {
			s.methods["/"+name+"/"+method.Name] = true
		}
	}
	return s
}

// Serve answers on a listener, which it closes, until Stop. It may be called for
// several listeners.
func (s *Server) Serve(l net.Listener) error { return s.grpc.Serve(l) }

// Drain asks those who wait to leave: health says so, waiting questions are
// answered with what there is, streams of batches end with UNAVAILABLE after the
// batch under way, and streams of changes after the last position.
func (s *Server) Drain() {
	s.health.Shutdown()
	s.drain()
}

// Stop drains, waits for what is under way, and reports whether that came to its
// end. When ctx is done first, what is left is cut off.
func (s *Server) Stop(ctx context.Context) bool {
	s.Drain()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.grpc.GracefulStop()
	}()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		s.grpc.Stop()
		<-done
		return false
	}
}
