package delivery

import (
	"context"
	"errors"
	"slices"

	"github.com/varvehq/varve/history"
)

// DeadLetters returns up to limit events that were given up, by sequence, after
// the given one, and whether there are more. A limit of 0 is none. NotFound as
// Get.
func (d *Deliverer) DeadLetters(ctx context.Context, name string, after history.Seq, limit int) ([]DeadLetter, bool, error) {
	if err := d.running(); err != nil {
		return nil, false, err
	}
	if _, err := d.find(name); err != nil {
		return nil, false, err
	}
	if err := d.flush(ctx); err != nil {
		return nil, false, err
	}
	return d.storedLetters(ctx, name, after, limit)
}

func (d *Deliverer) storedLetters(ctx context.Context, name string, after history.Seq, limit int) (list []DeadLetter, more bool, err error) {
	docs, more, err := d.documents.Documents(ctx, letterCollection(name), letterName(after), limit)
	if err != nil {
		return nil, false, err
	}
	for _, doc := range docs {
		if l, err := decodeLetter(doc); err == nil {
			list = append(list, l)
		}
	}
	return list, more, nil
}

// Replay makes dead letters outstanding again, and tells how many: those of the
// given sequences, or with none given all of them. They are tried at once, unless
// an earlier event of the resource is outstanding, with all of RetryFor before
// them. Of all, those stay whose change was pruned or is
// damaged, and those for which there is no room among the outstanding ones.
// NotFound as Get, or if one of the sequences is not a dead letter; Compacted if
// it was pruned: nothing is replayed then.
func (d *Deliverer) Replay(ctx context.Context, name string, seqs ...history.Seq) (int, error) {
	r, err := d.enter(ctx, name)
	if err != nil {
		return 0, err
	}
	defer r.manage.leave()
	if r.unread != nil {
		return 0, r.cannotGoOn()
	}
	if err := d.flush(ctx); err != nil {
		return 0, err
	}
	list, err := r.revive(ctx, seqs)
	if err != nil {
		return 0, err
	}
	n := r.again(list)
	if n < len(list) && len(seqs) > 0 {
		d.o.Logger.Warn("not all dead letters were replayed: too much is outstanding", "subscription", name, "replayed", n, "of", len(list))
	}
	return n, d.flush(ctx)
}

// revive makes entries of letters whose events are still there, by sequence.
func (r *runner) revive(ctx context.Context, seqs []history.Seq) (list []*entry, err error) {
	stored, _, err := r.d.storedLetters(ctx, r.name, 0, 0)
	if err != nil {
		return nil, err
	}
	wanted := slices.Sorted(slices.Values(seqs))
	wanted = slices.Compact(wanted)
	for _, seq := range wanted {
		if !slices.ContainsFunc(stored, func(l DeadLetter) bool { return l.Seq == seq }) {
			return nil, &history.Error{Kind: history.NotFound, Field: "sequence", Value: seq.String(), Text: "is not a dead letter of this subscription; dead-letters lists them"}
		}
	}
	for _, l := range stored {
		if _, found := slices.BinarySearch(wanted, l.Seq); len(wanted) > 0 && !found {
			continue
		}
		event, err := r.d.source.At(ctx, l.Seq)
		switch {
		case err == nil:
			list = append(list, &entry{
				seq: l.Seq, previous: l.Previous, filterError: l.FilterError, key: event.Key, recorded: event.RecordedAt, size: sizeOf(event),
			})
		case len(wanted) > 0 || !errors.Is(err, history.Compacted) && !errors.Is(err, history.DataLoss):
			return nil, err
		}
	}
	return list, nil
}

// again puts as many entries into the queue as there is room for.
func (r *runner) again(list []*entry) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range list {
		if len(r.queue.entries) >= maxOutstanding || r.queue.entries[e.seq] != nil {
			continue
		}
		r.queue.insert(e, r.d.now())
		r.letters.remove(e.seq)
		n++
	}
	r.touch()
	if r.run != nil {
		r.run.dispatch()
	}
	return n
}
