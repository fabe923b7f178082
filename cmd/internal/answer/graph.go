package answer

import (
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// Key is what identifies a resource.
type Key struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Type    string `json:"type"`
	ID      string `json:"id"`
}

// KeyOf reads a key.
func KeyOf(p *varvev1.ResourceKey) Key {
	return Key{Account: p.GetAccount(), Region: p.GetRegion(), Type: p.GetType(), ID: p.GetId()}
}

// KeysOf reads keys; never null.
func KeysOf(list []*varvev1.ResourceKey) []Key { return each(list, KeyOf) }

// Edge is a relationship of the graph, in both wordings.
type Edge struct {
	Name     string   `json:"name"`
	UsedName string   `json:"usedName"`
	User     Key      `json:"user"`
	Used     Key      `json:"used"`
	Sources  []string `json:"sources"`
}

// EdgeOf reads a relationship.
func EdgeOf(p *varvev1.Edge) Edge {
	return Edge{
		Name: p.GetName(), UsedName: p.GetUsedName(), User: KeyOf(p.GetUser()), Used: KeyOf(p.GetUsed()),
		Sources: list(p.GetSources()),
	}
}

// EdgesOf reads relationships; never null.
func EdgesOf(list []*varvev1.Edge) []Edge { return each(list, EdgeOf) }

func each[P, T any](list []P, read func(P) T) []T {
	out := make([]T, len(list))
	for i, p := range list {
		out[i] = read(p)
	}
	return out
}

// Relationships are those around a resource.
type Relationships struct {
	Relationships []Edge `json:"relationships"`
	Truncated     bool   `json:"truncated"`
	DataSince     string `json:"dataSince,omitempty"` // nothing was captured of it by the moment; this was the first
}

// Uses are those who use a resource.
type Uses struct {
	Hits      []Hit  `json:"hits"`
	Truncated bool   `json:"truncated"`
	DataSince string `json:"dataSince,omitempty"` // as above
}

// Hit is a resource that uses another one.
type Hit struct {
	Key
	Name  string `json:"name"`
	Depth uint32 `json:"depth"`
	Path  []Hop  `json:"path"`
}

// Hop is one step of a path: to a resource, and why.
type Hop struct {
	Type         string `json:"type"`
	ID           string `json:"id"`
	Relationship string `json:"relationship"`
	Source       string `json:"source"` // where it was read; several are joined by ", "
}

// UsesOf reads users.
func UsesOf(p *varvev1.ListUsesResponse) Uses {
	return Uses{Hits: each(p.GetHits(), hitOf), Truncated: p.GetTruncated(), DataSince: Time(p.GetAbsent().GetDataSince())}
}

func hitOf(p *varvev1.ListUsesResponse_Hit) Hit {
	return Hit{Key: KeyOf(p.GetKey()), Name: p.GetName(), Depth: p.GetDepth(), Path: each(p.GetPath(), hopOf)}
}

func hopOf(p *varvev1.Hop) Hop {
	return Hop{
		Type: p.GetKey().GetType(), ID: p.GetKey().GetId(),
		Relationship: p.GetEdge().GetName(), Source: strings.Join(p.GetEdge().GetSources(), ", "),
	}
}

// Paths are ways from one resource to another.
type Paths struct {
	Paths     [][]Step `json:"paths"`
	Truncated bool     `json:"truncated"`
	DataSince string   `json:"dataSince,omitempty"` // of one of both, as above
}

// Step is one step of a path between two resources.
type Step struct {
	Key
	Direction    string `json:"direction"`    // out: the resource before uses this one; in: is used by it
	Relationship string `json:"relationship"` // in the user's wording
	Source       string `json:"source"`
}

// PathsOf reads paths.
func PathsOf(p *varvev1.FindPathsResponse) Paths {
	var since *timestamppb.Timestamp // of that of both of which it is known later
	for _, absent := range p.GetAbsent() {
		if t := absent.GetDataSince(); t != nil && (since == nil || since.AsTime().Before(t.AsTime())) {
			since = t
		}
	}
	out := Paths{Truncated: p.GetTruncated(), DataSince: Time(since)}
	out.Paths = each(p.GetPaths(), func(p *varvev1.FindPathsResponse_Path) []Step { return each(p.GetHops(), stepOf) })
	return out
}

func stepOf(p *varvev1.Hop) Step {
	hop, s := hopOf(p), Step{Key: KeyOf(p.GetKey()), Direction: "out"}
	if s.Key == KeyOf(p.GetEdge().GetUser()) {
		s.Direction = "in"
	}
	s.Relationship, s.Source = hop.Relationship, hop.Source
	return s
}

// LastUse tells whether a resource is used, else when it was last.
type LastUse struct {
	InUse     bool   `json:"inUse"`
	EndedAt   string `json:"endedAt,omitempty"` // of the last use, if any is known
	By        []Edge `json:"by"`
	Truncated bool   `json:"truncated"`
	DataSince string `json:"dataSince,omitempty"` // as above
}

// LastUseOf reads the last use.
func LastUseOf(p *varvev1.GetLastUsedResponse) LastUse {
	return LastUse{
		InUse: p.GetInUse(), EndedAt: Time(p.GetEndedAt()), By: EdgesOf(p.GetBy()), Truncated: p.GetTruncated(),
		DataSince: Time(p.GetAbsent().GetDataSince()),
	}
}

// GraphDiff is what came and went between two moments.
type GraphDiff struct {
	NodesAdded   []Key  `json:"nodesAdded"`
	NodesRemoved []Key  `json:"nodesRemoved"`
	EdgesAdded   []Edge `json:"edgesAdded"`
	EdgesRemoved []Edge `json:"edgesRemoved"`
	Gained       []Key  `json:"gained"` // by the roots
	Lost         []Key  `json:"lost"`
	Truncated    bool   `json:"truncated"`
	DataSince    string `json:"dataSince,omitempty"` // nothing was captured by the moment before; this was the first
}

// GraphDiffOf reads a difference.
func GraphDiffOf(p *varvev1.DiffGraphResponse) GraphDiff {
	return GraphDiff{
		NodesAdded: KeysOf(p.GetNodesAdded()), NodesRemoved: KeysOf(p.GetNodesRemoved()),
		EdgesAdded: EdgesOf(p.GetEdgesAdded()), EdgesRemoved: EdgesOf(p.GetEdgesRemoved()),
		Gained: KeysOf(p.GetGained()), Lost: KeysOf(p.GetLost()),
		Truncated: p.GetTruncated(), DataSince: Time(p.GetDataSince()),
	}
}
