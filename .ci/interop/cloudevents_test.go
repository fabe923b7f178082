package interop_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"

	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/webhook"
)

// TestCloudEvents: the official SDK reads each event from the request, finds it
// valid, and gives back every attribute and every digit.
func TestCloudEvents(t *testing.T) {
	list := notices()
	var messages []delivery.Message
	for _, n := range list {
		messages = append(messages, encode(t, "cloudevents", n))
	}
	next := 0
	send(t, webhook.Options{}, func(r *http.Request) error {
		m := cehttp.NewMessageFromHttpRequest(r)
		if m.ReadEncoding() != binding.EncodingStructured {
			return fmt.Errorf("encoding %v", m.ReadEncoding())
		}
		e, err := binding.ToEvent(r.Context(), m)
		if err != nil {
			return err
		}
		next++
		return check(e, list[next-1])
	}, messages...)
}

// TestCloudEventsBatch is the same for an array of all of them.
func TestCloudEventsBatch(t *testing.T) {
	list := notices()
	send(t, webhook.Options{}, func(r *http.Request) error {
		m := cehttp.NewMessageFromHttpRequest(r)
		if m.ReadEncoding() != binding.EncodingBatch {
			return fmt.Errorf("encoding %v", m.ReadEncoding())
		}
		events, err := binding.ToEvents(r.Context(), m, r.Body)
		if err != nil {
			return err
		}
		if len(events) != len(list) {
			return fmt.Errorf("%d events of %d", len(events), len(list))
		}
		for i := range events {
			if err := check(&events[i], list[i]); err != nil {
				return err
			}
		}
		return nil
	}, encode(t, "cloudevents-batch", list...))
}

func check(e *event.Event, n *delivery.Notice) error {
	if err := e.Validate(); err != nil {
		return err
	}
	const store = "0f8f0000-0000-0000-0000-000000000000"
	for name, pair := range map[string][2]any{
		"specversion":     {e.SpecVersion(), "1.0"},
		"id":              {e.ID(), fmt.Sprintf("%s/0/%d/%d", store, n.Seq, n.RecordedAt)},
		"source":          {e.Source(), "/varve/" + store},
		"type":            {e.Type(), "io.varve.configuration." + n.Kind.String()},
		"subject":         {e.Subject(), "AWS::EC2::SecurityGroup/sg/1%7Fä 🦀"},
		"time":            {e.Time().UnixMicro(), int64(n.RecordedAt)},
		"datacontenttype": {e.DataContentType(), "application/json"},
		"subscription":    {e.Extensions()["subscription"], "audit"},
		"partition":       {fmt.Sprint(e.Extensions()["partition"]), "0"},
		"sequence":        {e.Extensions()["sequence"], fmt.Sprintf("%020d", n.Seq)},
		"previous":        {e.Extensions()["previous"], fmt.Sprintf("%020d", n.Previous)},
		"revision":        {e.Extensions()["revision"], fmt.Sprintf("%020d", n.Revision)},
		"late":            {fmt.Sprint(e.Extensions()["late"]), fmt.Sprint(n.Late)},
		"account":         {e.Extensions()["account"], "111122223333"},
		"region":          {e.Extensions()["region"], "eu-west-1"},
		"resourcetype":    {e.Extensions()["resourcetype"], "AWS::EC2::SecurityGroup"},
		"resourceid":      {e.Extensions()["resourceid"], "sg/1%7Fä 🦀"},
	} {
		if pair[0] != pair[1] {
			return fmt.Errorf("%s is %v, want %v", name, pair[0], pair[1])
		}
	}
	var data struct {
		Change struct{ Key struct{ ID string } }
		After  *struct{ Configuration json.RawMessage }
	}
	if err := e.DataAs(&data); err != nil {
		return err
	}
	if data.Change.Key.ID != n.Key.ID {
		return fmt.Errorf("id %q", data.Change.Key.ID)
	}
	if want := n.After.State.Configuration; !bytes.Equal(data.After.Configuration, want) || !strings.Contains(string(e.Data()), string(want)) {
		return fmt.Errorf("configuration %s, want %s", data.After.Configuration, want)
	}
	return nil
}
