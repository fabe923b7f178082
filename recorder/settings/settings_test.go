package settings_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memory"
	"github.com/varvehq/varve/recorder/settings"
)

const (
	role  = "arn:aws:iam::123456789012:role/config"
	topic = "arn:aws:sns:eu-west-1:123456789012:news"
)

var owner = settings.Owner{Account: "123456789012", Region: "eu-west-1"}

var start = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)

// ticking is a time that goes on by a second at each look.
func ticking() func() time.Time {
	now := start
	return func() time.Time { now = now.Add(time.Second); return now }
}

func inMemory(t *testing.T) (*settings.Settings, *memory.Store) {
	t.Helper()
	store := memory.New(memory.Options{})
	t.Cleanup(func() { _ = store.Close() })
	return settings.New(store, ticking()), store
}

func recorder() settings.Recorder { return settings.Recorder{Owner: owner, RoleARN: role} }

func channel() settings.Channel { return settings.Channel{Owner: owner, Bucket: "bucket"} }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestRecorderDefaults(t *testing.T) {
	s, _ := inMemory(t)
	put, err := s.PutRecorder(t.Context(), recorder(), nil)
	must(t, err)
	want := settings.Recorder{
		Owner: owner, Name: "default", RoleARN: role, Frequency: "CONTINUOUS",
		Group: settings.Group{Strategy: settings.AllSupported}, CreatedAt: history.MomentOf(start.Add(time.Second)),
	}
	if d := cmp.Diff(want, put); d != "" {
		t.Error(d)
	}
	if put.Status() != "PENDING" {
		t.Error(put.Status())
	}
	if got, err := s.Recorder(t.Context(), owner); err != nil || !cmp.Equal(got, put) {
		t.Errorf("%+v, %v", got, err)
	}
	arn := "arn:aws:config:eu-west-1:123456789012:configuration-recorder/default/"
	if id, ok := strings.CutPrefix(put.ARN(), arn); !ok || len(id) != 16 {
		t.Error(put.ARN())
	}
}

func TestOrderIsKept(t *testing.T) {
	ctx := t.Context()
	s, _ := inMemory(t)
	refused := func(err error, want settings.Refusal) {
		t.Helper()
		var kind *history.Error
		if !errors.Is(err, want) || !errors.As(err, &kind) {
			t.Errorf("%v, not %v", err, want)
		}
	}
	_, err := s.PutChannel(ctx, channel())
	refused(err, settings.NoRecorder)
	refused(s.StartRecorder(ctx, owner, "default"), settings.UnknownRecorder)
	_, err = s.PutRecorder(ctx, recorder(), nil)
	must(t, err)
	refused(s.StartRecorder(ctx, owner, "default"), settings.NoChannel)
	_, err = s.PutChannel(ctx, channel())
	must(t, err)
	must(t, s.StartRecorder(ctx, owner, "default"))
	refused(s.DeleteChannel(ctx, owner, "default"), settings.ChannelInUse)
	refused(s.DeleteChannel(ctx, owner, "other"), settings.UnknownChannel)
	must(t, s.StopRecorder(ctx, owner, "default"))
	must(t, s.DeleteChannel(ctx, owner, "default"))
	must(t, s.DeleteRecorder(ctx, owner, "default"))
	refused(s.DeleteRecorder(ctx, owner, "default"), settings.UnknownRecorder)
}

func TestRecords(t *testing.T) {
	const user, bucket, pod = "AWS::IAM::User", "AWS::S3::Bucket", "Kubernetes::core::Pod"
	for _, test := range []struct {
		group settings.Group
		want  string
	}{
		{settings.Group{Strategy: settings.AllSupported}, bucket + " " + pod},
		{settings.Group{Strategy: settings.AllSupported, IncludeGlobal: true}, user + " " + bucket + " " + pod},
		{settings.Group{Strategy: settings.Inclusion, Types: []string{user, pod}}, user + " " + pod},
		{settings.Group{Strategy: settings.Exclusion, Types: []string{pod}}, user + " " + bucket},
	} {
		r := settings.Recorder{Group: test.group}
		var records []string
		for _, typ := range []string{user, bucket, pod} {
			if r.Records(typ) {
				records = append(records, typ)
			}
		}
		if got := strings.Join(records, " "); got != test.want {
			t.Errorf("%+v records %s", test.group, got)
		}
	}
	r := settings.Recorder{Frequency: "DAILY", Overrides: []settings.Override{{Types: []string{bucket}, Frequency: "CONTINUOUS"}}}
	if r.FrequencyOf(bucket) != "CONTINUOUS" || r.FrequencyOf(pod) != "DAILY" {
		t.Error(r.FrequencyOf(bucket), r.FrequencyOf(pod))
	}
}

func TestBadSettingsAreRefused(t *testing.T) {
	ctx := t.Context()
	s, _ := inMemory(t)
	_, err := s.PutRecorder(ctx, recorder(), nil)
	must(t, err)
	for _, test := range []struct {
		name string
		do   func(*settings.Recorder)
		want error
	}{
		{"Blank name", func(r *settings.Recorder) { r.Name = " " }, settings.BadRecorderName},
		{"Reserved name", func(r *settings.Recorder) { r.Name = "AWSConfigurationRecorderForX" }, settings.BadRecorderName},
		{"Name of two lines", func(r *settings.Recorder) { r.Name = "a\nb" }, settings.BadRecorderName},
		{"Other name", func(r *settings.Recorder) { r.Name = "other" }, settings.SecondRecorder},
		{"No role", func(r *settings.Recorder) { r.RoleARN = "" }, settings.NoRole},
		{"Role of another service", func(r *settings.Recorder) { r.RoleARN = topic }, settings.NoRole},
		{"No such strategy", func(r *settings.Recorder) { r.Group.Strategy = "SOME" }, settings.BadGroup},
		{"Inclusion of none", func(r *settings.Recorder) { r.Group.Strategy = settings.Inclusion }, settings.BadGroup},
		{"All and some", func(r *settings.Recorder) {
			r.Group = settings.Group{Strategy: settings.AllSupported, Types: []string{"T"}}
		}, settings.BadGroup},
		{"An empty type", func(r *settings.Recorder) {
			r.Group = settings.Group{Strategy: settings.Exclusion, Types: []string{""}}
		}, settings.BadGroup},
		{"A long type", func(r *settings.Recorder) {
			r.Group = settings.Group{Strategy: settings.Exclusion, Types: []string{strings.Repeat("T", 197)}}
		}, settings.BadGroup},
		{"No such frequency", func(r *settings.Recorder) { r.Frequency = "WEEKLY" }, history.Invalid},
		{"Override of nothing", func(r *settings.Recorder) { r.Overrides = []settings.Override{{Frequency: "DAILY"}} }, history.Invalid},
		{"Override of no such frequency", func(r *settings.Recorder) {
			r.Overrides = []settings.Override{{Types: []string{"T"}, Frequency: "daily"}}
		}, history.Invalid},
		{"Two overrides", func(r *settings.Recorder) {
			r.Overrides = []settings.Override{{Types: []string{"T"}, Frequency: "DAILY"}, {Types: []string{"U"}, Frequency: "DAILY"}}
		}, history.Invalid},
	} {
		r := recorder()
		test.do(&r)
		if _, err := s.PutRecorder(ctx, r, nil); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	for _, test := range []struct {
		name string
		do   func(*settings.Channel)
		want error
	}{
		{"Name of blanks", func(c *settings.Channel) { c.Name = "  " }, settings.BadChannelName},
		{"No bucket", func(c *settings.Channel) { c.Bucket = "" }, settings.NoBucket},
		{"Bucket above", func(c *settings.Channel) { c.Bucket = "../b" }, settings.NoBucket},
		{"Prefix above", func(c *settings.Channel) { c.KeyPrefix = "a/../b" }, settings.BadKeyPrefix},
		{"Prefix from the root", func(c *settings.Channel) { c.KeyPrefix = "/a" }, settings.BadKeyPrefix},
		{"Long prefix", func(c *settings.Channel) { c.KeyPrefix = strings.Repeat("a", 513) }, settings.BadKeyPrefix},
		{"Key of no ARN", func(c *settings.Channel) { c.KMSKeyARN = "alias/x" }, settings.BadKMSKey},
		{"Topic of no ARN", func(c *settings.Channel) { c.TopicARN = "news" }, settings.BadTopic},
	} {
		c := channel()
		test.do(&c)
		if _, err := s.PutChannel(ctx, c); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	for _, days := range []int{29, 2558} {
		if err := s.PutRetention(ctx, owner, days); !errors.Is(err, settings.BadRetention) {
			t.Error(days, err)
		}
	}
}

func TestTypesComeAndGo(t *testing.T) {
	ctx := t.Context()
	s, _ := inMemory(t)
	put, err := s.PutRecorder(ctx, recorder(), nil)
	must(t, err)
	if _, err := s.AssociateTypes(ctx, owner, put.ARN(), []string{"T"}); !errors.Is(err, settings.FixedGroup) {
		t.Error(err)
	}
	r := recorder()
	r.Group = settings.Group{Strategy: settings.Inclusion, Types: []string{"T", "U", "T"}}
	_, err = s.PutRecorder(ctx, r, nil)
	must(t, err)
	with, err := s.AssociateTypes(ctx, owner, put.ARN(), []string{"V"})
	must(t, err)
	if d := cmp.Diff([]string{"T", "U", "V"}, with.Group.Types); d != "" {
		t.Error(d)
	}
	for _, test := range []struct {
		err  error
		want settings.Refusal
	}{
		{second(s.AssociateTypes(ctx, owner, put.ARN(), []string{"W", "U"})), settings.TypeThere},
		{second(s.AssociateTypes(ctx, owner, put.ARN(), nil)), settings.BadType},
		{second(s.AssociateTypes(ctx, owner, put.ARN(), []string{""})), settings.BadType},
		{second(s.DisassociateTypes(ctx, owner, put.ARN(), []string{"T", "W"})), settings.TypeNotThere},
		{second(s.DisassociateTypes(ctx, owner, put.ARN(), []string{"T", "U", "V"})), settings.LastType},
		{second(s.DisassociateTypes(ctx, owner, "arn", []string{"T"})), settings.UnknownRecorder},
	} {
		if !errors.Is(test.err, test.want) {
			t.Errorf("%v, not %v", test.err, test.want)
		}
	}
	without, err := s.DisassociateTypes(ctx, owner, put.ARN(), []string{"U", "T"})
	must(t, err)
	if kept, err := s.Recorder(ctx, owner); err != nil || !cmp.Equal(kept, without) || kept.Records("T") || !kept.Records("V") {
		t.Errorf("%+v, %v", kept, err)
	}
}

func TestTypesToExcludeComeAndGo(t *testing.T) {
	ctx := t.Context()
	s, _ := inMemory(t)
	r := recorder()
	r.Group = settings.Group{Strategy: settings.Exclusion, Types: []string{"T", "U"}}
	put, err := s.PutRecorder(ctx, r, nil)
	must(t, err)
	with, err := s.AssociateTypes(ctx, owner, put.ARN(), []string{"T"})
	must(t, err)
	if !with.Records("T") || with.Records("U") {
		t.Errorf("excludes %v with T associated", with.Group.Types)
	}
	without, err := s.DisassociateTypes(ctx, owner, put.ARN(), []string{"V"})
	must(t, err)
	if d := cmp.Diff([]string{"U", "V"}, without.Group.Types); d != "" {
		t.Error(d)
	}
	for _, test := range []struct {
		err  error
		want settings.Refusal
	}{
		{second(s.AssociateTypes(ctx, owner, put.ARN(), []string{"T"})), settings.TypeThere},
		{second(s.AssociateTypes(ctx, owner, put.ARN(), []string{"U", "V"})), settings.LastType},
		{second(s.DisassociateTypes(ctx, owner, put.ARN(), []string{"U"})), settings.TypeNotThere},
		{second(s.DisassociateTypes(ctx, owner, put.ARN(), []string{""})), settings.BadType},
	} {
		if !errors.Is(test.err, test.want) {
			t.Errorf("%v, not %v", test.err, test.want)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestHiddenBefore(t *testing.T) {
	ctx := t.Context()
	s, _ := inMemory(t)
	now := history.MomentOf(start)
	hidden := func() time.Time {
		t.Helper()
		m, err := s.HiddenBefore(ctx, owner, now)
		must(t, err)
		return m.Time()
	}
	if got := hidden(); !got.Equal(start.AddDate(0, 0, -2557)) {
		t.Error(got)
	}
	must(t, s.PutRetention(ctx, owner, 30))
	if got := hidden(); !got.Equal(start.AddDate(0, 0, -30)) {
		t.Error(got)
	}
	must(t, s.DeleteRetention(ctx, owner))
	if err := s.DeleteRetention(ctx, owner); !errors.Is(err, settings.UnknownRetention) {
		t.Error(err)
	}
}

func TestChannelsOfAllOwners(t *testing.T) {
	ctx := t.Context()
	s, _ := inMemory(t)
	var want []settings.Channel
	for _, o := range []settings.Owner{{}, {Account: "a/b", Region: "c d"}, owner} {
		r, c := recorder(), channel()
		r.Owner, c.Owner = o, o
		_, err := s.PutRecorder(ctx, r, nil)
		must(t, err)
		put, err := s.PutChannel(ctx, c)
		must(t, err)
		want = append(want, put)
	}
	got, err := s.Channels(ctx)
	must(t, err)
	if len(got) != len(want) {
		t.Fatal(got)
	}
	for _, w := range want {
		found := false
		for _, g := range got {
			found = found || reflect.DeepEqual(g, w)
		}
		if !found {
			t.Errorf("%+v is not in %+v", w, got)
		}
	}
}

func TestDeliveriesLeaveTheRestAlone(t *testing.T) {
	ctx := t.Context()
	s, _ := inMemory(t)
	_, err := s.PutRecorder(ctx, recorder(), nil)
	must(t, err)
	put, err := s.PutChannel(ctx, channel())
	must(t, err)
	went := settings.Delivery{Status: settings.Success, SuccessAt: 5, SnapshotID: "x"}
	must(t, s.SetDeliveries(ctx, owner, "default", func(c *settings.Channel) { c.Snapshot, c.Bucket = went, "other" }))
	put.Snapshot = went
	if got, err := s.Channel(ctx, owner); err != nil || !reflect.DeepEqual(got, put) {
		t.Errorf("%+v, %v", got, err)
	}
	again := channel()
	again.KeyPrefix = "a/b"
	if got, err := s.PutChannel(ctx, again); err != nil || !reflect.DeepEqual(got.Snapshot, went) || got.CreatedAt != put.CreatedAt {
		t.Errorf("%+v, %v", got, err)
	}
	if err := s.SetDeliveries(ctx, owner, "gone", func(*settings.Channel) {}); !errors.Is(err, settings.UnknownChannel) {
		t.Error(err)
	}
}

func TestTags(t *testing.T) {
	ctx := t.Context()
	s, _ := inMemory(t)
	made, err := s.PutRecorder(ctx, recorder(), map[string]string{"team": "a"})
	must(t, err)
	_, err = s.PutRecorder(ctx, recorder(), map[string]string{"team": "b"})
	must(t, err)
	tags := func(arn string, want map[string]string) {
		t.Helper()
		if got, err := s.Tags(ctx, arn); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%v, %v", got, err)
		}
	}
	tags(made.ARN(), map[string]string{"team": "a"})
	must(t, s.Tag(ctx, made.ARN(), map[string]string{"stage": "test"}))
	must(t, s.Untag(ctx, made.ARN(), []string{"team", "none"}))
	tags(made.ARN(), map[string]string{"stage": "test"})
	must(t, s.DeleteRecorder(ctx, owner, "default"))
	tags(made.ARN(), map[string]string{})

	many := map[string]string{}
	for i := range settings.MostTags {
		many[fmt.Sprint(i)] = ""
	}
	must(t, s.SetTags(ctx, "arn", many))
	if err := s.Tag(ctx, "arn", map[string]string{"more": ""}); !errors.Is(err, settings.TooManyTags) {
		t.Error(err)
	}
	must(t, s.Tag(ctx, "arn", map[string]string{"1": "one"}))
	for _, bad := range []map[string]string{{"": ""}, {"aws:x": ""}, {"a#": ""}, {"a": "b#"}, {strings.Repeat("a", 129): ""}, {"a": strings.Repeat("a", 257)}} {
		if err := s.Tag(ctx, "other", bad); !errors.Is(err, settings.BadTag) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	must(t, s.DropTags(ctx, "arn"))
	tags("arn", map[string]string{})
}

// meanwhile lets something happen between a read and the put that follows it.
type meanwhile struct {
	documents
	do func()
}

type documents = history.Documents

func (m *meanwhile) PutDocuments(ctx context.Context, w []history.DocumentWrite) ([]history.Document, error) {
	if do := m.do; do != nil {
		m.do = nil
		do()
	}
	return m.documents.PutDocuments(ctx, w)
}

func TestChangesThatMeet(t *testing.T) {
	ctx := t.Context()
	s, store := inMemory(t)
	between := &meanwhile{documents: store}
	late := settings.New(between, ticking())
	_, err := s.PutRecorder(ctx, recorder(), nil)
	must(t, err)

	between.do = func() { must(t, s.PutRetention(ctx, owner, 40)) }
	_, err = late.PutChannel(ctx, channel())
	must(t, err)
	if days, err := s.Retention(ctx, owner); err != nil || days != 40 {
		t.Error(days, err)
	}
	between.do = func() { must(t, s.DeleteRecorder(ctx, owner, "default")) }
	if err := late.StartRecorder(ctx, owner, "default"); !errors.Is(err, settings.UnknownRecorder) {
		t.Error(err)
	}
	between.do = func() { must(t, s.Tag(ctx, "arn", map[string]string{"a": "1"})) }
	must(t, late.Tag(ctx, "arn", map[string]string{"b": "2"}))
	if tags, err := s.Tags(ctx, "arn"); err != nil || len(tags) != 2 {
		t.Error(tags, err)
	}

	query := func(name string) settings.Query {
		return settings.Query{Owner: owner, Name: name, Expression: "select resourceId"}
	}
	between.do = func() { must(t, second(s.PutQuery(ctx, query("a"), nil))) }
	must(t, second(late.PutQuery(ctx, query("b"), nil)))
	between.do = func() { must(t, second(s.PutQuery(ctx, query("a"), nil))) }
	if _, err := late.PutQuery(ctx, query("a"), nil); !errors.Is(err, history.Conflict) {
		t.Error(err)
	}
	between.do = func() { must(t, s.DeleteQuery(ctx, owner, "a")) }
	must(t, late.DeleteQuery(ctx, owner, "b"))
	if list, _, err := s.Queries(ctx, owner, "", 0); err != nil || len(list) != 0 {
		t.Error(list, err)
	}
}

func TestQueriesAreBounded(t *testing.T) {
	ctx := t.Context()
	s, _ := inMemory(t)
	query := func(n int) settings.Query {
		return settings.Query{Owner: owner, Name: fmt.Sprintf("q%03d", n), Expression: "SELECT resourceId"}
	}
	for n := range settings.MostQueries {
		must(t, second(s.PutQuery(ctx, query(n), nil)))
	}
	if _, err := s.PutQuery(ctx, query(300), nil); !errors.Is(err, settings.TooManyQueries) {
		t.Error(err)
	}
	must(t, second(s.PutQuery(ctx, query(299), nil)))
	must(t, s.DeleteQuery(ctx, owner, "q007"))
	must(t, second(s.PutQuery(ctx, query(300), nil)))
	list, more, err := s.Queries(ctx, owner, "q297", 2)
	if err != nil || !more || len(list) != 2 || list[1].Name != "q299" {
		t.Error(list, more, err)
	}
	for _, q := range []settings.Query{
		{Owner: owner, Name: "a b", Expression: "SELECT a"}, {Owner: owner, Name: "x"},
		{Owner: owner, Name: "x", Expression: "drop table"}, {Owner: owner, Name: "x", Expression: "select " + strings.Repeat("a", 4096)},
		{Owner: owner, Name: "x", Expression: "select a", Description: strings.Repeat("a", 257)},
	} {
		if _, err := s.PutQuery(ctx, q, nil); !errors.Is(err, settings.BadQuery) {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

func TestDamagedAndNewerDocuments(t *testing.T) {
	ctx := t.Context()
	for body, want := range map[string]history.Kind{"{": history.DataLoss, `{"form":2,"is":{}}`: history.NewerFormat} {
		s, store := inMemory(t)
		_, err := store.PutDocuments(ctx, []history.DocumentWrite{{Collection: "setup", Name: "123456789012/eu-west-1", Body: []byte(body)}})
		must(t, err)
		if _, err := s.Recorder(ctx, owner); !errors.Is(err, want) {
			t.Errorf("%s: %v", body, err)
		}
	}
}
