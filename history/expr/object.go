package expr

import (
	"fmt"
	"reflect"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// Field is a named member of values of T.
type Field[T any] struct {
	Name string
	Type *cel.Type

	// Get is the member's value: of Type or an error value, never nil. It is
	// called each time that an expression mentions the member.
	Get func(*T) ref.Val
}

// Type is a type of objects with a fixed set of members: an expression that
// mentions another is refused. A place for an object may hold null instead, of
// which every member is absent.
type Type[T any] struct {
	name   string
	names  []string
	fields map[string]*types.FieldType
	cel    *cel.Type
}

// NewType makes a type. The name is what people read in error messages.
func NewType[T any](name string, fields ...Field[T]) *Type[T] {
	t := &Type[T]{name: name, fields: make(map[string]*types.FieldType, len(fields)), cel: cel.ObjectType(name)}
	for _, f := range fields {
		t.names = append(t.names, f.Name)
		t.fields[f.Name] = &types.FieldType{
			Type:  f.Type,
			IsSet: func(target any) bool { return isSet(target, f.Get) },
			GetFrom: func(target any) (any, error) {
				v, ok := target.(*T)
				if !ok {
					return nil, absent(fmt.Sprintf("no such key: %s of null", f.Name))
				}
				return f.Get(v), nil
			},
		}
	}
	return t
}

// isSet is what has(x.member) tells: that there is a value, and not the empty one.
func isSet[T any](target any, get func(*T) ref.Val) bool {
	v, ok := target.(*T)
	if !ok {
		return false
	}
	switch m := get(v).(type) {
	case types.Null:
		return false
	case traits.Zeroer:
		return !m.IsZeroValue()
	default:
		return true
	}
}

// CEL is the type in declarations.
func (t *Type[T]) CEL() *cel.Type { return t.cel }

// Declare makes the type known to an [Env].
func (t *Type[T]) Declare() cel.EnvOption { return cel.Types(declared[T]{t}) }

// Value makes a value of v, which nobody changes any more.
func (t *Type[T]) Value(v *T) ref.Val { return &thing[T]{t, v} }

// declared is a Type as cel-go wants to know it.
type declared[T any] struct{ *Type[T] }

func (d declared[T]) TypeName() string                 { return d.name }
func (d declared[T]) ReflectType() reflect.Type        { return nil }
func (d declared[T]) FieldNames() []string             { return d.names }
func (d declared[T]) HasTrait(trait int) bool          { return traitsOfThings&trait != 0 }
func (d declared[T]) Adapt(types.Adapter, any) ref.Val { return nil }

func (d declared[T]) FindFieldType(name string) (*types.FieldType, bool) {
	f, ok := d.fields[name]
	return f, ok
}

func (d declared[T]) NewValue(types.Adapter, map[string]ref.Val) ref.Val {
	return types.NewErr("an expression cannot make a %s", d.name)
}

const traitsOfThings = traits.IndexerType | traits.FieldTesterType

// thing is a value of a Type.
type thing[T any] struct {
	t *Type[T]
	v *T
}

var (
	_ types.StructTypeDescriptor = declared[int]{}
	_ traits.Indexer             = (*thing[int])(nil)
	_ traits.FieldTester         = (*thing[int])(nil)
)

func (o *thing[T]) Get(name ref.Val) ref.Val {
	n, _ := name.(types.String)
	f, ok := o.t.fields[string(n)]
	if !ok {
		return types.WrapErr(absent(fmt.Sprintf("no such key: %v", name)))
	}
	v, err := f.GetFrom(o.v)
	if err != nil {
		return types.WrapErr(err)
	}
	return v.(ref.Val)
}

func (o *thing[T]) IsSet(name ref.Val) ref.Val {
	n, _ := name.(types.String)
	f, ok := o.t.fields[string(n)]
	return types.Bool(ok && f.IsSet(o.v))
}

// Equal compares member by member.
func (o *thing[T]) Equal(other ref.Val) ref.Val {
	p, ok := other.(*thing[T])
	if !ok || p.t != o.t {
		return types.False
	}
	all := same{}
	for _, name := range o.t.names {
		if p.v != o.v && !all.and(o.Get(types.String(name)), p.Get(types.String(name))) {
			return types.False
		}
	}
	return all.result()
}

func (o *thing[T]) Type() ref.Type                              { return o.t.cel }
func (o *thing[T]) Value() any                                  { return o.v }
func (o *thing[T]) ConvertToType(to ref.Type) ref.Val           { return convert(o, o.t.cel, to) }
func (o *thing[T]) ConvertToNative(t reflect.Type) (any, error) { return native(o, t) }
func (o *thing[T]) AggregateSize(types.AggregateSizer) uint32   { return uint32(len(o.t.names)) }
