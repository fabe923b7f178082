package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/api/internal/apitest"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func TestBatchRecord(t *testing.T) {
	d := open(t, apitest.Options{})
	record := func(req *varvev1.BatchRecordRequest) (*varvev1.BatchRecordResponse, error) {
		return d.Recorder.BatchRecord(t.Context(), req)
	}
	outcomes := func(resp *varvev1.BatchRecordResponse) string {
		var out []string
		for _, r := range resp.GetResults() {
			text := strings.ToLower(strings.TrimPrefix(r.GetOutcome().String(), "OUTCOME_"))
			out = append(out, strings.TrimSpace(fmt.Sprintf("%s %d %s", text, r.GetVersion(), r.GetKind())))
		}
		return strings.Join(out, ", ")
	}
	mixed := []*varvev1.Observation{
		seen("a", 2, `1`), seen("", 2, `1`), seen("a", 3, `1`), seen("a", 4, `{"a":1,"a":2}`), seen("a", 4, `2`), gone("a", 5),
		{Key: &varvev1.ResourceKey{Type: "T", Id: "b"}, CapturedAt: &timestamppb.Timestamp{Seconds: -5}}, seen("a", 1, `0`),
	}
	const want = "recorded 1 created, refused 0, unchanged 1, refused 0, recorded 2 updated, recorded 3 deleted, refused 0, recorded 4 created"

	t.Run("EachOnItsOwn", func(t *testing.T) {
		resp, err := record(&varvev1.BatchRecordRequest{Observations: mixed, RequestId: "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"})
		if err != nil || outcomes(resp) != want {
			t.Fatalf("%s, %v", outcomes(resp), err)
		}
		results := resp.GetResults()
		if !results[7].GetLate() || results[4].GetLate() || results[7].GetSequence() != 4 || resp.GetPosition() == "" {
			t.Error(results[7])
		}
		if text := results[3].GetError().GetMessage(); !strings.Contains(text, `configuration duplicate key "a"`) {
			t.Error(text)
		}
		if text := results[1].GetError().GetMessage(); text != "key.id is required" {
			t.Error(text)
		}
	})
	t.Run("Replayed", func(t *testing.T) {
		resp, err := record(&varvev1.BatchRecordRequest{Observations: mixed, RequestId: "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"})
		if err != nil || outcomes(resp) != want {
			t.Errorf("%s, %v", outcomes(resp), err)
		}
		_, err = record(&varvev1.BatchRecordRequest{Observations: mixed[:1], RequestId: "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"})
		refused(t, err, history.Invalid)
	})
	t.Run("ExpectVersion", func(t *testing.T) {
		o := seen("a", 9, `9`)
		o.ExpectVersion = ptr(uint32(7))
		resp, err := record(&varvev1.BatchRecordRequest{Observations: []*varvev1.Observation{o}})
		if err != nil || !strings.Contains(fmt.Sprint(resp.GetResults()[0].GetError()), "VERSION_CONFLICT") {
			t.Errorf("%v, %v", resp, err)
		}
	})
	t.Run("Refused", func(t *testing.T) {
		many := make([]*varvev1.Observation, 1001)
		for i := range many {
			many[i] = seen("a", 2, `1`)
		}
		heavy := []*varvev1.Observation{seen("a", 2, `"`+strings.Repeat("x", 12<<20)+`"`)}
		heavy = append(heavy, heavy[0], heavy[0])
		one := mixed[:1]
		for _, c := range []struct {
			kind  history.Kind
			field string
			req   *varvev1.BatchRecordRequest
		}{
			{history.TooLarge, "observations", &varvev1.BatchRecordRequest{Observations: many}},
			{history.TooLarge, "observations", &varvev1.BatchRecordRequest{Observations: heavy}},
			{history.Invalid, "observations", &varvev1.BatchRecordRequest{}},
			{history.Invalid, "requestId", &varvev1.BatchRecordRequest{Observations: one, RequestId: "x"}},
			{history.Invalid, "requestId", &varvev1.BatchRecordRequest{Observations: one, RequestId: "00000000-0000-0000-0000-000000000000"}},
			{history.Invalid, "run", &varvev1.BatchRecordRequest{Observations: one, Run: "nightly"}},
			{history.NotFound, "", &varvev1.BatchRecordRequest{Observations: one, Run: "runs/nightly"}},
		} {
			_, err := record(c.req)
			if meta := refused(t, err, c.kind); meta["field"] != c.field && c.field != "" {
				t.Errorf("%v", err)
			}
		}
	})
}

// TestRefusedHereTaintsTheRun: what the door itself refuses is an item of the
// run all the same.
func TestRefusedHereTaintsTheRun(t *testing.T) {
	d := open(t, apitest.Options{})
	run, err := d.Runs.CreateRun(t.Context(), &varvev1.CreateRunRequest{RunId: "r"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Recorder.BatchRecord(t.Context(), &varvev1.BatchRecordRequest{Run: run.GetName(), Observations: []*varvev1.Observation{{}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Runs.CompleteRun(t.Context(), &varvev1.CompleteRunRequest{Name: run.GetName()})
	refused(t, err, history.RunTainted)
}

func TestRecordStream(t *testing.T) {
	d := open(t, apitest.Options{})

	t.Run("InOrder", func(t *testing.T) {
		const n = 300
		stream, err := d.Recorder.Record(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for i := range n {
				o := seen("x", 2, fmt.Sprint(i)) // of one moment: the last wins
				o.ExpectVersion = ptr(uint32(i))
				_ = stream.Send(&varvev1.RecordRequest{Observations: []*varvev1.Observation{o}})
			}
			_ = stream.CloseSend()
		}()
		for i := range n {
			resp, err := stream.Recv()
			if err != nil {
				t.Fatal(err)
			}
			if r := resp.GetResults()[0]; r.GetVersion() != uint32(i+1) || resp.GetRevision() != uint64(i+1) {
				t.Fatalf("%d: %v", i, resp)
			}
		}
		if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	})
	t.Run("RefusedMidway", func(t *testing.T) {
		stream, err := d.Recorder.Record(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		// Requests that take long to get ready stand before quick ones.
		sizes := []int{900, 1, 300, 1, 1, 700, 2}
		go func() {
			for n, size := range sizes {
				req := &varvev1.RecordRequest{}
				for i := range size {
					doc := fmt.Sprintf(`{"rules":[%s1]}`, strings.Repeat(`{"port":443},`, 50))
					switch i {
					case 100:
						doc = `{"a":1,"a":2}` // what the recorder refuses
					case 200:
						doc = `` // what the door refuses
					}
					req.Observations = append(req.Observations, seen(fmt.Sprintf("m%d-%d", n, i), 2, doc))
				}
				_ = stream.Send(req)
			}
			_ = stream.CloseSend()
		}()
		last := uint64(0)
		for n, size := range sizes {
			resp, err := stream.Recv()
			if err != nil || len(resp.GetResults()) != size || resp.GetRevision() <= last {
				t.Fatalf("%d: %d results after revision %d: %v, %v", n, len(resp.GetResults()), last, resp.GetRevision(), err)
			}
			last = resp.GetRevision()
			for i, r := range resp.GetResults() {
				want := varvev1.RecordResult_OUTCOME_RECORDED
				if i == 100 || i == 200 {
					want = varvev1.RecordResult_OUTCOME_REFUSED
				}
				if r.GetOutcome() != want {
					t.Fatalf("%d: %d: %v", n, i, r)
				}
			}
		}
		if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	})
	t.Run("SentAgainAfterABreak", func(t *testing.T) {
		const n = 40
		request := func(i int) *varvev1.RecordRequest {
			return &varvev1.RecordRequest{
				RequestId:    fmt.Sprintf("f81d4fae-7dec-11d0-a765-%012x", i),
				Observations: []*varvev1.Observation{seen("again", 2+i/20, fmt.Sprint(i)), seen(fmt.Sprint("again", i), 2, `1`)},
			}
		}
		// send opens a stream, sends from a request on and returns the first that
		// is not acknowledged.
		send := func(from, leave int) int {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			stream, err := d.Recorder.Record(ctx)
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				for i := from; i < n; i++ {
					_ = stream.Send(request(i))
				}
			}()
			for i := from; i < leave; i++ {
				resp, err := stream.Recv()
				if err != nil || resp.GetResults()[0].GetVersion() != uint32(i+1) {
					t.Fatalf("%d: %v, %v", i, resp, err)
				}
			}
			return leave // with an unknown number under way
		}
		if left := send(send(send(0, 7), 19), n); left != n {
			t.Fatal(left)
		}
		item, err := d.History.LookupItem(t.Context(), &varvev1.LookupItemRequest{Type: "T", Id: "again"})
		if err != nil || item.GetVersion() != n || string(item.GetConfiguration().GetRaw()) != fmt.Sprint(n-1) {
			t.Errorf("%v, %v", item, err)
		}
	})
	t.Run("EndsAtAFailure", func(t *testing.T) {
		stream, err := d.Recorder.Record(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i, run := range []string{"", "", "runs/none", ""} {
			if err := stream.Send(&varvev1.RecordRequest{Run: run, Observations: []*varvev1.Observation{seen(fmt.Sprint("f", i), 2, `1`)}}); err != nil {
				break // the server has ended the stream already
			}
		}
		for range 2 {
			if _, err := stream.Recv(); err != nil {
				t.Fatal(err)
			}
		}
		_, err = stream.Recv()
		refused(t, err, history.NotFound)
		_, err = d.History.LookupItem(t.Context(), &varvev1.LookupItemRequest{Type: "T", Id: "f3"})
		refused(t, err, history.NotFound)
	})
	t.Run("EndsWithTheDaemon", func(t *testing.T) {
		stream, err := d.Recorder.Record(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(&varvev1.RecordRequest{Observations: []*varvev1.Observation{seen("y", 2, `1`)}}); err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
		d.Server.Drain()
		_, err = stream.Recv()
		refused(t, err, history.Unavailable)
	})
}

// slowStore makes an append take until it is let go.
type slowStore struct {
	history.Store
	entered chan struct{}
	appends atomic.Int32
}

func (s *slowStore) Append(ctx context.Context, b history.Batch) (history.Receipt, error) {
	s.appends.Add(1)
	s.entered <- struct{}{}
	<-ctx.Done()
	return history.Receipt{}, ctx.Err()
}

func TestRecordStreamOfAClientThatLeaves(t *testing.T) {
	slow := &slowStore{entered: make(chan struct{}, 10)}
	d := open(t, apitest.Options{Wrap: func(s history.Store) history.Store {
		slow.Store = s
		return slow
	}})
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := d.Recorder.Record(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if err := stream.Send(&varvev1.RecordRequest{Observations: []*varvev1.Observation{seen("a", 2, `1`)}}); err != nil {
			t.Fatal(err)
		}
	}
	<-slow.entered
	cancel()
	_, err = stream.Recv()
	wantCode(t, err, codes.Canceled)

	stop, done := context.WithTimeout(context.Background(), time.Minute)
	defer done()
	d.Server.Stop(stop)
	if errors.Is(stop.Err(), context.DeadlineExceeded) || slow.appends.Load() != 1 {
		t.Errorf("%d appends, %v", slow.appends.Load(), stop.Err())
	}
}
