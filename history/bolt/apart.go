package bolt

import (
	"bytes"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
)

// A merge reads what is merged of a resource. Where that is damaged it sets the
// resource apart: what the log holds of it stays there, under a commit of its own
// that takes the place of those that are cut, and in a tail of its own, which is
// merged when the damage is gone. All other resources are merged as ever.

// apartError says that a merge has set resources apart.
type apartError struct {
	resources int
	first     error
}

func (e *apartError) Error() string {
	return fmt.Sprintf("%d resources are not merged, since what is merged of them is damaged, and stay in the log: %v", e.resources, e.first)
}

func (e *apartError) Unwrap() error { return e.first }

// isApart reports whether an error says that all was merged but what was set apart.
func isApart(err error) bool { return errors.As(err, new(*apartError)) }

// apart are the resources that a merge sets apart, and why.
type apart map[rid]error

// keep notes a resource whose merged part is damaged; any other error it returns.
func (a apart) keep(r rid, err error) error {
	if errors.Is(err, history.DataLoss) {
		a[r] = err
		return nil
	}
	return err
}

func (a apart) err() *apartError {
	e := &apartError{resources: len(a)}
	for _, r := range sortedKeys(a) {
		if e.first == nil {
			e.first = a[r]
		}
	}
	return e
}

// apart begins with what was set apart before: what has come since of those
// resources must not be merged ahead of it.
func (s *Store) apart() apart {
	a := apart{}
	if s.held != nil {
		for r := range s.held.resources {
			a[r] = s.heldBy.first
		}
	}
	return a
}

// takeUpHeld makes what was set apart the tail to be merged, if nothing else is to be
// and any of it can be read now; an apartError: none can.
func (s *Store) takeUpHeld() error {
	s.mu.RLock()
	idle := s.merging == nil && s.active.first == 0
	s.mu.RUnlock()
	if !idle || s.held == nil {
		return nil
	}
	mended := false
	err := s.readTx(func(tx *bolt.Tx) error {
		v := &view{s: s, tx: tx}
		for r := range s.held.resources {
			_, err := v.head(r)
			if err == nil {
				_, err = v.spanBlock(r)
			}
			if err == nil {
				_, err = v.loadAll(r)
			}
			mended = mended || err == nil
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !mended {
		return s.heldBy
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active.first == 0 { // else what came belongs before it in the log
		s.merging, s.held = s.held, nil
	}
	return nil
}

// hold ends the merge of a tail but for resources that are set apart. In one
// transaction the log counts as merged and has what is left in an entry of its own.
func (s *Store) hold(t *tail, a apart) error {
	held, why := newTail(), a.err()
	for r := range a {
		for _, from := range [...]*tail{s.held, t} {
			if from == nil {
				continue
			}
			if k, ok := from.keys[r]; ok {
				held.addResource(r, k)
			}
			if res := from.resources[r]; res != nil {
				to := held.resource(r)
				to.rows, to.closes = append(to.rows, res.rows...), append(to.closes, res.closes...)
				held.changed.add(r)
				held.linked.news = append(held.linked.news, r)
			}
		}
	}
	links := s.links.Load().merged(t.end.commit)
	err := s.alone(func() error {
		m := s.mark
		m.commit++
		held.first, held.last, held.end = m.commit, m.commit, m
		entry := held.entry(m)
		err := s.writeTx(func(tx *bolt.Tx) error {
			if err := noteMerged(tx, t.end, links); err != nil {
				return err
			}
			log := tx.Bucket(bucketLog)
			if s.held != nil {
				if err := deleteLogEntry(log, s.held.first); err != nil {
					return err
				}
			}
			return putLogEntry(log, m.commit, entry)
		})
		if err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.mark, s.held, s.heldBy, s.merging = m, held, why, nil
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.cutLog(t.end); err != nil {
		return err
	}
	return why
}

func deleteLogEntry(log *bolt.Bucket, commit uint64) error {
	c, prefix := log.Cursor(), uint64Key(commit)
	var keys [][]byte
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	for _, k := range keys {
		if err := log.Delete(k); err != nil {
			return err
		}
	}
	return nil
}
