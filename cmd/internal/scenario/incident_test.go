package scenario_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/varvehq/varve/cmd/internal/scenario"
)

var (
	theGroup    = key{scenario.Account, scenario.Region, "AWS::EC2::SecurityGroup", scenario.SecurityGroup}
	theInstance = key{scenario.Account, scenario.Region, "AWS::EC2::Instance", scenario.Instance}
	theBucket   = key{scenario.Account, scenario.Region, "AWS::S3::Bucket", scenario.Bucket}
	theRole     = key{scenario.Account, scenario.GlobalRegion, "AWS::IAM::Role", scenario.RoleID}
	theUser     = key{scenario.Account, scenario.GlobalRegion, "AWS::IAM::User", scenario.UserID}
	theDatabase = key{scenario.Account, scenario.Region, "AWS::RDS::DBInstance", scenario.Database}
)

func TestWeekdays(t *testing.T) {
	for at, want := range map[string]time.Weekday{
		scenario.OutageBegan: time.Friday,
		scenario.Opened:      time.Friday,
		scenario.Exposed:     time.Friday,
		scenario.Widened:     time.Friday,
		scenario.Night:       time.Saturday,
		scenario.Saturday:    time.Saturday,
		scenario.Covered:     time.Sunday,
		scenario.Closed:      time.Monday,
		scenario.Narrowed:    time.Monday,
		scenario.Terminated:  time.Wednesday,
		scenario.End:         time.Sunday,
	} {
		if got := moment(t, at).Weekday(); got != want {
			t.Errorf("%s is a %s, want %s", at, got, want)
		}
	}
	if hour := moment(t, scenario.Opened).Hour(); hour < 18 {
		t.Errorf("opened at %d o'clock, which is no evening", hour)
	}
	if hour := moment(t, scenario.Closed).Hour(); hour > 11 {
		t.Errorf("closed at %d o'clock, which is no morning", hour)
	}
	ninety := moment(t, scenario.Start).AddDate(0, 0, 90).Add(-time.Second)
	if !ninety.Equal(moment(t, scenario.End)) {
		t.Errorf("ninety days end at %s", ninety)
	}
}

// holds wants something to be true of a resource from one moment until just
// before another one, and at no other time.
func holds(t *testing.T, lines []line, k key, from, until string, is func(line) bool) {
	t.Helper()
	begin, end := moment(t, from), moment(t, until)
	var turns []string
	was := false
	for _, l := range lines {
		if l.key() != k {
			continue
		}
		if now := !l.Deleted && is(l); now != was {
			turns = append(turns, l.Time.Format(time.RFC3339))
			was = now
		}
	}
	if !slices.Equal(turns, []string{from, until}) {
		t.Errorf("%s turns at %v, want %s and %s", k.id, turns, begin, end)
	}
}

func causedBy(t *testing.T, lines []line, k key, at, actor, sourceIP string) {
	t.Helper()
	for _, l := range lines {
		if l.key() == k && l.Time.Equal(moment(t, at)) {
			if l.Cause == nil || l.Cause.Actor != actor || l.Cause.SourceIP != sourceIP {
				t.Errorf("%s at %s was caused by %+v", k.id, at, l.Cause)
			}
			return
		}
	}
	t.Errorf("%s did not change at %s", k.id, at)
}

// publicRead is a statement for everybody, inside the text of a bucket policy.
const publicRead = `\"Principal\":\"*\"`

func openToTheWorld(l line) bool {
	var d struct {
		IPPermissions []struct {
			IPRanges []string `json:"ipRanges"`
		} `json:"ipPermissions"`
	}
	if err := json.Unmarshal(l.Configuration, &d); err != nil {
		panic(err)
	}
	for _, permission := range d.IPPermissions {
		if slices.Contains(permission.IPRanges, "0.0.0.0/0") {
			return true
		}
	}
	return false
}

func TestWeekend(t *testing.T) {
	lines := parse(t, scenario.Lines())

	t.Run("the group is open", func(t *testing.T) {
		holds(t, lines, theGroup, scenario.Opened, scenario.Closed, openToTheWorld)
		causedBy(t, lines, theGroup, scenario.Opened, scenario.Actor, scenario.SourceIP)
		if name := alive(lines, moment(t, scenario.End))[theGroup].Name; name != scenario.SecurityGroupName {
			t.Errorf("it is named %s", name)
		}
	})
	t.Run("the instance lives", func(t *testing.T) {
		holds(t, lines, theInstance, scenario.Launched, scenario.Terminated, func(l line) bool {
			return l.Name == scenario.InstanceName
		})
		holds(t, lines, theInstance, scenario.Launched, scenario.Stopped, func(l line) bool {
			return strings.Contains(string(l.Configuration), `"name":"running"`)
		})
	})
	t.Run("the database lets the group in", func(t *testing.T) {
		database := alive(lines, moment(t, scenario.Start))[theDatabase]
		i := slices.IndexFunc(database.Relationships, func(r relationship) bool { return r.Type == theGroup.kind })
		group := key{scenario.Account, scenario.Region, theGroup.kind, database.Relationships[i].ID}
		holds(t, lines, group, scenario.DatabaseOpened, scenario.DatabaseClosed, func(l line) bool {
			return strings.Contains(string(l.Configuration), scenario.SecurityGroup)
		})
	})
	t.Run("the bucket is public", func(t *testing.T) {
		holds(t, lines, theBucket, scenario.Exposed, scenario.Covered, func(l line) bool {
			return strings.Contains(string(l.Supplementary["BucketPolicy"]), publicRead)
		})
		causedBy(t, lines, theBucket, scenario.Exposed, scenario.Actor, scenario.SourceIP)
	})
	t.Run("no other bucket is", func(t *testing.T) {
		for _, l := range lines {
			if l.Type == theBucket.kind && l.ID != scenario.Bucket && strings.Contains(l.text, publicRead) {
				t.Error(l.text)
			}
		}
	})
	t.Run("the role may do anything", func(t *testing.T) {
		holds(t, lines, theRole, scenario.Widened, scenario.Narrowed, func(l line) bool {
			plain, err := url.PathUnescape(string(l.Configuration))
			if err != nil {
				t.Fatal(err)
			}
			return strings.Contains(plain, `"Action":"*"`)
		})
		causedBy(t, lines, theRole, scenario.Widened, scenario.Actor, scenario.SourceIP)
		if l := alive(lines, moment(t, scenario.End))[theRole]; l.Name != scenario.RoleName {
			t.Errorf("it is named %s", l.Name)
		}
	})
	t.Run("the user exists", func(t *testing.T) {
		holds(t, lines, theUser, scenario.UserCreated, scenario.UserDeleted, func(l line) bool {
			return l.Name == scenario.UserName
		})
	})
	t.Run("the config map is wrong", func(t *testing.T) {
		config := key{scenario.Cluster, "", "Kubernetes::core::ConfigMap", scenario.CheckoutConfig}
		holds(t, lines, config, scenario.OutageBegan, scenario.OutageEnded, func(l line) bool {
			return strings.Contains(string(l.Configuration), `"ORDERS_DB_POOL_SIZE":"200"`)
		})
	})
}

// TestUsers wants the group's users then and now to be different instances.
func TestUsers(t *testing.T) {
	lines := parse(t, scenario.Lines())
	for at, want := range map[string][]string{
		scenario.Start:    {scenario.OldBastion},
		scenario.Saturday: {scenario.OldBastion, scenario.Instance},
		scenario.End:      {scenario.NewBastion},
	} {
		var users []string
		for k, l := range alive(lines, moment(t, at)) {
			if k.kind == theInstance.kind && strings.Contains(string(l.Configuration), scenario.SecurityGroup) {
				users = append(users, k.id)
			}
		}
		slices.Sort(users)
		slices.Sort(want)
		if !slices.Equal(users, want) {
			t.Errorf("at %s: %v, want %v", at, users, want)
		}
	}
}

// TestLate wants the late lines to show one more port for half an hour, and to
// end in the state which was known before.
func TestLate(t *testing.T) {
	lines, late := parse(t, scenario.Lines()), parse(t, scenario.Late())
	if len(late) != 2 {
		t.Fatalf("%d late lines, want 2", len(late))
	}
	if late[0].key() != theGroup || late[1].key() != theGroup {
		t.Error("they are not about the group")
	}
	holds(t, late, theGroup, scenario.LateOpened, scenario.LateClosed, func(l line) bool {
		return strings.Contains(string(l.Configuration), `"fromPort":3389`)
	})
	causedBy(t, late, theGroup, scenario.LateOpened, scenario.Actor, scenario.StrangeIP)

	known := alive(lines, moment(t, scenario.Night))[theGroup]
	if strings.Contains(string(known.Configuration), "3389") {
		t.Error("the port was known in time")
	}
	if string(late[1].Configuration) != string(known.Configuration) {
		t.Error("the last of them is not the state which was known")
	}
	if strings.Contains(string(scenario.Lines()), scenario.StrangeIP) {
		t.Error("the strange address was known in time")
	}
}
