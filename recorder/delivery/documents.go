package delivery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/varvehq/varve/history"
)

// The collections of the documents, each by the name of the subscription; dead
// letters have one of each subscription's own.
const (
	definitions = "subscription"
	states      = "subscription-state"
)

// writeEvery is how often what has changed is written, at most.
const writeEvery = time.Second

// load reads what there is.
func (d *Deliverer) load(ctx context.Context) error {
	docs, _, err := d.documents.Documents(ctx, definitions, "", 0)
	if errors.Is(err, history.DataLoss) { // one by one, up to that which is damaged
		d.o.Logger.Error("subscriptions cannot all be read; run verify", "err", err)
		docs, err = d.readable(ctx)
	}
	if err != nil {
		return err
	}
	for _, doc := range docs {
		r := newRunner(d, doc.Name)
		if err := r.load(ctx, doc); err != nil {
			return err
		}
		d.runners[doc.Name] = r
	}
	return nil
}

func (d *Deliverer) readable(ctx context.Context) (docs []history.Document, err error) {
	for after := ""; ; after = docs[len(docs)-1].Name {
		list, more, err := d.documents.Documents(ctx, definitions, after, 1)
		docs = append(docs, list...)
		switch {
		case errors.Is(err, history.DataLoss) || err == nil && !more:
			return docs, nil
		case err != nil:
			return nil, err
		}
	}
}

// load reads a subscription. What is damaged of it disables it.
func (r *runner) load(ctx context.Context, doc history.Document) error {
	r.exists = true
	sub, err := decodeSubscription(doc.Name, doc.Body)
	if err != nil {
		r.sub.Disabled = messageOf(err)
		r.unread = err
		r.d.o.Logger.Error("subscription cannot be read", "subscription", doc.Name, "err", err)
		return nil
	}
	r.sub = sub
	state, err := r.d.documents.Document(ctx, states, doc.Name)
	var at *progress
	var entries []*entry
	if err == nil {
		at, entries, err = decodeProgress(state.Body)
	}
	switch {
	case err == nil:
		r.at = *at
		for _, e := range entries {
			r.queue.restore(e)
		}
	case errors.Is(err, history.DataLoss), errors.Is(err, history.NotFound), errors.Is(err, history.NewerFormat):
		r.unread = err
		r.disable(messageOf(err) + "; put it with a place to begin from")
	default:
		return err
	}
	return r.loadLetters(ctx)
}

func (r *runner) loadLetters(ctx context.Context) error {
	for after, more := "", true; more; {
		var docs []history.Document
		var err error
		docs, more, err = r.d.documents.Documents(ctx, letterCollection(r.name), after, 1000)
		if errors.Is(err, history.DataLoss) {
			r.d.o.Logger.Error("dead letters cannot all be read; run verify", "subscription", r.name, "err", err)
			return nil
		}
		if err != nil {
			return err
		}
		for _, doc := range docs {
			after = doc.Name
			if l, err := decodeLetter(doc); err == nil {
				r.letters.seqs = append(r.letters.seqs, l.Seq)
			}
		}
	}
	return nil
}

// askToWrite makes keepWriting look for what has changed.
func (d *Deliverer) askToWrite() {
	select {
	case d.write <- struct{}{}:
	default:
	}
}

// keepWriting writes what has changed, at most once in writeEvery.
func (d *Deliverer) keepWriting() {
	pause := time.NewTimer(writeEvery)
	defer pause.Stop()
	failed := false
	for {
		select {
		case <-d.write:
		case <-d.background.Done():
			return
		}
		err := d.flush(d.background)
		if err != nil && d.background.Err() == nil {
			if !failed {
				d.o.Logger.Error("states of subscriptions are not written; they will be sent again what they got meanwhile", "err", err)
			}
			d.askToWrite()
		}
		failed = err != nil
		pause.Reset(writeEvery)
		select {
		case <-pause.C:
		case <-d.background.Done():
			return
		}
	}
}

// flush writes all that has changed in one put.
func (d *Deliverer) flush(ctx context.Context) error {
	d.writing.Lock()
	defer d.writing.Unlock()
	var writes []history.DocumentWrite
	var back []func()
	for _, r := range d.all() {
		list, undo, err := r.unwritten()
		if err != nil {
			return err
		}
		if len(list) > 0 {
			writes, back = append(writes, list...), append(back, undo)
		}
	}
	if len(writes) == 0 {
		return nil
	}
	_, err := d.documents.PutDocuments(ctx, writes)
	if err != nil {
		for _, undo := range back {
			undo()
		}
	}
	return err
}

// unwritten returns what there is to write, and what takes that back if it could
// not be written.
func (r *runner) unwritten() (writes []history.DocumentWrite, undo func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.dirty {
		return nil, nil, nil
	}
	dirty, redefined, letters := r.dirty, r.redefined, r.letters.writes
	if r.unread == nil { // else the damaged one stays as it is
		writes = append(writes, r.stateWrite())
	}
	if redefined {
		w, err := definitionWrite(r.sub)
		if err != nil {
			return nil, nil, err
		}
		writes = append(writes, w)
	}
	for seq, letter := range letters {
		w := history.DocumentWrite{Collection: letterCollection(r.name), Name: letterName(seq)}
		if letter != nil {
			if w.Body, err = letter.encode(); err != nil {
				return nil, nil, err
			}
		}
		writes = append(writes, w)
	}
	r.dirty, r.redefined, r.letters.writes = false, false, nil
	return writes, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.dirty, r.redefined = r.dirty || dirty, r.redefined || redefined
		if letters != nil {
			maps.Copy(letters, r.letters.writes) // those are newer
			r.letters.writes = letters
		}
	}, nil
}

func (r *runner) stateWrite() history.DocumentWrite {
	return history.DocumentWrite{Collection: states, Name: r.name, Body: r.at.encode(r.queue.sorted())}
}

func definitionWrite(s Subscription) (history.DocumentWrite, error) {
	body, err := s.encode()
	if err != nil {
		return history.DocumentWrite{}, fmt.Errorf("delivery: subscription %s: %w", s.Name, err)
	}
	return history.DocumentWrite{Collection: definitions, Name: s.Name, Body: body}, nil
}
