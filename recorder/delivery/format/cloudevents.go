package format

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/varvehq/varve/recorder/delivery"
)

// cloudEvents is CloudEvents 1.0 in structured JSON. The attributes are
//
//	id               see eventID
//	source           /varve/STORE, the store's UUID
//	type             io.varve.configuration.created, .updated or .deleted
//	subject          TYPE/ID of the resource
//	time             when the change was recorded
//	datacontenttype  application/json
//
// and, as extensions,
//
//	subscription     which subscription this is sent for
//	partition        of the feed, a number
//	sequence         within the partition: 20 decimal digits, so that their order as text is that of the feed
//	previous         the sequence that the subscription matched before; all zero: this is the first
//	revision         of the store, in 20 digits as well
//	late             true if it was captured before the newest that was known of the resource
//	capturedat       when the state was true
//	account, region  of the resource, where it has them
//	resourcetype, resourceid, resourceversion
//	filtererror      why the filter could not decide, where it could not
//
// data is as in document. Characters that CloudEvents does not take in an
// attribute are written as %XX there; data has them as they are.
type cloudEvents struct{}

// Batches implements delivery.Format.
func (cloudEvents) Batches() int { return 1 }

// Encode implements delivery.Format.
func (cloudEvents) Encode(notices []*delivery.Notice, _ time.Time) (delivery.Message, error) {
	if len(notices) != 1 {
		return delivery.Message{}, fmt.Errorf("cloudevents: %d notices in a message of one", len(notices))
	}
	e := sized(notices...)
	e.cloudEvent(notices[0])
	return message(notices, "application/cloudevents+json", &e)
}

// cloudEventsBatch is a JSON array of such events.
type cloudEventsBatch struct{}

// Batches implements delivery.Format.
func (cloudEventsBatch) Batches() int { return 100 }

// Encode implements delivery.Format.
func (f cloudEventsBatch) Encode(notices []*delivery.Notice, _ time.Time) (delivery.Message, error) {
	if len(notices) < 1 || len(notices) > f.Batches() {
		return delivery.Message{}, fmt.Errorf("cloudevents-batch: %d notices in a message of 1 to %d", len(notices), f.Batches())
	}
	e := sized(notices...)
	e.open('[')
	for _, n := range notices {
		e.element()
		e.cloudEvent(n)
	}
	e.close(']')
	return message(notices, "application/cloudevents-batch+json", &e)
}

// message is what e has written for the notices.
func message(notices []*delivery.Notice, contentType string, e *encoder) (delivery.Message, error) {
	if e.err != nil {
		return delivery.Message{}, e.err
	}
	return delivery.Message{ID: messageID(notices), ContentType: contentType, Body: e.b}, nil
}

func (e *encoder) cloudEvent(n *delivery.Notice) {
	e.open('{')
	e.text("specversion", "1.0")
	e.text("id", eventID(n))
	e.text("source", "/varve/"+uuid.UUID(n.StoreID).String())
	e.text("type", "io.varve.configuration."+n.Kind.String())
	e.text("subject", attribute(n.Key.Type+"/"+n.Key.ID))
	e.moment("time", n.RecordedAt)
	e.text("datacontenttype", "application/json")
	e.given("subscription", attribute(n.Subscription))
	e.small("partition", uint32(n.Partition))
	e.padded("sequence", uint64(n.Seq))
	e.padded("previous", uint64(n.Previous))
	e.padded("revision", uint64(n.Revision))
	e.bool("late", n.Late)
	e.moment("capturedat", n.CapturedAt)
	e.given("account", attribute(n.Key.Account))
	e.given("region", attribute(n.Key.Region))
	e.text("resourcetype", attribute(n.Key.Type))
	e.text("resourceid", attribute(n.Key.ID))
	e.padded("resourceversion", uint64(n.Version))
	e.given("filtererror", attribute(n.FilterError))
	e.member("data")
	e.open('{')
	e.document(n)
	e.close('}')
	e.close('}')
}

// padded writes a number as text that sorts like it.
func (e *encoder) padded(name string, value uint64) {
	digits := strconv.FormatUint(value, 10)
	e.member(name)
	e.b = append(e.b, '"')
	e.b = append(e.b, "00000000000000000000"[len(digits):]...)
	e.b = append(e.b, digits...)
	e.b = append(e.b, '"')
}

// attribute writes what may not stand in a CloudEvents String as %XX.
func attribute(s string) string {
	if strings.IndexFunc(s, disallowed) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if !disallowed(r) {
			b.WriteRune(r)
			continue
		}
		for _, c := range []byte(string(r)) {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// disallowed are control characters and noncharacters.
func disallowed(r rune) bool {
	return r < ' ' || r >= 0x7f && r <= 0x9f || r >= 0xfdd0 && r <= 0xfdef || r&0xfffe == 0xfffe
}
