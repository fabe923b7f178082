package diff

import (
	"strconv"

	"github.com/wI2L/jsondiff"
)

// compareArrays hands jsondiff the sections of two arrays that differ, from left
// to right. When a section is reached, all before it is already as in b, so that
// its elements begin at index b0, whatever happened to the left.
func (d *differ) compareArrays(a, b value, limit int) bool {
	var refs references
	before, after := refs.all(a), refs.all(b)
	sections := d.sections(before, after)

	least := 0 // operations that there will be in any case
	for _, s := range sections {
		least += s.leastOps(before, after)
	}
	if d.weight+least*(opWeight+len(d.path)) > limit {
		return false
	}
	for _, s := range sections {
		if !d.compareSection(s, before, after, &refs, limit) {
			return false
		}
	}
	return true
}

// compareSection writes the operations for one section.
func (d *differ) compareSection(s section, before, after []int, refs *references, limit int) bool {
	var opts []jsondiff.Option
	if s.lcs {
		opts = append(opts, jsondiff.LCS())
	}
	ops, ok := compareReferences(boxed(before[s.a0:s.a1]), boxed(after[s.b0:s.b1]), opts...)
	if !ok {
		return false
	}
	end := s.b0 + s.a1 - s.a0 // of the section in the array; what appends never removes
	for _, op := range ops {
		depth := len(d.path)
		if op.Path == "/-" { // after the last element of the section
			d.path = appendIndex(d.path, end)
		} else {
			i, err := strconv.Atoi(op.Path[1:])
			if err != nil {
				return false
			}
			d.path = appendIndex(d.path, s.b0+i)
		}
		switch op.Type {
		case jsondiff.OperationAdd:
			d.add(refs.value(op.Value))
			end++
		case jsondiff.OperationRemove:
			d.remove(refs.value(op.OldValue))
		case jsondiff.OperationReplace:
			d.compare(refs.value(op.OldValue), refs.value(op.Value))
		}
		d.path = d.path[:depth]
		if d.weight > limit {
			return false
		}
	}
	return true
}

// all returns the references of the elements of an array, as numbers.
func (r *references) all(v value) []int {
	var ids []int
	for element := range v.children() {
		ids = append(ids, r.id(element))
	}
	return ids
}

// boxed puts references in the form jsondiff gets them.
func boxed(ids []int) []any {
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = strconv.Itoa(id)
	}
	return out
}
