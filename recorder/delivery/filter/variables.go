package filter

import (
	"errors"
	"math"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/expr"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

// variables are what a filter may mention. Each is worked out when an evaluation
// comes to it: what costs more than a look is remembered in the event's view.
var variables = map[string]variable{
	"kind":        {cel.StringType, func(e *feed.Event) ref.Val { return types.String(e.Kind.String()) }},
	"late":        {cel.BoolType, func(e *feed.Event) ref.Val { return types.Bool(e.Late) }},
	"account":     {cel.StringType, func(e *feed.Event) ref.Val { return types.String(e.Key.Account) }},
	"region":      {cel.StringType, func(e *feed.Event) ref.Val { return types.String(e.Key.Region) }},
	"type":        {cel.StringType, func(e *feed.Event) ref.Val { return types.String(e.Key.Type) }},
	"id":          {cel.StringType, func(e *feed.Event) ref.Val { return types.String(e.Key.ID) }},
	"version":     {cel.IntType, func(e *feed.Event) ref.Val { return types.Int(e.Version) }},
	"sequence":    {cel.IntType, func(e *feed.Event) ref.Val { return integer(uint64(e.Seq)) }},
	"revision":    {cel.IntType, func(e *feed.Event) ref.Val { return integer(uint64(e.Revision)) }},
	"captured_at": {cel.TimestampType, func(e *feed.Event) ref.Val { return moment(e.CapturedAt) }},
	"recorded_at": {cel.TimestampType, func(e *feed.Event) ref.Val { return moment(e.RecordedAt) }},

	"source":   {cel.StringType, of(func(i *history.Item) ref.Val { return types.String(i.Origin.Source) }, changed)},
	"provider": {cel.StringType, of(func(i *history.Item) ref.Val { return types.String(i.Origin.Provider) }, changed)},
	"cause":    {causeType.CEL(), of(func(i *history.Item) ref.Val { return causeType.Value(&i.Origin.Cause) }, changed)},
	"name":     {cel.StringType, of(func(i *history.Item) ref.Val { return types.String(i.State.Name) }, resource)},
	"tags":     {tagsType, func(e *feed.Event) ref.Val { return viewOf(e).tags() }},

	"before": {versionType.CEL(), func(e *feed.Event) ref.Val { return viewOf(e).before.value(e) }},
	"after":  {versionType.CEL(), func(e *feed.Event) ref.Val { return viewOf(e).after.value(e) }},
	"paths":  {cel.ListType(cel.StringType), func(e *feed.Event) ref.Val { return viewOf(e).paths() }},
	"opened": {cel.ListType(referenceType.CEL()), func(e *feed.Event) ref.Val { return viewOf(e).opened() }},
	"closed": {cel.ListType(referenceType.CEL()), func(e *feed.Event) ref.Val { return viewOf(e).closed() }},
}

type variable struct {
	typ *cel.Type
	get func(*feed.Event) ref.Val
}

var tagsType = cel.MapType(cel.StringType, cel.StringType)

func declarations() []cel.EnvOption {
	all := []cel.EnvOption{
		versionType.Declare(), relationshipType.Declare(), referenceType.Declare(), causeType.Declare(),
	}
	for name, v := range variables {
		all = append(all, cel.Variable(name, v.typ))
	}
	return append(all, changedMacro()...)
}

// event resolves the variables of one event.
type event struct{ *feed.Event }

// ResolveName returns the value of a variable.
func (e event) ResolveName(name string) (any, bool) {
	v, ok := variables[name]
	if !ok {
		return nil, false
	}
	return v.get(e.Event), true
}

// Parent is none.
func (event) Parent() cel.Activation { return nil }

// changed is the version that the change made.
func changed(e *feed.Event) *history.Item { return &e.After }

// resource is the version that tells of the resource: of a deletion, the one
// before it.
func resource(e *feed.Event) *history.Item {
	if e.After.State.Deleted {
		return &e.Before
	}
	return &e.After
}

// of tells something of a version, if its content is there.
func of(get func(*history.Item) ref.Val, which func(*feed.Event) *history.Item) func(*feed.Event) ref.Val {
	return func(e *feed.Event) ref.Val {
		item := which(e)
		switch {
		case e.Compacted:
			return pruned
		case item.Erased:
			return erased
		}
		return get(item)
	}
}

var (
	pruned = expr.Undecidable(errors.New("the versions of this change were pruned"))
	erased = expr.Undecidable(errors.New("the content of a version was erased or lost"))
)

func integer(n uint64) ref.Val { return types.Int(min(n, math.MaxInt64)) }

func moment(m history.Moment) ref.Val { return types.Timestamp{Time: m.Time()} }
