package server

import (
	"context"
	"errors"
	"maps"
	"slices"

	"google.golang.org/grpc"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

type maintenanceService struct {
	varvev1.UnimplementedMaintenanceServiceServer
	*Server
}

// power finds an optional power of a store, or of what it wraps.
func power[T any](s history.Store) (T, bool) { return history.Power[T](s) }

func lacks(what string) error {
	return history.Errorf(history.Unimplemented, "this store cannot %s", what)
}

func (s *maintenanceService) Prune(req *varvev1.PruneRequest, stream grpc.ServerStreamingServer[varvev1.PruneResponse]) error {
	pruner, ok := power[history.Pruner](s.store)
	if !ok {
		return lacks("be pruned")
	}
	floor, err := wire.MomentFromProto("floor", req.GetFloor())
	switch {
	case err != nil:
		return err
	case floor == 0:
		return &history.Error{Kind: history.Invalid, Field: "floor", Text: "is required: the captured moment below which to forget"}
	}
	recorded, err := wire.MomentFromProto("recorded", req.GetRecorded())
	if err != nil {
		return err
	}
	ctx, stop := s.untilDrained(stream.Context())
	defer stop()
	if err := s.prunable(ctx, pruner, req.GetType()); err != nil {
		return err
	}

	var pruned history.Pruned
	err = s.follow(ctx, stop, func(progress func(done, total uint64)) (err error) {
		pruned, err = pruner.Prune(ctx, history.PruneRequest{
			Floor: floor, Recorded: recorded, Type: req.GetType(), DryRun: req.GetDryRun(), Progress: progress,
		})
		return err
	}, func(done, total uint64) error {
		return stream.Send(&varvev1.PruneResponse{Part: &varvev1.PruneResponse_Progress_{
			Progress: &varvev1.PruneResponse_Progress{Done: done, Total: total},
		}})
	})
	if err != nil {
		return err
	}
	return stream.Send(&varvev1.PruneResponse{Part: &varvev1.PruneResponse_Result_{Result: &varvev1.PruneResponse_Result{
		Floors: floorsToProto(&pruned.Floors), Resources: pruned.Resources, Versions: pruned.Versions,
		Sightings: pruned.Sightings, Changes: pruned.Changes,
	}}})
}

// prunable refuses a type of which nothing is known: by a slip of the pen a
// floor would stand for ever, and what was to go would stay. One that all went of has
// a floor, unless a prune of all types that came as far emptied it: then nothing tells
// it from one that was never known.
func (s *maintenanceService) prunable(ctx context.Context, p history.Pruner, typ string) error {
	if typ == "" {
		return nil
	}
	floors, err := p.Floors(ctx)
	if _, has := floors.ByType[typ]; has || err != nil {
		return err
	}
	r, err := s.store.AsOf(ctx, history.At{})
	if err != nil {
		return err
	}
	types, err := r.Count(ctx, history.Query{Deleted: true}, history.ByType)
	if err != nil {
		return err
	}
	return among(types, typ)
}

// follow does long work beside a stream and tells on it how far that is, so that
// a client which is slow to take progress does not slow down the work. stop ends
// ctx, and with it the work, when nobody waits for its result any more.
func (s *Server) follow(ctx context.Context, stop func(), work func(progress func(done, total uint64)) error, send func(done, total uint64) error) error {
	type reached struct{ done, total uint64 }
	progress, ended := make(chan reached, 1), make(chan error, 1)
	go func() {
		ended <- work(func(done, total uint64) {
			select {
			case progress <- reached{done, total}:
			default: // the one before is not sent yet
			}
		})
	}()
	var broken error
	tell := func(p reached) {
		if broken != nil {
			return
		}
		if broken = send(p.done, p.total); broken != nil {
			stop()
		}
	}
	for {
		select {
		case p := <-progress:
			tell(p)
		case err := <-ended:
			select {
			case p := <-progress: // reached just before the end
				tell(p)
			default:
			}
			return orElse(broken, s.drained(ctx, err))
		}
	}
}

func (s *maintenanceService) EraseVersion(ctx context.Context, req *varvev1.EraseVersionRequest) (*varvev1.EraseVersionResponse, error) {
	eraser, ok := power[history.Eraser](s.store)
	if !ok {
		return nil, lacks("erase a version")
	}
	k, err := wire.KeyFromProto(req.GetKey())
	if err != nil {
		return nil, err
	}
	if req.GetVersion() == 0 {
		return nil, &history.Error{Kind: history.Invalid, Field: "version", Text: "is required: the number of the version, as its history lists it"}
	}
	err = eraser.Erase(ctx, k, req.GetVersion())
	s.feed.Forget() // it may have been erased all the same
	if err != nil {
		return nil, err
	}
	return &varvev1.EraseVersionResponse{}, nil
}

func (s *maintenanceService) Backup(_ *varvev1.BackupRequest, stream grpc.ServerStreamingServer[varvev1.BackupResponse]) error {
	backuper, ok := power[history.Backuper](s.store)
	if !ok {
		return lacks("be backed up")
	}
	ctx, stop := s.untilDrained(stream.Context())
	defer stop()
	err := backuper.Backup(ctx, func(chunk []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return stream.Send(&varvev1.BackupResponse{Chunk: chunk})
	})
	return s.drained(ctx, err)
}

// untilDrained is a context that also ends when the server drains.
func (s *Server) untilDrained(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.draining, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// drained is an error as the client shall see it: what was broken off because
// the server drains is worth another attempt.
func (s *Server) drained(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) && ctx.Err() != nil && s.draining.Err() != nil {
		return errDraining
	}
	return err
}

func floorsToProto(f *history.Floors) *varvev1.Floors {
	p := &varvev1.Floors{
		Captured: wire.MomentToProto(f.Captured), Revision: uint64(f.Revision),
		RecordedAt: wire.MomentToProto(f.RecordedAt), Sequence: uint64(f.Seq),
	}
	for _, typ := range slices.Sorted(maps.Keys(f.ByType)) {
		p.Types = append(p.Types, &varvev1.Floors_TypeFloor{Type: typ, Captured: wire.MomentToProto(f.ByType[typ])})
	}
	return p
}
