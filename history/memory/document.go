package memory

import (
	"context"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// documents are a store's documents. Bodies are shared with callers: nobody
// changes them.
type documents struct {
	revision uint64 // of the newest put
	by       map[string]map[string]history.Document
}

// Document implements history.Documents.
func (s *Store) Document(ctx context.Context, collection, name string) (history.Document, error) {
	if err := ctx.Err(); err != nil {
		return history.Document{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return history.Document{}, errClosed
	}
	d, ok := s.documents.by[collection][name]
	if !ok {
		return history.Document{}, plan.NoDocument(collection, name)
	}
	return d, nil
}

// Documents implements history.Documents.
func (s *Store) Documents(ctx context.Context, collection, after string, limit int) ([]history.Document, bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, false, errClosed
	}
	var names []string
	for name := range s.documents.by[collection] {
		if name > after {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	more := limit > 0 && len(names) > limit
	if more {
		names = names[:limit]
	}
	list := make([]history.Document, len(names))
	for i, name := range names {
		list[i] = s.documents.by[collection][name]
	}
	return list, more, nil
}

// PutDocuments implements history.Documents.
func (s *Store) PutDocuments(ctx context.Context, writes []history.DocumentWrite) ([]history.Document, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := plan.TakesDocuments(writes); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	d := &s.documents
	for i := range writes {
		w := &writes[i]
		if err := plan.Replaces(w, d.by[w.Collection][w.Name].Revision); err != nil {
			return nil, err
		}
	}
	if len(writes) == 0 {
		return nil, nil
	}
	d.revision++
	list := make([]history.Document, len(writes))
	for i, w := range writes {
		list[i] = history.Document{Collection: w.Collection, Name: w.Name}
		if w.Body == nil {
			delete(d.by[w.Collection], w.Name)
			continue
		}
		list[i].Revision, list[i].Body = d.revision, w.Body
		if d.by[w.Collection] == nil {
			if d.by == nil {
				d.by = map[string]map[string]history.Document{}
			}
			d.by[w.Collection] = map[string]history.Document{}
		}
		d.by[w.Collection][w.Name] = list[i]
	}
	return list, nil
}
