package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/api/internal/apitest"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func TestLookup(t *testing.T) {
	d := open(t, apitest.Options{})
	d.Record(t,
		seen("a", 2, `{"n": 1.0}`), seen("a", 4, `{"n":2}`), gone("a", 6), seen("a", 8, `{"n":3}`),
		seen("twin", 2, `1`, in("1", "eu")), seen("twin", 2, `2`, in("2", "eu")), gone("twin", 5, in("2", "eu")),
		gone("dead", 3),
	)
	ask := func(req *varvev1.LookupItemRequest) (*varvev1.Item, error) {
		req.Type = "T"
		return d.History.LookupItem(t.Context(), req)
	}

	t.Run("OK", func(t *testing.T) {
		for n, want := range map[int]string{2: `{"n":1.0}`, 3: `{"n":1.0}`, 5: `{"n":2}`, 9: `{"n":3}`} {
			item, err := ask(&varvev1.LookupItemRequest{Id: "a", At: day(n)})
			if err != nil || string(item.GetConfiguration().GetRaw()) != want {
				t.Errorf("day %d: %s, %v", n, item.GetConfiguration().GetRaw(), err)
			}
		}
		item, err := ask(&varvev1.LookupItemRequest{Id: "a"})
		if err != nil || item.GetVersion() != 4 || item.GetStatus() != "ResourceDiscovered" || item.GetUntil() != nil {
			t.Errorf("newest: %v, %v", item, err)
		}
		item, err = ask(&varvev1.LookupItemRequest{Id: "a", At: day(3)})
		if err != nil || !item.GetUntil().AsTime().Equal(day(4).AsTime()) {
			t.Errorf("until: %v, %v", item, err)
		}
	})
	t.Run("NotAlive", func(t *testing.T) {
		_, err := ask(&varvev1.LookupItemRequest{Id: "a", At: day(7)})
		meta := refused(t, err, history.NotAlive)
		wantCode(t, err, codes.NotFound)
		text := `T "a" did not exist at 2026-03-07T12:00:00Z; it existed from 2026-03-02T12:00:00Z to 2026-03-06T12:00:00Z and since 2026-03-08T12:00:00Z`
		if status.Convert(err).Message() != text || meta["existed"] != "2026-03-02T12:00:00Z/2026-03-06T12:00:00Z,2026-03-08T12:00:00Z/.." {
			t.Errorf("%v %v", err, meta)
		}
		_, err = ask(&varvev1.LookupItemRequest{Id: "a", At: day(1)})
		refused(t, err, history.NotAlive)
		_, err = ask(&varvev1.LookupItemRequest{Id: "dead"})
		refused(t, err, history.NotAlive)
		if text := status.Convert(err).Message(); text != `T "dead" does not exist any more; nothing but its deletion is known` {
			t.Error(text)
		}
	})
	t.Run("NotFound", func(t *testing.T) {
		_, err := ask(&varvev1.LookupItemRequest{Id: "b"})
		refused(t, err, history.NotFound)
		_, err = ask(&varvev1.LookupItemRequest{Id: "a", Account: ptr("1"), Region: ptr("eu")})
		refused(t, err, history.NotFound)
		_, err = ask(&varvev1.LookupItemRequest{Id: "twin", Account: ptr("3")})
		refused(t, err, history.NotFound)
	})
	t.Run("Ambiguous", func(t *testing.T) {
		_, err := ask(&varvev1.LookupItemRequest{Id: "twin", At: day(3), Region: ptr("eu")})
		meta := refused(t, err, history.Ambiguous)
		if meta["matches"] != `[{"account":"1","region":"eu"},{"account":"2","region":"eu"}]` || meta["count"] != "2" {
			t.Error(meta)
		}
		if !strings.Contains(status.Convert(err).Message(), `account "2" region "eu"`) {
			t.Error(err)
		}
		for _, account := range []string{"1", "2"} {
			item, err := ask(&varvev1.LookupItemRequest{Id: "twin", At: day(3), Account: &account})
			if err != nil || item.GetKey().GetAccount() != account {
				t.Errorf("%v, %v", item, err)
			}
		}
	})
	t.Run("AmbiguousWhoeverLived", func(t *testing.T) {
		for _, at := range []int{1, 3, 6} { // none, both, one
			_, err := ask(&varvev1.LookupItemRequest{Id: "twin", At: day(at)})
			if meta := refused(t, err, history.Ambiguous); meta["matches"] != `[{"account":"1","region":"eu"},{"account":"2","region":"eu"}]` {
				t.Errorf("day %d: %v", at, meta)
			}
		}
		_, err := ask(&varvev1.LookupItemRequest{Id: "twin", At: day(6), Account: ptr("2")})
		refused(t, err, history.NotAlive)
		item, err := ask(&varvev1.LookupItemRequest{Id: "twin", KnownAt: "5"}) // when there was one
		if err != nil || item.GetKey().GetAccount() != "1" {
			t.Errorf("%v, %v", item, err)
		}
		_, err = d.History.ListItemHistory(t.Context(), &varvev1.ListItemHistoryRequest{Type: "T", Id: "twin"})
		refused(t, err, history.Ambiguous)
		_, err = d.History.DiffItem(t.Context(), &varvev1.DiffItemRequest{Type: "T", Id: "twin", From: "v1"})
		refused(t, err, history.Ambiguous)
	})
	t.Run("Invalid", func(t *testing.T) {
		_, err := d.History.LookupItem(t.Context(), &varvev1.LookupItemRequest{Id: "a"})
		if meta := refused(t, err, history.Invalid); meta["field"] != "type" {
			t.Error(meta)
		}
		_, err = ask(&varvev1.LookupItemRequest{Id: "a", At: &timestamppb.Timestamp{Nanos: -1}})
		if meta := refused(t, err, history.Invalid); meta["field"] != "at" {
			t.Error(meta)
		}
	})
}

func TestManyTwins(t *testing.T) {
	d := open(t, apitest.Options{})
	for i := range 30 {
		d.Record(t, seen("x", 2, `1`, in(strings.Repeat("long", 100)+fmt.Sprint(i), "eu")))
	}
	_, err := d.History.LookupItem(t.Context(), &varvev1.LookupItemRequest{Type: "T", Id: "x"})
	if meta := refused(t, err, history.Ambiguous); meta["count"] != "30" || len(fmt.Sprint(status.Convert(err).Proto())) > 4<<10 {
		t.Error(err)
	}
}

func TestKnownAt(t *testing.T) {
	clock := time.Date(2026, time.April, 1, 0, 0, 0, 0, time.UTC)
	now := func() time.Time { return clock }
	d := openAt(t, now)
	d.Record(t, seen("a", 2, `1`))
	audit := clock
	clock = clock.Add(time.Hour)
	d.Record(t, seen("a", 1, `"late"`), seen("a", 3, `2`))

	ask := func(knownAt string, n int) (string, error) {
		item, err := d.History.LookupItem(t.Context(), &varvev1.LookupItemRequest{Type: "T", Id: "a", At: day(n), KnownAt: knownAt})
		return string(item.GetConfiguration().GetRaw()), err
	}
	for _, c := range []struct {
		knownAt string
		day     int
		want    string
	}{
		{"", 3, "2"}, {"1", 3, "1"}, {"2", 1, `"late"`}, {"3", 3, "2"},
		{audit.Format(time.RFC3339), 3, "1"}, {audit.Add(59 * time.Minute).Format(time.RFC3339), 3, "1"},
		{clock.Format(time.RFC3339), 3, "2"}, {clock.Add(time.Minute).Format(time.RFC3339), 3, "2"},
	} {
		if got, err := ask(c.knownAt, c.day); err != nil || got != c.want {
			t.Errorf("%q, day %d: %s, %v", c.knownAt, c.day, got, err)
		}
	}
	t.Run("NotAliveAsKnown", func(t *testing.T) {
		_, err := ask("1", 1)
		refused(t, err, history.NotAlive)
	})
	t.Run("BeforeAnything", func(t *testing.T) {
		for _, knownAt := range []string{"0", audit.Add(-time.Second).Format(time.RFC3339)} {
			_, err := ask(knownAt, 3)
			refused(t, err, history.NotFound)
			list, err := d.History.ListItems(t.Context(), &varvev1.ListItemsRequest{KnownAt: knownAt})
			if err != nil || len(list.GetItems()) != 0 {
				t.Errorf("%v, %v", list, err)
			}
			count, err := d.History.CountItems(t.Context(), &varvev1.CountItemsRequest{KnownAt: knownAt})
			if err != nil || count.GetCount() != 0 {
				t.Errorf("%v, %v", count, err)
			}
		}
	})
	t.Run("Future", func(t *testing.T) {
		for _, knownAt := range []string{"4", "18446744073709551616", clock.Add(time.Hour).Format(time.RFC3339)} {
			_, err := ask(knownAt, 3)
			if meta := refused(t, err, history.Future); meta["field"] != "knownAt" {
				t.Errorf("%s: %v", knownAt, err)
			}
		}
	})
}

// TestBeforeEverything asks about moments that lie before all that can be
// recorded, given as Go's zero time and as the zero moment too.
func TestBeforeEverything(t *testing.T) {
	d := open(t, apitest.Options{})
	d.Record(t, seen("a", 2, `1`), seen("a", 4, `2`))
	for _, text := range []string{"0001-01-01T00:00:00Z", "1066-10-14T09:00:00Z", "1970-01-01T00:00:00Z"} {
		t.Run(text, func(t *testing.T) {
			moment, err := time.Parse(time.RFC3339, text)
			if err != nil {
				t.Fatal(err)
			}
			at := timestamppb.New(moment)
			_, err = d.History.LookupItem(t.Context(), &varvev1.LookupItemRequest{Type: "T", Id: "a", At: at})
			refused(t, err, history.NotAlive)
			_, err = d.History.LookupItem(t.Context(), &varvev1.LookupItemRequest{Type: "T", Id: "a", KnownAt: text})
			refused(t, err, history.NotFound)
			_, err = d.History.ListItemHistory(t.Context(), &varvev1.ListItemHistoryRequest{Type: "T", Id: "a", KnownAt: text})
			refused(t, err, history.NotFound)

			for _, req := range []*varvev1.CountItemsRequest{{At: at}, {KnownAt: text}, {At: at, KnownAt: "1"}} {
				count, err := d.History.CountItems(t.Context(), req)
				if err != nil || count.GetCount() != 0 {
					t.Errorf("%v: %v, %v", req, count, err)
				}
			}
			list, err := d.History.ListItems(t.Context(), &varvev1.ListItemsRequest{At: at})
			if err != nil || len(list.GetItems()) != 0 {
				t.Errorf("%v, %v", list, err)
			}
			since, err := d.History.ListItemHistory(t.Context(), &varvev1.ListItemHistoryRequest{Type: "T", Id: "a", From: at})
			if err != nil || len(since.GetItems()) != 2 {
				t.Errorf("from: %v, %v", since, err)
			}
			until, err := d.History.ListItemHistory(t.Context(), &varvev1.ListItemHistoryRequest{Type: "T", Id: "a", To: at})
			if err != nil || len(until.GetItems()) != 0 {
				t.Errorf("to: %v, %v", until, err)
			}
			diff, err := d.History.DiffItem(t.Context(), &varvev1.DiffItemRequest{Type: "T", Id: "a", From: text})
			if err != nil || diff.GetFrom() != nil || diff.GetTo().GetVersion() != 2 {
				t.Errorf("diff from: %v, %v", diff, err)
			}
			diff, err = d.History.DiffItem(t.Context(), &varvev1.DiffItemRequest{Type: "T", Id: "a", From: "v1", To: text})
			if err != nil || diff.GetFrom().GetVersion() != 1 || diff.GetTo() != nil {
				t.Errorf("diff to: %v, %v", diff, err)
			}
			changes, err := d.History.ListChanges(t.Context(), &varvev1.ListChangesRequest{Since: at})
			if err != nil || len(changes.GetChanges()) != 2 {
				t.Errorf("since: %v, %v", changes, err)
			}
		})
	}
}

func TestReadMask(t *testing.T) {
	d := open(t, apitest.Options{})
	d.Record(t, seen("a", 2, `1`, func(o *varvev1.Observation) { o.Tags = map[string]string{"k": "v"} }))
	ask := func(paths ...string) (*varvev1.Item, error) {
		return d.History.LookupItem(t.Context(), &varvev1.LookupItemRequest{Type: "T", Id: "a", ReadMask: &fieldmaskpb.FieldMask{Paths: paths}})
	}
	for _, c := range []struct {
		paths []string
		want  string
	}{
		{[]string{"version", "key.id"}, `key:{id:"a"} version:1`},
		{[]string{"key.id", "key"}, `key:{type:"T" id:"a"}`},
		{[]string{"key", "key.id"}, `key:{type:"T" id:"a"}`},
		{[]string{"tags"}, `tags:{key:"k" value:"v"}`},
		{[]string{"configuration"}, `configuration:{raw:"1"}`},
	} {
		item, err := ask(c.paths...)
		if got := strings.ReplaceAll(fmt.Sprint(item), "  ", " "); err != nil || got != c.want {
			t.Errorf("%v: %s, %v", c.paths, got, err)
		}
	}
	if item, err := ask("version", "*"); err != nil || item.GetConfiguration() == nil {
		t.Errorf("*: %v, %v", item, err)
	}
	for _, path := range []string{"", "colour", "key.colour", "tags.k", "configuration.raw", "captured_at.seconds", "key.id.x", "Version"} {
		_, err := ask("version", path)
		if meta := refused(t, err, history.Invalid); meta["field"] != "readMask" || meta["value"] != fmt.Sprintf("%q", path) {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func TestHistoryRange(t *testing.T) {
	d := open(t, apitest.Options{})
	d.Record(t, seen("a", 2, `1`), seen("a", 4, `2`), gone("a", 6), seen("a", 3, `"late"`))
	ask := func(req *varvev1.ListItemHistoryRequest) []uint32 {
		t.Helper()
		req.Type, req.Id = "T", "a"
		resp, err := d.History.ListItemHistory(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		var versions []uint32
		for _, item := range resp.GetItems() {
			versions = append(versions, item.GetVersion())
		}
		return versions
	}
	if got := ask(&varvev1.ListItemHistoryRequest{}); !slices.Equal(got, []uint32{3, 2, 4, 1}) {
		t.Error(got)
	}
	if got := ask(&varvev1.ListItemHistoryRequest{From: day(3), To: day(4)}); !slices.Equal(got, []uint32{2, 4}) {
		t.Error(got)
	}
	if got := ask(&varvev1.ListItemHistoryRequest{From: day(5)}); !slices.Equal(got, []uint32{3}) {
		t.Error("what held at the beginning was captured before it:", got)
	}
	if got := ask(&varvev1.ListItemHistoryRequest{To: day(1)}); len(got) != 0 {
		t.Error(got)
	}
	_, err := d.History.ListItemHistory(t.Context(), &varvev1.ListItemHistoryRequest{Type: "T", Id: "a", Account: ptr("x"), Region: ptr("")})
	refused(t, err, history.NotFound)
}
