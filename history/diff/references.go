package diff

import (
	"strconv"

	"github.com/wI2L/jsondiff"
)

// references gives equal text equal short names, and different text different
// ones. The zero value is ready to use.
type references struct {
	ids    map[string]int
	values []value
}

func (r *references) id(v value) int {
	if id, ok := r.ids[v.text()]; ok {
		return id
	}
	if r.ids == nil {
		r.ids = map[string]int{}
	}
	id := len(r.values)
	r.ids[v.text()] = id
	r.values = append(r.values, v)
	return id
}

// of returns the reference of a value, in the form jsondiff gets it.
func (r *references) of(v value) string { return strconv.Itoa(r.id(v)) }

// value returns a value to which a reference belongs.
func (r *references) value(reference any) value {
	id, err := strconv.Atoi(reference.(string))
	if err != nil {
		panic("diff: not a reference: " + err.Error())
	}
	return r.values[id]
}

// compareReferences is the one call of jsondiff. Both sides are a map or both a
// slice, with references (strings) in them. The library recovers its own panics
// into an error, which means that a value is of no JSON type; it cannot happen
// here, and if it did the caller would replace the whole.
func compareReferences(before, after any, opts ...jsondiff.Option) (jsondiff.Patch, bool) {
	ops, err := jsondiff.CompareWithoutMarshal(before, after, opts...)
	return ops, err == nil
}

// factorize joins a remove and an add of the same value in one object into a
// move, at the place of the earlier of the two. In one object the order of
// operations is free, since no key concerns another.
func factorize(ops jsondiff.Patch) jsondiff.Patch {
	single := map[any]int{} // reference → index of a remove or add still alone
	out := ops[:0:0]
	for _, op := range ops {
		key, opposite := op.Value, jsondiff.OperationRemove
		switch op.Type {
		case jsondiff.OperationRemove:
			key, opposite = op.OldValue, jsondiff.OperationAdd
		case jsondiff.OperationReplace:
			out = append(out, op)
			continue
		}

		at, found := single[key]
		if !found || out[at].Type != opposite {
			single[key] = len(out)
			out = append(out, op)
			continue
		}
		delete(single, key)
		from, to := out[at].Path, op.Path
		if op.Type == jsondiff.OperationRemove {
			from, to = to, from
		}
		out[at] = jsondiff.Operation{Type: jsondiff.OperationMove, From: from, Path: to, Value: key}
	}
	return out
}
