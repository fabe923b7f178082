package wire

import (
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

// EventToProto writes an event whole. Its error is DataLoss.
func EventToProto(e *feed.Event) (*varvev1.ChangeEvent, error) {
	p := &varvev1.ChangeEvent{
		Change: ChangeToProto(e.Change), Before: versionToProto(e.Before), After: versionToProto(e.After),
		Cause: causeToProto(e.After.Origin.Cause), Compacted: e.Compacted,
	}
	d, err := e.Difference()
	if err != nil {
		return nil, err
	}
	p.Patch, p.Attributes, p.Paths = PatchToProto(d.Configuration), PatchToProto(d.Attributes), d.Paths
	r := e.References()
	p.Opened, p.Closed = referencesToProto(r.Opened), referencesToProto(r.Closed)
	return p, nil
}

// EventHeadToProto writes an event without what its versions held.
func EventHeadToProto(e *feed.Event) *varvev1.ChangeEvent {
	return &varvev1.ChangeEvent{
		Change: ChangeToProto(e.Change),
		Before: versionToProto(history.FieldsHead.Of(e.Before)), After: versionToProto(history.FieldsHead.Of(e.After)),
		Cause: causeToProto(e.After.Origin.Cause), Compacted: e.Compacted,
	}
}

func versionToProto(i history.Item) *varvev1.Item {
	if i.Version == 0 {
		return nil
	}
	return ItemToProto(i)
}

func referencesToProto(list []graph.Reference) []*varvev1.Reference {
	out := make([]*varvev1.Reference, len(list))
	for i := range list {
		out[i] = referenceToProto(&list[i])
	}
	return out
}

func referenceToProto(r *graph.Reference) *varvev1.Reference {
	to := r.Term.Parts()
	p := &varvev1.Reference{
		Name: r.Name, Inverse: r.Inverse, Type: to.Type, Id: to.ID, ResourceName: to.ResourceName,
		Identifier: to.Identifier, Scope: to.Scope, Account: r.Account, Region: r.Region,
	}
	for _, source := range r.Sources {
		p.Sources = append(p.Sources, string(source))
	}
	if to.Scope != "" {
		for _, q := range r.Selector {
			p.Selector = append(p.Selector, &varvev1.Reference_Requirement{Key: q.Key, Operator: operators[q.Op], Values: q.Values})
		}
	}
	return p
}

var operators = map[graph.Operator]string{
	graph.In: "In", graph.NotIn: "NotIn", graph.Exists: "Exists", graph.DoesNotExist: "DoesNotExist",
}
