package format

import (
	"fmt"
	"net/url"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/internal/walk"
	"github.com/varvehq/varve/recorder/source/awsconfig"
)

// awsConfig is the notification that AWS Config sends when a resource changes, or
// whether it complies, as the body of an SNS message or the detail of an EventBridge event has it.
type awsConfig struct{ Options }

// Batches implements delivery.Format.
func (awsConfig) Batches() int { return 1 }

// maxNotification is what SNS takes. AWS sends a summary of what is larger.
const maxNotification = 256 << 10

// Encode implements delivery.Format.
func (f awsConfig) Encode(notices []*delivery.Notice, now time.Time) (delivery.Message, error) {
	if len(notices) != 1 {
		return delivery.Message{}, fmt.Errorf("aws-config: %d notices in a message of one", len(notices))
	}
	n := notices[0]
	if e := (encoder{b: make([]byte, 0, 2048)}); e.compliance(n, now) {
		return message(notices, "application/json", &e)
	}
	before, err := streamItem(&n.Before)
	if err != nil {
		return delivery.Message{}, err
	}
	after, err := streamItem(shown(n))
	if err != nil {
		return delivery.Message{}, err
	}

	e := encoder{b: make([]byte, 0, 1024+2*len(after))}
	e.open('{')
	e.itemDiff(n, before, after)
	e.raw("configurationItem", after)
	e.about(now, "ConfigurationItemChangeNotification", "1.3")
	e.close('}')
	if len(e.b) > maxNotification {
		e = f.oversized(n, after, len(e.b), now)
	}
	return message(notices, "application/json", &e)
}

// shown is the item of the notification. Of versions that are no longer kept it
// tells what the feed does.
func shown(n *delivery.Notice) *history.Item {
	if !n.Compacted {
		return &n.After
	}
	deleted := n.Kind == history.Deleted
	return &history.Item{
		Key: n.Key, Version: n.Version, CapturedAt: n.CapturedAt, RecordedAt: n.RecordedAt, Revision: n.Revision,
		Status: history.DeriveStatus("", deleted, n.Kind == history.Updated), State: history.State{Deleted: deleted},
	}
}

// streamItem is an item in the dialect of notifications, with the members that
// AWS always sends; nil for none.
func streamItem(i *history.Item) ([]byte, error) {
	if i.Version == 0 {
		return nil, nil
	}
	b, err := awsconfig.Append(make([]byte, 0, 1024+len(i.State.Configuration)), i)
	if err != nil {
		return nil, err
	}
	has := map[string]bool{}
	for name := range walk.Object(b) {
		has[string(name)] = true
	}
	e := encoder{b: b[:len(b)-1]}
	if !has["relatedEvents"] {
		e.raw("relatedEvents", []byte("[]"))
	}
	if !has["configurationStateMd5Hash"] {
		e.text("configurationStateMd5Hash", "")
	}
	e.close('}')
	return e.b, e.err
}

const timeLayout = "2006-01-02T15:04:05.000Z"

// about writes the members that end every notification.
func (e *encoder) about(now time.Time, messageType, recordVersion string) {
	e.text("notificationCreationTime", now.UTC().Format(timeLayout))
	e.text("messageType", messageType)
	e.text("recordVersion", recordVersion)
}

// changeType is AWS's word for what became of the resource at its moment.
func changeType(n *delivery.Notice) string {
	if n.Compacted {
		switch n.Kind {
		case history.Created:
			return "CREATE"
		case history.Deleted:
			return "DELETE"
		}
		return "UPDATE"
	}
	switch before, after := n.Before.Exists(), n.After.Exists(); {
	case !before && after:
		return "CREATE"
	case before && !after:
		return "DELETE"
	case !before && !after: // a deletion of what was not known
		return "NONE"
	}
	return "UPDATE"
}

// summary are the members of an item that a summary of it has.
var summary = []string{
	"configurationItemVersion", "configurationItemCaptureTime", "configurationStateId", "awsAccountId", "configurationItemStatus",
	"resourceType", "resourceId", "resourceName", "ARN", "awsRegion", "availabilityZone", "configurationStateMd5Hash", "resourceCreationTime",
}

// oversized is what AWS sends if a notification is too long and there is no
// bucket to put it in: who changed, and, in place of the bucket's error, where
// Varve tells the rest.
func (f awsConfig) oversized(n *delivery.Notice, item []byte, size int, now time.Time) encoder {
	members := map[string][]byte{}
	for name, value := range walk.Object(item) {
		members[string(name)] = value
	}
	e := encoder{b: make([]byte, 0, 2048)}
	e.open('{')
	e.member("configurationItemSummary")
	e.open('{')
	e.text("changeType", changeType(n))
	for _, name := range summary {
		e.rawOrNull(name, members[name])
	}
	e.close('}')
	e.member("s3DeliverySummary")
	e.open('{')
	e.raw("s3BucketLocation", null)
	e.text("errorCode", "NoSuchBucket")
	e.text("errorMessage", fmt.Sprintf("The notification has %d bytes, more than %d, and there is no bucket to deliver it to: "+
		"read the item with GET %s", size, maxNotification, f.lookup(n)))
	e.close('}')
	e.about(now, "OversizedConfigurationItemChangeDeliveryFailed", "1.0")
	e.close('}')
	return e
}

// lookup is the question to the HTTP gateway that the item answers, for ever the
// same.
func (f awsConfig) lookup(n *delivery.Notice) string {
	q := url.Values{
		"type": {n.Key.Type}, "id": {n.Key.ID}, "account": {n.Key.Account}, "region": {n.Key.Region},
		"at": {n.CapturedAt.String()}, "knownAt": {n.Revision.String()},
	}
	return f.BaseURL + "/v1/items:lookup?" + q.Encode()
}
