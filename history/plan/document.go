package plan

import (
	"fmt"
	"strconv"

	"github.com/varvehq/varve/history"
)

// TakesDocuments refuses a put that no store carries out: one with a write that
// is out of bounds, or with two of one document.
func TakesDocuments(writes []history.DocumentWrite) error {
	type name struct{ collection, name string }
	seen := make(map[name]bool, len(writes))
	for i := range writes {
		w := &writes[i]
		if err := w.Check(); err != nil {
			return err
		}
		n := name{w.Collection, w.Name}
		if seen[n] {
			return &history.Error{Kind: history.Invalid, Field: "name", Value: shown(w),
				Text: "is written twice in one put; write it once"}
		}
		seen[n] = true
	}
	return nil
}

// Replaces refuses a write that expects another revision than the present one
// of the document, which is 0 when there is none.
func Replaces(w *history.DocumentWrite, present uint64) error {
	if w.Expect == nil || *w.Expect == present {
		return nil
	}
	text := fmt.Sprintf("is not the present revision of %s, %d; read it and decide again", shown(w), present)
	if present == 0 {
		text = fmt.Sprintf("is not the present revision of %s, which is not there; expect 0 to create it", shown(w))
	}
	return &history.Error{Kind: history.Conflict, Field: "expect", Value: strconv.FormatUint(*w.Expect, 10), Text: text,
		Meta: map[string]string{"revision": strconv.FormatUint(present, 10)}}
}

// NoDocument is the error for a document that is not there.
func NoDocument(collection, name string) error {
	return &history.Error{Kind: history.NotFound, Field: "name",
		Value: shown(&history.DocumentWrite{Collection: collection, Name: name}), Text: "is no document that is there"}
}

// shown is how people are told of a document, on one line and in short.
func shown(w *history.DocumentWrite) string {
	return fmt.Sprintf("%.64q/%.128q", w.Collection, w.Name)
}
