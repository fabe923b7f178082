package server_test

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/api/internal/apitest"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func TestChangesWait(t *testing.T) {
	d := open(t, apitest.Options{})
	d.Record(t, seen("a", 2, `1`))
	status, err := d.History.GetStatus(t.Context(), &varvev1.GetStatusRequest{})
	if err != nil || status.GetRevision() != 1 || status.GetResources() != 1 || status.GetStoreId() != "01020300-0000-0000-0000-000000000000" {
		t.Fatal(status, err)
	}
	wait := func(ctx context.Context) (*varvev1.ListChangesResponse, error) {
		return d.History.ListChanges(ctx, &varvev1.ListChangesRequest{Position: status.GetPosition(), Wait: durationpb.New(time.Minute)})
	}

	t.Run("EndsWithTheFirst", func(t *testing.T) {
		got := make(chan *varvev1.ListChangesResponse, 1)
		go func() {
			resp, _ := wait(context.Background())
			got <- resp
		}()
		d.Record(t, seen("b", 2, `1`))
		if resp := <-got; len(resp.GetChanges()) != 1 || resp.GetChanges()[0].GetKey().GetId() != "b" || resp.GetChanges()[0].GetKind() != "created" {
			t.Error(resp)
		}
	})
	t.Run("Positions", func(t *testing.T) {
		all, err := d.History.ListChanges(t.Context(), &varvev1.ListChangesRequest{Since: day(1)})
		if err != nil || len(all.GetChanges()) != 2 || all.GetNextPosition() != all.GetChanges()[1].GetPosition() {
			t.Errorf("%v, %v", all, err)
		}
		status.Position = all.GetNextPosition()
		none, err := d.History.ListChanges(t.Context(), &varvev1.ListChangesRequest{Position: status.GetPosition()})
		if err != nil || len(none.GetChanges()) != 0 || none.GetNextPosition() != status.GetPosition() {
			t.Errorf("%v, %v", none, err)
		}
	})
	t.Run("Refused", func(t *testing.T) {
		for field, req := range map[string]*varvev1.ListChangesRequest{
			"since":    {Position: status.GetPosition(), Since: day(1)},
			"wait":     {Wait: durationpb.New(-time.Second)},
			"pageSize": {PageSize: -1},
		} {
			_, err := d.History.ListChanges(t.Context(), req)
			if meta := refused(t, err, history.Invalid); meta["field"] != field {
				t.Error(err)
			}
		}
		_, err := d.History.ListChanges(t.Context(), &varvev1.ListChangesRequest{Since: timestamppb.New(time.Now().Add(time.Hour))})
		if meta := refused(t, err, history.Future); meta["field"] != "since" {
			t.Error(err)
		}
		_, err = d.History.ListChanges(t.Context(), &varvev1.ListChangesRequest{Position: "x"})
		refused(t, err, history.ForeignToken)
	})
	t.Run("EndsWithTheClient", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err := wait(ctx)
		wantCode(t, err, codes.DeadlineExceeded)
	})
	t.Run("EndsWithTheDaemon", func(t *testing.T) {
		time.AfterFunc(20*time.Millisecond, d.Server.Drain)
		resp, err := wait(t.Context())
		if err != nil || resp.GetNextPosition() != status.GetPosition() {
			t.Errorf("%v, %v", resp, err)
		}
	})
}
