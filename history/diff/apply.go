package diff

import (
	"fmt"
	"slices"
)

// maxCopied bounds what the copy operations of one patch may add up to, in bytes
// of JSON. Without it, a patch of sixty operations could double a document sixty
// times.
const maxCopied = 64 << 20

// Apply carries out a patch (RFC 6902) and returns the outcome in canonical form.
// A nil or empty doc does not exist, which only an add at the empty path can
// change; a document that the patch removes comes out nil.
//
// In one thing Apply is stricter than the RFC: a test compares number literals as
// text, so 1.0 does not pass for 1.
//
// When an operation fails, the error is an [ApplyError] and nothing is returned.
// A bad doc is [ErrDocument].
func Apply(doc []byte, p Patch) ([]byte, error) {
	root, err := parseOptional(doc)
	if err != nil {
		return nil, fmt.Errorf("diff: apply: %w", err)
	}
	a := applier{}
	if root != nil {
		a.root = newTree(*root)
	}
	for i, op := range p {
		if err := a.apply(op); err != nil {
			return nil, &ApplyError{Index: i, Op: op.Op, Path: op.Path, Err: err}
		}
	}
	if a.root == nil {
		return nil, nil
	}

	out, err := a.root.text()
	if err != nil {
		return nil, fmt.Errorf("diff: apply: outcome: %w", err)
	}
	return []byte(out), nil
}

// An applier holds the document between operations.
type applier struct {
	root   *tree // nil: there is no document
	copied int   // bytes
}

func (a *applier) apply(op Op) error {
	path, err := splitPointer(op.Path)
	if err != nil {
		return err
	}
	switch op.Op {
	case OpRemove:
		_, err := a.remove(path)
		return err
	case OpMove:
		return a.move(op, path)
	case OpCopy:
		return a.copy(op, path)
	case OpAdd, OpReplace, OpTest:
	default:
		return fmt.Errorf("%w: unknown operation", ErrPatch)
	}

	v, err := parse(op.Value)
	if err != nil {
		return fmt.Errorf("%w: value: %w", ErrPatch, err)
	}
	switch op.Op {
	case OpAdd:
		return a.add(path, newTree(v))
	case OpReplace:
		return a.replace(path, newTree(v))
	}
	return a.test(path, v)
}

func (a *applier) move(op Op, path []string) error {
	from, err := splitPointer(op.From)
	if err != nil {
		return err
	}
	if len(from) < len(path) && slices.Equal(from, path[:len(from)]) {
		return fmt.Errorf("%w: a value cannot move into itself", ErrPatch)
	}
	moved, err := a.remove(from)
	if err != nil {
		return fmt.Errorf("from %q: %w", op.From, err)
	}
	return a.add(path, moved)
}

func (a *applier) copy(op Op, path []string) error {
	from, err := splitPointer(op.From)
	if err != nil {
		return err
	}
	source, err := a.find(from)
	if err != nil {
		return fmt.Errorf("from %q: %w", op.From, err)
	}
	text, err := source.text()
	if err != nil {
		return err
	}
	a.copied += len(text)
	if a.copied > maxCopied {
		return ErrTooLarge
	}
	return a.add(path, newTree(index(text)))
}

func (a *applier) test(path []string, want value) error {
	found, err := a.find(path)
	if err != nil {
		return err
	}
	text, err := found.text()
	if err != nil {
		return err
	}
	if text != want.text() {
		return ErrTest
	}
	return nil
}

// find returns the place that a path names.
func (a *applier) find(path []string) (*tree, error) {
	if a.root == nil {
		return nil, fmt.Errorf("%w: there is no document", ErrPath)
	}
	at := a.root
	for _, token := range path {
		at.open()
		switch {
		case at.object != nil:
			child, ok := at.object[token]
			if !ok {
				return nil, fmt.Errorf("%w: no member %q", ErrPath, token)
			}
			at = child
		case at.array != nil:
			i, err := arrayIndex(token, len(at.array))
			if err != nil {
				return nil, err
			}
			at = at.array[i]
		default:
			return nil, fmt.Errorf("%w: %q is inside a scalar", ErrPath, token)
		}
	}
	return at, nil
}

// parent returns the open container in which the last token of a path lies.
func (a *applier) parent(path []string) (*tree, string, error) {
	last := len(path) - 1
	at, err := a.find(path[:last])
	if err != nil {
		return nil, "", err
	}
	at.open()
	if at.object == nil && at.array == nil {
		return nil, "", fmt.Errorf("%w: %q is inside a scalar", ErrPath, path[last])
	}
	return at, path[last], nil
}

func (a *applier) add(path []string, t *tree) error {
	if len(path) == 0 {
		a.root = t
		return nil
	}
	in, token, err := a.parent(path)
	if err != nil {
		return err
	}
	if in.object != nil {
		in.object[token] = t
		return nil
	}
	i := len(in.array)
	if token != "-" {
		if i, err = arrayIndex(token, i+1); err != nil {
			return err
		}
	}
	in.array = slices.Insert(in.array, i, t)
	return nil
}

func (a *applier) remove(path []string) (*tree, error) {
	t, err := a.find(path)
	if err != nil {
		return nil, err
	}
	if len(path) == 0 {
		a.root = nil
		return t, nil
	}
	in, token, err := a.parent(path)
	if err != nil {
		return nil, err
	}
	if in.object != nil {
		delete(in.object, token)
		return t, nil
	}
	i, err := arrayIndex(token, len(in.array))
	if err != nil {
		return nil, err
	}
	in.array = slices.Delete(in.array, i, i+1)
	return t, nil
}

func (a *applier) replace(path []string, by *tree) error {
	t, err := a.find(path)
	if err != nil {
		return err
	}
	*t = *by
	return nil
}
