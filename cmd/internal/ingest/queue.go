package ingest

import (
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protowire"

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
	observation []byte // an encoded varve.v1.Observation
}

// batch is a request that grows: observations are in it as they are on the wire,
// so that none is encoded or measured again.
type batch struct {
	requestID string
	lines     []Line
	text      []byte // of the field `observations`, each with its tag and length
}

// request is the batch as a message. Its observations are what the message knows
// of itself but does not look into: unknown fields, which are written as they
// are.
func (b *batch) request(run string) *varvev1.RecordRequest {
	r := &varvev1.RecordRequest{Run: run, RequestId: b.requestID}
	r.ProtoReflect().SetUnknown(b.text)
	return r
}

var observationsField = (*varvev1.RecordRequest)(nil).ProtoReflect().Descriptor().Fields().ByName("observations").Number()

// queue is what has come in and is not acknowledged. It outlives streams.
type queue struct {
	run      string
	underWay []*batch // sent, oldest first
	closed   *batch   // waits to be sent
	open     *batch   // takes more
	next     *entry   // did not fit into the closed one
	spare    []*batch // acknowledged
	usual    int      // bytes of a batch, as the last one had them
	timer    *time.Timer
	ended    bool // nothing more will come in
}

// add puts an entry into the open batch, which it closes when it is full.
func (q *queue) add(e entry) {
	if q.open != nil && len(q.open.text)+len(e.observation) > maxBytes {
		q.close()
		q.next = &e
		return
	}
	if q.open == nil {
		id, err := uuid.NewV7()
		if err != nil {
			id = uuid.New() // only the order in time is lost
		}
		q.open = &batch{requestID: id.String()}
		if n := len(q.spare); n > 0 {
			q.open.text, q.open.lines, q.spare = q.spare[n-1].text[:0], q.spare[n-1].lines[:0], q.spare[:n-1]
		} else {
			q.open.text = make([]byte, 0, q.usual)
		}
		q.timer = time.NewTimer(linger)
	}
	b := q.open
	b.text = protowire.AppendTag(b.text, observationsField, protowire.BytesType)
	b.text = protowire.AppendBytes(b.text, e.observation)
	b.lines = append(b.lines, e.line)
	if len(b.lines) == maxObservations || len(b.text) >= maxBytes {
		q.close()
	}
}

// acknowledged takes the oldest batch off what is under way. Its memory is for
// the next ones, unless a single observation made it large.
func (q *queue) acknowledged() {
	if cap(q.underWay[0].text) <= 2*maxBytes {
		q.spare = append(q.spare, q.underWay[0])
	}
	q.underWay = q.underWay[1:]
}

// close ends the open batch; there must be no closed one yet.
func (q *queue) close() {
	q.timer.Stop()
	q.usual = min(len(q.open.text)+len(q.open.text)/8, maxBytes)
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
