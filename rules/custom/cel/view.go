package cel

import (
	"reflect"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/varvehq/varve/history/expr"
)

// lenient shows a value so that members are found in whatever case and those that
// are null are not there: see the package comment.
func lenient(v ref.Val) ref.Val {
	switch v := v.(type) {
	case *view, *listView:
		return v
	case traits.Mapper:
		return &view{v, lenient}
	case traits.Lister:
		return &listView{v, lenient}
	}
	return v
}

// unwrapped is lenient of what a text says that is JSON of an object or a list.
func unwrapped(v ref.Val) ref.Val {
	text, ok := v.(types.String)
	if !ok || len(text) > maxJSON || !strings.HasPrefix(string(text), "{") && !strings.HasPrefix(string(text), "[") {
		return lenient(v)
	}
	if inner := decodeText(string(text)); !types.IsError(inner) {
		return lenient(inner)
	}
	return v
}

// view is a map whose keys are found in any case.
type view struct {
	traits.Mapper
	inner func(ref.Val) ref.Val // how its values are shown
}

var (
	_ traits.Mapper   = (*view)(nil)
	_ traits.Foldable = (*view)(nil)
)

// Find returns a member: the exact one, else the only one of that name in other
// case.
func (m *view) Find(key ref.Val) (ref.Val, bool) {
	v, found := m.Mapper.Find(key)
	if !found {
		name, ok := key.(types.String)
		if !ok {
			return v, false
		}
		if v, found = m.fold(string(name)); !found {
			return nil, false
		}
	}
	if v == types.NullValue {
		return nil, false
	}
	return m.inner(v), true
}

func (m *view) fold(name string) (ref.Val, bool) {
	v, members := m.findAnyCase(name)
	if members > 1 {
		return types.NewErr("%s and others differ by case alone; take the value by its exact name", name), true
	}
	return v, members == 1
}

func (m *view) findAnyCase(name string) (v ref.Val, members int) {
	if of, ok := m.Mapper.(expr.AnyCase); ok {
		return of.FindAnyCase(name)
	}
	for it := m.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		if other, ok := key.(types.String); ok && len(other) == len(name) && strings.EqualFold(string(other), name) {
			v, _ = m.Mapper.Find(key)
			members++
		}
	}
	return v, members
}

// Get is the member, or an error that it is absent.
func (m *view) Get(key ref.Val) ref.Val {
	if v, found := m.Find(key); v != nil || found {
		return v
	}
	return types.NewErr("no such key: %v", key.Value())
}

// Contains reports whether there is a member.
func (m *view) Contains(key ref.Val) ref.Val {
	v, found := m.Find(key)
	if types.IsUnknownOrError(v) {
		return v
	}
	return types.Bool(found)
}

// Equal compares what is shown, case and all.
func (m *view) Equal(other ref.Val) ref.Val {
	if o, ok := other.(*view); ok {
		other = o.Mapper
	}
	return m.Mapper.Equal(other)
}

// Fold goes through names and values.
func (m *view) Fold(f traits.Folder) {
	for it := m.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		v, _ := m.Mapper.Find(key)
		if !f.FoldEntry(key, m.inner(v)) {
			return
		}
	}
}

// Value is the view itself.
func (m *view) Value() any { return m }

// ConvertToNative knows the view itself.
func (m *view) ConvertToNative(t reflect.Type) (any, error) { return asNative(m, m.Mapper, t) }

// AggregateSize is that of the map as it is.
func (m *view) AggregateSize(sizer types.AggregateSizer) uint32 { return sizer.AggregateSize(m.Mapper) }

// listView is a list of such values.
type listView struct {
	traits.Lister
	inner func(ref.Val) ref.Val
}

var (
	_ traits.Lister   = (*listView)(nil)
	_ traits.Foldable = (*listView)(nil)
)

func (l *listView) Get(index ref.Val) ref.Val { return l.inner(l.Lister.Get(index)) }

func (l *listView) Add(other ref.Val) ref.Val {
	if o, ok := other.(*listView); ok {
		other = o.Lister
	}
	return lenient(l.Lister.Add(other))
}

func (l *listView) Equal(other ref.Val) ref.Val {
	if o, ok := other.(*listView); ok {
		other = o.Lister
	}
	return l.Lister.Equal(other)
}

// Contains compares with every element as it is.
func (l *listView) Contains(v ref.Val) ref.Val {
	switch shown := v.(type) {
	case *view:
		v = shown.Mapper
	case *listView:
		v = shown.Lister
	}
	return l.Lister.Contains(v)
}

func (l *listView) Iterator() traits.Iterator { return &listIterator{l.Lister.Iterator(), l.inner} }

// Fold goes through indexes and elements.
func (l *listView) Fold(f traits.Folder) {
	i := types.Int(0)
	for it := l.Iterator(); it.HasNext() == types.True; i++ {
		if !f.FoldEntry(i, it.Next()) {
			return
		}
	}
}

func (l *listView) Value() any { return l }

func (l *listView) ConvertToNative(t reflect.Type) (any, error) { return asNative(l, l.Lister, t) }

// AggregateSize is that of the list as it is.
func (l *listView) AggregateSize(sizer types.AggregateSizer) uint32 {
	return sizer.AggregateSize(l.Lister)
}

type listIterator struct {
	traits.Iterator
	inner func(ref.Val) ref.Val
}

func (i *listIterator) Next() ref.Val { return i.inner(i.Iterator.Next()) }

func asNative(shown, of ref.Val, t reflect.Type) (any, error) {
	if reflect.TypeOf(shown).AssignableTo(t) {
		return shown, nil
	}
	return of.ConvertToNative(t)
}
