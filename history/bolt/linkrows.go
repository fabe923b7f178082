package bolt

import (
	"sync/atomic"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memo"
	"github.com/varvehq/varve/history/plan"
)

// Where the links of a row come from: the linker read them when it was recorded, or
// reads them now out of what the row carries.

// linkSet are the links of a row of a tail, once they have been read.
type linkSet struct {
	known atomic.Pointer[[]history.Link]
}

// linkedRow are the links of a resource's newest row, as it was merged not long
// ago: the next merge need not read its content.
type linkedRow struct {
	number uint32
	start  history.Moment
	links  *[]history.Link
}

type linkedCache = memo.Cache[rid, linkedRow]

const linkedBytes = 16 << 20

// keepLinks remembers the links of the newest row.
func (s *Store) keepLinks(r rid, newest *plan.Row, links *[]history.Link) {
	bytes := 0
	for i := range *links {
		bytes += 48 + len((*links)[i].Term) + len((*links)[i].Detail)
	}
	s.linked.Put(r, linkedRow{newest.Number, newest.Start, links}, bytes)
}

// rowLinks reads the links of a row.
func (v *view) rowLinks(l *loaded, k history.Key, row *plan.Row) ([]history.Link, error) {
	if row.Deleted || row.Erased || row.Bare {
		return nil, nil
	}
	recent := l.recent[row]
	if recent != nil {
		if known := recent.links.known.Load(); known != nil {
			return *known, nil
		}
	}
	payload, err := l.payload(row)
	if err != nil {
		return nil, damaged(bucketSegments, segmentKey(l.rid, row))
	}
	links, err := v.readLinks(k, payload)
	if err != nil {
		return nil, damaged(bucketSegments, segmentKey(l.rid, row))
	}
	if recent != nil {
		recent.links.known.Store(&links)
	}
	return links, nil
}

// readLinks reads the links of what a row carries.
func (v *view) readLinks(k history.Key, payload []byte) ([]history.Link, error) {
	_, content, err := splitPayload(payload)
	if err != nil {
		return nil, err
	}
	state, err := history.DecodeContent(content)
	if err != nil {
		return nil, err
	}
	return history.LinksOf(v.s.o.Linker, k, &state), nil
}

// tailLinks reads the links of a row that is not merged.
func (v *view) tailLinks(r rid, k history.Key, row *tailRow) (*[]history.Link, error) {
	if row.Deleted || row.Erased {
		return &noLinks, nil
	}
	if known := row.links.known.Load(); known != nil {
		return known, nil
	}
	if c := codecOf(row.body); c != codecBase && c != codecErased {
		payload, err := openBody(row.body, &v.s.dicts, nil)
		if err != nil {
			return nil, damaged(bucketLog, ridKey(r))
		}
		links, err := v.readLinks(k, payload)
		if err != nil {
			return nil, damaged(bucketLog, ridKey(r))
		}
		row.links.known.Store(&links)
		return &links, nil
	}
	l, err := v.load(r)
	if err != nil {
		return nil, err
	}
	for _, of := range l.Rows {
		if of.Number == row.Number {
			links, err := v.rowLinks(l, k, of)
			if err == nil {
				row.links.known.Store(&links)
			}
			return &links, err
		}
	}
	return nil, damaged(bucketSegments, ridKey(r))
}

// mergedLinks reads the links of the newest row that is merged.
func (v *view) mergedLinks(r rid, k history.Key, h *head) (*[]history.Link, error) {
	if h.newest.Number == 0 || h.newest.Deleted || h.newest.Erased {
		return &noLinks, nil
	}
	if row, ok := v.s.linked.Get(r); ok && row.number == h.newest.Number {
		return row.links, nil
	}
	merged := &view{s: v.s, tx: v.tx}
	defer merged.release()
	l, p, err := merged.around(r, history.Newest, maxRevision)
	if err != nil {
		return nil, err
	}
	if p.Row == nil {
		return nil, damaged(bucketSegments, ridKey(r))
	}
	links, err := merged.rowLinks(l, k, p.Row)
	return &links, err
}

// noLinks are those of a row without any.
var noLinks []history.Link

// maxRevision knows everything.
const maxRevision = history.Revision(1<<64 - 1)
