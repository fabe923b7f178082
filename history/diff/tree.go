package diff

import "github.com/go-json-experiment/json/jsontext"

// A tree is a document that can be changed. It is opened only where an
// operation leads: until then it is a value of an unchanging document.
type tree struct {
	leaf   value
	object map[string]*tree // open object
	array  []*tree          // open array; not nil, even if empty
}

func newTree(v value) *tree { return &tree{leaf: v} }

// open gives an object or array its children, if it has not got them yet.
func (t *tree) open() {
	if t.object != nil || t.array != nil {
		return
	}
	switch {
	case t.leaf.isObject():
		t.object = map[string]*tree{}
		for _, m := range t.leaf.members() {
			t.object[m.key] = newTree(m.value)
		}
	case t.leaf.isArray():
		t.array = []*tree{}
		for element := range t.leaf.children() {
			t.array = append(t.array, newTree(element))
		}
	}
}

// text is the canonical JSON of what the tree holds now. The error is
// [ErrDocument] where operations have built too deep a nesting.
func (t *tree) text() (string, error) {
	if t.object == nil && t.array == nil {
		return t.leaf.text(), nil
	}
	raw, err := t.append(nil)
	if err != nil {
		return "", err
	}
	return canonical(raw)
}

// append adds the JSON of the tree to out, members in no order.
func (t *tree) append(out []byte) ([]byte, error) {
	var err error
	switch {
	case t.object != nil:
		out = append(out, '{')
		first := true
		for key, child := range t.object {
			if !first {
				out = append(out, ',')
			}
			first = false
			if out, err = jsontext.AppendQuote(out, key); err != nil {
				return nil, err
			}
			if out, err = child.append(append(out, ':')); err != nil {
				return nil, err
			}
		}
		return append(out, '}'), nil
	case t.array != nil:
		out = append(out, '[')
		for i, child := range t.array {
			if i > 0 {
				out = append(out, ',')
			}
			if out, err = child.append(out); err != nil {
				return nil, err
			}
		}
		return append(out, ']'), nil
	}
	return append(out, t.leaf.text()...), nil
}
