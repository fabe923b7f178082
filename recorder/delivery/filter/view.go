package filter

import (
	"sync"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history/expr"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

// view is what filters have worked out of one event: each part when the first one
// asks for it, for all of them.
type view struct {
	before, after               *version
	tags, paths, opened, closed func() ref.Val
}

type viewKey struct{}

func viewOf(e *feed.Event) *view {
	return e.Remember(viewKey{}, func() any { return newView(e) }).(*view)
}

func newView(e *feed.Event) *view {
	return &view{
		before: newVersion(&e.Before),
		after:  newVersion(&e.After),
		tags:   sync.OnceValue(func() ref.Val { return tagsOf(e) }),
		paths:  sync.OnceValue(func() ref.Val { return pathsOf(e) }),
		opened: sync.OnceValue(func() ref.Val { return references(e, e.References().Opened) }),
		closed: sync.OnceValue(func() ref.Val { return references(e, e.References().Closed) }),
	}
}

func tagsOf(e *feed.Event) ref.Val {
	switch item := resource(e); {
	case e.Compacted:
		return pruned
	case item.Erased:
		return erased
	default:
		return texts(item.State.Tags)
	}
}

func pathsOf(e *feed.Event) ref.Val {
	if e.Compacted {
		return pruned
	}
	if bothExist := e.Before.Exists() && e.After.Exists(); bothExist && (e.Before.Erased || e.After.Erased) {
		return erased
	}
	d, err := e.Difference()
	if err != nil {
		return expr.Undecidable(err)
	}
	return types.NewStringList(types.DefaultTypeAdapter, d.Paths)
}

func references(e *feed.Event, of []graph.Reference) ref.Val {
	switch {
	case e.Compacted:
		return pruned
	case e.Before.Erased || e.After.Erased:
		return erased
	}
	return listOf(referenceType, of)
}
