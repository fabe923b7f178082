package ingest

import (
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// A batch is closed when it has this many observations or bytes, or when its
// first observation has waited that long for more.
const (
	maxObservations = 1000
	maxBytes        = 8 << 20
	linger          = 50 * time.Millisecond
)

type entry struct {
	line        Line
	observation *varvev1.Observation
}

type batch struct {
	request *varvev1.RecordRequest
	lines   []Line
	bytes   int
}

// queue is what has come in and is not acknowledged. It outlives streams.
type queue struct {
	run      string
	underWay []*batch // sent, oldest first
	closed   *batch   // waits to be sent
	open     *batch   // takes more
	next     *entry   // did not fit into the closed one
	timer    *time.Timer
	ended    bool // nothing more will come in
}

// add puts an entry into the open batch, which it closes when it is full.
func (q *queue) add(e entry) {
	size := proto.Size(e.observation)
	if q.open != nil && q.open.bytes+size > maxBytes {
		q.close()
		q.next = &e
		return
	}
	if q.open == nil {
		id, err := uuid.NewV7()
		if err != nil {
			id = uuid.New() // only the order in time is lost
		}
		q.open = &batch{request: &varvev1.RecordRequest{Run: q.run, RequestId: id.String()}}
		q.timer = time.NewTimer(linger)
	}
	b := q.open
	b.request.Observations = append(b.request.Observations, e.observation)
	b.lines = append(b.lines, e.line)
	b.bytes += size
	if len(b.lines) == maxObservations || b.bytes >= maxBytes {
		q.close()
	}
}

// close ends the open batch; there must be no closed one yet.
func (q *queue) close() {
	q.timer.Stop()
	q.closed, q.open = q.open, nil
}

// full reports whether no entry can be taken: a closed batch waits for room.
func (q *queue) full() bool { return q.closed != nil }

// lingered fires when the open batch has waited long enough.
func (q *queue) lingered() <-chan time.Time {
	if q.open == nil || q.closed != nil {
		return nil
	}
	return q.timer.C
}

// ready reports whether a batch can be sent now.
func (q *queue) ready() bool {
	if q.closed == nil && q.ended && q.open != nil {
		q.close()
	}
	return q.closed != nil && len(q.underWay) < window
}

// dispatch moves the closed batch under way.
func (q *queue) dispatch() *batch {
	b := q.closed
	q.closed = nil
	q.underWay = append(q.underWay, b)
	if q.next != nil {
		e := *q.next
		q.next = nil
		q.add(e)
	}
	return b
}

// finished reports whether everything has come in and is acknowledged.
func (q *queue) finished() bool {
	return q.ended && q.open == nil && q.closed == nil && len(q.underWay) == 0
}
