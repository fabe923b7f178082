package historytest

import (
	"maps"
	"slices"

	"github.com/varvehq/varve/history"
)

// The oracle forgets nothing: answers after a prune are those from before it,
// minus what lies below the floor. It remembers only what there was to drop, so
// that the numbers can be compared.

// unpromised stands for a moment that may be anything.
const unpromised history.Moment = -1

// oracleRow is a version as it was recorded.
type oracleRow struct {
	number uint32
	at     history.Moment
	hash   history.Hash
	rev    history.Revision // of the fact it begins with; zero: absence
	origin history.Origin
	pruned bool
	erased bool
}

// row records a new version. One that begins with another fact than the
// observation's own resumes an older state: what was erased everywhere stays so.
func (l *life) row(v *version, own *fact) *oracleRow {
	r := &oracleRow{number: v.number, at: v.at, hash: v.hash}
	if v.absence {
		return r
	}
	first := l.fact(v.facts[0].rev)
	first.begins, r.rev, r.origin = true, first.rev, first.origin
	if own == nil || own.rev != first.rev {
		r.erased = true
		origins := 0
		for _, n := range slices.Sorted(maps.Keys(l.rows)) {
			x := l.rows[n]
			if x.pruned {
				continue
			}
			r.erased = r.erased && (x.erased || x.hash != r.hash)
			if x.rev != r.rev {
				continue
			}
			if origins == 0 {
				r.origin = history.Origin{} // unless one is left
			}
			if origins++; !x.erased {
				r.origin = x.origin
				origins = 1 << 20
			}
		}
	}
	v.origin = r.origin
	return r
}

func (l *life) fact(rev history.Revision) *fact {
	i := slices.IndexFunc(l.facts, func(x fact) bool { return x.rev == rev })
	return &l.facts[i]
}

// refuses tells whether a question lies below the floors of a type.
func (o *oracle) refuses(at history.At, types ...string) bool {
	return slices.ContainsFunc(append(types, ""), func(typ string) bool {
		return at.Captured != 0 && at.Captured < o.floors.Of(typ) || at.Known != 0 && at.Known < o.floors.RevisionOf(typ)
	})
}

// prune is what Prune should return.
func (o *oracle) prune(r history.PruneRequest) (history.Pruned, error) {
	recorded := max(r.Floor, r.Recorded)
	switch {
	case r.Floor <= 0:
		return history.Pruned{}, history.Invalid
	case recorded > o.now():
		return history.Pruned{}, history.Future
	}
	was, is := o.floors, o.floors.Clone()
	var known history.Revision
	for i, m := range o.recorded {
		if m <= recorded {
			known = history.Revision(i + 1)
		}
	}
	switch r.Type {
	case "":
		is.Captured = max(is.Captured, r.Floor)
		if known > is.Revision {
			is.Revision, is.RecordedAt = known, o.recorded[known-1]
		}
		for _, c := range o.feed {
			if c.Revision <= is.Revision {
				is.Seq = max(is.Seq, c.Seq)
			}
		}
	default:
		if is.ByType == nil {
			is.ByType = map[string]history.Moment{}
		}
		if is.RevisionByType == nil {
			is.RevisionByType = map[string]history.Revision{}
		}
		is.ByType[r.Type], is.RevisionByType[r.Type] = max(is.ByType[r.Type], r.Floor), max(is.RevisionByType[r.Type], known)
	}
	for _, typ := range append(modelTypes, r.Type) {
		if is.ByType[typ] <= is.Captured {
			delete(is.ByType, typ)
		}
		if is.RevisionByType[typ] <= is.Revision {
			delete(is.RevisionByType, typ)
		}
	}
	if len(is.ByType) == 0 {
		is.ByType = nil
	}
	if len(is.RevisionByType) == 0 {
		is.RevisionByType = nil
	}

	pruned := history.Pruned{Floors: is, Changes: uint64(is.Seq - was.Seq)}
	for _, k := range o.keys() {
		if r.Type != "" && k.Type != r.Type {
			continue
		}
		o.pruneLife(o.lives[k], is.Of(k.Type), max(1, is.RevisionOf(k.Type)), r.DryRun, &pruned)
	}
	if !r.DryRun {
		o.floors = is
	}
	return pruned, nil
}

// pruneLife counts and marks what a floor and the revisions from known on do
// not need of a resource.
func (o *oracle) pruneLife(l *life, floor history.Moment, known history.Revision, dry bool, pruned *history.Pruned) {
	goes := !slices.ContainsFunc(l.facts, func(f fact) bool { return f.at > floor })
	stands, newest := map[uint32]bool{}, map[history.Revision]bool{}
	for k := known; k <= o.revision(); k++ {
		told := l.toldAt(k)
		goes = goes && !slices.ContainsFunc(told, func(i history.Item) bool { return i.CapturedAt > floor })
		at := place(told, floor)
		goes = goes && (at.Version == 0 || at.State.Deleted)
		stands[place(told, floor-1).Version] = true
		last := history.Revision(0)
		for _, f := range l.facts { // by moment and revision
			if f.at < floor && f.rev <= k {
				last = f.rev
			}
		}
		newest[last] = true
	}
	for _, r := range l.rows {
		if !r.pruned && (goes || r.at < floor && !stands[r.number]) {
			pruned.Versions++
			r.pruned = !dry
		}
	}
	for i := range l.facts {
		f := &l.facts[i]
		if f.sighted && !f.pruned && f.origin.Run == "" && (goes || f.at < floor && !newest[f.rev]) {
			pruned.Sightings++
			f.pruned = !dry
		}
	}
	if !goes {
		return
	}
	pruned.Resources++
	if !dry {
		delete(o.lives, l.key)
		for _, r := range o.runs {
			delete(r.seen, l.key)
		}
	}
}

// erase is what Erase should return.
func (o *oracle) erase(k history.Key, version uint32) error {
	l := o.lives[k]
	if l == nil || l.rows[version] == nil || l.rows[version].pruned {
		return history.NotFound
	}
	l.rows[version].erased = true
	return nil
}

// fold is what Fold should return.
func (o *oracle) fold(recordedBefore history.Moment) (dropped uint64) {
	if o.floors.Revision != 0 && recordedBefore <= o.floors.RecordedAt {
		return 0
	}
	for _, l := range o.lives {
		was := dropped
		for _, v := range l.versions {
			var group []history.Revision // by moment
			for _, f := range v.facts {
				f = *l.fact(f.rev)
				held := slices.ContainsFunc(o.runs, func(r *oracleRun) bool { return r.Moment == f.at && r.State != history.RunAborted })
				if f.sighted && f.origin.Run == "" && !held && f.at >= o.floors.Of(l.key.Type) && o.recorded[f.rev-1] < recordedBefore {
					group = append(group, f.rev)
				}
			}
			for i := 1; i < len(group)-1; i++ {
				dropped++
				l.fact(group[i]).sighted = false
			}
		}
		if dropped == was {
			continue
		}
		l.facts = slices.DeleteFunc(l.facts, func(f fact) bool { return !f.sighted && !f.begins && !f.pruned })
		l.folded = o.revision()
		o.retell(l, nil)
	}
	return dropped
}
