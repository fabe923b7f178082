package format

import (
	"fmt"
	"time"

	"github.com/varvehq/varve/recorder/delivery"
)

// ndjson is one JSON object a line: subscription, partition, sequence and previous
// ("0": it is the first), id as in CloudEvents, filterError where there is one,
// and what document has.
type ndjson struct{}

// Batches implements delivery.Format.
func (ndjson) Batches() int { return 1000 }

// Encode implements delivery.Format.
func (f ndjson) Encode(notices []*delivery.Notice, _ time.Time) (delivery.Message, error) {
	if len(notices) < 1 || len(notices) > f.Batches() {
		return delivery.Message{}, fmt.Errorf("ndjson: %d notices in a message of 1 to %d", len(notices), f.Batches())
	}
	e := sized(notices...)
	for _, n := range notices {
		e.open('{')
		e.text("id", eventID(n))
		e.text("subscription", n.Subscription)
		e.small("partition", uint32(n.Partition))
		e.large("sequence", uint64(n.Seq))
		e.large("previous", uint64(n.Previous))
		e.given("filterError", n.FilterError)
		e.document(n)
		e.close('}')
		e.b = append(e.b, '\n')
	}
	return message(notices, "application/x-ndjson", &e)
}
