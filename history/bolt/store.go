// Package bolt is the embedded history.Store: one bbolt file in a folder.
//
// A commit of observations writes one entry into the log and nothing else; what
// follows the newest version of its resource is a delta from it (newest.go). What
// the log holds is kept in memory as well, by resource, until the merger carries
// it, sorted, into segments of up to 32 versions: B+trees take sorted keys many
// times faster than random ones, and 32 versions under one key cost a fraction of
// 32 keys. First versions are written with a dictionary of their type (dict.go).
// What an inventory needs stands apart, in spans (span.go, inventory.go); whoever
// reads it page by page finds it remembered (snapshot.go).
// Sightings, which are most of what comes in, stand apart as well, many to a key
// (sightset.go, sightblock.go, sightmerge.go, sight.go).
// So do the links of versions, by term (linkblock.go, linkmerge.go, linkfind.go):
// they follow from the versions, and are read anew when they are missing (relink.go).
// Documents are written where they belong at once (document.go).
// FORMAT.md describes every bucket and byte.
//
// One goroutine writes: it drains its queue into one commit, so that while one
// commit is on its way to the disk the next gathers. Readers take a view: the
// tails in memory first, then a short bbolt transaction, and look at nothing
// recorded after the revision they are bound to.
//
// All transactions go through a guard (guard.go): damage costs the call, not the
// process, and after a failed sync nothing more is written (failure.go). Pruning,
// erasing and folding take turns with merges (upkeep.go). Backup, restore,
// compacting and migration are one copy with several readers and writers
// (copy.go, BACKUP.md).
package bolt

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memo"
	"github.com/varvehq/varve/history/plan"
)

// FileName is the store's file within its folder.
const FileName = "varve.db"

// Options of a store; the zero value works.
type Options struct {
	Now         func() time.Time // default time.Now
	FutureSlack time.Duration    // how far ahead of Now a capture may lie; default 5 minutes
	StoreID     [16]byte         // of a store made anew; default random
	Linker      history.Linker   // reads the links of versions; nil: the store keeps none
	Logger      *slog.Logger     // default: discard

	// The log is merged when it holds so many records (of sightings, four times as
	// many) or bytes, or when no commit came for MergeIdle. Defaults 32 Ki, 64 MiB,
	// 1 s. In a small store fewer bytes do: a quarter of what the file holds, though
	// not less than 8 MiB. A merge gives way to recording while the next is not soon
	// due and nobody calls Merge.
	MergeRecords int
	MergeBytes   int
	MergeIdle    time.Duration

	LockTimeout time.Duration // how long to wait for another process; default 1 s
	NoSync      bool          // do not wait for the disk: what is acknowledged may be lost. For tests
}

func (o *Options) fill() {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	setDefault(&o.FutureSlack, plan.DefaultFutureSlack)
	setDefault(&o.MergeRecords, 32<<10)
	setDefault(&o.MergeBytes, 64<<20)
	setDefault(&o.MergeIdle, time.Second)
	setDefault(&o.LockTimeout, time.Second)
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Store is safe for concurrent use.
type Store struct {
	o       Options
	db      *bolt.DB
	lineage history.Lineage

	mu          sync.RWMutex // guards what follows; never held during a transaction
	closed      bool
	active      *tail
	merging     *tail       // nil: none
	held        *tail       // of resources set apart; nil: there are none
	heldBy      *apartError // what set them apart, until a merge of them has ended
	mark        mark
	runs        []*runRecord // by number - 1; the records are replaced, not changed
	runByID     map[history.RunID]runNo
	evident     []evidence     // of runs, latest first
	completedTo history.Moment // latest moment of a completed run
	arrived     chan struct{}  // closed and renewed by every commit

	floors atomic.Pointer[floors]    // replaced by the writer's goroutine only
	links  atomic.Pointer[linkState] // replaced between merges, or by one
	linked *linkedCache
	groups atomic.Pointer[groups]
	dicts  dicts
	guard  guard
	merged *memo.Cache[grouped, rid] // of merged resources; a new epoch when some go
	keys   *keyCache
	shots  snapshots

	sighted  sightCache
	contents contentFilter
	latest   *latestCache
	counters counters
	sizes    bucketSizes
	scratch  sync.Pool // of *loaded
	writer   writer
	merger   merger
	upkeep   upkeep

	relinking relinking
	unwritten atomic.Uint64
}

// cachedBytes bounds what is remembered of merged resources, their numbers and
// their heads: some 109,000 of each.
const cachedBytes = 20 << 20

var errClosed = history.Errorf(history.Unavailable, "the store is closed")

// Open opens the store in a folder, which is made if it is missing. Locked when
// another process has it, NewerFormat when it was written by a newer version.
func Open(dir string, o Options) (*Store, error) {
	o.fill()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, openError(dir, err)
	}
	suspected, err := suspect(dir)
	if err != nil {
		return nil, fmt.Errorf("bolt: open %s after it failed: %w", dir, err)
	}
	db, err := openFile(dir, &o, false)
	if err != nil {
		return nil, err
	}
	sweepFolder(dir)
	pages, first, err := survey(db.Path(), &o)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	found := db
	if db, err = migrate(dir, db, &o, &pages, first); err != nil {
		if db != nil {
			err = errors.Join(err, db.Close())
		}
		return nil, err
	}
	if db != found { // it was migrated
		if pages, first, err = survey(db.Path(), &o); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	s := &Store{
		o: o, db: db, latest: memo.New[history.Key, *latest](latestBytes), merged: memo.New[grouped, rid](cachedBytes), linked: memo.New[rid, linkedRow](linkedBytes), keys: new(keyCache), active: newTail(), runByID: map[history.RunID]runNo{}, arrived: make(chan struct{}),
	}
	if err := s.secure(dir, suspected, &pages, first); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := s.load(); err != nil {
		return nil, errors.Join(err, s.closeFile())
	}
	s.merger.start(s)
	s.writer.start(s)
	s.upkeep.start(s)
	s.reassure(suspected)
	s.startRelinking()
	return s, nil
}

// growStep is how much the file grows at once: ahead of its use, to spare the file
// system's metadata, but not by as much as a small store is large.
const growStep = 4 << 20

func openFile(dir string, o *Options, readOnly bool) (*bolt.DB, error) {
	return openPath(filepath.Join(dir, FileName), o, readOnly)
}

func openPath(path string, o *Options, readOnly bool) (db *bolt.DB, err error) {
	state, err := inspect(path)
	if err != nil {
		return nil, openError(path, err)
	}
	if err := state.check(path); err != nil {
		return nil, err
	}
	if len(state.damaged) > 0 {
		o.Logger.Warn("a meta page is damaged: the last commit may be missing; run varve verify", "file", path)
	}
	var file opening
	defer func() {
		if p := recover(); p != nil { // of the list of free pages, which is read at once
			if _, damage := blame(p); !damage {
				panic(p)
			}
			db, err = nil, errors.Join(damagedPages(path, p), unlock(file.file), file.file.Close())
		}
	}()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	db, err = bolt.Open(path, 0o600, &bolt.Options{
		OpenFile:        file.open,
		Timeout:         o.LockTimeout,
		FreelistType:    bolt.FreelistArrayType,
		InitialMmapSize: 1 << 30, // address space only: a growing file need not wait for readers
		ReadOnly:        readOnly,
		NoSync:          o.NoSync,
	})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, inUse(filepath.Dir(path))
	case err != nil:
		return nil, openError(path, err)
	}
	db.AllocSize = growStep
	if replaced, err := file.replaced(); replaced || err != nil {
		if err = errors.Join(err, db.Close()); err != nil {
			return nil, fmt.Errorf("bolt: open %s: %w", path, err)
		}
		return openPath(path, o, readOnly)
	}
	return db, nil
}

// openError is an error met while the file or folder at path is opened. It names the
// path once, also where the error does.
func openError(path string, err error) error {
	if at := (*fs.PathError)(nil); errors.As(err, &at) && at.Path == path {
		err = at.Err
	}
	return fmt.Errorf("bolt: open %s: %w", path, err)
}

func inUse(dir string) error {
	return history.Errorf(history.Locked, "the store in %s is in use by another process; stop that first", dir)
}

// load makes a new file's buckets, or reads a file's state and the rest of its
// log.
func (s *Store) load() error {
	if err := s.create(); err != nil {
		return err
	}
	err := s.readTx(func(tx *bolt.Tx) error {
		if err := s.loadMeta(tx); err != nil {
			return err
		}
		if err := s.loadTables(tx); err != nil {
			return err
		}
		c := tx.Bucket(bucketRuns).Cursor()
		for k, framed := c.First(); k != nil; k, framed = c.Next() {
			value, ok := openValue(k, framed)
			if !ok {
				return damaged(bucketRuns, k)
			}
			d := decoder{b: value}
			r := d.run()
			if d.short {
				return damaged(bucketRuns, k)
			}
			s.setRun(&r)
		}
		merged := s.mark.commit
		s.active.base = s.mark.revision
		if err := s.loadLinks(tx); err != nil {
			return err
		}
		return eachLogEntry(tx, merged, func(m mark, records []byte) error {
			s.mark = m
			return s.active.readRecords(m, records)
		})
	})
	if err != nil {
		return err
	}
	for _, r := range s.active.runs {
		s.setRun(r)
	}
	s.sortEvidence()
	return nil
}

// loadTables reads the groups and dictionaries, which all else refers to.
func (s *Store) loadTables(tx *bolt.Tx) error {
	table, err := loadGroups(tx)
	if err != nil {
		return err
	}
	s.groups.Store(table)
	s.dicts.load(tx, func(key []byte) {
		s.o.Logger.Error("a dictionary is damaged: what was written with it cannot be read", "key", key)
	})
	return nil
}

// create writes the first transaction of a new file: the format version is in
// it from the start.
func (s *Store) create() error {
	made, linked := false, false
	err := s.readTx(func(tx *bolt.Tx) error {
		made, linked = tx.Bucket(bucketMeta) != nil, tx.Bucket(bucketLinks) != nil
		return nil
	})
	if err != nil || made && linked {
		return err
	}
	if made { // by a program that knew nothing of links
		return s.writeTx(func(tx *bolt.Tx) error {
			_, err := tx.CreateBucket(bucketLinks)
			return err
		})
	}
	return s.writeTx(func(tx *bolt.Tx) error {
		for _, name := range allBuckets {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		id := s.o.StoreID
		if id == [16]byte{} {
			id = uuid.New()
		}
		m := tx.Bucket(bucketMeta)
		return errors.Join(
			m.Put(metaFormat, binary.BigEndian.AppendUint32(nil, formatVersion)),
			m.Put(metaLineage, sealValue(metaLineage, binary.BigEndian.AppendUint32(id[:], 1))),
			m.Put(metaMerged, sealValue(metaMerged, (&mark{}).append(nil))),
		)
	})
}

func (s *Store) loadMeta(tx *bolt.Tx) (err error) {
	m := tx.Bucket(bucketMeta)
	if m == nil || len(m.Get(metaFormat)) != 4 {
		return history.Errorf(history.DataLoss, "%s is not a store of Varve", s.db.Path())
	}
	if v := binary.BigEndian.Uint32(m.Get(metaFormat)); v > formatVersion {
		return history.Errorf(history.NewerFormat,
			"%s has format version %d, this program knows versions up to %d; use a newer one", s.db.Path(), v, formatVersion)
	} else if v < formatVersion {
		return history.Errorf(history.Unimplemented,
			"%s has format version %d; start the daemon on it once, which brings it to version %d", s.db.Path(), v, formatVersion)
	}
	value, whole := openValue(metaLineage, m.Get(metaLineage))
	lineage, ok := parseLineage(value)
	if !whole || !ok {
		return damaged(bucketMeta, metaLineage)
	}
	s.lineage = lineage
	if s.mark, err = readMerged(tx); err != nil {
		return err
	}
	f, err := loadFloors(tx)
	s.floors.Store(f)
	return err
}

// tails appends the published tails, oldest first. s.mu is held.
func (s *Store) tails(list []*tail) []*tail {
	if s.held != nil {
		list = append(list, s.held)
	}
	if s.merging != nil {
		list = append(list, s.merging)
	}
	return append(list, s.active)
}

// Head implements history.Store.
func (s *Store) Head(context.Context) (history.Head, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return history.Head{}, errClosed
	}
	return history.Head{
		StoreID: s.lineage.StoreID, Revision: s.mark.revision, RecordedAt: s.mark.recordedAt,
		Position: s.lineage.Position(s.mark.seq), Resources: uint64(s.mark.rids),
	}, nil
}

// Unwritten implements history.Unwriter.
func (s *Store) Unwritten() uint64 { return s.unwritten.Load() }

// Close implements history.Store. What the log holds is merged when the store
// is next open.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.unwritten.Add(1)
	close(s.arrived)
	s.mu.Unlock()
	s.upkeep.stop()
	s.merger.stop() // first: it may be holding the writer up
	s.writer.stop()
	s.guard.verifying()
	<-s.guard.verified
	if err := s.closeFile(); err != nil {
		return fmt.Errorf("bolt: close: %w", err)
	}
	return nil
}
