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
	text   string // the document's, in canonical form
	names  []string
	values []ref.Val
	sorted bool // names ascend as bytes; nearly always, see recorder/canonical
}

// list is a JSON array.
type list struct {
	text   string
	values []ref.Val
}

var (
	_ traits.Mapper   = (*object)(nil)
	_ traits.Foldable = (*object)(nil)
	_ traits.Lister   = (*list)(nil)
	_ traits.Foldable = (*list)(nil)
)

func newObject(text string, names []string, values []ref.Val) *object {
	return &object{text, names, values, slices.IsSorted(names)}
}

func (o *object) member(name string) (ref.Val, bool) {
	if o.sorted && len(o.names) > 8 {
		i, found := slices.BinarySearch(o.names, name)
		if !found {
			return nil, false
		}
		return o.values[i], true
	}
	for i, n := range o.names {
		if n == name {
			return o.values[i], true
		}
	}
	return nil, false
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
func (o *object) Size() ref.Val { return types.Int(len(o.names)) }

// IsZeroValue reports whether there are none.
func (o *object) IsZeroValue() bool { return len(o.names) == 0 }

// Iterator goes through the names.
func (o *object) Iterator() traits.Iterator {
	return types.NewStringList(types.DefaultTypeAdapter, o.names).Iterator()
}

// Fold goes through names and values.
func (o *object) Fold(f traits.Folder) {
	for i, name := range o.names {
		if !f.FoldEntry(name, o.values[i]) {
			return
		}
	}
}

// Equal compares member by member; equal text needs no look.
func (o *object) Equal(other ref.Val) ref.Val {
	if p, ok := other.(*object); ok && p.text == o.text {
		return types.True
	}
	m, ok := other.(traits.Mapper)
	if !ok || m.Size() != o.Size() {
		return types.False
	}
	all := same{}
	for i, name := range o.names {
		v, found := m.Find(types.String(name))
		if !found || !all.and(o.values[i], v) {
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
func (o *object) AggregateSize(types.AggregateSizer) uint32 { return size(o.text) }

// String is the JSON text.
func (o *object) String() string { return o.text }

// Get is an element, or an error: see [Absent].
func (l *list) Get(index ref.Val) ref.Val {
	if types.IsUnknownOrError(index) {
		return index
	}
	i, err := types.GetOrError(index)
	if err != nil || i < 0 || i >= len(l.values) {
		return types.WrapErr(absent(fmt.Sprintf("no such index: %v", index)))
	}
	return l.values[i]
}

// GetInt64Index is what the interpreter looks for before Get.
func (l *list) GetInt64Index(i int64) (any, bool) {
	if i < 0 || i >= int64(len(l.values)) {
		return nil, false
	}
	return l.values[i], true
}

// Contains compares with every element.
func (l *list) Contains(v ref.Val) ref.Val {
	if types.IsUnknownOrError(v) {
		return v
	}
	var failed ref.Val
	for _, element := range l.values {
		switch eq := types.Equal(element, v); {
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
	return types.NewRefValList(types.DefaultTypeAdapter, l.values).Add(other)
}

// Size is the number of elements.
func (l *list) Size() ref.Val { return types.Int(len(l.values)) }

// IsZeroValue reports whether there are none.
func (l *list) IsZeroValue() bool { return len(l.values) == 0 }

// Iterator goes through the elements.
func (l *list) Iterator() traits.Iterator {
	return types.NewRefValList(types.DefaultTypeAdapter, l.values).Iterator()
}

// Fold goes through indexes and elements.
func (l *list) Fold(f traits.Folder) {
	for i, v := range l.values {
		if !f.FoldEntry(i, v) {
			return
		}
	}
}

// Equal compares element by element; equal text needs no look.
func (l *list) Equal(other ref.Val) ref.Val {
	if m, ok := other.(*list); ok && m.text == l.text {
		return types.True
	}
	m, ok := other.(traits.Lister)
	if !ok || m.Size() != l.Size() {
		return types.False
	}
	all := same{}
	for i, v := range l.values {
		if !all.and(v, m.Get(types.Int(i))) {
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
func (l *list) AggregateSize(types.AggregateSizer) uint32 { return size(l.text) }

// String is the JSON text.
func (l *list) String() string { return l.text }

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
