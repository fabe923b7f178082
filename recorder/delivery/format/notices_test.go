package format_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder"
	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/feed"
	"github.com/varvehq/varve/recorder/delivery/format"
	"github.com/varvehq/varve/recorder/internal/arbitrary"
)

var (
	store = [16]byte{0x0f, 0x8f, 0xad, 0x5b, 0xd9, 0xcb, 0x46, 0x9f, 0xa1, 0x65, 0x70, 0x86, 0x77, 0x28, 0x95, 0x0e}
	now   = time.Date(2026, 3, 1, 9, 30, 0, 250_000_000, time.UTC)
	noon  = history.MomentOf(time.Date(2026, 3, 1, 9, 29, 0, 0, time.UTC))
)

// noticeOf is the change from one observation to the next; nil: nothing is known
// before.
func noticeOf(t rapid.TB, before, after *history.Observation) *delivery.Notice {
	t.Helper()
	b := itemOf(t, before, 1, false)
	a := itemOf(t, after, 2, b.Exists())
	kind := history.Updated
	switch {
	case a.State.Deleted:
		kind = history.Deleted
	case !b.Exists():
		kind = history.Created
	}
	c := history.Change{
		Partition: 0, Seq: 42, Position: "AQ", Revision: a.Revision, RecordedAt: a.RecordedAt, Kind: kind,
		Key: a.Key, Version: a.Version, CapturedAt: a.CapturedAt,
	}
	return &delivery.Notice{Event: feed.New(c, b, a), Subscription: "audit", StoreID: store, Previous: 40, Attempt: 1}
}

func itemOf(t rapid.TB, o *history.Observation, version uint32, alive bool) history.Item {
	t.Helper()
	if o == nil {
		return history.Item{}
	}
	if err := recorder.New(nil, recorder.Options{}).Prepare(o); err != nil {
		t.Fatal(err)
	}
	return history.Item{
		Key: o.Key, Version: version, CapturedAt: o.CapturedAt, LastSeenAt: o.CapturedAt, Until: history.Newest,
		RecordedAt: noon + history.Moment(version), Revision: history.Revision(version) << 40,
		Status: history.DeriveStatus(o.State.Status, o.State.Deleted, alive), State: o.State, Origin: o.Origin,
	}
}

// notices are changes of every kind: of anything into anything, and of documents
// that have much in common.
var notices = rapid.Custom(func(t *rapid.T) *delivery.Notice {
	before, after := arbitrary.Observation(t), arbitrary.Observation(t)
	after.Key = before.Key
	if rapid.Bool().Draw(t, "alike") {
		after.State = before.State
		if !before.State.Deleted && before.State.Configuration != nil {
			before.State.Configuration, after.State.Configuration = alike(t)
		}
		after.State.Tags = map[string]string{"a": "1"}
	}
	var n *delivery.Notice
	if rapid.IntRange(0, 3).Draw(t, "first") == 0 {
		n = noticeOf(t, nil, &after)
	} else {
		n = noticeOf(t, &before, &after)
	}
	n.Late = rapid.Bool().Draw(t, "late")
	n.FilterError = rapid.SampledFrom([]string{"", "cost limit \"exceeded\"\n"}).Draw(t, "error")
	if rapid.IntRange(0, 9).Draw(t, "compacted") == 0 {
		e := feed.New(n.Change, history.Item{}, history.Item{Key: n.Key})
		e.Compacted = true
		n.Event = e
	}
	return n
})

// alike are two documents made of the same few parts.
func alike(t *rapid.T) (before, after []byte) {
	var parts []string
	for range 4 {
		parts = append(parts, arbitrary.JSON(t, 2))
	}
	part := rapid.SampledFrom(parts)
	names := rapid.SampledFrom([]string{"a", "A", "b", "a.b", "0", "", "é"})
	var document func(depth int) string
	document = func(depth int) string {
		switch {
		case depth == 0:
			return part.Draw(t, "part")
		case depth < 3 && rapid.Bool().Draw(t, "list"):
			var list []string
			for range rapid.IntRange(0, 4).Draw(t, "length") {
				list = append(list, document(depth-1))
			}
			return "[" + strings.Join(list, ",") + "]"
		}
		var members []string
		for _, name := range rapid.SliceOfNDistinct(names, 0, 4, rapid.ID[string]).Draw(t, "names") {
			members = append(members, `"`+name+`":`+document(depth-1))
		}
		return "{" + strings.Join(members, ",") + "}"
	}
	return []byte(document(3)), []byte(document(3))
}

func formatOf(t rapid.TB, name string) delivery.Format {
	t.Helper()
	f, err := format.New(name, format.Options{BaseURL: "http://varve.example:7421"})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func encode(t rapid.TB, name string, list ...*delivery.Notice) delivery.Message {
	t.Helper()
	m, err := formatOf(t, name).Encode(list, now)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// group is a security group with one rule.
func group(cidr string) *history.Observation {
	return &history.Observation{
		Key:        history.Key{Account: "111122223333", Region: "eu-west-1", Type: "AWS::EC2::SecurityGroup", ID: "sg-1"},
		CapturedAt: noon - 60_000_000,
		State: history.State{
			Name: "web", ARN: "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1", Tags: map[string]string{"env": "prod"},
			Configuration: []byte(`{"groupId":"sg-1","vpcId":"vpc-1","big":12345678901234567890.10,"ipPermissions":[` +
				`{"ipProtocol":"tcp","fromPort":22,"toPort":22,"ipRanges":["` + cidr + `"]}]}`),
			Relationships: []history.Relationship{{Name: "Is contained in Vpc", Type: "AWS::EC2::VPC", ID: "vpc-1"}},
		},
		Origin: history.Origin{Provider: "aws", Cause: history.Cause{Actor: "arn:aws:iam::111122223333:user/ann"}},
	}
}

func TestNew(t *testing.T) {
	for _, name := range format.Names() {
		if n := formatOf(t, name).Batches(); n < 1 {
			t.Errorf("%s: %d in a message", name, n)
		}
	}
	for name, want := range map[string]string{
		"cloudevent":    "did you mean cloudevents?",
		"CloudEvents":   "did you mean cloudevents?",
		"batch":         "did you mean cloudevents-batch?",
		"awsconfig":     "did you mean aws-config?",
		"json":          "did you mean ndjson?",
		"":              "is not a format; they are cloudevents, cloudevents-batch, aws-config, slack, ndjson",
		"protobuf-file": "is not a format; they are cloudevents,",
	} {
		_, err := format.New(name, format.Options{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "format ") {
			t.Errorf("%q: %v", name, err)
		}
	}
	t.Run("number of notices", func(t *testing.T) {
		n := noticeOf(t, nil, group("10.0.0.0/8"))
		for _, name := range format.Names() {
			f := formatOf(t, name)
			if _, err := f.Encode(nil, now); err == nil {
				t.Errorf("%s: an empty message", name)
			}
			many := make([]*delivery.Notice, f.Batches()+1)
			for i := range many {
				many[i] = n
			}
			if _, err := f.Encode(many, now); err == nil {
				t.Errorf("%s: %d notices in a message", name, len(many))
			}
			if _, err := f.Encode(many[1:], now); err != nil {
				t.Errorf("%s: %d notices: %v", name, len(many)-1, err)
			}
		}
	})
}
