package format_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/canonical"
	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/feed"
	"github.com/varvehq/varve/recorder/delivery/format"
)

var update = flag.Bool("update", false, "write the golden files anew")

// cases are what a security group goes through.
func cases(t testing.TB) map[string]*delivery.Notice {
	opened := group("0.0.0.0/0")
	opened.State.Tags = map[string]string{"env": "prod", "owner": "<ann>"}
	opened.State.Relationships = append(opened.State.Relationships,
		history.Relationship{Name: "Is attached to Instance", Type: "AWS::EC2::Instance", ID: "i-1"})
	gone := &history.Observation{Key: opened.Key, CapturedAt: noon, State: history.State{Deleted: true}}

	list := map[string]*delivery.Notice{
		"created": noticeOf(t, nil, group("10.0.0.0/8")),
		"updated": noticeOf(t, group("10.0.0.0/8"), opened),
		"deleted": noticeOf(t, opened, gone),
	}
	list["created"].Previous = 0
	list["updated"].Late = true
	list["updated"].FilterError = "operation cancelled: actual cost limit exceeded"

	pruned := feed.New(list["updated"].Change, history.Item{}, history.Item{Key: opened.Key})
	pruned.Compacted = true
	list["compacted"] = &delivery.Notice{Event: pruned, Subscription: "audit", StoreID: store, Previous: 41}
	return list
}

// TestGolden: what is sent for each case, in every format, indented for people.
func TestGolden(t *testing.T) {
	for name, n := range cases(t) {
		for _, f := range format.Names() {
			t.Run(name+" "+f, func(t *testing.T) {
				m := encode(t, f, n)
				text := jsontext.Value(m.Body).Clone()
				if err := text.Indent(jsontext.WithIndent("  ")); err != nil {
					t.Fatal(err)
				}
				got := []byte(m.ID + "\n" + m.ContentType + "\n\n" + string(text) + "\n")
				path := filepath.Join("testdata", name+"."+f+".txt")
				if *update {
					if err := os.WriteFile(path, got, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, want) {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			})
		}
	}
}

// TestIDs: a message has one id for ever, and no other message has it.
func TestIDs(t *testing.T) {
	base := func() *delivery.Notice { return noticeOf(t, nil, group("10.0.0.0/8")) }
	seen := map[string]string{encode(t, "ndjson", base()).ID: "first"}
	for name, change := range map[string]func(n *delivery.Notice){
		"subscription": func(n *delivery.Notice) { n.Subscription = "audi" },
		"store":        func(n *delivery.Notice) { n.StoreID[0]++ },
		"partition":    func(n *delivery.Notice) { n.Partition = 1 },
		"sequence":     func(n *delivery.Notice) { n.Seq++ },
		"recorded":     func(n *delivery.Notice) { n.RecordedAt++ },
	} {
		n := base()
		change(n)
		id := encode(t, "ndjson", n).ID
		if other, ok := seen[id]; ok {
			t.Errorf("%s has the id of %s", name, other)
		}
		seen[id] = name
	}
	if id := encode(t, "ndjson", base(), base()).ID; seen[id] != "" {
		t.Errorf("two notices have the id of %s", seen[id])
	}
	again := base()
	again.Attempt, again.FilterError = 7, "x"
	if id := encode(t, "ndjson", again).ID; seen[id] != "first" {
		t.Error("another attempt has another id")
	}
}

// TestOversized: above what SNS takes there is a summary, and where the rest is.
func TestOversized(t *testing.T) {
	big := group("10.0.0.0/8")
	big.Key.ID = "sg 1/ü&x"
	fill := func(size int) delivery.Message {
		big.State.Configuration = []byte(`{"text":"` + strings.Repeat("x", size) + `"}`)
		return encode(t, "aws-config", noticeOf(t, nil, big))
	}
	least := len(fill(0).Body)
	if m := fill(256<<10 - least); len(m.Body) != 256<<10 || !bytes.Contains(m.Body, []byte(`"configurationItem":`)) {
		t.Errorf("%d bytes: %.200s", len(m.Body), m.Body)
	}
	m := fill(256<<10 - least + 1)
	want := `{"configurationItemSummary":{"changeType":"CREATE","configurationItemVersion":"1.3",` +
		`"configurationItemCaptureTime":"2026-03-01T09:28:00.000Z","configurationStateId":1772357280000,"awsAccountId":"111122223333",` +
		`"configurationItemStatus":"ResourceDiscovered","resourceType":"AWS::EC2::SecurityGroup","resourceId":"sg 1/ü&x","resourceName":"web",` +
		`"ARN":"arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1","awsRegion":"eu-west-1","availabilityZone":null,` +
		`"configurationStateMd5Hash":"","resourceCreationTime":null},` +
		`"s3DeliverySummary":{"s3BucketLocation":null,"errorCode":"NoSuchBucket","errorMessage":"The notification has 262145 bytes, more than 262144, ` +
		`and there is no bucket to deliver it to: read the item with GET http://varve.example:7421/v1/items:lookup?account=111122223333&` +
		`at=2026-03-01T09%3A28%3A00Z&id=sg+1%2F%C3%BC%26x&knownAt=2199023255552&region=eu-west-1&type=AWS%3A%3AEC2%3A%3ASecurityGroup"},` +
		`"notificationCreationTime":"2026-03-01T09:30:00.250Z","messageType":"OversizedConfigurationItemChangeDeliveryFailed","recordVersion":"1.0"}`
	if string(m.Body) != want {
		t.Errorf("got\n%s\nwant\n%s", m.Body, want)
	}
}

// TestSlackBounds: a change of very much is still a short message.
func TestSlackBounds(t *testing.T) {
	before, after := group("10.0.0.0/8"), group("10.0.0.0/8")
	long := strings.Repeat("é`*<!channel>", 5000)
	before.State.Configuration = []byte(`{"` + long + `":1,"z":1,"y":[1,2,3]}`)
	after.State.Configuration = []byte(`{"` + long + `":{"a":"` + long + `"},"z":2,"y":[3,2,1]}`)
	before.State.Tags, after.State.Tags = map[string]string{"x": "1"}, map[string]string{"x": "1"}
	for _, key := range strings.Split("a b c d e f g h i j k l", " ") {
		after.State.Tags[key] = long
	}
	after.State.Name = long
	text := string(encode(t, "slack", noticeOf(t, before, after)).Body)
	if len(text) > 8000 || strings.Contains(text, "<!") || !strings.Contains(text, "`/configuration/z` `1` → `2`") || !strings.Contains(text, `\n… and `) {
		t.Errorf("%d bytes: %s", len(text), text)
	}
}

// FuzzEveryMessage: no two documents make a message that is not exact.
func FuzzEveryMessage(f *testing.F) {
	for _, docs := range [][2]string{
		{`{"a":1.0,"b":[1,2]}`, `{"a":1,"b":[2,1]}`},
		{`{"a":{"b":1},"a.b":2}`, `{"a":{"b":2},"a.b":1}`},
		{`{"a":1}`, `{"A":1}`},
		{`"x"`, `["\u0000",12345678901234567890e-5]`},
	} {
		f.Add([]byte(docs[0]), []byte(docs[1]))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		before, after := group("10.0.0.0/8"), group("10.0.0.0/8")
		var err error
		for _, side := range []struct {
			from []byte
			to   *history.State
		}{{a, &before.State}, {b, &after.State}} {
			if side.to.Configuration, err = canonical.Form(side.from, canonical.Limits{MaxBytes: 64 << 10}); err != nil || string(side.to.Configuration) == "null" {
				t.Skip("not a configuration")
			}
		}
		n := noticeOf(t, before, after)
		for _, name := range format.Names() {
			check[name](t, n, encode(t, name, n))
		}
	})
}
