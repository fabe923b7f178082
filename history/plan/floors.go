package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/varvehq/varve/history"
)

// Raise gives the floors that pruning brings about. known is the revision, with
// its moment, that the store had come to by the clock of recording at the
// request's moment, and seq the change it had come to. Floors never sink.
func Raise(f history.Floors, r *history.PruneRequest, known Stamp, seq history.Seq) history.Floors {
	f = f.Clone()
	if r.Type == "" {
		f.Captured = max(f.Captured, r.Floor)
		if known.Revision > f.Revision {
			f.Revision, f.RecordedAt = known.Revision, known.RecordedAt
		}
		f.Seq = max(f.Seq, seq)
	} else {
		f.ByType = raised(f.ByType, r.Type, r.Floor)
		f.RevisionByType = raised(f.RevisionByType, r.Type, known.Revision)
	}
	maps.DeleteFunc(f.ByType, func(_ string, m history.Moment) bool { return m <= f.Captured })
	maps.DeleteFunc(f.RevisionByType, func(_ string, r history.Revision) bool { return r <= f.Revision })
	if len(f.ByType) == 0 {
		f.ByType = nil
	}
	if len(f.RevisionByType) == 0 {
		f.RevisionByType = nil
	}
	return f
}

func raised[V history.Moment | history.Revision](m map[string]V, typ string, v V) map[string]V {
	if m == nil {
		m = map[string]V{}
	}
	m[typ] = max(m[typ], v)
	return m
}

// Prunable refuses a request that cannot be carried out, and gives the moment of
// recording that its revision floor follows from.
func Prunable(r *history.PruneRequest, now history.Moment) (recorded history.Moment, err error) {
	if !r.Floor.Valid() {
		return 0, &history.Error{Kind: history.Invalid, Field: "floor", Value: fmt.Sprint(int64(r.Floor), " µs"),
			Text: "lies outside the years 1970 to 9999; give the moment before which captures are to be forgotten"}
	}
	recorded = max(r.Floor, r.Recorded)
	field, m := "floor", r.Floor
	if m <= now {
		field, m = "recorded", recorded
	}
	if m > now {
		return 0, &history.Error{Kind: history.Future, Field: field, Value: m.String(),
			Text: fmt.Sprintf("is after now, %v; only the past can be pruned", now)}
	}
	return recorded, nil
}

// Takes refuses a capture below the floor of its type.
func Takes(f *history.Floors, o *history.Observation) error {
	if floor := f.Of(o.Key.Type); o.CapturedAt < floor {
		return below("capturedAt", o.CapturedAt.String(), floor, o.Key.Type, "nothing before it can be recorded any more")
	}
	return nil
}

// Opens refuses a run whose moment lies below the floor of all types: nothing
// could be observed in it.
func Opens(f *history.Floors, r *history.Run) error {
	if r.Moment < f.Captured {
		return below("moment", r.Moment.String(), f.Captured, "", "open the run at it or later")
	}
	return nil
}

// Reads refuses a question below the floors of all types.
func Reads(f *history.Floors, at history.At) error {
	return reads(f.Captured, f.Revision, at, "")
}

// ReadsType refuses a question about a type below its floors.
func ReadsType(f *history.Floors, at history.At, typ string) error {
	return reads(f.Of(typ), f.RevisionOf(typ), at, typ)
}

// ReadsQuery refuses a query that covers a type below its floors, and names the
// first such type.
func ReadsQuery(f *history.Floors, at history.At, q *history.Query) error {
	if q.Type != "" {
		return ReadsType(f, at, q.Type)
	}
	if err := Reads(f, at); err != nil {
		return err
	}
	types := slices.AppendSeq(slices.Collect(maps.Keys(f.ByType)), maps.Keys(f.RevisionByType))
	slices.Sort(types)
	for _, typ := range slices.Compact(types) {
		if history.Reserved(typ) {
			continue
		}
		if err := ReadsType(f, at, typ); err != nil {
			return err
		}
	}
	return nil
}

func reads(floor history.Moment, revision history.Revision, at history.At, typ string) error {
	switch {
	case at.Captured < floor:
		return below("at", at.Captured.String(), floor, typ, "ask about it or later")
	case at.Known < revision && at.Known != 0: // an empty store knows nothing at zero
		return below("knownAt", at.Known.String(), revision, typ, "ask what was known at it or later")
	}
	return nil
}

// Recalls refuses a moment of recording below the floor of revisions.
func Recalls(f *history.Floors, recorded history.Moment) error {
	if f.Revision != 0 && recorded < f.RecordedAt {
		return below("knownAt", recorded.String(), f.RecordedAt, "", "ask what was known at it or later")
	}
	return nil
}

// Resumes refuses a position whose next change is gone. The empty position is
// the start of what is kept.
func Resumes(f *history.Floors, after history.Position, seq history.Seq) (history.Seq, error) {
	if after == "" {
		return f.Seq, nil
	}
	if seq < f.Seq {
		return 0, below("position", seq.String(), f.Seq, "", "what follows was pruned; start from the empty position and read the inventory anew")
	}
	return seq, nil
}

func below(field, value string, floor fmt.Stringer, typ, remedy string) error {
	of := ""
	if typ != "" {
		of = " of " + typ
	}
	return &history.Error{Kind: history.Compacted, Field: field, Value: value,
		Text: fmt.Sprintf("lies below the floor %v of what is kept%s; %s", floor, of, remedy),
		Meta: map[string]string{"floor": floor.String()}}
}
