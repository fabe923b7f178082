package server_test

import (
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/api/internal/apitest"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memory"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// open opens the doors on a store in memory, unless another one is given.
func open(t testing.TB, o apitest.Options) *apitest.Doors {
	t.Helper()
	if o.Store == nil {
		o.Store = memory.New(memory.Options{Linker: graph.Linker{}, StoreID: [16]byte{1, 2, 3}})
	}
	return apitest.Open(t, o)
}

// day is noon of a day in March 2026.
func day(n int) *timestamppb.Timestamp {
	return timestamppb.New(time.Date(2026, time.March, n, 12, 0, 0, 0, time.UTC))
}

// seen is an observation of a resource of type T.
func seen(id string, n int, configuration string, more ...func(*varvev1.Observation)) *varvev1.Observation {
	o := &varvev1.Observation{
		Key: &varvev1.ResourceKey{Type: "T", Id: id}, CapturedAt: day(n),
		Configuration: &varvev1.Json{Raw: []byte(configuration)},
	}
	for _, f := range more {
		f(o)
	}
	return o
}

func gone(id string, n int, more ...func(*varvev1.Observation)) *varvev1.Observation {
	o := seen(id, n, "", more...)
	o.Configuration, o.Deleted = nil, true
	return o
}

func in(account, region string) func(*varvev1.Observation) {
	return func(o *varvev1.Observation) { o.Key.Account, o.Key.Region = account, region }
}

func ptr[T any](v T) *T { return &v }

// refused asserts the kind of an error and returns what its ErrorInfo says.
func refused(t testing.TB, err error, kind history.Kind) map[string]string {
	t.Helper()
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok && info.GetReason() == kind.Error() {
			return info.GetMetadata()
		}
	}
	t.Fatalf("want %v, got %v", kind, err)
	return nil
}

func wantCode(t testing.TB, err error, code codes.Code) {
	t.Helper()
	if status.Code(err) != code {
		t.Fatalf("want %v, got %v", code, err)
	}
}
