package diff

import "github.com/go-json-experiment/json/jsontext"

// A Kind says what happened at a place.
type Kind string

// What can happen at a place.
const (
	Added     Kind = "added"     // only the second document has it
	Removed   Kind = "removed"   // only the first document has it
	Changed   Kind = "changed"   // both have it, with different values
	Reordered Kind = "reordered" // an array in which elements changed places
)

// A Change is one difference between two documents, as a person would name it.
type Change struct {
	// Path is a JSON pointer (RFC 6901) in which elements of arrays stand as
	//
	//	[name=web]  recognised by what identifies them, also by several keys as in
	//	            [ipProtocol=tcp,fromPort=22,toPort=22]
	//	[]          a scalar that was added or removed; which one, the value says
	//	3           any other element; the index counts in the second document,
	//	            for a removed element in the first
	//
	// Values in brackets are written bare if they are plain and as JSON strings if
	// not; ~ and / are escaped as in any token. An object key that begins with a
	// bracket is written with a tilde before it, so nothing can be mistaken. The
	// empty path is the document.
	Path string

	Kind Kind

	// Old and New are the values in canonical JSON, nil where there is none. For a
	// reordered array they are the whole arrays.
	Old, New []byte
}

// MarshalJSON gives {"path","kind","old","new"}, without the value that is not
// there. As with [Patch.MarshalJSON], encoding/json escapes <, > and & in it.
func (c Change) MarshalJSON() ([]byte, error) {
	out, err := jsontext.AppendQuote([]byte(`{"path":`), c.Path)
	if err != nil {
		return nil, err
	}
	if out, err = jsontext.AppendQuote(append(out, `,"kind":`...), string(c.Kind)); err != nil {
		return nil, err
	}
	if c.Old != nil {
		out = append(append(out, `,"old":`...), c.Old...)
	}
	if c.New != nil {
		out = append(append(out, `,"new":`...), c.New...)
	}
	return append(out, '}'), nil
}

// ViewOptions choose how [Changes] looks at documents. The zero value works.
type ViewOptions struct {
	// ResourceType is what the documents describe, such as AWS::EC2::SecurityGroup;
	// it selects among the rules of the built-in table. May be empty.
	ResourceType string

	// Keys say what identifies the elements of arrays; they are asked before the
	// built-in table.
	Keys []KeyRule
}

// Changes returns the differences between two documents for people to read. No
// document (nil or empty) against one gives a single added or removed at the
// empty path. The list is empty only if the documents have the same canonical
// form.
//
// Objects are compared key by key, down to the leaves. What only one side has is
// one change, however much it holds, as are two values of different JSON kinds.
//
// Elements of arrays are compared with the element that is the same thing:
//
//   - If all elements are objects and some keys identify them (by
//     [ViewOptions.Keys] or the built-in table, which ends in usual names such as
//     id and name for any array), the element with the same identity. Keys
//     identify if every element has them with a scalar value and no two elements
//     of one side have the same.
//   - Otherwise an equal element, each used once; what then remains of objects and
//     arrays is paired by likeness. Scalars are added and removed, not changed,
//     except for the only string of several lines on each side.
//
// Elements that only changed places give one reordered for their array, apart
// from what else changed in it.
//
// Changes come in the order of the documents: keys in canonical order, elements
// in the order of the second document, removed ones before what came in their
// place, reordered before the changes inside the array. A document whose
// many changes would take far more memory than the document itself (they lie at
// the end of very long paths) is told in fewer, larger changes.
//
// The error wraps [ErrDocument] and says which document it means.
func Changes(before, after []byte, opts ViewOptions) ([]Change, error) {
	a, b, err := parseBoth(before, after)
	if err != nil {
		return nil, err
	}
	v := viewer{opts: opts}
	switch {
	case a != nil && b != nil:
		v.compare(*a, *b)
	case a != nil:
		v.add(Removed, a, nil)
	case b != nil:
		v.add(Added, nil, b)
	}
	return v.changes(), nil
}
