package bolt

import bbolt "go.etcd.io/bbolt"

// CopyFile writes the file as the last commit left it.
func (s *Store) CopyFile(path string) error {
	return s.db.View(func(tx *bbolt.Tx) error { return tx.CopyFile(path, 0o600) })
}

// MergeUncut merges as a process does that is killed before it cuts the log.
func (s *Store) MergeUncut() error { return s.mergeRest(s.active) }

// MergeUnnoticed merges, and forgets about it: to the store it is as if the last
// transaction had failed.
func (s *Store) MergeUnnoticed() error {
	s.mu.Lock()
	s.merging, s.active = s.active, newTail()
	s.mu.Unlock()
	return s.mergeTail(s.merging)
}

// Edit changes an open store behind its back.
func (s *Store) Edit(f func(*bbolt.Tx) error) error { return s.db.Update(f) }
