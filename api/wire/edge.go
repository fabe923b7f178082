package wire

import (
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// EdgeToProto writes a relationship of the graph, in both wordings.
func EdgeToProto(r *graph.Relationship) *varvev1.Edge {
	_, used := graph.Wording(r.Name)
	e := &varvev1.Edge{
		User: KeyToProto(r.From), Used: KeyToProto(r.To), Name: r.Name, UsedName: used,
		Sources: make([]string, len(r.Reasons)),
	}
	for i, reason := range r.Reasons {
		e.Sources[i] = string(reason)
	}
	return e
}

// EdgeFromProto reads what EdgeToProto wrote.
func EdgeFromProto(p *varvev1.Edge) graph.Relationship {
	r := graph.Relationship{Name: p.GetName(), From: KeyFromAnswer(p.GetUser()), To: KeyFromAnswer(p.GetUsed())}
	for _, source := range p.GetSources() {
		r.Reasons = append(r.Reasons, graph.Reason(source))
	}
	return r
}

// EdgesToProto writes relationships in their order.
func EdgesToProto(list []graph.Relationship) []*varvev1.Edge {
	out := make([]*varvev1.Edge, len(list))
	for i := range list {
		out[i] = EdgeToProto(&list[i])
	}
	return out
}

// HopsToProto writes a path that comes from a resource.
func HopsToProto(from history.Key, path []graph.Hop) []*varvev1.Hop {
	out := make([]*varvev1.Hop, len(path))
	for i := range path {
		over := path[i].Relationship(from)
		out[i] = &varvev1.Hop{Key: KeyToProto(path[i].Key), Edge: EdgeToProto(&over)}
		from = path[i].Key
	}
	return out
}

// KeysToProto writes keys in their order.
func KeysToProto(list []history.Key) []*varvev1.ResourceKey {
	out := make([]*varvev1.ResourceKey, len(list))
	for i, k := range list {
		out[i] = KeyToProto(k)
	}
	return out
}

// KeyFromAnswer reads a key out of an answer, where it is one that is stored.
func KeyFromAnswer(p *varvev1.ResourceKey) history.Key {
	return history.Key{Account: p.GetAccount(), Region: p.GetRegion(), Type: p.GetType(), ID: p.GetId()}
}
