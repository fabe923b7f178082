package server_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/api/internal/apitest"
	"github.com/varvehq/varve/api/server"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memory"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/feed"
	"github.com/varvehq/varve/recorder/delivery/route"
)

// sending opens the doors on a store whose changes are sent.
func sending(t *testing.T) *apitest.Doors {
	t.Helper()
	store := memory.New(memory.Options{StoreID: [16]byte{1, 2, 3}})
	deliverer := delivery.New(store, store, feed.NewSource(store, feed.Options{}), delivery.Options{
		Check: route.Options{}.Check, Open: route.Options{}.Open,
	})
	if err := deliverer.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = deliverer.Stop(t.Context()) })
	return open(t, apitest.Options{Store: store, Server: server.Options{Subscriptions: deliverer}})
}

// put makes a subscription that writes into a file.
func put(t *testing.T, d *apitest.Doors, name string, more ...func(*varvev1.PutSubscriptionRequest)) (*varvev1.Subscription, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), name+".ndjson")
	req := &varvev1.PutSubscriptionRequest{Subscription: &varvev1.Subscription{Name: "subscriptions/" + name, Target: "file://" + file}}
	for _, f := range more {
		f(req)
	}
	s, err := d.Send.PutSubscription(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return s, file
}

// until asks for a subscription again and again, until it stands as it should.
func until(t *testing.T, d *apitest.Doors, name string, so func(*varvev1.Subscription) bool) *varvev1.Subscription {
	t.Helper()
	for late := time.Now().Add(time.Minute); ; {
		s, err := d.Send.GetSubscription(t.Context(), &varvev1.GetSubscriptionRequest{Name: "subscriptions/" + name})
		if err != nil {
			t.Fatal(err)
		}
		if so(s) {
			return s
		}
		if time.Now().After(late) {
			t.Fatalf("it stands otherwise: %v", s)
		}
	}
}

func TestSubscriptionLife(t *testing.T) {
	d := sending(t)
	d.Record(t, seen("a", 1, `1`))
	s, file := put(t, d, "audit", func(r *varvev1.PutSubscriptionRequest) {
		r.Since = timestamppb.New(time.Unix(1, 0))
		r.Subscription.Filter = `id != "b"`
		r.Subscription.RetryFor = durationpb.New(time.Hour)
		r.Subscription.Rotation = &varvev1.Subscription_Rotation{Bytes: 1 << 20, Keep: 2}
		r.Subscription.State = varvev1.Subscription_STATE_DISABLED // output: not looked at
	})
	if s.GetState() != varvev1.Subscription_STATE_ACTIVE || s.GetFormat() != "ndjson" || s.GetFilter() != `id != "b"` ||
		s.GetRetryFor().AsDuration() != time.Hour || s.GetRotation().GetKeep() != 2 || s.GetCreatedAt() == nil || s.GetTimeout() != nil {
		t.Errorf("put: %v", s)
	}
	d.Record(t, seen("b", 1, `1`), seen("c", 1, `1`))
	s = until(t, d, "audit", func(s *varvev1.Subscription) bool { return s.GetDelivered() == 2 && s.GetLagEvents() == 0 })
	if s.GetMatched() != 2 || s.GetPrevious() != 3 || s.GetOutstanding() != 0 || s.GetPosition() == "" || s.GetLag() != nil ||
		s.GetOldestUndeliveredAt() != nil || s.GetLastDeliveredAt() == nil || s.GetLastFailure() != nil {
		t.Errorf("after two: %v", s)
	}
	text, err := os.ReadFile(file)
	if err != nil || strings.Count(string(text), "\n") != 2 {
		t.Errorf("the file holds %s, %v", text, err)
	}

	name := "subscriptions/audit"
	if s, err = d.Send.PauseSubscription(t.Context(), &varvev1.PauseSubscriptionRequest{Name: name}); err != nil || s.GetState() != varvev1.Subscription_STATE_PAUSED {
		t.Fatalf("paused: %v, %v", s, err)
	}
	d.Record(t, seen("d", 1, `1`))
	s = until(t, d, "audit", func(s *varvev1.Subscription) bool { return s.GetLagEvents() == 1 })
	if s.GetOldestUndeliveredAt() == nil {
		t.Errorf("behind: %v", s)
	}
	if s, err = d.Send.ResumeSubscription(t.Context(), &varvev1.ResumeSubscriptionRequest{Name: name}); err != nil || s.GetState() != varvev1.Subscription_STATE_ACTIVE {
		t.Fatalf("resumed: %v, %v", s, err)
	}
	until(t, d, "audit", func(s *varvev1.Subscription) bool { return s.GetDelivered() == 3 })

	if _, err := d.Send.DeleteSubscription(t.Context(), &varvev1.DeleteSubscriptionRequest{Name: name}); err != nil {
		t.Fatal(err)
	}
	_, err = d.Send.GetSubscription(t.Context(), &varvev1.GetSubscriptionRequest{Name: name})
	refused(t, err, history.NotFound)
}

func TestSubscriptionPages(t *testing.T) {
	d := sending(t)
	want := []string{"subscriptions/a", "subscriptions/b", "subscriptions/c"}
	for _, name := range want {
		put(t, d, strings.TrimPrefix(name, "subscriptions/"))
	}
	var got []string
	req := &varvev1.ListSubscriptionsRequest{PageSize: 2}
	for {
		page, err := d.Send.ListSubscriptions(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.GetSubscriptions() {
			got = append(got, s.GetName())
		}
		if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed %v", got)
	}
}

// failing is a receiver that answers 500 until it is told otherwise.
func failing(t *testing.T) (url string, recover func()) {
	t.Helper()
	var ok atomic.Bool
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !ok.Load() {
			http.Error(w, "no thanks", http.StatusInternalServerError)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, func() { ok.Store(true) }
}

func TestDeadLetters(t *testing.T) {
	d := sending(t)
	url, recovered := failing(t)
	put(t, d, "ops", func(r *varvev1.PutSubscriptionRequest) {
		r.Subscription.Target, r.Subscription.RetryFor = url, durationpb.New(time.Millisecond)
	})
	test, err := d.Send.TestSubscription(t.Context(), &varvev1.TestSubscriptionRequest{Name: "subscriptions/ops"})
	if err != nil || test.GetId() == "" || !strings.Contains(test.GetFailure(), "500") {
		t.Errorf("test: %v, %v", test, err)
	}
	d.Record(t, seen("a", 1, `1`), seen("b", 1, `1`), seen("c", 1, `1`))
	s := until(t, d, "ops", func(s *varvev1.Subscription) bool { return s.GetDeadLetters() == 3 })
	if s.GetDeadLettered() != 3 || s.GetFailed() < 3 || !strings.Contains(s.GetLastFailure().GetReason(), "500") || s.GetLastFailure().GetSequence() == 0 {
		t.Errorf("given up: %v", s)
	}

	var letters []*varvev1.DeadLetter
	list := &varvev1.ListDeadLettersRequest{Name: "subscriptions/ops", PageSize: 2}
	for {
		page, err := d.Send.ListDeadLetters(t.Context(), list)
		if err != nil {
			t.Fatal(err)
		}
		letters = append(letters, page.GetDeadLetters()...)
		if list.PageToken = page.GetNextPageToken(); list.PageToken == "" {
			break
		}
	}
	if len(letters) != 3 {
		t.Fatalf("%d dead letters", len(letters))
	}
	for i, l := range letters {
		if l.GetSequence() != uint64(i+1) || l.GetPrevious() != uint64(i) || l.GetKey().GetId() != string(rune('a'+i)) || l.GetAttempts() == 0 ||
			!strings.Contains(l.GetReason(), "500") || l.GetRecordedAt() == nil || l.GetFirstFailureAt() == nil || l.GetLastFailureAt() == nil {
			t.Errorf("dead letter %d: %v", i, l)
		}
	}

	recovered()
	replay := func(seqs []uint64, all bool) (*varvev1.ReplayDeadLettersResponse, error) {
		return d.Send.ReplayDeadLetters(t.Context(), &varvev1.ReplayDeadLettersRequest{Name: "subscriptions/ops", Sequences: seqs, All: all})
	}
	for _, wrong := range []struct {
		seqs []uint64
		all  bool
		kind history.Kind
	}{{nil, false, history.Invalid}, {[]uint64{1}, true, history.Invalid}, {make([]uint64, 1001), false, history.TooLarge}, {[]uint64{9}, false, history.NotFound}} {
		_, err := replay(wrong.seqs, wrong.all)
		refused(t, err, wrong.kind)
	}
	if r, err := replay([]uint64{2}, false); err != nil || r.GetReplayed() != 1 {
		t.Errorf("one: %v, %v", r, err)
	}
	if r, err := replay(nil, true); err != nil || r.GetReplayed() != 2 {
		t.Errorf("the rest: %v, %v", r, err)
	}
	until(t, d, "ops", func(s *varvev1.Subscription) bool { return s.GetDelivered() == 3 && s.GetDeadLetters() == 0 })
}

func TestSubscriptionRefused(t *testing.T) {
	d := sending(t)
	for _, test := range []struct {
		name  string
		put   func(*varvev1.PutSubscriptionRequest)
		field string
		kind  history.Kind
	}{
		{"No name", func(r *varvev1.PutSubscriptionRequest) { r.Subscription.Name = "" }, "subscription.name", history.Invalid},
		{"Another kind of name", func(r *varvev1.PutSubscriptionRequest) { r.Subscription.Name = "runs/a" }, "subscription.name", history.Invalid},
		{"A name of other letters", func(r *varvev1.PutSubscriptionRequest) { r.Subscription.Name = "subscriptions/A b" }, "name", history.Invalid},
		{"No target", func(r *varvev1.PutSubscriptionRequest) { r.Subscription.Target = "" }, "target", history.Invalid},
		{"Bad filter", func(r *varvev1.PutSubscriptionRequest) { r.Subscription.Filter = `kind == 1` }, "filter", history.Invalid},
		{"Bad secret", func(r *varvev1.PutSubscriptionRequest) {
			r.Subscription.Target, r.Secret = "https://ops.example/", ptr("hunter2")
		}, "secret", history.Invalid},
		{"Bad duration", func(r *varvev1.PutSubscriptionRequest) {
			r.Subscription.Timeout = &durationpb.Duration{Seconds: 1, Nanos: -1}
		}, "subscription.timeout", history.Invalid},
		{"Too long a time", func(r *varvev1.PutSubscriptionRequest) {
			r.Subscription.RetryFor = durationpb.New(1000 * time.Hour)
		}, "retryFor", history.Invalid},
		{"Less than nothing", func(r *varvev1.PutSubscriptionRequest) {
			r.Subscription.Rotation = &varvev1.Subscription_Rotation{Keep: -1}
		}, "rotation.keep", history.Invalid},
		{"Position and moment", func(r *varvev1.PutSubscriptionRequest) { r.Position, r.Since = "x", day(1) }, "since", history.Invalid},
		{"Since a moment to come", func(r *varvev1.PutSubscriptionRequest) {
			r.Since = timestamppb.New(day(1).AsTime().AddDate(200, 0, 0))
		}, "since", history.Future},
		{"No position", func(r *varvev1.PutSubscriptionRequest) { r.Position = "x" }, "position", history.ForeignToken},
	} {
		t.Run(test.name, func(t *testing.T) {
			req := &varvev1.PutSubscriptionRequest{Subscription: &varvev1.Subscription{
				Name: "subscriptions/ops", Target: "file://" + filepath.Join(t.TempDir(), "x"),
			}}
			test.put(req)
			_, err := d.Send.PutSubscription(t.Context(), req)
			if meta := refused(t, err, test.kind); meta["field"] != test.field {
				t.Errorf("field %q: %v", meta["field"], err)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("the error tells the secret")
			}
		})
	}
	t.Run("Nothing was made", func(t *testing.T) {
		list, err := d.Send.ListSubscriptions(t.Context(), &varvev1.ListSubscriptionsRequest{})
		if err != nil || len(list.GetSubscriptions()) > 0 {
			t.Errorf("%v, %v", list, err)
		}
	})
	t.Run("A store that keeps none", func(t *testing.T) {
		_, err := open(t, apitest.Options{}).Send.ListSubscriptions(t.Context(), &varvev1.ListSubscriptionsRequest{})
		wantCode(t, err, codes.Unimplemented)
	})
}

func TestSubscriptionOverHTTP(t *testing.T) {
	d := sending(t)
	file := "file://" + filepath.Join(t.TempDir(), "x")
	status, body := d.Do(t, http.MethodPut, "/v1/subscriptions/ops", `{"subscription":{"target":"`+file+`","filter":"kind ==\n  \"gone\""}}`, nil)
	f := apitest.ReadFault(t, body)
	if status != http.StatusBadRequest || !strings.HasSuffix(f.Message, "\nline 2, column 3: no change is of kind \"gone\"; there are created, updated, deleted\n    \"gone\"\n    ^") {
		t.Errorf("%d %s", status, body)
	}
	if meta := f.Details[0].Metadata; meta["field"] != "filter" || meta["line"] != "2" || meta["column"] != "3" {
		t.Errorf("meta: %v", meta)
	}

	const secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	status, body = d.Do(t, http.MethodPut, "/v1/subscriptions/ops", `{"subscription":{"target":"http://127.0.0.1:9/","retryFor":"90s"},"secret":"`+secret+`"}`, nil)
	if status != http.StatusOK || !strings.Contains(string(body), `"name":"subscriptions/ops"`) || !strings.Contains(string(body), `"retryFor":"90s"`) ||
		!strings.Contains(string(body), `"secrets":[{"since":"`) || strings.Contains(string(body), "whsec_") {
		t.Errorf("%d %s", status, body)
	}
	for _, ask := range []struct {
		method, path, body string
		want               string
	}{
		{http.MethodGet, "/v1/subscriptions", "", `"subscriptions":[{"name":"subscriptions/ops"`},
		{http.MethodGet, "/v1/subscriptions/ops", "", `"state":"STATE_ACTIVE"`},
		{http.MethodPost, "/v1/subscriptions/ops:pause", "", `"state":"STATE_PAUSED"`},
		{http.MethodPost, "/v1/subscriptions/ops:resume", "{}", `"state":"STATE_ACTIVE"`},
		{http.MethodPost, "/v1/subscriptions/ops:test", "{}", `"failure":"`},
		{http.MethodGet, "/v1/subscriptions/ops/deadLetters?pageSize=5", "", `"deadLetters":[]`},
		{http.MethodPost, "/v1/subscriptions/ops/deadLetters:replay", `{"all":true}`, `"replayed":0`},
		{http.MethodDelete, "/v1/subscriptions/ops", "", `{}`},
	} {
		if status, body := d.Do(t, ask.method, ask.path, ask.body, nil); status != http.StatusOK || !strings.Contains(string(body), ask.want) {
			t.Errorf("%s %s: %d %s", ask.method, ask.path, status, body)
		}
	}
	if strings.Contains(d.Log.String(), "whsec_") {
		t.Error("the log tells the secret")
	}
	if status, _ := d.Get(t, "/v1/subscriptions/ops"); status != http.StatusNotFound {
		t.Errorf("deleted: %d", status)
	}
	if status, body := d.Do(t, http.MethodDelete, "/v1/subscriptions/ops?force=true", "", nil); status != http.StatusBadRequest {
		t.Errorf("an unknown member of the query: %d %s", status, body)
	}
}
