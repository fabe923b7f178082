package server_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/api/internal/apitest"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

const (
	groupType    = "AWS::EC2::SecurityGroup"
	instanceType = "AWS::EC2::Instance"
	balancerType = "AWS::ElasticLoadBalancingV2::LoadBalancer"
	addressType  = "AWS::EC2::EIP"
	vpcType      = "AWS::EC2::VPC"
)

// resource is an observation of a resource in account 1, region eu-west-1.
func resource(typ, id string, n int, configuration string) *varvev1.Observation {
	o := seen(id, n, configuration, in("1", "eu-west-1"))
	o.Key.Type, o.Name = typ, "name of "+id
	return o
}

func withGroup(id string, n int, groups ...string) *varvev1.Observation {
	for i, g := range groups {
		groups[i] = `{"groupId":"` + g + `"}`
	}
	return resource(instanceType, id, n, `{"securityGroups":[`+strings.Join(groups, ",")+`]}`)
}

// graphDoors have a story: on day 1 i-1 and lb-1 use sg-1, and sg-9 is used by
// none; i-2 does from day 2 and is deleted on day 3; i-1 turns to sg-2 on day 4,
// and lb-1 is deleted on day 5. An address is attached to i-1: the instance uses
// it.
func graphDoors(t testing.TB) *apitest.Doors {
	t.Helper()
	d := open(t, apitest.Options{Store: durable(t, t.TempDir())})
	inVPC := `{"vpcId":"vpc-1"}`
	deleted := func(typ, id string, n int) *varvev1.Observation {
		o := resource(typ, id, n, "")
		o.Configuration, o.Deleted, o.Name = nil, true, ""
		return o
	}
	d.Record(t,
		resource(vpcType, "vpc-1", 1, `{}`),
		resource(groupType, "sg-1", 1, inVPC), resource(groupType, "sg-2", 1, inVPC), resource(groupType, "sg-9", 1, inVPC),
		withGroup("i-1", 1, "sg-1"), withGroup("i-2", 2, "sg-1"), deleted(instanceType, "i-2", 3), withGroup("i-1", 4, "sg-2"),
		resource(balancerType, "lb-1", 1, `{"securityGroups":["sg-1"]}`), deleted(balancerType, "lb-1", 5),
		resource(addressType, "eip-1", 1, `{"instanceId":"i-1"}`),
	)
	return d
}

func ids(list []*varvev1.ListUsesResponse_Hit) (ids []string) {
	for _, h := range list {
		ids = append(ids, h.GetKey().GetId())
	}
	return ids
}

func edgeText(e *varvev1.Edge) string {
	return e.GetUser().GetId() + " " + e.GetName() + " " + e.GetUsed().GetId()
}

func edgeTexts(list []*varvev1.Edge) (texts []string) {
	for _, e := range list {
		texts = append(texts, edgeText(e))
	}
	return texts
}

func keyIDs(list []*varvev1.ResourceKey) (ids []string) {
	for _, k := range list {
		ids = append(ids, k.GetId())
	}
	return ids
}

func same(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestListUses(t *testing.T) {
	d := graphDoors(t)
	uses := func(t *testing.T, req *varvev1.ListUsesRequest) *varvev1.ListUsesResponse {
		t.Helper()
		resp, err := d.Graph.ListUses(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	t.Run("Now", func(t *testing.T) {
		same(t, "sg-1", ids(uses(t, &varvev1.ListUsesRequest{Type: groupType, Id: "sg-1"}).GetHits()))
		resp := uses(t, &varvev1.ListUsesRequest{Type: groupType, Id: "sg-2"})
		same(t, "sg-2", ids(resp.GetHits()), "i-1")
		want := &varvev1.ListUsesResponse_Hit{
			Key:  &varvev1.ResourceKey{Account: "1", Region: "eu-west-1", Type: instanceType, Id: "i-1"},
			Name: "name of i-1", Depth: 1,
		}
		want.Path = []*varvev1.Hop{{Key: want.GetKey(), Edge: &varvev1.Edge{
			User: want.GetKey(), Used: &varvev1.ResourceKey{Account: "1", Region: "eu-west-1", Type: groupType, Id: "sg-2"},
			Name: "Is associated with", UsedName: "Is associated with", Sources: []string{"/securityGroups/0/groupId"},
		}}}
		if got := resp.GetHits()[0]; !proto.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
	t.Run("Then", func(t *testing.T) {
		same(t, "day 2", ids(uses(t, &varvev1.ListUsesRequest{Type: groupType, Id: "sg-1", At: day(2)}).GetHits()), "i-1", "i-2", "lb-1")
		same(t, "day 3", ids(uses(t, &varvev1.ListUsesRequest{Type: groupType, Id: "sg-1", At: day(3)}).GetHits()), "i-1", "lb-1")
	})
	t.Run("AsKnownThen", func(t *testing.T) {
		// The fifth observation, i-1, is the newest that revision 5 knows of.
		same(t, "revision 5", ids(uses(t, &varvev1.ListUsesRequest{Type: groupType, Id: "sg-1", At: day(2), KnownAt: "5"}).GetHits()), "i-1")
	})
	t.Run("Deeper", func(t *testing.T) {
		req := &varvev1.ListUsesRequest{Type: vpcType, Id: "vpc-1", At: day(2), Depth: 2}
		hits := uses(t, req).GetHits()
		same(t, "vpc-1", ids(hits), "sg-1", "sg-2", "sg-9", "i-1", "i-2", "lb-1")
		path := hits[4].GetPath()
		if len(path) != 2 || edgeText(path[0].GetEdge()) != "sg-1 Is contained in vpc-1" || edgeText(path[1].GetEdge()) != "i-2 Is associated with sg-1" {
			t.Errorf("got %v", path)
		}
	})
	t.Run("Truncated", func(t *testing.T) {
		resp := uses(t, &varvev1.ListUsesRequest{Type: groupType, Id: "sg-1", At: day(2), Limit: 2})
		if len(resp.GetHits()) != 2 || !resp.GetTruncated() {
			t.Errorf("got %v", resp)
		}
		resp = uses(t, &varvev1.ListUsesRequest{Type: groupType, Id: "sg-1", At: day(2), Limit: 3})
		if len(resp.GetHits()) != 3 || resp.GetTruncated() {
			t.Errorf("got %v", resp)
		}
	})
	t.Run("BeforeRecordingBegan", func(t *testing.T) {
		resp := uses(t, &varvev1.ListUsesRequest{Type: groupType, Id: "sg-1", At: timestamppb.New(day(1).AsTime().Add(-1))})
		if len(resp.GetHits()) != 0 || !proto.Equal(resp.GetAbsent().GetDataSince(), day(1)) {
			t.Errorf("got %v", resp)
		}
	})
	t.Run("Gone", func(t *testing.T) {
		resp := uses(t, &varvev1.ListUsesRequest{Type: instanceType, Id: "i-2"})
		want := &varvev1.Absence{
			Key:     &varvev1.ResourceKey{Account: "1", Region: "eu-west-1", Type: instanceType, Id: "i-2"},
			Existed: []*varvev1.Absence_Interval{{From: day(2), Until: day(3)}},
		}
		if !proto.Equal(resp.GetAbsent(), want) {
			t.Errorf("got %v, want %v", resp.GetAbsent(), want)
		}
	})
	t.Run("Invalid", func(t *testing.T) {
		for field, req := range map[string]*varvev1.ListUsesRequest{
			"depth": {Type: groupType, Id: "sg-1", Depth: 101},
			"limit": {Type: groupType, Id: "sg-1", Limit: -1},
			"id":    {Type: groupType},
		} {
			_, err := d.Graph.ListUses(t.Context(), req)
			if meta := refused(t, err, history.Invalid); meta["field"] != field {
				t.Errorf("%s: %v", field, err)
			}
		}
		_, err := d.Graph.ListUses(t.Context(), &varvev1.ListUsesRequest{Type: groupType, Id: "sg-1", Depth: -1})
		refused(t, err, history.Invalid)
	})
}

func TestNearMatches(t *testing.T) {
	d := graphDoors(t)
	near := func(typ, id string, more ...func(*varvev1.ListUsesRequest)) string {
		req := &varvev1.ListUsesRequest{Type: typ, Id: id}
		for _, f := range more {
			f(req)
		}
		_, err := d.Graph.ListUses(t.Context(), req)
		meta := refused(t, err, history.NotFound)
		if listed := meta["near"] != ""; listed != strings.Contains(err.Error(), "near it") {
			t.Errorf("text and details differ: %v", err)
		}
		return meta["near"]
	}
	place := `{"account":"1","region":"eu-west-1",`
	for name, c := range map[string]struct{ got, want string }{
		"Misspelt":     {near(groupType, "sg1"), "[" + place + `"type":"AWS::EC2::SecurityGroup","id":"sg-1"}]`},
		"GoesOn":       {near(balancerType, "lb-"), "[" + place + `"type":"AWS::ElasticLoadBalancingV2::LoadBalancer","id":"lb-1"}]`},
		"Longer":       {near(addressType, "eip-1-old-name"), "[" + place + `"type":"AWS::EC2::EIP","id":"eip-1"}]`},
		"OtherType":    {near(vpcType, "sg-9"), "[" + place + `"type":"AWS::EC2::SecurityGroup","id":"sg-9"}]`},
		"OtherAccount": {near(vpcType, "vpc-1", func(r *varvev1.ListUsesRequest) { r.Account = ptr("2") }), "[" + place + `"type":"AWS::EC2::VPC","id":"vpc-1"}]`},
		"WholeKey":     {near(vpcType, "vpc-1", func(r *varvev1.ListUsesRequest) { r.Account, r.Region = ptr("1"), ptr("us-east-1") }), "[" + place + `"type":"AWS::EC2::VPC","id":"vpc-1"}]`},
		"BeforeItWas":  {near(vpcType, "sg-9", func(r *varvev1.ListUsesRequest) { r.At = timestamppb.New(day(1).AsTime().Add(-1)) }), "[" + place + `"type":"AWS::EC2::SecurityGroup","id":"sg-9"}]`},
		"None":         {near("T", "nothing like it"), ""},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %s, want %s", name, c.got, c.want)
		}
	}
	// The older questions tell as well.
	_, err := d.History.LookupItem(t.Context(), &varvev1.LookupItemRequest{Type: vpcType, Id: "vpc-2"})
	if refused(t, err, history.NotFound)["near"] == "" {
		t.Errorf("got %v", err)
	}
}

func TestGetRelationships(t *testing.T) {
	d := graphDoors(t)
	for name, c := range map[string]struct {
		req  *varvev1.GetRelationshipsRequest
		want []string
	}{
		"Both":      {&varvev1.GetRelationshipsRequest{}, []string{"i-1 Is associated with sg-1", "i-2 Is associated with sg-1", "sg-1 Is contained in vpc-1", "lb-1 Is associated with sg-1"}},
		"Out":       {&varvev1.GetRelationshipsRequest{Direction: varvev1.Direction_DIRECTION_OUT}, []string{"sg-1 Is contained in vpc-1"}},
		"In":        {&varvev1.GetRelationshipsRequest{Direction: varvev1.Direction_DIRECTION_IN, OtherType: balancerType}, []string{"lb-1 Is associated with sg-1"}},
		"UserName":  {&varvev1.GetRelationshipsRequest{Name: "Is contained in"}, []string{"sg-1 Is contained in vpc-1"}},
		"UsedName":  {&varvev1.GetRelationshipsRequest{Name: "Contains"}, []string{"sg-1 Is contained in vpc-1"}},
		"OtherName": {&varvev1.GetRelationshipsRequest{Name: "Owns"}, nil},
		"Deeper":    {&varvev1.GetRelationshipsRequest{Depth: 2, OtherType: addressType}, []string{"i-1 Is attached to eip-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.req.Type, c.req.Id, c.req.At = groupType, "sg-1", day(2)
			resp, err := d.Graph.GetRelationships(t.Context(), c.req)
			if err != nil {
				t.Fatal(err)
			}
			same(t, name, edgeTexts(resp.GetEdges()), c.want...)
		})
	}
	t.Run("Worded", func(t *testing.T) {
		resp, err := d.Graph.GetRelationships(t.Context(), &varvev1.GetRelationshipsRequest{Type: groupType, Id: "sg-9"})
		if err != nil || len(resp.GetEdges()) != 1 || resp.GetEdges()[0].GetUsedName() != "Contains" {
			t.Errorf("got %v, %v", resp, err)
		}
	})
	t.Run("Truncated", func(t *testing.T) {
		resp, err := d.Graph.GetRelationships(t.Context(), &varvev1.GetRelationshipsRequest{Type: groupType, Id: "sg-1", At: day(2), Limit: 1})
		if err != nil || len(resp.GetEdges()) != 1 || !resp.GetTruncated() {
			t.Errorf("got %v, %v", resp, err)
		}
	})
	t.Run("Ambiguous", func(t *testing.T) {
		twin := resource(groupType, "sg-9", 1, `{}`)
		twin.Key.Account = "2"
		d.Record(t, twin)
		_, err := d.Graph.GetRelationships(t.Context(), &varvev1.GetRelationshipsRequest{Type: groupType, Id: "sg-9"})
		refused(t, err, history.Ambiguous)
	})
	t.Run("NotKnownYet", func(t *testing.T) {
		_, err := d.Graph.GetRelationships(t.Context(), &varvev1.GetRelationshipsRequest{Type: groupType, Id: "sg-1", KnownAt: "0"})
		refused(t, err, history.NotFound)
	})
}

func TestFindPaths(t *testing.T) {
	d := graphDoors(t)
	find := func(t *testing.T, req *varvev1.FindPathsRequest) *varvev1.FindPathsResponse {
		t.Helper()
		resp, err := d.Graph.FindPaths(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	t.Run("Shortest", func(t *testing.T) {
		resp := find(t, &varvev1.FindPathsRequest{Type: addressType, Id: "eip-1", ToType: vpcType, ToId: "vpc-1", At: day(2)})
		if len(resp.GetPaths()) != 1 {
			t.Fatalf("got %v", resp)
		}
		var hops []string
		for _, h := range resp.GetPaths()[0].GetHops() {
			hops = append(hops, h.GetKey().GetId()+": "+edgeText(h.GetEdge()))
		}
		same(t, "hops", hops, "i-1: i-1 Is attached to eip-1", "sg-1: i-1 Is associated with sg-1", "vpc-1: sg-1 Is contained in vpc-1")
	})
	t.Run("TooFar", func(t *testing.T) {
		resp := find(t, &varvev1.FindPathsRequest{Type: addressType, Id: "eip-1", ToType: vpcType, ToId: "vpc-1", At: day(2), Depth: 2})
		if len(resp.GetPaths()) != 0 || resp.GetTruncated() {
			t.Errorf("got %v", resp)
		}
	})
	t.Run("Absent", func(t *testing.T) {
		resp := find(t, &varvev1.FindPathsRequest{Type: instanceType, Id: "i-2", ToType: balancerType, ToId: "lb-1"})
		if len(resp.GetPaths()) != 0 || len(resp.GetAbsent()) != 2 {
			t.Errorf("got %v", resp)
		}
	})
	t.Run("NotFound", func(t *testing.T) {
		_, err := d.Graph.FindPaths(t.Context(), &varvev1.FindPathsRequest{Type: groupType, Id: "sg-1", ToType: groupType, ToId: "sg-7"})
		refused(t, err, history.NotFound)
	})
}

func TestListUnused(t *testing.T) {
	d := graphDoors(t)
	all := func(t *testing.T, req *varvev1.ListUnusedRequest) (ids []string, last *varvev1.ListUnusedResponse) {
		t.Helper()
		for {
			resp, err := d.Graph.ListUnused(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range resp.GetItems() {
				ids = append(ids, i.GetKey().GetId())
			}
			if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
				return ids, resp
			}
		}
	}
	now, _ := all(t, &varvev1.ListUnusedRequest{Type: groupType, PageSize: 1})
	same(t, "now", now, "sg-1", "sg-9")
	then, _ := all(t, &varvev1.ListUnusedRequest{Type: groupType, At: day(2)})
	same(t, "day 2", then, "sg-2", "sg-9")
	elsewhere, _ := all(t, &varvev1.ListUnusedRequest{Type: groupType, Account: ptr("2")})
	same(t, "account 2", elsewhere)

	_, before := all(t, &varvev1.ListUnusedRequest{Type: instanceType, At: timestamppb.New(day(1).AsTime().AddDate(-3, 0, 0))})
	if !proto.Equal(before.GetDataSince(), day(1)) {
		t.Errorf("before recording began: %v", before)
	}
	if _, used := all(t, &varvev1.ListUnusedRequest{Type: vpcType}); used.GetDataSince() != nil {
		t.Errorf("all are used: %v", used)
	}
	_, err := d.Graph.ListUnused(t.Context(), &varvev1.ListUnusedRequest{})
	refused(t, err, history.Invalid)
	_, err = d.Graph.ListUnused(t.Context(), &varvev1.ListUnusedRequest{Type: groupType, PageToken: "nonsense"})
	refused(t, err, history.ForeignToken)
}

func TestGetLastUsed(t *testing.T) {
	d := graphDoors(t)
	for name, c := range map[string]struct {
		req   *varvev1.GetLastUsedRequest
		inUse bool
		ended *timestamppb.Timestamp
		by    []string
	}{
		"InUse":    {&varvev1.GetLastUsedRequest{Id: "sg-2"}, true, nil, []string{"i-1 Is associated with sg-2"}},
		"Ended":    {&varvev1.GetLastUsedRequest{Id: "sg-1"}, false, day(5), []string{"lb-1 Is associated with sg-1"}},
		"UsedThen": {&varvev1.GetLastUsedRequest{Id: "sg-1", At: day(4)}, true, nil, []string{"lb-1 Is associated with sg-1"}},
		"Never":    {&varvev1.GetLastUsedRequest{Id: "sg-9"}, false, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c.req.Type = groupType
			resp, err := d.Graph.GetLastUsed(t.Context(), c.req)
			if err != nil {
				t.Fatal(err)
			}
			if resp.GetInUse() != c.inUse || !proto.Equal(resp.GetEndedAt(), c.ended) || resp.GetTruncated() {
				t.Errorf("got %v", resp)
			}
			same(t, "by", edgeTexts(resp.GetBy()), c.by...)
		})
	}
}

func TestDiffGraph(t *testing.T) {
	d := graphDoors(t)
	diff := func(t *testing.T, req *varvev1.DiffGraphRequest) *varvev1.DiffGraphResponse {
		t.Helper()
		resp, err := d.Graph.DiffGraph(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	t.Run("Changes", func(t *testing.T) {
		resp := diff(t, &varvev1.DiffGraphRequest{From: day(2), To: day(4), RootType: instanceType, RootIds: []string{"i-1", "i-2"}})
		same(t, "nodes added", keyIDs(resp.GetNodesAdded()))
		same(t, "nodes removed", keyIDs(resp.GetNodesRemoved()), "i-2")
		same(t, "edges added", edgeTexts(resp.GetEdgesAdded()), "i-1 Is associated with sg-2")
		same(t, "edges removed", edgeTexts(resp.GetEdgesRemoved()), "i-1 Is associated with sg-1", "i-2 Is associated with sg-1")
		same(t, "gained", keyIDs(resp.GetGained()), "sg-2")
		same(t, "lost", keyIDs(resp.GetLost()), "sg-1")
		if resp.GetTruncated() || resp.GetDataSince() != nil {
			t.Errorf("got %v", resp)
		}
	})
	t.Run("Truncated", func(t *testing.T) {
		if resp := diff(t, &varvev1.DiffGraphRequest{From: day(2), Limit: 1}); !resp.GetTruncated() || len(resp.GetEdgesRemoved()) != 1 {
			t.Errorf("got %v", resp)
		}
	})
	t.Run("BeforeRecordingBegan", func(t *testing.T) {
		resp := diff(t, &varvev1.DiffGraphRequest{From: timestamppb.New(day(1).AsTime().AddDate(-3, 0, 0)), To: day(1)})
		if !proto.Equal(resp.GetDataSince(), day(1)) || len(resp.GetNodesAdded()) != 7 {
			t.Errorf("got %v", resp)
		}
	})
	t.Run("Invalid", func(t *testing.T) {
		for field, req := range map[string]*varvev1.DiffGraphRequest{
			"from":     {},
			"rootIds":  {From: day(1), RootType: groupType},
			"rootType": {From: day(1), RootIds: []string{"sg-1"}},
			"account":  {From: day(1), Account: ptr("1")},
			"region":   {From: day(1), Region: ptr("")},
		} {
			_, err := d.Graph.DiffGraph(t.Context(), req)
			if meta := refused(t, err, history.Invalid); meta["field"] != field {
				t.Errorf("%s: %v", field, err)
			}
		}
		_, err := d.Graph.DiffGraph(t.Context(), &varvev1.DiffGraphRequest{From: day(1), RootType: groupType, RootIds: []string{"sg-7"}})
		refused(t, err, history.NotFound)
	})
}

func TestGetSubgraph(t *testing.T) {
	d := graphDoors(t)
	resp, err := d.Graph.GetSubgraph(t.Context(), &varvev1.GetSubgraphRequest{Type: instanceType, Ids: []string{"i-1", "i-2"}, At: day(3)})
	if err != nil {
		t.Fatal(err)
	}
	var nodes []string
	for _, n := range resp.GetNodes() {
		nodes = append(nodes, n.GetKey().GetId()+" "+n.GetName())
	}
	same(t, "nodes", nodes, "eip-1 name of eip-1", "i-1 name of i-1", "sg-1 name of sg-1")
	same(t, "edges", edgeTexts(resp.GetEdges()), "i-1 Is attached to eip-1", "i-1 Is associated with sg-1")
	if len(resp.GetAbsent()) != 1 || resp.GetAbsent()[0].GetKey().GetId() != "i-2" {
		t.Errorf("absent: %v", resp.GetAbsent())
	}

	resp, err = d.Graph.GetSubgraph(t.Context(), &varvev1.GetSubgraphRequest{Type: instanceType, Ids: []string{"i-2"}})
	if err != nil || len(resp.GetNodes())+len(resp.GetEdges()) != 0 {
		t.Errorf("of one that is gone: %v, %v", resp, err)
	}
	_, err = d.Graph.GetSubgraph(t.Context(), &varvev1.GetSubgraphRequest{Type: instanceType})
	refused(t, err, history.Invalid)
	_, err = d.Graph.GetSubgraph(t.Context(), &varvev1.GetSubgraphRequest{Type: instanceType, Ids: make([]string, 1001)})
	refused(t, err, history.TooLarge)
}

// rebuilding is a store whose links are being read anew.
type rebuilding struct{ history.Store }

type rebuildingReader struct{ history.Reader }

func (s rebuilding) AsOf(ctx context.Context, at history.At) (history.Reader, error) {
	r, err := s.Store.AsOf(ctx, at)
	return rebuildingReader{r}, err
}

func (rebuildingReader) Links(context.Context, history.LinkQuery) ([]history.Linked, bool, error) {
	return nil, false, &history.Error{Kind: history.Unavailable, Text: "not yet", Meta: map[string]string{"done": "3", "total": "7"}}
}

func TestRebuildGraph(t *testing.T) {
	t.Run("Done", func(t *testing.T) {
		d := graphDoors(t)
		stream, err := d.Graph.RebuildGraph(t.Context(), &varvev1.RebuildGraphRequest{})
		if err != nil {
			t.Fatal(err)
		}
		var result *varvev1.RebuildGraphResponse_Result
		for {
			part, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			result = part.GetResult()
		}
		if result.GetResources() != 8 {
			t.Errorf("got %v", result)
		}
		resp, err := d.Graph.ListUses(t.Context(), &varvev1.ListUsesRequest{Type: groupType, Id: "sg-1", At: day(2)})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "uses", ids(resp.GetHits()), "i-1", "i-2", "lb-1")
	})
	t.Run("Unimplemented", func(t *testing.T) {
		d := open(t, apitest.Options{})
		stream, err := d.Graph.RebuildGraph(t.Context(), &varvev1.RebuildGraphRequest{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = stream.Recv()
		refused(t, err, history.Unimplemented)
	})
	t.Run("Unavailable", func(t *testing.T) {
		d := open(t, apitest.Options{Wrap: func(s history.Store) history.Store { return rebuilding{s} }})
		d.Record(t, seen("a", 1, `{}`))
		_, err := d.Graph.ListUses(t.Context(), &varvev1.ListUsesRequest{Type: "T", Id: "a"})
		if meta := refused(t, err, history.Unavailable); meta["done"] != "3" || meta["total"] != "7" {
			t.Errorf("got %v", meta)
		}
		wantCode(t, err, codes.Unavailable)
	})
}

func TestGraphCompacted(t *testing.T) {
	d := graphDoors(t)
	stream, err := d.Keep.Prune(t.Context(), &varvev1.PruneRequest{Floor: day(3)})
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = stream.Recv()
	}
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	_, err = d.Graph.ListUses(t.Context(), &varvev1.ListUsesRequest{Type: groupType, Id: "sg-1", At: day(2)})
	refused(t, err, history.Compacted)
	resp, err := d.Graph.ListUses(t.Context(), &varvev1.ListUsesRequest{Type: groupType, Id: "sg-1", At: day(3)})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "at the floor", ids(resp.GetHits()), "i-1", "lb-1")
}

func TestGraphOverHTTP(t *testing.T) {
	d := graphDoors(t)
	get := func(path string) string {
		t.Helper()
		code, text := d.Get(t, path)
		if code != http.StatusOK {
			t.Errorf("GET %s: %d %s", path, code, text)
		}
		return string(text)
	}
	group := "type=AWS::EC2::SecurityGroup&id=sg-1"
	want := `{"hits":[{"key":{"account":"1","region":"eu-west-1","type":"AWS::EC2::Instance","id":"i-1"},"name":"name of i-1","depth":1,"path":[` +
		`{"key":{"account":"1","region":"eu-west-1","type":"AWS::EC2::Instance","id":"i-1"},"edge":{` +
		`"user":{"account":"1","region":"eu-west-1","type":"AWS::EC2::Instance","id":"i-1"},` +
		`"used":{"account":"1","region":"eu-west-1","type":"AWS::EC2::SecurityGroup","id":"sg-1"},` +
		`"name":"Is associated with","usedName":"Is associated with","sources":["/securityGroups/0/groupId"]}}]}],"truncated":true,` +
		`"key":{"account":"1","region":"eu-west-1","type":"AWS::EC2::SecurityGroup","id":"sg-1"}}`
	if got := get("/v1/graph:uses?" + group + "&at=2026-03-02T12:00:00Z&limit=1"); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	for path, part := range map[string]string{
		"/v1/graph:relationships?" + group + "&direction=DIRECTION_OUT":                                        `"usedName":"Contains"`,
		"/v1/graph:paths?" + group + "&toType=AWS::EC2::SecurityGroup&toId=sg-2":                               `"paths":[{"hops":[{`,
		"/v1/graph:unused?type=AWS::EC2::SecurityGroup&readMask=key,version":                                   `"items":[{"key":{"account":"1","region":"eu-west-1","type":"AWS::EC2::SecurityGroup","id":"sg-1"},"version":1}`,
		"/v1/graph:lastUsed?" + group:                                                                          `"endedAt":"2026-03-05T12:00:00Z"`,
		"/v1/graph:diff?from=2026-03-02T12:00:00Z&rootType=AWS::EC2::Instance&rootIds=i-1&rootIds=i-2":         `"lost":[{"account":"1","region":"eu-west-1","type":"AWS::EC2::SecurityGroup","id":"sg-1"}]`,
		"/v1/graph:subgraph?type=AWS::EC2::Instance&ids=i-1&ids=i-2&at=2026-03-02T12:00:00Z&knownAt=100000000": "",
	} {
		if part == "" {
			code, text := d.Get(t, path)
			if f := apitest.ReadFault(t, text); code != http.StatusBadRequest || f.Details[0].Reason != history.Future.Error() {
				t.Errorf("GET %s: %d %s", path, code, text)
			}
			continue
		}
		if got := get(path); !strings.Contains(got, part) {
			t.Errorf("GET %s: no %s in %s", path, part, got)
		}
	}
	if code, text := d.Post(t, "/v1/graph:rebuild", `{}`); code != http.StatusOK || !strings.Contains(string(text), `"result":{"resources":"8"}`) {
		t.Errorf("rebuild: %d %s", code, text)
	}
	if code, text := d.Get(t, "/v1/graph:uses?"+group+"&depth=deep"); code != http.StatusBadRequest || apitest.ReadFault(t, text).Details[0].Metadata["field"] != "depth" {
		t.Errorf("depth=deep: %d %s", code, text)
	}
}

// TestDataSince compares the moment since which data exist with the earliest one
// recorded, whatever came late or was deleted.
func TestDataSince(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 1))
	for range 20 {
		d := open(t, apitest.Options{})
		var (
			list  []*varvev1.Observation
			first = map[string]*timestamppb.Timestamp{}
		)
		for range 1 + random.IntN(40) {
			id := string(rune('a' + random.IntN(4)))
			o := seen(id, 1, `{}`)
			if random.IntN(4) == 0 {
				o = gone(id, 1)
			}
			o.CapturedAt = timestamppb.New(day(1).AsTime().Add(time.Duration(random.Int64N(1<<random.IntN(50))) * time.Microsecond / 1000))
			o.CapturedAt.Nanos -= o.CapturedAt.Nanos % 1000
			for _, of := range []string{id, ""} {
				if f := first[of]; f == nil || o.CapturedAt.AsTime().Before(f.AsTime()) {
					first[of] = o.CapturedAt
				}
			}
			list = append(list, o)
		}
		d.Record(t, list...)
		before := timestamppb.New(day(1).AsTime().Add(-time.Duration(1+random.IntN(1e9)) * time.Microsecond))
		resp, err := d.Graph.ListUnused(t.Context(), &varvev1.ListUnusedRequest{Type: "T", At: before})
		if err != nil || !proto.Equal(resp.GetDataSince(), first[""]) {
			t.Errorf("T: got %v, %v, want %v", resp.GetDataSince(), err, first[""])
		}
		for id, want := range first {
			if id == "" {
				continue
			}
			resp, err := d.Graph.ListUses(t.Context(), &varvev1.ListUsesRequest{Type: "T", Id: id, At: before})
			if err != nil || !proto.Equal(resp.GetAbsent().GetDataSince(), want) {
				t.Errorf("%s: got %v, %v, want %v", id, resp.GetAbsent(), err, want)
			}
		}
	}
}
