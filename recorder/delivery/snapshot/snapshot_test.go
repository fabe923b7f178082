package snapshot_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memory"
	"github.com/varvehq/varve/recorder"
	"github.com/varvehq/varve/recorder/delivery/snapshot"
	"github.com/varvehq/varve/recorder/settings"
)

var owner = settings.Owner{Account: "123456789012", Region: "eu-west-1"}

// rig is a store with a recorder and a channel that delivers into a folder.
type rig struct {
	t         *testing.T
	now       time.Time
	store     *memory.Store
	recorder  *recorder.Recorder
	settings  *settings.Settings
	deliverer *snapshot.Deliverer
	place     snapshot.Place
	folder    string
}

func open(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, now: time.Date(2026, 7, 4, 9, 5, 6, 0, time.UTC), folder: t.TempDir()}
	clock := func() time.Time { return r.now }
	r.store = memory.New(memory.Options{Now: clock})
	r.recorder = recorder.New(r.store, recorder.Options{Now: clock})
	r.settings = settings.New(r.store, clock)
	place, err := snapshot.NewDirectory(r.folder)
	if err != nil {
		t.Fatal(err)
	}
	r.place = place
	r.start()
	_, err = r.settings.PutRecorder(t.Context(), settings.Recorder{
		Owner: owner, RoleARN: "arn:aws:iam::123456789012:role/recorder",
		Group: settings.Group{Strategy: settings.Exclusion, Types: []string{"AWS::S3::Bucket"}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.put(settings.Channel{})
	if err := r.settings.StartRecorder(t.Context(), owner, "default"); err != nil {
		t.Fatal(err)
	}
	return r
}

// start makes a new deliverer, as a new start of the program does.
func (r *rig) start() {
	r.deliverer = snapshot.New(snapshot.Options{
		Store: r.store, Settings: r.settings, Place: r.place, Now: func() time.Time { return r.now }, Temp: r.t.TempDir(),
	})
}

func (r *rig) put(c settings.Channel) {
	r.t.Helper()
	c.Owner, c.Bucket, c.KeyPrefix = owner, "audit-bucket", "all/of-it"
	if _, err := r.settings.PutChannel(r.t.Context(), c); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) record(keys ...history.Key) {
	r.t.Helper()
	var b history.Batch
	for i, k := range keys {
		b.Observations = append(b.Observations, history.Observation{Key: k, CapturedAt: history.MomentOf(r.now), State: history.State{
			Configuration: fmt.Appendf(nil, `{"n":%d,"at":%q,"big":12345678901234567890.10}`, i, r.now),
			Supplementary: map[string][]byte{"Policy": []byte(`{"Statement":[]}`)},
		}})
	}
	receipt, err := r.recorder.Record(r.t.Context(), b)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, result := range receipt.Results {
		if result.Err != nil {
			r.t.Fatal(result.Err)
		}
	}
}

func (r *rig) request() string {
	r.t.Helper()
	id, err := r.deliverer.Request(r.t.Context(), owner)
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

func (r *rig) deliver() {
	r.t.Helper()
	if err := r.deliverer.Deliver(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) channel() settings.Channel {
	r.t.Helper()
	c, err := r.settings.Channel(r.t.Context(), owner)
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// files are the objects that there are, by key.
func (r *rig) files() []string {
	r.t.Helper()
	var names []string
	err := filepath.WalkDir(r.folder, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			path, err = filepath.Rel(r.folder, path)
			names = append(names, filepath.ToSlash(path))
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// content is what a file holds.
type content struct {
	FileVersion        string
	ConfigSnapshotID   string `json:"configSnapshotId"`
	ConfigurationItems []struct {
		AWSAccountID  string `json:"awsAccountId"`
		AWSRegion     string `json:"awsRegion"`
		ResourceType  string
		ResourceID    string      `json:"resourceId"`
		StateID       json.Number `json:"configurationStateId"`
		Configuration json.RawMessage
	}
}

func (r *rig) read(name string) content {
	r.t.Helper()
	packed, err := os.ReadFile(filepath.Join(r.folder, filepath.FromSlash(name)))
	if err != nil {
		r.t.Fatal(err)
	}
	in, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		r.t.Fatal(err)
	}
	text, err := io.ReadAll(in)
	if err != nil {
		r.t.Fatal(err)
	}
	var c content
	if err := json.Unmarshal(text, &c); err != nil {
		r.t.Fatalf("%v\n%s", err, text)
	}
	return c
}

func (c *content) ids() []string {
	var ids []string
	for _, i := range c.ConfigurationItems {
		ids = append(ids, i.AWSAccountID+"/"+i.AWSRegion+"/"+i.ResourceType+"/"+i.ResourceID)
	}
	return ids
}

func key(account, region, typ, id string) history.Key {
	return history.Key{Account: account, Region: region, Type: typ, ID: id}
}

const base = "audit-bucket/all/of-it/AWSLogs/123456789012/Config/eu-west-1/2026/7/4/"

func TestSnapshot(t *testing.T) {
	r := open(t)
	a := owner.Account
	r.record(
		key(a, "eu-west-1", "AWS::EC2::Instance", "i-1"), key(a, "global", "AWS::IAM::Role", "AROA1"), key("", "", "Kubernetes::apps::Deployment", "shop/web"),
		key(a, "us-east-1", "AWS::EC2::Instance", "i-2"), key("210987654321", "eu-west-1", "AWS::EC2::Instance", "i-3"), key(a, "eu-west-1", "AWS::S3::Bucket", "excluded"),
	)
	id := r.request()
	if r.channel().Snapshot.Status != "" {
		t.Error("a status before it was delivered")
	}
	r.now = r.now.Add(time.Minute)
	r.start() // what was asked for is known to the next start
	r.deliver()
	r.deliver() // and delivered once

	name := base + "ConfigSnapshot/123456789012_Config_eu-west-1_ConfigSnapshot_20260704T090506Z_" + id + ".json.gz"
	if diff := cmp.Diff([]string{name}, r.files()); diff != "" {
		t.Fatal(diff)
	}
	got := r.read(name)
	want := []string{"//Kubernetes::apps::Deployment/shop/web", a + "/eu-west-1/AWS::EC2::Instance/i-1", a + "/global/AWS::IAM::Role/AROA1"}
	if diff := cmp.Diff(want, got.ids()); diff != "" || got.FileVersion != "1.0" || got.ConfigSnapshotID != id {
		t.Errorf("%+v\n%s", got, diff)
	}
	if !bytes.Contains(got.ConfigurationItems[0].Configuration, []byte("12345678901234567890.10")) {
		t.Errorf("digits are gone: %s", got.ConfigurationItems[0].Configuration)
	}
	c := r.channel()
	if s := c.Snapshot; s.Status != settings.Success || s.SnapshotID != id || s.SuccessAt != history.MomentOf(r.now) || len(s.Pending) != 0 {
		t.Errorf("%+v", s)
	}
}

func TestFrequency(t *testing.T) {
	r := open(t)
	r.put(settings.Channel{Frequency: "Three_Hours"})
	r.record(key(owner.Account, "eu-west-1", "AWS::EC2::Instance", "i-1"))
	snapshots := func() (n int) {
		for _, name := range r.files() {
			if strings.Contains(name, "/ConfigSnapshot/") {
				n++
			}
		}
		return n
	}
	for hour := range 10 {
		r.deliver()
		if want := hour / 3; snapshots() != want {
			t.Errorf("%d snapshots after %d hours, want %d", snapshots(), hour, want)
		}
		r.now = r.now.Add(time.Hour)
	}
	if err := r.settings.StopRecorder(t.Context(), owner, "default"); err != nil {
		t.Fatal(err)
	}
	r.now = r.now.Add(24 * time.Hour)
	if r.deliver(); snapshots() != 3 {
		t.Errorf("%d snapshots of a recorder that does not run", snapshots())
	}
}

func TestHistory(t *testing.T) {
	r := open(t)
	a := owner.Account
	one, other := key(a, "eu-west-1", "AWS::EC2::Instance", "i-1"), key(a, "eu-west-1", "terraform/odd type", "x")
	r.record(one, other, key(a, "eu-west-1", "AWS::S3::Bucket", "excluded"))
	r.now = r.now.Add(3 * time.Hour)
	r.record(one, key(a, "us-east-1", "AWS::EC2::Instance", "elsewhere"))
	r.deliver()
	if names := r.files(); len(names) != 0 {
		t.Errorf("before it is due: %v", names)
	}
	r.now = r.now.Add(3*time.Hour + time.Minute)
	r.deliver()
	r.deliver()
	odd := base + "ConfigHistory/123456789012_Config_eu-west-1_ConfigHistory_terraform%2Fodd%20type_20260704T090506Z_20260704T150606Z_1.json.gz"
	ec2 := base + "ConfigHistory/123456789012_Config_eu-west-1_ConfigHistory_AWS::EC2::Instance_20260704T090506Z_20260704T150606Z_1.json.gz"
	if diff := cmp.Diff([]string{ec2, odd}, r.files()); diff != "" {
		t.Fatal(diff)
	}
	first := r.read(ec2)
	if ids := first.ids(); len(ids) != 2 || ids[0] != ids[1] || first.ConfigurationItems[0].StateID >= first.ConfigurationItems[1].StateID {
		t.Errorf("%+v", first)
	}

	// The next ones begin where these ended, for a program that was started anew, too.
	r.record(other)
	r.now = r.now.Add(6 * time.Hour)
	r.start()
	r.deliver()
	names := r.files()
	if len(names) != 3 || !strings.HasSuffix(names[2], "_ConfigHistory_terraform%2Fodd%20type_20260704T150606Z_20260704T210606Z_1.json.gz") {
		t.Errorf("%v", names)
	}
	if next := r.read(names[2]); len(next.ConfigurationItems) != 1 {
		t.Errorf("%+v", next)
	}
}

func TestHistoryIsSplit(t *testing.T) {
	r := open(t)
	var keys []history.Key
	for i := range 10_003 {
		if keys = append(keys, key(owner.Account, "eu-west-1", "T", fmt.Sprint("r", i))); len(keys) == 1000 {
			r.record(keys...)
			keys = nil
		}
	}
	r.record(keys...)
	r.now = r.now.Add(snapshot.HistoryPeriod)
	r.deliver()
	names := r.files()
	if len(names) != 2 {
		t.Fatal(names)
	}
	for i, want := range []int{10_000, 3} {
		if c := r.read(names[i]); len(c.ConfigurationItems) != want || !strings.HasSuffix(names[i], fmt.Sprintf("_%d.json.gz", i+1)) {
			t.Errorf("%s: %d items, want %d", names[i], len(c.ConfigurationItems), want)
		}
	}
}

// full is a place that takes nothing.
type full struct{ err error }

func (f full) Check(context.Context, string) error                      { return f.err }
func (f full) Put(context.Context, string, string, io.ReadSeeker) error { return f.err }
func (f full) Get(context.Context, string, string) (io.ReadCloser, error) {
	return nil, f.err
}

func TestFailure(t *testing.T) {
	for name, c := range map[string]struct {
		place snapshot.Place
		code  string
	}{
		"NoPlace":  {nil, "NoSuchBucket"},
		"NoBucket": {full{fmt.Errorf("audit-bucket: %w", snapshot.ErrNoBucket)}, "NoSuchBucket"},
		"Full":     {full{errors.New("no space left")}, "InternalError"},
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t)
			well := r.place
			r.place = c.place
			r.start()
			r.put(settings.Channel{Frequency: "One_Hour"})
			id := r.request()
			r.deliver()
			s := r.channel().Snapshot
			if s.Status != settings.Failure || s.Error != c.code || s.Text == "" || s.SnapshotID != id || s.SuccessAt != 0 || len(s.Pending) != 0 {
				t.Errorf("%+v", s)
			}
			// What is due by itself is tried again soon.
			r.place = well
			r.start()
			r.deliver()
			if len(r.files()) != 0 {
				t.Error("tried again at once")
			}
			r.now = r.now.Add(15 * time.Minute)
			r.deliver()
			if s = r.channel().Snapshot; s.Status != settings.Success || s.Error != "" || len(r.files()) != 1 {
				t.Errorf("%+v %v", s, r.files())
			}
		})
	}
}

func TestRequest(t *testing.T) {
	r := open(t)
	if _, err := r.deliverer.Request(t.Context(), settings.Owner{Account: "210987654321"}); !errors.Is(err, settings.UnknownChannel) {
		t.Error(err)
	}
	for range 100 {
		r.request()
	}
	if _, err := r.deliverer.Request(t.Context(), owner); !errors.Is(err, snapshot.ErrBusy) {
		t.Error(err)
	}
	r.deliver()
	if n := len(r.files()); n != 100 {
		t.Errorf("%d files", n)
	}
}

func TestRun(t *testing.T) {
	r := open(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- r.deliverer.Run(ctx) }()
	r.request()
	for r.channel().Snapshot.Status == "" {
		if ctx.Err() != nil {
			t.Fatal("nothing was delivered")
		}
		time.Sleep(time.Millisecond)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestCheckChannel(t *testing.T) {
	r := open(t)
	c := r.channel()
	if err := r.deliverer.CheckChannel(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	name := "audit-bucket/all/of-it/AWSLogs/123456789012/Config/ConfigWritabilityCheckFile"
	if diff := cmp.Diff([]string{name}, r.files()); diff != "" {
		t.Error(diff)
	}
	r.place = full{snapshot.ErrNoBucket}
	r.start()
	if err := r.deliverer.CheckChannel(t.Context(), &c); !errors.Is(err, snapshot.ErrNoBucket) {
		t.Error(err)
	}
}

func TestDirectory(t *testing.T) {
	folder := t.TempDir()
	d, err := snapshot.NewDirectory(filepath.Join(folder, "buckets"))
	if err == nil {
		t.Error("a folder that is not there")
	}
	if err := os.Mkdir(filepath.Join(folder, "buckets"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "outside"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(folder, "outside"), filepath.Join(folder, "buckets", "link")); err != nil {
		t.Fatal(err)
	}
	if d, err = snapshot.NewDirectory(filepath.Join(folder, "buckets")); err != nil {
		t.Fatal(err)
	}
	put := func(bucket, key, body string) error {
		return d.Put(t.Context(), bucket, key, strings.NewReader(body))
	}
	for _, bad := range []string{"", ".", "..", "a/b", "../outside", "/"} {
		if err := put(bad, "key", "x"); !errors.Is(err, snapshot.ErrNoBucket) {
			t.Errorf("bucket %q: %v", bad, err)
		}
	}
	for _, bad := range []string{"", "../key", "/key", "a/../../key"} {
		if err := put("bucket", bad, "x"); err == nil {
			t.Errorf("key %q was taken", bad)
		}
	}
	if err := put("link", "key", "x"); err == nil {
		t.Error("a link led out of the place")
	}
	for _, body := range []string{"first", "second"} {
		if err := put("bucket", "a/b/key", body); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(folder, "buckets", "bucket", "a", "b", "key"))
		if err != nil || string(got) != body {
			t.Errorf("%q, %v", got, err)
		}
	}
	// What cannot be read to its end leaves the old object, and nothing else.
	if err := d.Put(t.Context(), "bucket", "a/b/key", torn{strings.NewReader("")}); err == nil {
		t.Error("a torn body was taken")
	}
	entries, err := os.ReadDir(filepath.Join(folder, "buckets", "bucket", "a", "b"))
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
	if outside, err := os.ReadDir(filepath.Join(folder, "outside")); err != nil || len(outside) != 0 {
		t.Errorf("%v, %v", outside, err)
	}
}

type torn struct{ *strings.Reader }

func (torn) Read([]byte) (int, error)         { return 0, errors.New("torn") }
func (torn) WriteTo(io.Writer) (int64, error) { return 0, errors.New("torn") }
