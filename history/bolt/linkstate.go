package bolt

import (
	"encoding/binary"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
)

// linkState says which links the bucket holds. It is never changed but replaced.
type linkState struct {
	tables   string
	complete bool
	commit   uint64           // up to which versions are merged, and linked if complete
	upTo     history.Revision // no span knows of a later one
	next     rid              // if not complete: resources from this one on have no links yet
}

// metaLinks is
//
//	string   tables
//	byte     1 when the links of all that is merged are there
//	uvarint  commit
//	uvarint  revision
func (l *linkState) append(b []byte) []byte {
	b = appendBytes(b, l.tables)
	b = append(b, bit(l.complete))
	b = binary.AppendUvarint(b, l.commit)
	return binary.AppendUvarint(b, uint64(l.upTo))
}

func (l *linkState) put(tx *bolt.Tx) error {
	if l == nil {
		return nil
	}
	return tx.Bucket(bucketMeta).Put(metaLinks, sealValue(metaLinks, l.append(nil)))
}

// merged is the state when a merge is done; nil if the store keeps no links.
func (l *linkState) merged(commit uint64) *linkState {
	if l == nil {
		return nil
	}
	is := *l
	is.commit = commit
	return &is
}

// covers reports whether the links of a resource are kept.
func (l *linkState) covers(r rid) bool { return l != nil && (l.complete || r < l.next) }

// loadLinks finds out whether the links in the file are those that the linker
// reads. s.mark says what is merged.
func (s *Store) loadLinks(tx *bolt.Tx) error {
	if s.o.Linker == nil {
		return nil
	}
	is := &linkState{tables: s.o.Linker.Tables(), commit: s.mark.commit, next: 1}
	was, err := readLinkState(tx)
	if err != nil {
		return err
	}
	is.upTo = was.upTo
	first, _ := tx.Bucket(bucketHeads).Cursor().First() // there may be heads that no mark knows of: a merge was cut short
	is.complete = first == nil || was.complete && was.tables == is.tables && was.commit == s.mark.commit
	s.links.Store(is)
	return nil
}

// disownLinks says, before anything is merged whose links are not read, that those in
// the file are not complete: the merge may be cut short, and the next one counts what
// it did as merged.
func (s *Store) disownLinks() error {
	var was linkState
	err := s.readTx(func(tx *bolt.Tx) (err error) {
		was, err = readLinkState(tx)
		return err
	})
	if err != nil || !was.complete {
		return err
	}
	was.complete = false
	return s.writeTx(was.put)
}

func readLinkState(tx *bolt.Tx) (linkState, error) {
	framed := tx.Bucket(bucketMeta).Get(metaLinks)
	if framed == nil {
		return linkState{}, nil
	}
	value, ok := openValue(metaLinks, framed)
	d := decoder{b: value}
	l := linkState{tables: d.string(), complete: d.byte() == 1, commit: d.uvarint(), upTo: history.Revision(d.uvarint())}
	if !ok || d.short {
		return linkState{}, damaged(bucketMeta, metaLinks)
	}
	return l, nil
}
