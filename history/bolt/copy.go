package bolt

import (
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// A store is copied by telling it: whoever reads it (the file of this format or
// of an older one, a backup) tells its parts, in a fixed order and as they stood
// at one revision, to whoever writes it (a backup, a fresh file). Backing up,
// restoring, compacting and migrating are pairs of the two.

// sink takes a store part by part:
//
//	begin
//	document …
//	run …
//	resource, then of it: sighting … row … resourceDone; by rid
//	gone … by rid
//	seen … by run, and within a run in parts by rid
//	change … by sequence
//	clock … by moment
//	op … by id
//	end
//
// What is handed in may be part of a transaction's memory: a sink that keeps it
// copies it. Between any two of them flush may be called: then no transaction
// is open, and the sink does what takes long. An error ends the copy.
type sink interface {
	begin(h *copyHeader) error
	document(d *history.Document) error
	run(r *runRecord) error
	resource(r rid, k history.Key) error
	sighting(s plan.Sighting, origin []byte) error
	row(r *plan.Row, payload []byte) error              // no payload where it was erased
	resourceDone(last uint32) error                     // the highest version number given
	gone(r rid, until history.Seq, k history.Key) error // pruned, but changes up to a sequence tell of it
	seen(n runNo, e seenEntry) error
	change(c *change) error
	clock(s plan.Stamp) error
	op(o *opRecord) error
	end() error
	flush() error
}

// copyHeader says what is copied.
type copyHeader struct {
	lineage history.Lineage
	mark    mark // where the store stands at the revision
	floors  *floors

	documents uint64 // revision of their newest put, of before the mark; zero: there was none
}

// copyCounts are the numbers of what was told, by which a copy is checked.
type copyCounts struct {
	runs, resources, sightings, rows, gone, seen, changes, clock, ops, documents uint64
}

func (c *copyCounts) list() []*uint64 {
	return []*uint64{&c.runs, &c.resources, &c.sightings, &c.rows, &c.gone, &c.seen, &c.changes, &c.clock, &c.ops, &c.documents}
}

// CopyOptions are those of Restore and Compact; the zero value works.
type CopyOptions struct {
	// Progress, if set, is called now and then with how many of the store's
	// resources are copied. It is called from one goroutine at a time.
	Progress func(done, total uint64)

	Options Options // under which the store is opened
}

func (o *CopyOptions) progress(done, total uint64) {
	if o.Progress != nil {
		o.Progress(done, total)
	}
}
