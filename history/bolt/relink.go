package bolt

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"sync"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
)

// Links that the file does not have, or that another linker read, are read anew:
// the bucket is emptied and then filled resource by resource, in parts that take
// turns with merges. A merge keeps up the links of resources that are done. One
// that was cut short starts over.
const (
	relinkAtOnce = 4096     // fewer resources are read before the store is open
	relinkPart   = 16 << 10 // resources whose links are written together
)

// relinking tells how far the links are.
type relinking struct {
	mu          sync.Mutex // one after another
	progress    sync.RWMutex
	done, total uint64
	err         error // that ended it
}

func (r *relinking) set(done, total uint64) {
	r.progress.Lock()
	defer r.progress.Unlock()
	r.done, r.total, r.err = done, total, nil
}

// end notes that what links are read from is damaged.
func (r *relinking) end(err error) {
	r.progress.Lock()
	defer r.progress.Unlock()
	r.err = err
}

// underWay says that links cannot be told yet, or at all.
func (r *relinking) underWay() error {
	r.progress.RLock()
	defer r.progress.RUnlock()
	if r.err != nil {
		return r.err
	}
	return &history.Error{Kind: history.Unavailable,
		Text: "the links of all resources are being read anew, since what they are read by has changed: " +
			strconv.FormatUint(r.done, 10) + " of " + strconv.FormatUint(r.total, 10) + " are done; ask again later",
		Meta: map[string]string{"done": strconv.FormatUint(r.done, 10), "total": strconv.FormatUint(r.total, 10)}}
}

// startRelinking has links that are missing read: of few resources at once, of
// many while the store is in use.
func (s *Store) startRelinking() {
	state := s.links.Load()
	if state == nil || state.complete {
		return
	}
	s.relinking.set(0, uint64(s.mark.rids))
	work := func() {
		s.relinking.mu.Lock()
		defer s.relinking.mu.Unlock()
		if s.links.Load().complete {
			return // somebody asked for it before
		}
		err := s.relink(s.upkeep.ctx, nil)
		if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, history.Unavailable) {
			s.o.Logger.Error("reading all links anew", "error", err)
		}
	}
	if s.mark.rids <= relinkAtOnce {
		work()
		return
	}
	s.o.Logger.Info("reading all links anew", "resources", s.mark.rids)
	s.upkeep.done.Go(work)
}

// Relink implements history.Relinker.
func (s *Store) Relink(ctx context.Context, progress func(done, total uint64)) error {
	if s.links.Load() == nil {
		return history.Errorf(history.Unimplemented, "this store was opened without anything that reads links")
	}
	s.relinking.mu.Lock()
	defer s.relinking.mu.Unlock()
	return s.relink(ctx, progress)
}

// relink does it; relinking.mu is held.
func (s *Store) relink(ctx context.Context, progress func(done, total uint64)) (err error) {
	defer func() {
		if errors.Is(err, history.DataLoss) {
			s.relinking.end(err)
		}
	}()
	s.upkeep.whole.RLock() // neither pruned nor copied meanwhile
	defer s.upkeep.whole.RUnlock()
	begun := false
	for next := rid(1); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.mu.RLock()
		total := s.mark.rids
		s.mu.RUnlock()
		done := false
		s.upkeep.slice.Lock()
		err := s.betweenMerges(func() (err error) {
			if !begun {
				begun = true
				if err := s.emptyLinks(); err != nil {
					return err
				}
			}
			next, done, err = s.relinkPart(next)
			return err
		})
		s.upkeep.slice.Unlock()
		if err != nil {
			return err
		}
		if done {
			next = total + 1
		}
		s.relinking.set(uint64(next-1), uint64(total))
		if progress != nil {
			progress(uint64(min(next-1, total)), uint64(total))
		}
		if done {
			return nil
		}
	}
}

// emptyLinks drops all links, and says so before.
func (s *Store) emptyLinks() error {
	state := &linkState{tables: s.o.Linker.Tables(), next: 1}
	err := s.writeTx(func(tx *bolt.Tx) error {
		if err := errors.Join(state.put(tx), tx.DeleteBucket(bucketLinks)); err != nil {
			return err
		}
		_, err := tx.CreateBucket(bucketLinks)
		return err
	})
	if err == nil {
		s.links.Store(state)
		s.unwritten.Add(1)
	}
	return err
}

// relinkPart reads the links of the next resources that are merged, and writes
// them.
func (s *Store) relinkPart(from rid) (next rid, done bool, err error) {
	var (
		edits  []linkEdit
		merged mark
	)
	for n := 0; n < relinkPart && !done; n += readSlice {
		err := s.mergedView(func(v *view) error {
			var err error
			if merged, err = readMerged(v.tx); err != nil {
				return err
			}
			c := v.tx.Bucket(bucketHeads).Cursor()
			k, _ := c.Seek(ridKey(from))
			for i := 0; k != nil && i < readSlice; i++ {
				r := parseRid(k)
				key, err := v.key(r)
				if err != nil {
					return err
				}
				l, err := v.load(r)
				if err != nil {
					return err
				}
				if edits, err = v.replacedLinks(edits, l, key, nil); err != nil {
					return err
				}
				k, _ = c.Next()
			}
			if done = k == nil; !done {
				from = parseRid(bytes.Clone(k))
			}
			return nil
		})
		if err != nil {
			return from, false, err
		}
	}
	if err := s.writeLinks(edits, merged.revision); err != nil {
		return from, false, err
	}
	state := *s.links.Load()
	state.next = from
	if done {
		state.complete, state.commit, state.next = true, merged.commit, 0
		if err := s.writeTx(state.put); err != nil {
			return from, false, err
		}
	}
	s.links.Store(&state)
	s.unwritten.Add(1)
	return from, done, nil
}
