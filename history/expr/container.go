package expr

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// object is a JSON object as a map of the language; its names are in the order of
// the document.
type object struct {
	in *document
	at uint32
}

// list is a JSON array.
type list object

var (
	_ traits.Mapper   = (*object)(nil)
	_ traits.Foldable = (*object)(nil)
	_ traits.Lister   = (*list)(nil)
	_ traits.Foldable = (*list)(nil)
)

func (o *object) node() *node     { return &o.in.nodes[o.at] }
func (o *object) names() []uint32 { return o.in.inner(o.node()) }
func (o *object) text() string    { return o.in.raw(o.at) }

func (l *list) elements() []uint32 { return l.in.inner(&l.in.nodes[l.at]) }
func (l *list) text() string       { return l.in.raw(l.at) }

// find is the place of a member's name; false: there is none.
func (o *object) find(name string) (uint32, bool) {
	names := o.names()
	if o.node().kind == ofSorted {
		i, found := slices.BinarySearchFunc(names, name, func(at uint32, name string) int { return strings.Compare(o.in.string(at), name) })
		if !found {
			return 0, false
		}
		return names[i], true
	}
	for _, at := range names {
		if o.in.string(at) == name {
			return at, true
		}
	}
	return 0, false
}

func (o *object) member(name string) (ref.Val, bool) {
	at, found := o.find(name)
	if !found {
		return nil, false
	}
	return o.in.value(at + 1), true
}

// Find returns a member; false, and no error, for a key of another type too.
func (o *object) Find(key ref.Val) (ref.Val, bool) {
	if name, ok := key.(types.String); ok {
		return o.member(string(name))
	}
	if types.IsUnknownOrError(key) {
		return key, false
	}
	return nil, false
}

// FindStringKey is what the interpreter looks for before Find.
func (o *object) FindStringKey(name string) (any, bool) { return o.member(name) }

// Get is the member, or an error: see [Absent].
func (o *object) Get(key ref.Val) ref.Val {
	v, found := o.Find(key)
	switch {
	case found:
		return v
	case v != nil:
		return v
	}
	return types.WrapErr(absent(fmt.Sprintf("no such key: %v", key)))
}

// Contains reports whether there is such a member.
func (o *object) Contains(key ref.Val) ref.Val {
	v, found := o.Find(key)
	if !found && v != nil {
		return v
	}
	return types.Bool(found)
}

// Size is the number of members.
func (o *object) Size() ref.Val { return types.Int(len(o.names())) }

// IsZeroValue reports whether there are none.
func (o *object) IsZeroValue() bool { return len(o.names()) == 0 }

// Iterator goes through the names.
func (o *object) Iterator() traits.Iterator {
	return &iterator{left: o.names(), get: func(at uint32) ref.Val { return types.String(o.in.string(at)) }}
}

// Fold goes through names and values.
func (o *object) Fold(f traits.Folder) {
	for _, at := range o.names() {
		if !f.FoldEntry(o.in.string(at), o.in.value(at+1)) {
			return
		}
	}
}

// Equal compares member by member; equal text needs no look.
func (o *object) Equal(other ref.Val) ref.Val {
	if p, ok := other.(*object); ok && p.text() == o.text() {
		return types.True
	}
	m, ok := other.(traits.Mapper)
	if !ok || m.Size() != o.Size() {
		return types.False
	}
	all := same{}
	for _, at := range o.names() {
		v, found := m.Find(types.String(o.in.string(at)))
		if !found || !all.and(o.in.value(at+1), v) {
			return types.False
		}
	}
	return all.result()
}

func (o *object) Type() ref.Type { return types.MapType }

// Value is the object itself: there is no better form in Go.
func (o *object) Value() any { return o }

// ConvertToType knows map and type only.
func (o *object) ConvertToType(t ref.Type) ref.Val { return convert(o, types.MapType, t) }

// ConvertToNative is not offered: whoever wants JSON has the document.
func (o *object) ConvertToNative(t reflect.Type) (any, error) { return native(o, t) }

// AggregateSize is about the number of values, told without counting them.
func (o *object) AggregateSize(types.AggregateSizer) uint32 { return size(o.text()) }

// String is the JSON text.
func (o *object) String() string { return o.text() }

// Get is an element, or an error: see [Absent].
func (l *list) Get(index ref.Val) ref.Val {
	if types.IsUnknownOrError(index) {
		return index
	}
	i, err := types.GetOrError(index)
	elements := l.elements()
	if err != nil || i < 0 || i >= len(elements) {
		return types.WrapErr(absent(fmt.Sprintf("no such index: %v", index)))
	}
	return l.in.value(elements[i])
}

// GetInt64Index is what the interpreter looks for before Get.
func (l *list) GetInt64Index(i int64) (any, bool) {
	elements := l.elements()
	if i < 0 || i >= int64(len(elements)) {
		return nil, false
	}
	return l.in.value(elements[i]), true
}

// Contains compares with every element.
func (l *list) Contains(v ref.Val) ref.Val {
	if types.IsUnknownOrError(v) {
		return v
	}
	var failed ref.Val
	for _, at := range l.elements() {
		switch eq := types.Equal(l.in.value(at), v); {
		case eq == types.True:
			return eq
		case types.IsUnknownOrError(eq):
			failed = eq
		}
	}
	if failed != nil {
		return failed
	}
	return types.False
}

// Add is a new list of both.
func (l *list) Add(other ref.Val) ref.Val {
	elements := l.elements()
	values := make([]ref.Val, len(elements))
	for i, at := range elements {
		values[i] = l.in.value(at)
	}
	return types.NewRefValList(types.DefaultTypeAdapter, values).Add(other)
}

// Size is the number of elements.
func (l *list) Size() ref.Val { return types.Int(len(l.elements())) }

// IsZeroValue reports whether there are none.
func (l *list) IsZeroValue() bool { return len(l.elements()) == 0 }

// Iterator goes through the elements.
func (l *list) Iterator() traits.Iterator { return &iterator{left: l.elements(), get: l.in.value} }

// Fold goes through indexes and elements.
func (l *list) Fold(f traits.Folder) {
	for i, at := range l.elements() {
		if !f.FoldEntry(i, l.in.value(at)) {
			return
		}
	}
}

// Equal compares element by element; equal text needs no look.
func (l *list) Equal(other ref.Val) ref.Val {
	if m, ok := other.(*list); ok && m.text() == l.text() {
		return types.True
	}
	m, ok := other.(traits.Lister)
	if !ok || m.Size() != l.Size() {
		return types.False
	}
	all := same{}
	for i, at := range l.elements() {
		if !all.and(l.in.value(at), m.Get(types.Int(i))) {
			return types.False
		}
	}
	return all.result()
}

func (l *list) Type() ref.Type { return types.ListType }

// Value is the list itself: there is no better form in Go.
func (l *list) Value() any { return l }

// ConvertToType knows list and type only.
func (l *list) ConvertToType(t ref.Type) ref.Val { return convert(l, types.ListType, t) }

// ConvertToNative is not offered: whoever wants JSON has the document.
func (l *list) ConvertToNative(t reflect.Type) (any, error) { return native(l, t) }

// AggregateSize is about the number of values, told without counting them.
func (l *list) AggregateSize(types.AggregateSizer) uint32 { return size(l.text()) }

// String is the JSON text.
func (l *list) String() string { return l.text() }

// iterator goes through what is left.
type iterator struct {
	left []uint32
	get  func(at uint32) ref.Val
}

func (i *iterator) HasNext() ref.Val { return types.Bool(len(i.left) > 0) }

// Next is nil at the end.
func (i *iterator) Next() ref.Val {
	if len(i.left) == 0 {
		return nil
	}
	at := i.left[0]
	i.left = i.left[1:]
	return i.get(at)
}

func (i *iterator) Type() ref.Type                              { return types.IteratorType }
func (i *iterator) Value() any                                  { return i }
func (i *iterator) Equal(ref.Val) ref.Val                       { return types.False }
func (i *iterator) ConvertToType(t ref.Type) ref.Val            { return convert(i, types.IteratorType, t) }
func (i *iterator) ConvertToNative(t reflect.Type) (any, error) { return native(i, t) }

// same gathers whether all of several pairs are equal.
type same struct{ failed ref.Val }

// and is false once a pair differs.
func (s *same) and(a, b ref.Val) bool {
	x, y := literalOf(a), literalOf(b)
	switch {
	case x != "" && x == y:
		return true
	case x.whole() && y.whole():
		return false // one more digit, or another one, is another number
	}
	eq := types.Equal(a, b)
	if types.IsUnknownOrError(eq) && s.failed == nil {
		s.failed = eq
	}
	return eq != types.False
}

func (s *same) result() ref.Val {
	if s.failed != nil {
		return s.failed
	}
	return types.True
}

func convert(v ref.Val, own *types.Type, to ref.Type) ref.Val {
	switch to {
	case own:
		return v
	case types.TypeType:
		return own
	}
	return types.NewErr("type conversion error from '%s' to '%s'", own, to)
}

func native(v ref.Val, t reflect.Type) (any, error) {
	if reflect.TypeOf(v).AssignableTo(t) {
		return v, nil
	}
	return nil, fmt.Errorf("a %s of JSON is not converted to %v", strings.ToLower(v.Type().TypeName()), t)
}

func size(text string) uint32 { return uint32(min(len(text)/8+1, math.MaxUint32)) }
