package history

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Document is something small that is edited rather than recorded: a
// subscription, a rule, how far a follower of the feed has come. It has no past:
// a put replaces it, under every Known. Its owner encodes its body, the store
// knows nothing of it.
type Document struct {
	Collection string // of one owner, such as "subscription"
	Name       string // within the collection
	Revision   uint64 // of the put that wrote it; higher with every put of the store's documents
	Body       []byte // nobody changes it; never nil, though it may be empty
}

// DocumentWrite puts a document, or with a nil Body deletes one.
type DocumentWrite struct {
	Collection, Name string
	Body             []byte

	// Expect, when set, is the revision that is to be replaced; 0 means that
	// there is none yet.
	Expect *uint64
}

// Bounds of a document.
const (
	MaxDocumentName = 1 << 10 // bytes, of Collection and of Name each
	MaxDocument     = 4 << 20 // bytes of the body
)

// Check refuses what no store takes: Invalid or TooLarge with the field.
func (w *DocumentWrite) Check() error {
	for _, f := range [...]struct{ field, value string }{{"collection", w.Collection}, {"name", w.Name}} {
		switch {
		case f.value == "":
			return &Error{Kind: Invalid, Field: f.field, Text: "of a document is empty"}
		case len(f.value) > MaxDocumentName:
			return &Error{Kind: TooLarge, Field: f.field, Value: shorten(f.value),
				Text: fmt.Sprintf("of a document has %d bytes; at most %d", len(f.value), MaxDocumentName)}
		case strings.IndexByte(f.value, 0) >= 0:
			return &Error{Kind: Invalid, Field: f.field, Value: strconv.Quote(shorten(f.value)), Text: "of a document holds a zero byte"}
		}
	}
	if len(w.Body) > MaxDocument {
		return &Error{Kind: TooLarge, Field: "body", Value: w.Name,
			Text: fmt.Sprintf("of the document has %d bytes; at most %d", len(w.Body), MaxDocument)}
	}
	return nil
}

// Documents is a store that keeps documents beside what it records. What
// PutDocuments has returned without error is durable; backups, copies and
// compacted files carry the documents along. Its methods are safe for concurrent
// use.
type Documents interface {
	// Document returns a document as it stands: NotFound if there is none.
	Document(ctx context.Context, collection, name string) (Document, error)

	// Documents returns up to limit documents of a collection, bytewise by name,
	// after the given name ("" = from the start), and whether there are more.
	// Limit 0 = all. What is told by one call stood so at one instant.
	Documents(ctx context.Context, collection, after string, limit int) ([]Document, bool, error)

	// PutDocuments carries out all of the writes, at one instant, or none.
	// It returns the documents as they stand afterwards, in the order of the
	// writes; of a deletion Revision and Body are zero. Conflict if an Expect does
	// not hold, with the present revision in Meta ("revision"), Invalid if one
	// document is written twice. Deleting what is not there is no error, unless
	// Expect says otherwise. A body is not changed any more once it is given,
	// not even after the call. The documents of one put have one revision; that
	// of a store restored from a backup goes on from where the backup stood.
	// After the error of a ctx that ended the put may still be carried out.
	PutDocuments(ctx context.Context, writes []DocumentWrite) ([]Document, error)
}
