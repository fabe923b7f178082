package server_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/varvehq/varve/api/internal/apitest"
	"github.com/varvehq/varve/api/server"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memory"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// openAt opens the doors with a clock.
func openAt(t *testing.T, now func() time.Time) *apitest.Doors {
	t.Helper()
	return open(t, apitest.Options{
		Store: memory.New(memory.Options{Linker: graph.Linker{}, Now: now, StoreID: [16]byte{1}}), Server: server.Options{Now: now},
	})
}

func TestFilters(t *testing.T) {
	d := open(t, apitest.Options{})
	named := func(o *varvev1.Observation) {
		o.Name, o.Tags = "web", map[string]string{"env": "prod", "a=b": "c=d", "empty": ""}
	}
	d.Record(t, seen("a1", 2, `1`), seen("a2", 2, `1`, in("1", "")), seen("b1", 2, `1`, in("1", "eu"), named),
		seen("b2", 2, `1`, in("2", "eu")), gone("b2", 4, in("2", "eu")), gone("-", 1))
	list := func(req *varvev1.ListItemsRequest) string {
		t.Helper()
		resp, err := d.History.ListItems(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, item := range resp.GetItems() {
			ids = append(ids, item.GetKey().GetId())
		}
		count, err := d.History.CountItems(t.Context(), &varvev1.CountItemsRequest{
			At: req.GetAt(), Type: req.GetType(), Account: req.Account, Region: req.Region, IdPrefix: req.GetIdPrefix(),
			Name: req.GetName(), Tags: req.GetTags(), ShowDeleted: req.GetShowDeleted(),
		})
		if err != nil || int(count.GetCount()) != len(ids) || len(count.GetGroups()) != 0 {
			t.Errorf("%v counts %v, %v", ids, count, err)
		}
		return strings.Join(ids, " ")
	}
	for _, c := range []struct {
		req  *varvev1.ListItemsRequest
		want string
	}{
		{&varvev1.ListItemsRequest{}, "a1 a2 b1"},
		{&varvev1.ListItemsRequest{At: day(3)}, "a1 a2 b1 b2"},
		{&varvev1.ListItemsRequest{At: day(1)}, ""},
		{&varvev1.ListItemsRequest{ShowDeleted: true}, "- a1 a2 b1 b2"},
		{&varvev1.ListItemsRequest{Account: ptr("1")}, "a2 b1"},
		{&varvev1.ListItemsRequest{Account: ptr("")}, "a1"},
		{&varvev1.ListItemsRequest{Region: ptr("")}, "a1 a2"},
		{&varvev1.ListItemsRequest{IdPrefix: "b"}, "b1"},
		{&varvev1.ListItemsRequest{Type: "U"}, ""},
		{&varvev1.ListItemsRequest{Type: "T", Name: "web"}, "b1"},
		{&varvev1.ListItemsRequest{Tags: []string{"env=prod", "empty="}}, "b1"},
		{&varvev1.ListItemsRequest{Tags: []string{"env=prod", "env=prod"}}, "b1"},
		{&varvev1.ListItemsRequest{Tags: []string{"env=test"}}, ""},
	} {
		if got := list(c.req); got != c.want {
			t.Errorf("%v: %s", c.req, got)
		}
	}
	for _, tags := range [][]string{{"env"}, {"=x"}, {"env=a", "env=b"}} {
		_, err := d.History.ListItems(t.Context(), &varvev1.ListItemsRequest{Tags: tags})
		if meta := refused(t, err, history.Invalid); meta["field"] != "tags" {
			t.Error(err)
		}
	}
	count, err := d.History.CountItems(t.Context(), &varvev1.CountItemsRequest{GroupBy: varvev1.CountItemsRequest_GROUP_BY_ACCOUNT})
	if err != nil || count.GetCount() != 3 || fmt.Sprint(count.GetGroups()) != `[count:1 name:"1"  count:2]` && len(count.GetGroups()) != 2 {
		t.Errorf("%v, %v", count, err)
	}
	_, err = d.History.CountItems(t.Context(), &varvev1.CountItemsRequest{GroupBy: 9})
	refused(t, err, history.Invalid)
}

func TestPages(t *testing.T) {
	d := open(t, apitest.Options{})
	const n = 250
	ids := func(list []*varvev1.Item) (out []string) {
		for _, item := range list {
			out = append(out, item.GetKey().GetId())
		}
		return out
	}
	for i := range n {
		d.Record(t, seen(fmt.Sprintf("%04d", i), 2, `1`))
	}
	t.Run("Sizes", func(t *testing.T) {
		for size, want := range map[int32]int{0: 100, 1: 1, 99: 99, 101: 101, 249: 249, 250: 250, 1000: 250, 1 << 30: 250} {
			resp, err := d.History.ListItems(t.Context(), &varvev1.ListItemsRequest{PageSize: size})
			if err != nil || len(resp.GetItems()) != want || (resp.GetNextPageToken() == "") != (want == n) {
				t.Errorf("%d: %d items, token %q, %v", size, len(resp.GetItems()), resp.GetNextPageToken(), err)
			}
		}
		_, err := d.History.ListItems(t.Context(), &varvev1.ListItemsRequest{PageSize: -1})
		refused(t, err, history.Invalid)
	})
	t.Run("StableUnderAppendsAndRestart", func(t *testing.T) {
		store := d.Store
		var got []string
		req := &varvev1.ListItemsRequest{Type: "T", PageSize: 40}
		for page := 0; ; page++ {
			other := open(t, apitest.Options{Store: store}) // a daemon started anew
			resp, err := other.History.ListItems(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, ids(resp.GetItems())...)
			d.Record(t, seen(fmt.Sprintf("%04d-new%d", 50*page+10, page), 2, `1`), seen(fmt.Sprintf("%04d", 249-page), 3, `2`), gone("0200", 4))
			if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
				break
			}
			req.PageSize = 70 // may differ from page to page
		}
		if len(got) != n || !slices.IsSorted(got) || strings.Contains(fmt.Sprint(got), "new") {
			t.Errorf("%d: %v", len(got), got)
		}
	})
	t.Run("ForeignTokens", func(t *testing.T) {
		first, err := d.History.ListItems(t.Context(), &varvev1.ListItemsRequest{Type: "T", PageSize: 5})
		if err != nil {
			t.Fatal(err)
		}
		token := first.GetNextPageToken()
		ask := func(d *apitest.Doors, req *varvev1.ListItemsRequest) error {
			_, err := d.History.ListItems(t.Context(), req)
			return err
		}
		if err := ask(d, &varvev1.ListItemsRequest{Type: "T", PageToken: token}); err != nil {
			t.Fatal(err)
		}
		other := open(t, apitest.Options{Store: memory.New(memory.Options{Linker: graph.Linker{}, StoreID: [16]byte{9}})})
		refused(t, ask(other, &varvev1.ListItemsRequest{Type: "T", PageToken: token}), history.ForeignToken)

		for _, req := range []*varvev1.ListItemsRequest{
			{}, {Type: "U"}, {Type: "T", Account: ptr("")}, {Type: "T", At: day(3)}, {Type: "T", KnownAt: "1"},
			{Type: "T", ShowDeleted: true}, {Type: "T", ReadMask: &fieldmaskpb.FieldMask{Paths: []string{"key"}}},
		} {
			req.PageToken = token
			refused(t, ask(d, req), history.ForeignToken)
		}
		_, err = d.Runs.ListRuns(t.Context(), &varvev1.ListRunsRequest{PageToken: token})
		refused(t, err, history.ForeignToken)

		raw, _ := base64.RawURLEncoding.DecodeString(token)
		for i := range raw {
			damaged := slices.Clone(raw)
			damaged[i] ^= 0x40
			refused(t, ask(d, &varvev1.ListItemsRequest{Type: "T", PageToken: base64.RawURLEncoding.EncodeToString(damaged)}), history.ForeignToken)
		}
		for _, text := range []string{"x", "%", token[:len(token)-2], token + "AA", strings.Repeat("A", 100)} {
			refused(t, ask(d, &varvev1.ListItemsRequest{Type: "T", PageToken: text}), history.ForeignToken)
		}
	})
	t.Run("History", func(t *testing.T) {
		for i := range 20 {
			d.Record(t, seen("deep", 3+i%20, fmt.Sprint(i)))
		}
		var got []string
		req := &varvev1.ListItemHistoryRequest{Type: "T", Id: "deep", PageSize: 7}
		for {
			resp, err := d.History.ListItemHistory(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range resp.GetItems() {
				got = append(got, string(item.GetConfiguration().GetRaw()))
			}
			d.Record(t, seen("deep", 1, fmt.Sprint(len(got))))
			if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
				break
			}
		}
		if fmt.Sprint(got) != "[19 18 17 16 15 14 13 12 11 10 9 8 7 6 5 4 3 2 1 0]" {
			t.Error(got)
		}
	})
}

// TestLargeAnswers shows that answers fit a client with gRPC's default limit.
func TestLargeAnswers(t *testing.T) {
	d := open(t, apitest.Options{})
	large := `"` + strings.Repeat("x", 300<<10) + `"`
	var want []string
	for i := range 40 {
		want = append(want, fmt.Sprintf("%02d", i))
		d.Record(t, seen(want[i], 2, large))
	}
	var got []string
	req := &varvev1.ListItemsRequest{PageSize: 1000}
	for {
		resp, err := d.History.ListItems(t.Context(), req)
		if err != nil || proto.Size(resp) > 4<<20 || len(resp.GetItems()) == 0 {
			t.Fatal(proto.Size(resp), err)
		}
		for _, item := range resp.GetItems() {
			got = append(got, item.GetKey().GetId())
		}
		if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Error(got)
	}

	got = nil
	stream, err := d.History.ExportItems(t.Context(), &varvev1.ExportItemsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for first := true; ; first = false {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || proto.Size(part) > 4<<20 {
			t.Fatal(proto.Size(part), err)
		}
		if first {
			d.Record(t, seen("99", 2, `1`), gone("39", 3)) // after the export began
		}
		for _, item := range part.GetItems() {
			got = append(got, item.GetKey().GetId())
		}
	}
	if !slices.Equal(got, want) {
		t.Error(got)
	}
}
