package diff

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// The operations of RFC 6902, section 4.
const (
	OpAdd     = "add"
	OpRemove  = "remove"
	OpReplace = "replace"
	OpMove    = "move"
	OpCopy    = "copy"
	OpTest    = "test"
)

// An Op is one operation of a [Patch].
type Op struct {
	Op    string // one of the Op constants
	Path  string // JSON pointer (RFC 6901) to the target; empty is the document
	From  string // JSON pointer to the source of a move or copy, else empty
	Value []byte // JSON text for add, replace and test, else nil
}

// hasValue and hasFrom tell which members an operation has, as the RFC says.
func (op Op) hasValue() bool { return op.Op == OpAdd || op.Op == OpReplace || op.Op == OpTest }
func (op Op) hasFrom() bool  { return op.Op == OpMove || op.Op == OpCopy }

func (op Op) known() bool { return op.hasValue() || op.hasFrom() || op.Op == OpRemove }

// A Patch is a JSON Patch: operations that follow one another, each on the
// outcome of those before it. A nil Patch changes nothing.
type Patch []Op

// MarshalJSON gives the JSON array of RFC 6902, without white space, values in
// canonical form with every digit they have, < and > and & as they are. The error
// is [ErrPatch] with the index of the operation.
//
// Call it directly, or through an encoder that leaves its outcome alone:
// [encoding/json.Marshal] writes <, > and & in it as \u003c, \u003e and \u0026,
// which means the same but are other bytes.
func (p Patch) MarshalJSON() ([]byte, error) {
	out := []byte{'['}
	for i, op := range p {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = op.append(out); err != nil {
			return nil, fmt.Errorf("diff: operation %d: %w", i, err)
		}
	}
	return append(out, ']'), nil
}

func (op Op) append(out []byte) ([]byte, error) {
	if !op.known() {
		return nil, fmt.Errorf("%w: unknown operation %q", ErrPatch, op.Op)
	}
	out = append(append(out, `{"op":"`...), op.Op...)
	out = append(out, '"')

	var err error
	if op.hasFrom() {
		if out, err = appendPointer(append(out, `,"from":`...), op.From); err != nil {
			return nil, err
		}
	}
	if out, err = appendPointer(append(out, `,"path":`...), op.Path); err != nil {
		return nil, err
	}
	if op.hasValue() {
		v, err := parse(op.Value)
		if err != nil {
			return nil, fmt.Errorf("%w: value of %s %q: %w", ErrPatch, op.Op, op.Path, err)
		}
		out = append(append(out, `,"value":`...), v.text()...)
	}
	return append(out, '}'), nil
}

func appendPointer(out []byte, pointer string) ([]byte, error) {
	if _, err := splitPointer(pointer); err != nil {
		return nil, err
	}
	return jsontext.AppendQuote(out, pointer)
}

// UnmarshalJSON reads the JSON array of RFC 6902. Values are kept in canonical
// form, with every digit they have. Members that the operation does not define
// are ignored, as the RFC demands; missing ones, unknown operations, malformed
// pointers and duplicate keys are [ErrPatch]. As everywhere in Go, null leaves
// the patch as it is.
func (p *Patch) UnmarshalJSON(raw []byte) error {
	list, err := parse(raw)
	if err != nil {
		return fmt.Errorf("diff: %w: %w", ErrPatch, err)
	}
	if list.text() == "null" {
		return nil
	}
	if !list.isArray() {
		return fmt.Errorf("diff: %w: not an array", ErrPatch)
	}

	read := Patch{}
	for item := range list.children() {
		op, err := readOp(item)
		if err != nil {
			return fmt.Errorf("diff: operation %d: %w", len(read), err)
		}
		read = append(read, op)
	}
	*p = read
	return nil
}

func readOp(item value) (Op, error) {
	if !item.isObject() {
		return Op{}, fmt.Errorf("%w: not an object", ErrPatch)
	}
	var op Op
	var err error
	if op.Op, err = readString(item, "op"); err != nil {
		return Op{}, err
	}
	if !op.known() {
		return Op{}, fmt.Errorf("%w: unknown operation %q", ErrPatch, op.Op)
	}
	if op.Path, err = readPointer(item, "path"); err != nil {
		return Op{}, err
	}
	if op.hasFrom() {
		if op.From, err = readPointer(item, "from"); err != nil {
			return Op{}, err
		}
	}
	if op.hasValue() {
		v, ok := item.member("value")
		if !ok {
			return Op{}, fmt.Errorf(`%w: %s %q has no "value"`, ErrPatch, op.Op, op.Path)
		}
		op.Value = v.bytes()
	}
	return op, nil
}

func readPointer(item value, name string) (string, error) {
	pointer, err := readString(item, name)
	if err != nil {
		return "", err
	}
	_, err = splitPointer(pointer)
	return pointer, err
}

func readString(item value, name string) (string, error) {
	v, ok := item.member(name)
	if !ok || v.kind() != '"' {
		return "", fmt.Errorf("%w: %q is not a string", ErrPatch, name)
	}
	return v.unquote(), nil
}
