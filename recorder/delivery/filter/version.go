package filter

import (
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/expr"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

// version is a version with what was decoded of it.
type version struct {
	*history.Item
	configuration func() ref.Val
	supplementary func() ref.Val
	relationships func() ref.Val
}

func newVersion(item *history.Item) *version {
	return &version{
		Item:          item,
		configuration: sync.OnceValue(func() ref.Val { return expr.Decode(item.State.Configuration) }),
		supplementary: sync.OnceValue(func() ref.Val {
			all := make(map[string]ref.Val, len(item.State.Supplementary))
			for name, raw := range item.State.Supplementary {
				all[name] = expr.Decode(raw)
			}
			return types.NewMap(types.DefaultTypeAdapter, all)
		}),
		relationships: sync.OnceValue(func() ref.Val {
			return listOf(relationshipType, item.State.Relationships)
		}),
	}
}

// value is the version, or null if there is none.
func (v *version) value(e *feed.Event) ref.Val {
	switch {
	case e.Compacted:
		return pruned
	case v.Version == 0:
		return types.NullValue
	}
	return versionType.Value(v)
}

var versionType = expr.NewType("Version",
	content("configuration", cel.DynType, func(v *version) ref.Val { return v.configuration() }),
	content("supplementary", cel.MapType(cel.StringType, cel.DynType), func(v *version) ref.Val { return v.supplementary() }),
	content("tags", tagsType, func(v *version) ref.Val { return texts(v.State.Tags) }),
	content("name", cel.StringType, func(v *version) ref.Val { return types.String(v.State.Name) }),
	content("arn", cel.StringType, func(v *version) ref.Val { return types.String(v.State.ARN) }),
	content("availabilityZone", cel.StringType, func(v *version) ref.Val { return types.String(v.State.AvailabilityZone) }),
	content("relationships", cel.ListType(relationshipType.CEL()), func(v *version) ref.Val { return v.relationships() }),
	expr.Field[version]{Name: "status", Type: cel.StringType, Get: func(v *version) ref.Val { return types.String(v.Status) }},
	expr.Field[version]{Name: "deleted", Type: cel.BoolType, Get: func(v *version) ref.Val { return types.Bool(v.State.Deleted) }},
	expr.Field[version]{Name: "version", Type: cel.IntType, Get: func(v *version) ref.Val { return types.Int(v.Version) }},
	expr.Field[version]{Name: "capturedAt", Type: cel.TimestampType, Get: func(v *version) ref.Val { return moment(v.CapturedAt) }},
)

// content is a field of what an erased version has no more.
func content(name string, t *cel.Type, get func(*version) ref.Val) expr.Field[version] {
	return expr.Field[version]{Name: name, Type: t, Get: func(v *version) ref.Val {
		if v.Erased {
			return erased
		}
		return get(v)
	}}
}

var relationshipType = expr.NewType("Relationship",
	text("name", func(r *history.Relationship) string { return r.Name }),
	text("type", func(r *history.Relationship) string { return r.Type }),
	text("id", func(r *history.Relationship) string { return r.ID }),
	text("resourceName", func(r *history.Relationship) string { return r.ResourceName }),
	text("account", func(r *history.Relationship) string { return r.Account }),
	text("region", func(r *history.Relationship) string { return r.Region }),
)

var causeType = expr.NewType("Cause",
	text("actor", func(c *history.Cause) string { return c.Actor }),
	text("eventId", func(c *history.Cause) string { return c.EventID }),
	text("sourceIp", func(c *history.Cause) string { return c.SourceIP }),
)

// referenceType tells a reference as the stream of changes does: of what it leads to
// type and id, type and resourceName, or identifier.
var referenceType = expr.NewType("Reference",
	text("name", func(r *graph.Reference) string { return r.Name }),
	text("type", func(r *graph.Reference) string { return r.Term.Parts().Type }),
	text("id", func(r *graph.Reference) string { return r.Term.Parts().ID }),
	text("resourceName", func(r *graph.Reference) string { return r.Term.Parts().ResourceName }),
	text("identifier", func(r *graph.Reference) string { return r.Term.Parts().Identifier }),
	text("scope", func(r *graph.Reference) string { return r.Term.Parts().Scope }),
	text("account", func(r *graph.Reference) string { return r.Account }),
	text("region", func(r *graph.Reference) string { return r.Region }),
	expr.Field[graph.Reference]{Name: "inverse", Type: cel.BoolType, Get: func(r *graph.Reference) ref.Val { return types.Bool(r.Inverse) }},
)

func text[T any](name string, get func(*T) string) expr.Field[T] {
	return expr.Field[T]{Name: name, Type: cel.StringType, Get: func(v *T) ref.Val { return types.String(get(v)) }}
}

func texts(m map[string]string) ref.Val {
	return expr.Sorted(types.NewStringStringMap(types.DefaultTypeAdapter, m))
}

func listOf[T any](t *expr.Type[T], of []T) ref.Val {
	values := make([]ref.Val, len(of))
	for i := range of {
		values[i] = t.Value(&of[i])
	}
	return types.NewRefValList(types.DefaultTypeAdapter, values)
}
