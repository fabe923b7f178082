package filter_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery/feed"
	"github.com/varvehq/varve/recorder/delivery/filter"
)

var key = history.Key{Account: "111122223333", Region: "eu-west-1", Type: "AWS::EC2::Instance", ID: "i-1"}

// noon is 2025-03-01T12:00:00Z.
const noon = history.Moment(1740830400_000000)

func item(version uint32, s history.State) history.Item {
	return history.Item{Key: key, Version: version, CapturedAt: noon, Status: history.StatusOK, State: s,
		Origin: history.Origin{Provider: "aws", Source: "push", Cause: history.Cause{Actor: "arn:aws:iam::111122223333:user/jo", EventID: "e-1"}}}
}

func change(kind history.ChangeKind, version uint32) history.Change {
	return history.Change{Seq: 7, Revision: 9, RecordedAt: noon + 5e6, Kind: kind, Key: key, Version: version, CapturedAt: noon}
}

var (
	small = history.State{Name: "web", Tags: map[string]string{"env": "dev", "cost center": "7"},
		ARN:           "arn:aws:ec2:eu-west-1:111122223333:instance/i-1",
		Configuration: []byte(`{"big":123456789012345678901,"cpu":{"cores":2},"encrypted":true,"ports":[22,80],"vpcId":"vpc-1"}`),
		Supplementary: map[string][]byte{"Policy": []byte(`{"open":false}`)},
		Relationships: []history.Relationship{{Name: "Is attached to Volume", Type: "AWS::EC2::Volume", ID: "vol-1"}}}
	large = history.State{Name: "web", Tags: map[string]string{"env": "prod", "cost center": "7"},
		ARN:           "arn:aws:ec2:eu-west-1:111122223333:instance/i-1",
		Configuration: []byte(`{"big":123456789012345678902,"cpu":{"cores":4},"encrypted":false,"ports":[22,80,443],"vpcId":"vpc-2"}`),
		Supplementary: map[string][]byte{"Policy": []byte(`{"open":true}`)}}
	gone = history.State{Deleted: true}
)

func created() *feed.Event {
	return feed.New(change(history.Created, 1), history.Item{}, item(1, small))
}
func updated() *feed.Event {
	return feed.New(change(history.Updated, 2), item(1, small), item(2, large))
}
func deleted() *feed.Event {
	return feed.New(change(history.Deleted, 3), item(2, large), item(3, gone))
}

func compile(t testing.TB, text string) *filter.Filter {
	t.Helper()
	f, err := filter.Compile(text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestMatch(t *testing.T) {
	for _, test := range []struct {
		text  string
		event *feed.Event
		want  bool
	}{
		{"", updated(), true},
		{" \n", updated(), true},
		{`type == "AWS::EC2::Instance" && id == "i-1" && account == "111122223333" && region == "eu-west-1"`, updated(), true},
		{`type == "AWS::EC2::Volume"`, updated(), false},
		{`kind == "created"`, created(), true},
		{`kind in ["created", "deleted"]`, updated(), false},
		{`tags.exists(kind, kind == "env")`, updated(), true},
		{`!late && version == 2 && sequence == 7 && revision == 9`, updated(), true},
		{`captured_at == timestamp("2025-03-01T12:00:00Z") && recorded_at - captured_at == duration("5s")`, updated(), true},
		{`captured_at.getDayOfWeek() == 6`, updated(), true},
		{`cause.actor.endsWith("user/jo") && cause.eventId == "e-1" && !has(cause.sourceIp) && cause.sourceIp == ""`, updated(), true},
		{`source == "push" && provider == "aws"`, updated(), true},
		{`name == "web" && tags.env == "prod" && tags["cost center"] == "7"`, updated(), true},
		{`name == "web" && tags.env == "prod"`, deleted(), true},
		{`before.tags.env == "dev" && after.tags.env == "prod"`, updated(), true},

		{`before == null && after != null`, created(), true},
		{`before == null || after == null`, updated(), false},
		{`after.deleted && !before.deleted && after.version == 3 && before.version == 2`, deleted(), true},
		{`after.name == "web" && after.arn.startsWith("arn:") && after.availabilityZone == "" && after.status == "OK"`, updated(), true},
		{`after.capturedAt == captured_at`, updated(), true},
		{`!before.supplementary.Policy.open && after.supplementary.Policy.open`, updated(), true},
		{`before.relationships.exists(r, r.id == "vol-1" && r.type == "AWS::EC2::Volume" && r.name.contains("Volume"))`, updated(), true},
		{`size(after.relationships) == 0`, updated(), true},

		{`before.configuration.cpu.cores < after.configuration.cpu.cores`, updated(), true},
		{`before.configuration.encrypted == true && after.configuration.encrypted == false`, updated(), true},
		{`before.configuration.encrypted && !after.configuration.encrypted`, updated(), true},
		{`443 in after.configuration.ports && !(443 in before.configuration.ports)`, updated(), true},
		{`before.configuration == after.configuration`, updated(), false}, // they differ in a digit beyond 64 bits, too
		{`before.configuration.big == after.configuration.vpcId`, created(), false},
		{`after.configuration == null`, deleted(), true},

		// What is not there does not match, however it is asked.
		{`after.configuration.missing == 1`, updated(), false},
		{`after.configuration.missing != 1`, updated(), false},
		{`!(after.configuration.missing == 1)`, updated(), false},
		{`after.configuration.ports[9] == 1`, updated(), false},
		{`after.configuration.vpcId > 5`, updated(), false},
		{`after.configuration.missing`, updated(), false},
		{`tags.missing == "x"`, updated(), false},
		{`before.name == "web"`, created(), false},
		{`after.configuration.vpcId == "vpc-2"`, deleted(), false},
		{`after.configuration.missing == 1 || kind == "updated"`, updated(), true},
		{`has(after.configuration.missing)`, updated(), false},
		{`has(before.name)`, created(), false},

		{`"/configuration/vpcId" in paths && "/tags/env" in paths`, updated(), true},
		{`paths == [""]`, created(), true},
		{`changed("/configuration/vpcId")`, updated(), true},
		{`changed("/configuration")`, updated(), true},
		{`changed("")`, updated(), true},
		{`changed("/configuration/vpc")`, updated(), false},
		{`changed("/configuration/cpu/cores/0")`, updated(), true}, // above
		{`changed("/configuration/ports") && changed("/tags/env") && !changed("/tags/cost center")`, updated(), true},
		{`changed("/anything")`, created(), true},
		{`changed("/" + "tags")`, updated(), true},
		{`tags.exists(paths, changed("/tags"))`, updated(), true},

		{`opened.exists(r, r.id == "vpc-2" && r.type == "AWS::EC2::VPC" && r.name == "Is contained in" && !r.inverse)`, updated(), true},
		{`closed.exists(r, r.id == "vpc-1") && closed.exists(r, r.id == "vol-1")`, updated(), true},
		{`size(closed) == 0 && size(opened) == 2`, created(), true},
	} {
		t.Run(test.text, func(t *testing.T) {
			f, err := filter.Compile(test.text)
			if err != nil {
				if strings.HasSuffix(test.text, "missing") {
					return // of any type: refused
				}
				t.Fatal(err)
			}
			matched, undecided := f.Match(t.Context(), test.event)
			if matched != test.want || undecided != nil {
				t.Errorf("got %v, %v", matched, undecided)
			}
			if early, decided := f.Decide(&test.event.Change); decided && early != test.want {
				t.Errorf("without the versions: %v", early)
			}
		})
	}
}

func TestUndecidedMatches(t *testing.T) {
	pruned := feed.New(change(history.Updated, 2), history.Item{}, history.Item{Key: key})
	pruned.Compacted = true
	erasedBefore := item(1, history.State{})
	erasedBefore.Erased = true
	erased := feed.New(change(history.Updated, 2), erasedBefore, item(2, large))
	damaged := feed.New(change(history.Updated, 2), item(1, small), item(2, history.State{Configuration: []byte(`{"a":`)}))

	for _, test := range []struct {
		name, text, want string
		event            *feed.Event
	}{
		{"Number beyond 64 bits", `after.configuration.big > 5`, "no exact value", updated()},
		{"Division by zero", `version / 0 == 1`, "division by zero", updated()},
		{"Steps", `lists.range(100000).all(a, lists.range(100000).all(b, true))`, "steps", updated()},
		{"Pruned versions", `before == null`, "pruned", pruned},
		{"Pruned paths", `changed("/tags")`, "pruned", pruned},
		{"Pruned tags", `tags.env == "prod"`, "pruned", pruned},
		{"Pruned name", `name == "web"`, "pruned", pruned},
		{"Pruned references", `opened.exists(r, true)`, "pruned", pruned},
		{"Erased content", `before.configuration.vpcId == "vpc-1"`, "erased", erased},
		{"Erased tags", `has(before.tags.env)`, "erased", erased},
		{"Erased paths", `changed("/tags")`, "erased", erased},
		{"Erased references", `closed.exists(r, true)`, "erased", erased},
		{"Damaged document", `after.configuration.a == 1`, "damaged", damaged},
		{"Damaged difference", `changed("/tags")`, "run verify", damaged},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := compile(t, test.text)
			synctest.Test(t, func(t *testing.T) { // in which no time passes, so that none runs out
				for range 2 {
					matched, undecided := f.Match(t.Context(), test.event)
					if !matched || undecided == nil || !strings.Contains(undecided.Error(), test.want) {
						t.Errorf("got %v, %v", matched, undecided)
					}
				}
			})
		})
	}
	t.Run("Context done", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if matched, undecided := compile(t, `kind == "deleted"`).Match(ctx, updated()); !matched || !errors.Is(undecided, context.Canceled) {
			t.Errorf("got %v, %v", matched, undecided)
		}
	})
	t.Run("Decided by what is there", func(t *testing.T) {
		for event, text := range map[*feed.Event]string{
			pruned: `type == "AWS::EC2::Instance" && kind == "updated"`, erased: `after.tags.env == "prod" && before.version == 1`,
			damaged: `before.configuration.vpcId == "vpc-1" && tags == {}`,
		} {
			if matched, undecided := compile(t, text).Match(t.Context(), event); !matched || undecided != nil {
				t.Errorf("%s: got %v, %v", text, matched, undecided)
			}
		}
	})
}

func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		`typ == "x"`:                     "there is no typ; did you mean type?",
		`kind == 1`:                      "== does not take (string, int)",
		`kind == "modified"`:             `no change is of kind "modified"; there are created, updated, deleted`,
		`"gone" != kind`:                 `no change is of kind "gone"`,
		`kind in ["created", "gone"]`:    `no change is of kind "gone"`,
		`account == 111122223333`:        "== does not take (string, int)",
		`after.config.x == 1`:            "undefined field 'config'",
		`opened.exists(r, r.nam == "")`:  "undefined field 'nam'",
		`tags.env == 1`:                  "== does not take (string, int)",
		`changed("configuration.state")`: `a JSON pointer begins with a slash: "/configuration/state"`,
		`changed(1)`:                     "does not take",
		`changed()`:                      "there is no changed",
		`paths`:                          "not true or false",
		`type = "x"`:                     "out of place",
	} {
		t.Run(text, func(t *testing.T) {
			_, err := filter.Compile(text)
			var e *history.Error
			if !errors.As(err, &e) || e.Kind != history.Invalid || e.Field != "filter" {
				t.Fatalf("got %v", err)
			}
			lines := strings.Split(e.Message(), "\n")
			if !strings.Contains(e.Message(), want) {
				t.Errorf("got:\n%s", e.Message())
			}
			if last := lines[len(lines)-1]; strings.TrimLeft(last, " ") != "^" || lines[len(lines)-2] != "  "+text {
				t.Errorf("no caret under the place:\n%s", e.Message())
			}
		})
	}
}

// TestOnlyWhatIsMentioned: documents that are damaged fail whoever reads them.
func TestOnlyWhatIsMentioned(t *testing.T) {
	damaged := []byte(`{"a":`)
	e := feed.New(change(history.Updated, 2), item(1, history.State{Configuration: damaged}), item(2, history.State{
		Tags: map[string]string{"env": "prod"}, Configuration: damaged, Supplementary: map[string][]byte{"P": damaged},
	}))
	for _, text := range []string{
		`type == "AWS::EC2::Instance"`,
		`type == "AWS::EC2::Instance" && kind == "updated" || changed("/x")`,
		`tags.env == "prod" && name == ""`,
		`before.version == 1 && after.tags.env == "prod"`,
		`type == "x" && after.configuration.a == 1 || id == "i-1"`,
	} {
		t.Run(text, func(t *testing.T) {
			if matched, undecided := compile(t, text).Match(t.Context(), e); !matched || undecided != nil {
				t.Errorf("got %v, %v", matched, undecided)
			}
		})
	}
}

// TestAgainstAPlainEvaluator draws conditions of a few forms together with their
// meaning.
func TestAgainstAPlainEvaluator(t *testing.T) {
	events := []*feed.Event{created(), updated(), deleted()}
	tag := func(e *feed.Event, name string) (string, bool) {
		from := e.After
		if from.State.Deleted {
			from = e.Before
		}
		v, ok := from.State.Tags[name]
		return v, ok
	}
	type form struct {
		text  string
		holds func(e *feed.Event) (bool, bool) // and whether what it asks for is there
	}
	simple := rapid.Custom(func(t *rapid.T) form {
		word := rapid.SampledFrom([]string{"created", "updated", "deleted"}).Draw(t, "kind")
		name := rapid.SampledFrom([]string{"env", "owner"}).Draw(t, "tag")
		value := rapid.SampledFrom([]string{"dev", "prod"}).Draw(t, "value")
		n := rapid.IntRange(0, 4).Draw(t, "number")
		return rapid.SampledFrom([]form{
			{fmt.Sprintf("kind == %q", word), func(e *feed.Event) (bool, bool) { return e.Kind.String() == word, true }},
			{fmt.Sprintf("version > %d", n), func(e *feed.Event) (bool, bool) { return int(e.Version) > n, true }},
			{fmt.Sprintf("tags.%s == %q", name, value), func(e *feed.Event) (bool, bool) {
				v, ok := tag(e, name)
				return v == value, ok
			}},
			{fmt.Sprintf("has(tags.%s)", name), func(e *feed.Event) (bool, bool) { _, ok := tag(e, name); return ok, true }},
			{fmt.Sprintf("after.configuration.cpu.cores >= %d", n), func(e *feed.Event) (bool, bool) {
				cores := map[uint32]int{1: 2, 2: 4}[e.After.Version]
				return cores >= n, cores > 0
			}},
		}).Draw(t, "form")
	})
	rapid.Check(t, func(t *rapid.T) {
		whole := simple.Draw(t, "first")
		for range rapid.IntRange(0, 4).Draw(t, "more") {
			a, b := whole, simple.Draw(t, "next")
			switch rapid.IntRange(0, 2).Draw(t, "operator") {
			case 0:
				whole = form{"(" + a.text + " && " + b.text + ")", func(e *feed.Event) (bool, bool) {
					x, xThere := a.holds(e)
					y, yThere := b.holds(e)
					return x && y, xThere && yThere || xThere && !x || yThere && !y
				}}
			case 1:
				whole = form{"(" + a.text + " || " + b.text + ")", func(e *feed.Event) (bool, bool) {
					x, xThere := a.holds(e)
					y, yThere := b.holds(e)
					return xThere && x || yThere && y, xThere && yThere || xThere && x || yThere && y
				}}
			case 2:
				whole = form{"!" + a.text, func(e *feed.Event) (bool, bool) { x, there := a.holds(e); return !x, there }}
				if strings.ContainsAny(a.text, "=><") && a.text[0] != '(' {
					whole.text = "!(" + a.text + ")"
				}
			}
		}
		f, err := filter.Compile(whole.text)
		if err != nil {
			t.Fatalf("%s: %v", whole.text, err)
		}
		for _, e := range events {
			holds, there := whole.holds(e)
			matched, undecided := f.Match(context.Background(), e)
			if matched != (holds && there) || undecided != nil {
				t.Fatalf("%s, %v: got %v, %v; want %v of what is there: %v", whole.text, e.Kind, matched, undecided, holds, there)
			}
			if early, decided := f.Decide(&e.Change); decided && early != matched {
				t.Fatalf("%s, %v: without the versions: %v", whole.text, e.Kind, early)
			}
		}
	})
}

func TestManyAtOnce(t *testing.T) {
	e := updated()
	filters := []*filter.Filter{
		compile(t, `after.configuration.ports.exists(p, p == 443) && changed("/tags")`),
		compile(t, `opened.exists(r, r.id == "vpc-2") && before.supplementary.Policy.open == false`),
		compile(t, `after.configuration.big > 5 && tags.env == "prod"`),
		compile(t, `after.configuration.missing == 1`),
		compile(t, `after.configuration.vpcId > 5 || !after.configuration.vpcId`),
		compile(t, `after.configuration.vpcId > 5 && after.configuration.ports.startsWith("3")`),
	}
	var all sync.WaitGroup
	for _, f := range filters {
		for range 4 {
			all.Go(func() {
				for range 50 {
					want := !strings.Contains(f.String(), "missing") && !strings.Contains(f.String(), "vpcId >")
					if matched, _ := f.Match(t.Context(), e); matched != want {
						t.Errorf("%s: %v", f, matched)
					}
				}
			})
		}
	}
	all.Wait()
}

func FuzzCompileAndMatch(f *testing.F) {
	for _, seed := range []string{
		`type == "a" && changed("/b")`, `after.configuration.ports.map(p, p + 1).exists(p, p > 1)`, `kind in ["created"]`,
		`before.?configuration.?x.orValue(1) == 2`, `cel.bind(x, tags, x.env) == "prod"`, `opened.filter(r, r.inverse) == closed`,
		`"` + strings.Repeat("x", 100) + `".matches("(x+)+$")`, `((((((((`, "tags.`a`", `[1,2][3] == {"a": b}[1]`,
	} {
		f.Add(seed)
	}
	events := []*feed.Event{created(), updated(), deleted()}
	f.Fuzz(func(t *testing.T, text string) {
		compiled, err := filter.Compile(text)
		if err != nil {
			if !errors.Is(err, history.Invalid) && !errors.Is(err, history.TooLarge) {
				t.Fatal(err)
			}
			return
		}
		for _, e := range events {
			matched, undecided := compiled.Match(t.Context(), e)
			if undecided != nil && !matched {
				t.Fatalf("lost: %v", undecided)
			}
			if undecided != nil && strings.Contains(undecided.Error(), "internal error") {
				t.Fatal(undecided)
			}
		}
	})
}
