package settings_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/history/memory"
	"github.com/varvehq/varve/recorder/settings"
)

// truth is what the settings of one owner are to be, kept the simplest way.
type truth struct {
	recorder, channel string // names; empty: none
	recording, began  bool
	days              int
	queries           map[string]string // expressions
	tags              map[string]map[string]string
	delivered         int
}

// run compares settings with the truth while things happen to both. again opens the
// settings anew, as after a restart.
func run(t *rapid.T, s *settings.Settings, again func() *settings.Settings) {
	ctx := context.Background()
	owners := []settings.Owner{{}, owner, {Account: owner.Account, Region: "us-east-1"}}
	truths := map[settings.Owner]*truth{}
	for _, o := range owners {
		truths[o] = &truth{queries: map[string]string{}, tags: map[string]map[string]string{}}
	}
	var o settings.Owner
	var is *truth
	names := rapid.SampledFrom([]string{"default", "other"})
	keys := rapid.SampledFrom([]string{"a", "b", "c"})
	arnOf := func(name string) string {
		r := settings.Recorder{Owner: o, Name: name}
		return r.ARN()
	}
	queryARN := func(name string) string {
		q := settings.Query{Owner: o, Name: name}
		return q.ARN()
	}
	tagsOf := func(t *rapid.T) map[string]string {
		return rapid.MapOf(keys, rapid.SampledFrom([]string{"", "x"})).Draw(t, "tags")
	}
	give := func(arn string, tags map[string]string) {
		is.tags[arn] = maps.Clone(tags)
	}
	// wants holds an answer against the first refusal that is due.
	wants := func(t *rapid.T, err error, due ...refusalIf) {
		t.Helper()
		for _, d := range due {
			if d.when {
				if !errors.Is(err, d.then) {
					t.Fatalf("%v, not %v", err, d.then)
				}
				return
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	onOwner := func(do func(*rapid.T)) func(*rapid.T) {
		return func(t *rapid.T) {
			o = rapid.SampledFrom(owners).Draw(t, "owner")
			is = truths[o]
			do(t)
		}
	}
	t.Repeat(map[string]func(*rapid.T){
		"put recorder": onOwner(func(t *rapid.T) {
			r, tags := recorder(), tagsOf(t)
			r.Owner, r.Name = o, names.Draw(t, "name")
			_, err := s.PutRecorder(ctx, r, tags)
			second := is.recorder != "" && is.recorder != r.Name
			wants(t, err, refusalIf{second, settings.SecondRecorder})
			if !second && is.recorder == "" {
				is.recorder, is.recording, is.began = r.Name, false, false
				give(arnOf(r.Name), tags)
			}
		}),
		"delete recorder": onOwner(func(t *rapid.T) {
			name := names.Draw(t, "name")
			wants(t, s.DeleteRecorder(ctx, o, name), refusalIf{is.recorder != name, settings.UnknownRecorder})
			if is.recorder == name {
				is.recorder, is.recording, is.began = "", false, false
				give(arnOf(name), nil)
			}
		}),
		"start": onOwner(func(t *rapid.T) {
			name := names.Draw(t, "name")
			wants(t, s.StartRecorder(ctx, o, name), refusalIf{is.recorder != name, settings.UnknownRecorder}, refusalIf{is.channel == "", settings.NoChannel})
			if is.recorder == name && is.channel != "" {
				is.recording, is.began = true, true
			}
		}),
		"stop": onOwner(func(t *rapid.T) {
			name := names.Draw(t, "name")
			wants(t, s.StopRecorder(ctx, o, name), refusalIf{is.recorder != name, settings.UnknownRecorder})
			if is.recorder == name {
				is.recording = false
			}
		}),
		"put channel": onOwner(func(t *rapid.T) {
			c := channel()
			c.Owner, c.Name = o, names.Draw(t, "name")
			_, err := s.PutChannel(ctx, c)
			second := is.channel != "" && is.channel != c.Name
			wants(t, err, refusalIf{is.recorder == "", settings.NoRecorder}, refusalIf{second, settings.SecondChannel})
			if is.recorder != "" && is.channel == "" {
				is.channel, is.delivered = c.Name, 0
			}
		}),
		"deliver": onOwner(func(t *rapid.T) {
			err := s.SetDeliveries(ctx, o, is.channel, func(c *settings.Channel) { c.History.AttemptAt++ })
			wants(t, err, refusalIf{is.channel == "", settings.UnknownChannel})
			is.delivered++
		}),
		"delete channel": onOwner(func(t *rapid.T) {
			name := names.Draw(t, "name")
			wants(t, s.DeleteChannel(ctx, o, name), refusalIf{is.channel != name, settings.UnknownChannel}, refusalIf{is.recording, settings.ChannelInUse})
			if is.channel == name && !is.recording {
				is.channel = ""
			}
		}),
		"put retention": onOwner(func(t *rapid.T) {
			days := rapid.IntRange(29, 2558).Draw(t, "days")
			bad := days < 30 || days > 2557
			wants(t, s.PutRetention(ctx, o, days), refusalIf{bad, settings.BadRetention})
			if !bad {
				is.days = days
			}
		}),
		"delete retention": onOwner(func(t *rapid.T) {
			wants(t, s.DeleteRetention(ctx, o), refusalIf{is.days == 0, settings.UnknownRetention})
			is.days = 0
		}),
		"put query": onOwner(func(t *rapid.T) {
			q, tags := settings.Query{Owner: o, Name: keys.Draw(t, "name")}, tagsOf(t)
			if rapid.Bool().Draw(t, "expression") {
				q.Expression = fmt.Sprint("SELECT ", len(is.queries))
			}
			old, known := is.queries[q.Name]
			_, err := s.PutQuery(ctx, q, tags)
			bad := q.Expression == "" && !known
			wants(t, err, refusalIf{bad, settings.BadQuery})
			if bad {
				return
			}
			if q.Expression == "" {
				q.Expression = old
			}
			is.queries[q.Name] = q.Expression
			if !known {
				give(queryARN(q.Name), tags)
			}
		}),
		"delete query": onOwner(func(t *rapid.T) {
			name := keys.Draw(t, "name")
			_, known := is.queries[name]
			wants(t, s.DeleteQuery(ctx, o, name), refusalIf{!known, settings.UnknownQuery})
			if known {
				delete(is.queries, name)
				give(queryARN(name), nil)
			}
		}),
		"tag": onOwner(func(t *rapid.T) {
			arn, tags := "arn:of:"+keys.Draw(t, "thing")+o.Region, tagsOf(t)
			wants(t, s.Tag(ctx, arn, tags))
			all := maps.Clone(is.tags[arn])
			if all == nil {
				all = map[string]string{}
			}
			maps.Copy(all, tags)
			give(arn, all)
		}),
		"untag": onOwner(func(t *rapid.T) {
			arn, key := "arn:of:"+keys.Draw(t, "thing")+o.Region, keys.Draw(t, "key")
			wants(t, s.Untag(ctx, arn, []string{key}))
			all := maps.Clone(is.tags[arn])
			delete(all, key)
			give(arn, all)
		}),
		"restart": func(*rapid.T) { s = again() },
		"": func(t *rapid.T) {
			for _, o := range owners {
				if d := cmp.Diff(truths[o].tell(), tell(ctx, t, s, o)); d != "" {
					t.Fatalf("%+v: %s", o, d)
				}
				for arn, tags := range truths[o].tags {
					if got, err := s.Tags(ctx, arn); err != nil || !maps.Equal(got, tags) {
						t.Fatalf("%s: %v, %v, not %v", arn, got, err, tags)
					}
				}
				for _, arn := range []string{"arn:of:a" + o.Region, "arn:of:b" + o.Region, "arn:of:c" + o.Region} {
					if got, err := s.Tags(ctx, arn); err != nil || !maps.Equal(got, truths[o].tags[arn]) {
						t.Fatalf("%s: %v, %v", arn, got, err)
					}
				}
			}
		},
	})
}

type refusalIf struct {
	when bool
	then settings.Refusal
}

// tell puts the truth in words.
func (is *truth) tell() []string {
	var all []string
	if is.recorder != "" {
		all = append(all, fmt.Sprint("recorder ", is.recorder, is.recording, is.began))
	}
	if is.channel != "" {
		all = append(all, fmt.Sprint("channel ", is.channel, is.delivered))
	}
	if is.days != 0 {
		all = append(all, fmt.Sprint("days ", is.days))
	}
	for _, name := range slices.Sorted(maps.Keys(is.queries)) {
		all = append(all, name+" "+is.queries[name])
	}
	return all
}

// tell puts what is kept in the same words.
func tell(ctx context.Context, t *rapid.T, s *settings.Settings, o settings.Owner) []string {
	var all []string
	r, err := s.Recorder(ctx, o)
	switch {
	case err == nil:
		all = append(all, fmt.Sprint("recorder ", r.Name, r.Recording, r.Status() == "SUCCESS"))
	case !errors.Is(err, settings.UnknownRecorder):
		t.Fatal(err)
	}
	c, err := s.Channel(ctx, o)
	switch {
	case err == nil:
		all = append(all, fmt.Sprint("channel ", c.Name, int(c.History.AttemptAt)))
	case !errors.Is(err, settings.UnknownChannel):
		t.Fatal(err)
	}
	days, err := s.Retention(ctx, o)
	switch {
	case err == nil:
		all = append(all, fmt.Sprint("days ", days))
	case !errors.Is(err, settings.UnknownRetention):
		t.Fatal(err)
	}
	list, _, err := s.Queries(ctx, o, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		all = append(all, list[i].Name+" "+list[i].Expression)
	}
	return all
}

func TestAgainstTruth(t *testing.T) {
	t.Run("OK in memory", rapid.MakeCheck(func(t *rapid.T) {
		store := memory.New(memory.Options{})
		defer func() { _ = store.Close() }()
		now := ticking()
		open := func() *settings.Settings { return settings.New(store, now) }
		run(t, open(), open)
	}))
	dir := t.TempDir()
	n := 0
	t.Run("OK in a file that is closed and opened", rapid.MakeCheck(func(t *rapid.T) {
		n++
		var store *bolt.Store
		now := ticking()
		open := func() *settings.Settings {
			if store != nil {
				if err := store.Close(); err != nil {
					t.Fatal(err)
				}
			}
			var err error
			if store, err = bolt.Open(fmt.Sprint(dir, "/", n), bolt.Options{NoSync: true, MergeIdle: time.Hour}); err != nil {
				t.Fatal(err)
			}
			return settings.New(store, now)
		}
		s := open()
		defer func() { _ = store.Close() }()
		run(t, s, open)
	}))
}

// TestManyAtOnce lets many change one owner's settings at the same time: none is lost.
func TestManyAtOnce(t *testing.T) {
	ctx := t.Context()
	_, store := inMemory(t)
	clock := func() time.Time { return start }
	s := settings.New(store, clock)
	must(t, second(s.PutRecorder(ctx, recorder(), nil)))
	must(t, second(s.PutChannel(ctx, channel())))
	const writers, times = 8, 25
	done := make(chan error, writers)
	for w := range writers {
		go func() {
			own := settings.New(store, clock)
			var err error
			for i := 0; i < times && err == nil; i++ {
				err = errors.Join(
					own.SetDeliveries(ctx, owner, "default", func(c *settings.Channel) { c.Stream.NextAt++ }),
					own.Tag(ctx, "arn", map[string]string{fmt.Sprint(w): fmt.Sprint(i)}),
					second(own.PutQuery(ctx, settings.Query{Owner: owner, Name: fmt.Sprint(w, "-", i%3), Expression: "select a"}, nil)))
			}
			done <- err
		}()
	}
	for range writers {
		must(t, <-done)
	}
	c, err := s.Channel(ctx, owner)
	must(t, err)
	tags, err := s.Tags(ctx, "arn")
	must(t, err)
	list, _, err := s.Queries(ctx, owner, "", 0)
	must(t, err)
	if c.Stream.NextAt != history.Moment(writers*times) || len(tags) != writers || len(list) != 3*writers {
		t.Error(c.Stream.NextAt, len(tags), len(list))
	}
}
