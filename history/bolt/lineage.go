package bolt

import (
	"encoding/binary"

	"github.com/varvehq/varve/history"
)

const forkBytes = 4 + 8 + 8 // incarnation, revision, sequence

// appendLineage writes the id and the incarnation, and where earlier
// incarnations ended.
func appendLineage(b []byte, l *history.Lineage) []byte {
	b = append(b, l.StoreID[:]...)
	b = binary.BigEndian.AppendUint32(b, l.Incarnation)
	for _, f := range l.Forks {
		b = binary.BigEndian.AppendUint32(b, f.Incarnation)
		b = binary.BigEndian.AppendUint64(b, uint64(f.Revision))
		b = binary.BigEndian.AppendUint64(b, uint64(f.Seq))
	}
	return b
}

func parseLineage(b []byte) (l history.Lineage, ok bool) {
	if len(b) < 20 || (len(b)-20)%forkBytes != 0 {
		return l, false
	}
	l = history.Lineage{StoreID: [16]byte(b), Incarnation: binary.BigEndian.Uint32(b[16:])}
	for b = b[20:]; len(b) > 0; b = b[forkBytes:] {
		l.Forks = append(l.Forks, history.Fork{
			Incarnation: binary.BigEndian.Uint32(b),
			Revision:    history.Revision(binary.BigEndian.Uint64(b[4:])),
			Seq:         history.Seq(binary.BigEndian.Uint64(b[12:])),
		})
	}
	return l, true
}

// Lineage implements history.Descendant.
func (s *Store) Lineage() history.Lineage { return s.lineage }
