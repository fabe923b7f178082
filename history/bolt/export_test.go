package bolt

import bbolt "go.etcd.io/bbolt"

// CopyFile writes the file as the last commit left it.
func (s *Store) CopyFile(path string) error {
	return s.db.View(func(tx *bbolt.Tx) error { return tx.CopyFile(path, 0o600) })
}
