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
			if lost := e.commit + 1; lost == no-1 {
				s.lostEntry(lost, "what was recorded with it")
			} else if lost < no {
				s.from.lost[string(bucketLog)] = true
				s.from.once(Loss{What: LostCommit, Text: fmt.Sprintf("commits %d to %d: what was recorded with them", lost, no-1)})
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
	if whole := wholeRecords(m, records, e.have < e.pieces); whole < len(records) || e.have < e.pieces {
		s.lostEntry(e.commit, "part of what was recorded with it")
		records = records[:whole]
	}
	t := newTail()
	_ = t.readRecords(m, records) // which were read just now
	s.log.absorb(t)
	s.header.mark = s.header.mark.later(m)
}

// wholeRecords tells how many bytes the records take that are not cut short. Of a
// resource whose records are cut none counts: without those that follow, which close
// versions, it would tell what never was.
func wholeRecords(m mark, b []byte, cut bool) int {
	d, t := decoder{b: b}, newTail()
	begins, of := 0, rid(0) // where the records of the resource begin that was read last
	for whole := 0; ; whole = d.at {
		if !d.more() && !cut {
			return whole
		}
		if d.more() {
			r := rid(0)
			if kind := recordKind(d.b[d.at]); kind == recRow || kind == recClose {
				n, _ := binary.Uvarint(d.b[d.at+1:])
				r = rid(n)
			}
			if r != of {
				begins, of = whole, r
			}
		}
		if !d.more() || t.readRecord(m, &d) != nil {
			if of != 0 {
				return begins
			}
			return whole
		}
	}
}

func (s *salvage) lostEntry(commit uint64, what string) {
	s.from.lost[string(bucketLog)] = true
	s.from.once(Loss{What: LostCommit, Text: fmt.Sprintf("commit %d: %s", commit, what)})
}
