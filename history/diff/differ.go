package diff

import "github.com/wI2L/jsondiff"

// A differ writes the patch of one comparison.
type differ struct {
	opts   Options
	ops    []operation
	weight int    // bytes of the patch so far, roughly
	path   []byte // JSON pointer of the place being compared
}

// An operation is an Op whose value is not copied yet: it may still give way to
// one that replaces what encloses it.
type operation struct {
	Op
	value *value
}

// patch returns the operations, in memory of its own.
func (d *differ) patch() Patch {
	var p Patch
	for _, o := range d.ops {
		if o.value != nil {
			o.Value = o.value.bytes()
		}
		p = append(p, o.Op)
	}
	return p
}

// compare writes the operations for one place that both documents have.
func (d *differ) compare(a, b value) {
	switch {
	case a.text() == b.text():
	case a.isObject() && b.isObject():
		d.within(a, b, d.compareObjects)
	case a.isArray() && b.isArray():
		d.within(a, b, d.compareArrays)
	default:
		d.replace(a, b)
	}
}

// A patch may weigh this many times what the replacement of an object or array
// would weigh, and slack bytes more, before the replacement is written instead.
const (
	maxTimes = 2
	slack    = 4 << 10
)

// opWeight is what an operation weighs besides its path and value.
const opWeight = len(`{"op":"replace","path":"","value":},`)

// within runs compare on the insides of two objects or two arrays. When the
// operations get heavier than it is worth, compare stops by returning false, and
// one operation that replaces the whole takes their place.
func (d *differ) within(a, b value, compare func(a, b value, limit int) bool) {
	whole := opWeight + len(d.path) + len(b.text())
	if d.opts.Tests {
		whole += opWeight + len(d.path) + len(a.text())
	}
	mark, weight := len(d.ops), d.weight

	if !compare(a, b, weight+maxTimes*whole+slack) {
		clear(d.ops[mark:])
		d.ops, d.weight = d.ops[:mark], weight
		d.replace(a, b)
	}
}

// compareObjects hands jsondiff the members that differ.
func (d *differ) compareObjects(a, b value, limit int) bool {
	var refs references
	before, after := map[string]any{}, map[string]any{}
	least := 0 // operations that there will be in any case
	for p := range pairMembers(a, b) {
		if p.has == onBoth && p.before.text() == p.after.text() {
			continue
		}
		if p.has != onlyAfter {
			before[p.key] = refs.of(p.before)
		}
		if p.has != onlyBefore {
			after[p.key] = refs.of(p.after)
		}
		least++
	}
	if d.opts.Factorize {
		least /= 2
	}
	if d.weight+least*(opWeight+len(d.path)) > limit {
		return false
	}

	ops, ok := compareReferences(before, after)
	if !ok {
		return false
	}
	if d.opts.Factorize {
		ops = factorize(ops)
	}
	for _, op := range ops {
		// What jsondiff reports has a path of one token, already escaped.
		depth := len(d.path)
		d.path = append(d.path, op.Path...)
		switch op.Type {
		case jsondiff.OperationAdd:
			d.add(refs.value(op.Value))
		case jsondiff.OperationRemove:
			d.remove(refs.value(op.OldValue))
		case jsondiff.OperationReplace:
			d.compare(refs.value(op.OldValue), refs.value(op.Value))
		case jsondiff.OperationMove:
			d.move(string(d.path[:depth])+op.From, refs.value(op.Value))
		}
		d.path = d.path[:depth]
		if d.weight > limit {
			return false
		}
	}
	return true
}

// The operations, at the current path.

func (d *differ) add(b value) {
	d.append(Op{Op: OpAdd, Path: string(d.path)}, &b)
}

func (d *differ) remove(a value) {
	d.test(string(d.path), a)
	d.append(Op{Op: OpRemove, Path: string(d.path)}, nil)
}

func (d *differ) replace(a, b value) {
	d.test(string(d.path), a)
	d.append(Op{Op: OpReplace, Path: string(d.path)}, &b)
}

func (d *differ) move(from string, a value) {
	d.test(from, a)
	d.append(Op{Op: OpMove, From: from, Path: string(d.path)}, nil)
}

func (d *differ) test(path string, a value) {
	if d.opts.Tests {
		d.append(Op{Op: OpTest, Path: path}, &a)
	}
}

func (d *differ) append(op Op, v *value) {
	d.ops = append(d.ops, operation{op, v})
	d.weight += opWeight + len(op.Path) + len(op.From)
	if v != nil {
		d.weight += len(v.text())
	}
}
