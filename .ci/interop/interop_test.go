package interop_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/feed"
	"github.com/varvehq/varve/recorder/delivery/format"
	"github.com/varvehq/varve/recorder/delivery/webhook"
)

// notices are changes of one resource, from its creation to its end. Their numbers
// have more digits than a float keeps, but lie within its range: the JSON reader
// that the CloudEvents SDK uses stops at a number beyond it, even one that it only
// passes over.
func notices() []*delivery.Notice {
	moment := history.MomentOf(time.Date(2026, 3, 1, 9, 30, 0, 123_456_000, time.UTC))
	var list []*delivery.Notice
	var before history.Item
	for i := range 5 {
		item := history.Item{
			Key:     history.Key{Account: "111122223333", Region: "eu-west-1", Type: "AWS::EC2::SecurityGroup", ID: "sg/1\u007fä 🦀"},
			Version: uint32(i + 1), CapturedAt: moment + history.Moment(i), RecordedAt: moment + history.Moment(i), Revision: history.Revision(i + 1),
			Until: history.Newest, Status: history.StatusOK,
			State: history.State{
				Tags:          map[string]string{"env": "prod\n"},
				Configuration: fmt.Appendf(nil, `{"big":12345678901234567890.1%d,"e":1E40,"one":1.0,"s":"\u0000<&>"}`, i),
			},
			Origin: history.Origin{Cause: history.Cause{Actor: "ann"}},
		}
		kind := history.Updated
		switch i {
		case 0:
			kind = history.Created
		case 4:
			kind = history.Deleted
			item.State = history.State{Deleted: true}
		}
		c := history.Change{
			Seq: history.Seq(1<<60 + i), Position: "AQ", Revision: item.Revision, RecordedAt: item.RecordedAt, Kind: kind, Late: i == 2,
			Key: item.Key, Version: item.Version, CapturedAt: item.CapturedAt,
		}
		list = append(list, &delivery.Notice{
			Event: feed.New(c, before, item), Subscription: "audit", StoreID: [16]byte{0x0f, 0x8f}, Previous: c.Seq - 1, Attempt: 1,
		})
		before = item
	}
	return list
}

func encode(t *testing.T, name string, list ...*delivery.Notice) delivery.Message {
	t.Helper()
	f, err := format.New(name, format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := f.Encode(list, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// send posts messages to a receiver, which judges each by returning an error or
// none.
func send(t *testing.T, o webhook.Options, judge func(r *http.Request) error, messages ...delivery.Message) {
	t.Helper()
	arrived := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived++
		if err := judge(r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	}))
	defer s.Close()
	o.URL = s.URL
	target, err := webhook.New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	for _, m := range messages {
		if err := target.Deliver(t.Context(), m); err != nil {
			t.Errorf("%v\n%s", err, bytes.TrimSpace(m.Body))
		}
	}
	if arrived != len(messages) {
		t.Errorf("%d messages arrived, %d were sent", arrived, len(messages))
	}
}
