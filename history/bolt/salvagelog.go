package bolt

import (
	"encoding/binary"
	"fmt"
)

// readLog reads what was not merged. Of an entry that lacks a piece it takes what
// stands before that.
func (s *salvage) readLog() {
	merged := s.header.mark.commit
	e := logEntry{commit: merged}
	for k, framed := range s.from.values(bucketLog) {
		d := decoder{b: framed[4:]}
		pieces, no := d.uvarint(), binary.BigEndian.Uint64(k)
		switch {
		case d.short || no <= merged:
			continue
		case no != e.commit:
			s.takeEntry(&e)
			for lost := e.commit + 1; lost < no; lost++ {
				s.lostEntry(lost, "what was recorded with it")
			}
			e = logEntry{commit: no, pieces: pieces}
		}
		if uint64(binary.BigEndian.Uint16(k[8:])) == e.have {
			e.b, e.have = append(e.b, d.rest()...), e.have+1
		}
	}
	if s.takeEntry(&e); s.from.lost[string(bucketLog)] {
		s.from.once(Loss{What: LostCommit, Text: "perhaps some of what was recorded last"})
	}
}

// logEntry is an entry of the log that is put together.
type logEntry struct {
	commit       uint64
	b            []byte
	have, pieces uint64
}

func (s *salvage) takeEntry(e *logEntry) {
	if e.pieces == 0 {
		return // there is none yet
	}
	d := decoder{b: e.b}
	m := d.mark()
	if d.short || m.commit != e.commit {
		s.lostEntry(e.commit, "what was recorded with it")
		return
	}
	records := d.rest()
	if whole := wholeRecords(m, records); whole < len(records) || e.have < e.pieces {
		s.lostEntry(e.commit, "part of what was recorded with it")
		records = records[:whole]
	}
	t := newTail()
	_ = t.readRecords(m, records) // which were read just now
	s.log.absorb(t)
	s.header.mark = s.header.mark.later(m)
}

// wholeRecords tells how many bytes the records take that are not cut short.
func wholeRecords(m mark, b []byte) int {
	d, t := decoder{b: b}, newTail()
	for whole := 0; ; whole = d.at {
		if !d.more() || t.readRecord(m, &d) != nil {
			return whole
		}
	}
}

func (s *salvage) lostEntry(commit uint64, what string) {
	s.from.lost[string(bucketLog)] = true
	s.from.once(Loss{What: LostCommit, Text: fmt.Sprintf("commit %d: %s", commit, what)})
}
