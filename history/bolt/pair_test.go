package bolt_test

import (
	"errors"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/history/historytest"
	"github.com/varvehq/varve/history/memory"
)

// pair is a store on disk, which merges when it is told to, and one in memory: both
// are to tell the same.
type pair struct {
	t     *testing.T
	clock *historytest.Clock
	o     bolt.Options
	dir   string
	disk  *bolt.Store
	mem   *memory.Store
}

func newPair(t *testing.T) *pair {
	p := &pair{t: t, clock: historytest.NewClock(time.UnixMicro(int64(firstMoment)).Add(time.Hour)), dir: memoryDir(t)}
	p.o = bolt.Options{MergeRecords: 1 << 20, MergeIdle: time.Hour, NoSync: true, Now: p.clock.Now}
	p.disk, p.mem = openWith(t, p.dir, p.o), memory.New(memory.Options{Now: p.clock.Now})
	return p
}

// both ends the test unless f makes the same of both stores.
func (p *pair) both(what string, f func(s history.Store) any) {
	p.t.Helper()
	if d := differs(f(p.mem), f(p.disk)); d != "" {
		p.t.Fatalf("%s (-memory +bolt):\n%s", what, d)
	}
}

// differs is cmp.Diff at less cost where there is nothing to tell.
func differs(want, got any, options ...cmp.Option) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return cmp.Diff(want, got, options...)
}

func (p *pair) merge() {
	p.t.Helper()
	if err := p.disk.Merge(); err != nil {
		p.t.Fatal(err)
	}
}

// goOn does something and then goes on with a copy of the file, as if the process had
// been killed there. Each change may edit the copy.
func (p *pair) goOn(after func() error, changes ...func(path string)) {
	p.t.Helper()
	p.dir = memoryDir(p.t)
	path := filepath.Join(p.dir, bolt.FileName)
	if err := errors.Join(after(), p.disk.CopyFile(path)); err != nil {
		p.t.Fatal(err)
	}
	for _, change := range changes {
		change(path)
	}
	p.disk = openWith(p.t, p.dir, p.o)
}

// end merges what is left and verifies the file.
func (p *pair) end() bolt.Summary {
	p.t.Helper()
	if err := errors.Join(p.disk.Merge(), p.disk.Close()); err != nil {
		p.t.Fatal(err)
	}
	return sound(p.t, p.dir)
}
