package cel

import (
	"context"
	"strings"
	"sync"

	gocel "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/expr"
	"github.com/varvehq/varve/rules"
)

// documents are what a version says, decoded: its parts when the first rule looks
// into them, for all rules.
type documents struct {
	item                               *history.Item
	decoded, others, tagged, relatedTo lazily
}

// lazily is made by whoever asks first.
type lazily struct {
	once  sync.Once
	value ref.Val
}

func (l *lazily) of(item *history.Item, make func(*history.Item) ref.Val) ref.Val {
	l.once.Do(func() { l.value = make(item) })
	return l.value
}

func documentsOf(d *rules.Decoded) *documents {
	return d.Decode(func(item *history.Item) any { return &documents{item: item} }).(*documents)
}

func (d *documents) configuration() ref.Val { return d.decoded.of(d.item, configuration) }
func (d *documents) supplementary() ref.Val { return d.others.of(d.item, supplementary) }
func (d *documents) tags() ref.Val          { return d.tagged.of(d.item, tagsOf) }
func (d *documents) relationships() ref.Val { return d.relatedTo.of(d.item, relationships) }

func configuration(item *history.Item) ref.Val { return expr.Decode(item.State.Configuration) }

func tagsOf(item *history.Item) ref.Val {
	return expr.Sorted(types.NewStringStringMap(types.DefaultTypeAdapter, item.State.Tags))
}

func supplementary(item *history.Item) ref.Val {
	all := make(map[string]any, len(item.State.Supplementary))
	for name, text := range item.State.Supplementary {
		all[name] = expr.Decode(text)
	}
	return expr.Sorted(types.NewStringInterfaceMap(types.DefaultTypeAdapter, all))
}

var relationshipType = expr.NewType("relationship",
	said("name", func(r *history.Relationship) string { return strings.TrimSpace(r.Name) }),
	said("type", func(r *history.Relationship) string { return r.Type }),
	said("id", func(r *history.Relationship) string { return r.ID }),
	said("resourceName", func(r *history.Relationship) string { return r.ResourceName }),
	said("account", func(r *history.Relationship) string { return r.Account }),
	said("region", func(r *history.Relationship) string { return r.Region }),
)

func relationships(item *history.Item) ref.Val {
	all := make([]ref.Val, len(item.State.Relationships))
	for i := range all {
		all[i] = relationshipType.Value(&item.State.Relationships[i])
	}
	return types.NewRefValList(types.DefaultTypeAdapter, all)
}

// seen is a resource as one evaluation sees it.
type seen struct {
	*rules.Decoded
	by *evaluation
}

var resourceType = expr.NewType("resource",
	said("account", func(s *seen) string { return s.Key.Account }),
	said("region", func(s *seen) string { return s.Key.Region }),
	said("type", func(s *seen) string { return s.Key.Type }),
	said("id", func(s *seen) string { return s.Key.ID }),
	said("name", func(s *seen) string { return s.State.Name }),
	said("arn", func(s *seen) string { return s.State.ARN }),
	said("availabilityZone", func(s *seen) string { return s.State.AvailabilityZone }),
	said("status", func(s *seen) string { return string(s.Status) }),
	field("createdAt", gocel.TimestampType, func(s *seen) ref.Val {
		if s.State.CreatedAt == 0 {
			return types.NullValue
		}
		return types.Timestamp{Time: s.State.CreatedAt.Time()}
	}),
	field("capturedAt", gocel.TimestampType, func(s *seen) ref.Val { return types.Timestamp{Time: s.CapturedAt.Time()} }),
	field("tags", gocel.MapType(gocel.StringType, gocel.StringType), func(s *seen) ref.Val { return documentsOf(s.Decoded).tags() }),
	field("configuration", gocel.DynType, func(s *seen) ref.Val { return documentsOf(s.Decoded).configuration() }),
	field("supplementary", gocel.MapType(gocel.StringType, gocel.DynType), func(s *seen) ref.Val { return documentsOf(s.Decoded).supplementary() }),
	field("config", gocel.DynType, configOf),
	field("supplement", gocel.DynType, supplementOf),
	field("relationships", gocel.ListType(relationshipType.CEL()), func(s *seen) ref.Val { return documentsOf(s.Decoded).relationships() }),
)

// configOf is an error where there is no configuration: of what was not recorded
// nobody can say that a member is absent.
func configOf(s *seen) ref.Val {
	switch v := documentsOf(s.Decoded).configuration().(type) {
	case traits.Mapper:
		return lenient(v.(ref.Val))
	case types.Null:
		return types.NewErr("no configuration was recorded of %s %s", s.Key.Type, s.Key.ID)
	case *types.Err:
		return v
	default:
		return types.NewErr("the configuration of %s %s is no object", s.Key.Type, s.Key.ID)
	}
}

func supplementOf(s *seen) ref.Val {
	v := documentsOf(s.Decoded).supplementary()
	if m, ok := v.(traits.Mapper); ok {
		return &view{m, unwrapped}
	}
	return v
}

func field[T any](name string, typ *gocel.Type, get func(*T) ref.Val) expr.Field[T] {
	return expr.Field[T]{Name: name, Type: typ, Get: get}
}

func said[T any](name string, get func(*T) string) expr.Field[T] {
	return field(name, gocel.StringType, func(of *T) ref.Val { return types.String(get(of)) })
}

// other is a function on a resource that gives others.
func other(name string, read func(*evaluation, *seen, string) ([]*rules.Decoded, error)) gocel.EnvOption {
	return gocel.Function(name, gocel.MemberOverload("resource_"+name+"_string",
		[]*gocel.Type{resourceType.CEL(), gocel.StringType}, gocel.ListType(resourceType.CEL()),
		gocel.BinaryBinding(func(of, typ ref.Val) ref.Val {
			s, ok := of.Value().(*seen)
			t, isText := typ.(types.String)
			if !ok || !isText {
				return types.NoSuchOverloadErr()
			}
			return s.by.list(func() ([]*rules.Decoded, error) { return read(s.by, s, string(t)) })
		})))
}

// others are functions on the resource that is judged, whatever a loop around them
// calls its variable, and on any other.
func others() []gocel.EnvOption {
	all := []gocel.EnvOption{
		other("related", func(e *evaluation, s *seen, typ string) ([]*rules.Decoded, error) {
			return e.subject.Others.Related(e.ctx, s.Key, typ)
		}),
		other("referrers", func(e *evaluation, s *seen, typ string) ([]*rules.Decoded, error) {
			return e.subject.Others.Referrers(e.ctx, s.Key, typ)
		}),
		other("inventory", func(e *evaluation, _ *seen, typ string) ([]*rules.Decoded, error) {
			return e.subject.Others.Inventory(e.ctx, typ)
		}),
	}
	for _, name := range otherFunctions {
		all = append(all, gocel.Macros(gocel.GlobalMacro(name, 1, onSubject(name))))
	}
	return all
}

var otherFunctions = []string{"related", "referrers", "inventory"}

// evaluation is one rule on one subject. It resolves the variables.
type evaluation struct {
	ctx     context.Context
	subject *rules.Subject
	params  ref.Val
	self    *seen
	failed  error // what Others could not read
}

func (e *evaluation) list(read func() ([]*rules.Decoded, error)) ref.Val {
	if e.subject.Others == nil {
		return types.NewRefValList(types.DefaultTypeAdapter, nil)
	}
	if e.failed == nil {
		items, err := read()
		if err == nil {
			all := make([]ref.Val, 0, len(items))
			for _, item := range items {
				all = append(all, resourceType.Value(&seen{item, e}))
			}
			return types.NewRefValList(types.DefaultTypeAdapter, all)
		}
		e.failed = err
	}
	return types.WrapErr(e.failed)
}

// ResolveName returns the value of a variable.
func (e *evaluation) ResolveName(name string) (any, bool) {
	switch name {
	case "resource":
		return resourceType.Value(e.self), true
	case "config":
		return configOf(e.self), true
	case "supplement":
		return supplementOf(e.self), true
	case "params":
		return e.params, true
	case "now":
		return types.Timestamp{Time: e.subject.Now.UTC()}, true
	}
	return nil, false
}

// Parent is none.
func (e *evaluation) Parent() gocel.Activation { return nil }
