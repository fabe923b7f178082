package server

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/varvehq/varve/history"
)

// probe is the health service. It does not believe what it was told once: each
// check asks the store, and those who watch learn of it when that changes. All
// services live and fall together, since all of them stand on the store. One whose
// disk is full serves, see history.Prober: its metrics tell of that.
type probe struct {
	*health.Server
	store history.Store
	log   *slog.Logger

	mu       sync.Mutex
	services []string
	down     bool // as the last check found it
}

// probeTime is how long the store may take to say that it is well.
const probeTime = 2 * time.Second

func newProbe(store history.Store, log *slog.Logger) *probe {
	return &probe{Server: health.NewServer(), store: store, log: log, services: []string{""}}
}

// add makes a service known.
func (p *probe) add(service string) {
	p.services = append(p.services, service)
	p.SetServingStatus(service, healthv1.HealthCheckResponse_SERVING)
}

// Check implements the health service.
func (p *probe) Check(ctx context.Context, req *healthv1.HealthCheckRequest) (*healthv1.HealthCheckResponse, error) {
	p.look(ctx)
	return p.Server.Check(ctx, req)
}

// List implements the health service.
func (p *probe) List(ctx context.Context, req *healthv1.HealthListRequest) (*healthv1.HealthListResponse, error) {
	p.look(ctx)
	return p.Server.List(ctx, req)
}

// look asks the store. After Shutdown nothing that it finds is told.
func (p *probe) look(ctx context.Context) {
	// The cause, if the caller gives up first, is not the store's.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTime)
	defer cancel()
	_, err := p.store.Head(ctx)
	if prober, ok := p.store.(history.Prober); ok && err == nil {
		err = prober.Probe(ctx)
	}

	p.mu.Lock()
	defer p.mu.Unlock()
	if down := err != nil; down == p.down {
		return
	}
	p.down = err != nil
	status := healthv1.HealthCheckResponse_SERVING
	if p.down {
		status = healthv1.HealthCheckResponse_NOT_SERVING
		p.log.Error("not ready", "err", err)
	} else {
		p.log.Info("ready again")
	}
	for _, service := range p.services {
		p.SetServingStatus(service, status)
	}
}

// Look asks the store how it is, for those who watch the health service; checks
// ask by themselves. It takes up to 2 seconds.
func (s *Server) Look(ctx context.Context) { s.health.look(ctx) }
