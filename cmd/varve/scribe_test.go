package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/timestamppb"

	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// scribe records batches, each of documents told apart by their batch, and
// remembers which were acknowledged.
type scribe struct {
	t     *testing.T
	conn  *grpc.ClientConn
	size  int // bytes of a document
	next  int
	acked []int
}

const scribeBatch = 4

func (s *scribe) connect(addr string) {
	s.t.Helper()
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	s.conn = conn
}

// record sends one batch.
func (s *scribe) record() error {
	n := s.next
	s.next++
	req := &varvev1.BatchRecordRequest{}
	noise := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range scribeBatch {
		filler := make([]byte, s.size) // does not compress
		for i := range filler {
			filler[i] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"[noise.IntN(64)]
		}
		req.Observations = append(req.Observations, &varvev1.Observation{
			Key:           &varvev1.ResourceKey{Type: "T", Id: fmt.Sprintf("%d/%d", n, i)},
			CapturedAt:    timestamppb.New(time.Date(2026, 1, 1, 0, 0, n, 0, time.UTC)),
			Configuration: &varvev1.Json{Raw: fmt.Appendf(nil, `{"batch":%d,"filler":"%s"}`, n, filler)},
		})
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	answer, err := varvev1.NewRecorderServiceClient(s.conn).BatchRecord(ctx, req)
	if err != nil {
		return err
	}
	for _, r := range answer.GetResults() {
		if r.GetOutcome() != varvev1.RecordResult_OUTCOME_RECORDED {
			s.t.Fatalf("batch %d: %v", n, r)
		}
	}
	s.acked = append(s.acked, n)
	return nil
}

// until records until a batch is refused, and fails after so many.
func (s *scribe) until(most int) error {
	s.t.Helper()
	for range most {
		if err := s.record(); err != nil {
			return err
		}
	}
	s.t.Fatalf("nothing was refused in %d batches", most)
	return nil
}

// check looks for everything that was acknowledged.
func (s *scribe) check() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	stream, err := varvev1.NewHistoryServiceClient(s.conn).ExportItems(ctx, &varvev1.ExportItemsRequest{})
	if err != nil {
		s.t.Fatal(err)
	}
	there := map[string]bool{}
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			s.t.Fatalf("reads do not go on: %v", err)
		}
		for _, item := range answer.GetItems() {
			n, _, _ := strings.Cut(item.GetKey().GetId(), "/")
			if bytes.HasPrefix(item.GetConfiguration().GetRaw(), []byte(`{"batch":`+n+`,`)) {
				there[item.GetKey().GetId()] = true
			}
		}
	}
	for _, n := range s.acked {
		for i := range scribeBatch {
			if !there[fmt.Sprintf("%d/%d", n, i)] {
				s.t.Fatalf("batch %d was acknowledged, its document %d is not there", n, i)
			}
		}
	}
}

// serving starts a daemon and connects the scribe to it.
func (s *scribe) serving(dir string) *served {
	s.t.Helper()
	d, err := serve(dir, "127.0.0.1:0", os.Environ())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = d.cmd.Process.Kill() })
	s.connect(d.addr)
	return d
}

// eventually records until a batch is acknowledged.
func (s *scribe) eventually() {
	s.t.Helper()
	var err error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if err = s.record(); err == nil {
			return
		}
	}
	s.t.Fatalf("nothing is recorded any more: %v", err)
}
