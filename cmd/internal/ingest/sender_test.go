package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/varvehq/varve/cmd/internal/client"
	"github.com/varvehq/varve/cmd/internal/ingest"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// recorder acknowledges batches like the daemon: one id, one recording.
type recorder struct {
	varvev1.UnimplementedRecorderServiceServer

	mu       sync.Mutex
	ids      map[string]bool
	order    []string // resource ids as recorded
	batches  []int
	requests int
	before   func(request int) error // called before request n is recorded, from 1
	after    func(request int) error // called when it is recorded and not acknowledged
}

func (r *recorder) Record(stream varvev1.RecorderService_RecordServer) error {
	for {
		request, err := stream.Recv()
		if err != nil {
			return nil
		}
		response, err := r.record(request)
		if err != nil {
			return err
		}
		if err := stream.Send(response); err != nil {
			return err
		}
	}
}

func (r *recorder) record(request *varvev1.RecordRequest) (*varvev1.RecordResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests++
	n := r.requests
	if r.before != nil {
		if err := r.before(n); err != nil {
			return nil, err
		}
	}
	response := &varvev1.RecordResponse{}
	for _, o := range request.GetObservations() {
		result := &varvev1.RecordResult{Outcome: varvev1.RecordResult_OUTCOME_RECORDED}
		if strings.HasSuffix(o.GetKey().GetId(), "7") {
			result.Outcome = varvev1.RecordResult_OUTCOME_REFUSED
		}
		response.Results = append(response.Results, result)
		if !r.ids[request.GetRequestId()] {
			r.order = append(r.order, o.GetKey().GetId())
		}
	}
	if !r.ids[request.GetRequestId()] {
		r.batches = append(r.batches, len(request.GetObservations()))
	}
	r.ids[request.GetRequestId()] = true
	if r.after != nil {
		if err := r.after(n); err != nil {
			return nil, err
		}
	}
	return response, nil
}

func listen(t *testing.T, addr string, r *recorder) (string, *grpc.Server) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.MaxRecvMsgSize(32 << 20))
	varvev1.RegisterRecorderServiceServer(s, r)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return l.Addr().String(), s
}

func encoded(t *testing.T, o *varvev1.Observation) []byte {
	t.Helper()
	text, err := proto.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// send sends n observations with a configuration of size bytes each, and returns
// what was reported.
func send(t *testing.T, addr string, n, size int) ([]string, error) {
	t.Helper()
	conn, err := client.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()

	var reported []string
	s := ingest.NewSender(context.Background(), conn, "", func(l ingest.Line, r *varvev1.RecordResult) {
		reported = append(reported, fmt.Sprintf("%s:%d %s", l.File, l.Line, strings.TrimPrefix(r.GetOutcome().String(), "OUTCOME_")))
	})
	for i := range n {
		o := &varvev1.Observation{Key: &varvev1.ResourceKey{Type: "T", Id: fmt.Sprint(i)}}
		if size > 0 {
			o.Configuration = &varvev1.Json{Raw: make([]byte, size)}
		}
		if s.Add(ingest.Line{File: "f", Line: i}, encoded(t, o)) != nil {
			break
		}
	}
	return reported, s.Close()
}

// check says that n observations were recorded once and reported once, in order.
func check(t *testing.T, r *recorder, reported []string, n int) {
	t.Helper()
	if len(r.order) != n || len(reported) != n {
		t.Fatalf("%d recorded, %d reported, of %d", len(r.order), len(reported), n)
	}
	for i := range n {
		outcome := "RECORDED"
		if i%10 == 7 {
			outcome = "REFUSED"
		}
		if r.order[i] != fmt.Sprint(i) || reported[i] != fmt.Sprintf("f:%d %s", i, outcome) {
			t.Fatalf("at %d: recorded %s, reported %q", i, r.order[i], reported[i])
		}
	}
}

func TestSend(t *testing.T) {
	for _, n := range []int{0, 1, 999, 1000, 1001, 12345} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			r := &recorder{ids: map[string]bool{}}
			addr, _ := listen(t, "127.0.0.1:0", r)
			reported, err := send(t, addr, n, 0)
			if err != nil {
				t.Fatal(err)
			}
			check(t, r, reported, n)
			for _, size := range r.batches {
				if size > 1000 {
					t.Errorf("a batch of %d", size)
				}
			}
		})
	}
}

func TestSendLarge(t *testing.T) {
	r := &recorder{ids: map[string]bool{}}
	addr, _ := listen(t, "127.0.0.1:0", r)
	reported, err := send(t, addr, 12, 3<<20)
	if err != nil {
		t.Fatal(err)
	}
	check(t, r, reported, 12)
	for _, size := range r.batches {
		if size > 2 {
			t.Errorf("a batch of %d times 3 MiB", size)
		}
	}

	r = &recorder{ids: map[string]bool{}}
	addr, _ = listen(t, "127.0.0.1:0", r)
	if reported, err = send(t, addr, 3, 10<<20); err != nil {
		t.Fatal(err)
	}
	check(t, r, reported, 3)
}

// A stream that breaks before or after a batch is recorded is taken up again,
// and nothing is recorded or counted twice.
func TestSendBrokenStreams(t *testing.T) {
	breaks := func(at ...int) func(int) error {
		return func(n int) error {
			for _, m := range at {
				if n == m {
					return status.Error(codes.Unavailable, "going away")
				}
			}
			return nil
		}
	}
	r := &recorder{ids: map[string]bool{}, before: breaks(3, 4, 9), after: breaks(5, 11, 13)}
	addr, _ := listen(t, "127.0.0.1:0", r)
	reported, err := send(t, addr, 20000, 0)
	if err != nil {
		t.Fatal(err)
	}
	check(t, r, reported, 20000)
}

func TestSendRefused(t *testing.T) {
	r := &recorder{ids: map[string]bool{}, before: func(n int) error {
		if n == 2 {
			return status.Error(codes.FailedPrecondition, "the run is closed")
		}
		return nil
	}}
	addr, _ := listen(t, "127.0.0.1:0", r)
	_, err := send(t, addr, 5000, 0)
	var refusal *client.Refusal
	if !errors.As(err, &refusal) || refusal.Message != "the run is closed" {
		t.Errorf("got %v", err)
	}
}

func TestSendLost(t *testing.T) {
	t.Parallel()
	r := &recorder{ids: map[string]bool{}}
	addr, s := listen(t, "127.0.0.1:0", r)
	lost := make(chan time.Time, 1)
	r.after = func(n int) error {
		if n == 8 { // more than are under way at once: one is acknowledged
			lost <- time.Now()
			go s.Stop()
		}
		return nil
	}
	_, err := send(t, addr, 20000, 0)
	var u *client.Unreachable
	if !errors.As(err, &u) || !u.Lost {
		t.Fatalf("got %v", err)
	}
	if took := time.Since(<-lost); took < client.Patience || took > client.Patience+time.Minute {
		t.Errorf("gave up after %s", took)
	}
}

// An import from a pipe does not sit on a few lines until there are many.
func TestSendLingers(t *testing.T) {
	r := &recorder{ids: map[string]bool{}}
	addr, _ := listen(t, "127.0.0.1:0", r)
	conn, err := client.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()

	reported := make(chan int, 2)
	s := ingest.NewSender(context.Background(), conn, "", func(l ingest.Line, _ *varvev1.RecordResult) { reported <- l.Line })
	for i := range 2 {
		if err := s.Add(ingest.Line{Line: i}, nil); err != nil {
			t.Fatal(err)
		}
		if got := <-reported; got != i {
			t.Errorf("line %d reported, want %d", got, i)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestSendCancelled(t *testing.T) {
	r := &recorder{ids: map[string]bool{}}
	addr, _ := listen(t, "127.0.0.1:0", r)
	conn, err := client.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()

	ctx, cancel := context.WithCancel(context.Background())
	s := ingest.NewSender(ctx, conn, "", func(ingest.Line, *varvev1.RecordResult) { cancel() })
	for i := 0; ; i++ {
		if err := s.Add(ingest.Line{Line: i}, nil); err != nil {
			break
		}
	}
	if err := s.Close(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
