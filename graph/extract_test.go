package graph_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
)

// checkClaims fails unless claims keep what their comments promise, and come
// back from their links.
func checkClaims(t *testing.T, k history.Key, s *history.State) graph.Claims {
	t.Helper()
	c := graph.Extract(k, s)
	if again := graph.Extract(k, s); !reflect.DeepEqual(c, again) {
		t.Fatalf("%v: extracted twice:\n%s", k, cmp.Diff(c, again))
	}
	if !slices.IsSorted(c.Bears) || len(slices.Compact(slices.Clone(c.Bears))) != len(c.Bears) {
		t.Errorf("%v bears %q", k, c.Bears)
	}
	if slices.Contains(c.Bears, graph.IDTerm(k.Type, k.ID)) {
		t.Errorf("%v says that it bears its own type and id", k)
	}
	for i, r := range c.References {
		if len(r.Sources) == 0 || !slices.IsSorted(r.Sources) || len(slices.Compact(slices.Clone(r.Sources))) != len(r.Sources) {
			t.Errorf("%v: sources %q", k, r.Sources)
		}
		if r.Name == "" || len(r.Term) < 2 {
			t.Errorf("%v: reference %+v", k, r)
		}
		if i > 0 && c.References[i-1].Term > r.Term {
			t.Errorf("%v: %q comes before %q", k, c.References[i-1].Term, r.Term)
		}
		if r.Term[0] == 'g' && slices.Contains(c.Bears, r.Term) {
			t.Errorf("%v refers to itself as %q", k, r.Term)
		}
	}
	links := graph.Links(k, s)
	if diff := cmp.Diff(c.Links(k), links); diff != "" {
		t.Errorf("%v: links of its claims (-), and its links (+)\n%s", k, diff)
	}
	checkLinks(t, k, c, links)
	return c
}

// checkLinks reads the links of claims and compares.
func checkLinks(t *testing.T, k history.Key, c graph.Claims, links []history.Link) {
	t.Helper()
	var back graph.Claims
	for i, l := range links {
		if i > 0 && (links[i-1].Term > l.Term || links[i-1].Term == l.Term && (links[i-1].Bears == l.Bears || l.Bears)) {
			t.Errorf("link %d: %q %v after %q %v", i, l.Term, l.Bears, links[i-1].Term, links[i-1].Bears)
		}
		if l.Bears && graph.Term(l.Term) == graph.IDTerm(k.Type, k.ID) {
			terms, users, err := graph.ReadTerms(l)
			bare := graph.Extract(k, &history.State{})
			for _, t := range bare.Bears { // its key tells these
				if !strings.HasPrefix(string(t), string(graph.NameTerm(k.Type, ""))) {
					terms = append(terms, t)
				}
			}
			slices.Sort(terms)
			var says []graph.Term
			for _, r := range c.References {
				if r.Inverse {
					says = append(says, r.Term)
				}
			}
			if err != nil || !slices.Equal(terms, c.Bears) || !slices.Equal(users, slices.Compact(says)) {
				t.Errorf("%v bears %q, and as a link %q (%v)", k, c.Bears, terms, err)
			}
			continue
		}
		if l.Bears {
			labels, err := graph.ReadLabels(l)
			if err != nil {
				t.Fatal(err)
			}
			if len(labels) > 0 {
				back.Labels = labels
			}
			back.Bears = append(back.Bears, graph.Term(l.Term))
			continue
		}
		refs, err := graph.ReadReferences(l)
		if err != nil {
			t.Fatal(err)
		}
		back.References = append(back.References, refs...)
	}
	if diff := cmp.Diff(c, back); diff != "" {
		t.Errorf("claims (-), and as links (+)\n%s", diff)
	}
}

// caseItems are the resources of all cases.
func caseItems(t testing.TB) []item {
	files, _ := filepath.Glob(filepath.Join("testdata", "edges", "*.txtar"))
	var items []item
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(archive.Files); i += 2 {
			d := json.NewDecoder(bytes.NewReader(archive.Files[i].Data))
			for d.More() {
				var it item
				if err := d.Decode(&it); err != nil {
					t.Fatal(err)
				}
				items = append(items, it)
			}
		}
	}
	if len(items) == 0 {
		t.Fatal("no cases")
	}
	return items
}

func FuzzExtract(f *testing.F) {
	for _, it := range caseItems(f) {
		f.Add(it.Account, it.Region, it.Type, it.ID, it.Name, []byte(it.Configuration))
	}
	f.Fuzz(func(t *testing.T, account, region, typ, id, name string, doc []byte) {
		k := history.Key{Account: account, Region: region, Type: typ, ID: id}
		if k.Validate() != nil {
			t.Skip()
		}
		s := history.State{Name: name, Configuration: doc}
		graph.Extract(k, &s) // what is no JSON must not hurt
		v := jsontext.Value(bytes.Clone(doc))
		if v.Canonicalize(jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false)) != nil {
			t.Skip()
		}
		s.Configuration = v
		before := bytes.Clone(v)
		checkClaims(t, k, &s)
		if !bytes.Equal(before, v) {
			t.Error("the document has changed")
		}
	})
}

func FuzzLink(f *testing.F) {
	for _, it := range caseItems(f)[:50] {
		o := it.owner(&testing.T{})
		for _, l := range o.Claims.Links(o.Key) {
			f.Add(l.Bears, l.Detail)
		}
	}
	f.Fuzz(func(t *testing.T, bears bool, detail string) {
		l := history.Link{Term: "x", Bears: bears, Detail: detail}
		if refs, err := graph.ReadReferences(l); err == nil && len(refs) == 0 {
			t.Error("no references and no error")
		}
		_, _ = graph.ReadLabels(l)
	})
}

// TestClaimsOfCases holds the claims of every case to their comments.
func TestClaimsOfCases(t *testing.T) {
	for _, it := range caseItems(t) {
		k := history.Key{Account: it.Account, Region: it.Region, Type: it.Type, ID: it.ID}
		s := history.State{Name: it.Name, ARN: it.ARN, Relationships: it.Relationships}
		if it.Configuration != nil {
			s.Configuration = canonical(t, it.Configuration)
		}
		s.Normalize()
		checkClaims(t, k, &s)
	}
}

// TestExtractShares: claims are those of one document, whoever else extracts at
// the same time, and stay what they are when the document's memory is reused.
func TestExtractShares(t *testing.T) {
	k, s := document(t)
	want := graph.Extract(k, &s)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			mine := s
			for range 200 {
				mine.Configuration = bytes.Clone(s.Configuration)
				got := graph.Extract(k, &mine)
				clear(mine.Configuration)
				if !reflect.DeepEqual(want, got) {
					t.Error(cmp.Diff(want, got))
					return
				}
				graph.Extract(history.Key{Type: "Kubernetes::core::Pod", ID: "a/b"}, &history.State{Configuration: []byte(`{"metadata":{"labels":{"a":"b"},"namespace":"a"}}`)})
			}
		})
	}
	wg.Wait()
	if len(want.References) < 10 {
		t.Errorf("%d references", len(want.References))
	}
}

func TestDeletionsClaimNothing(t *testing.T) {
	c := graph.Extract(history.Key{Type: "AWS::EC2::VPC", ID: "vpc-1"}, &history.State{Deleted: true, ARN: "arn:aws:ec2:r:a:vpc/vpc-1", Relationships: []history.Relationship{{Name: "Contains", Type: "T", ID: "x"}}})
	if len(c.References)+len(c.Bears) != 0 || len(c.Links(history.Key{})) != 0 {
		t.Errorf("%+v", c)
	}
}

// TestManyTypes: types are the users' to invent, and plans for them are not kept
// for ever.
func TestManyTypes(t *testing.T) {
	for i := range 3000 {
		k := history.Key{Type: "Acme::T" + strings.Repeat("x", i%50) + "::" + string(rune('A'+i%26)) + strings.Repeat("y", i/50), ID: "1"}
		c := graph.Extract(k, &history.State{Configuration: []byte(`{"a":"subnet-0a1b2c3d"}`)})
		if len(c.References) != 1 {
			t.Fatal(k, c)
		}
	}
}

func TestWording(t *testing.T) {
	for _, c := range [][3]string{
		{"Is contained in", "Is contained in", "Contains"},
		{"References", "References", "Is referenced by"},
		{"Is attached to", "Is attached to", "Is attached to"},
		{"paid by", "paid by", "paid by"},
	} {
		if user, used := graph.Wording(c[0]); user != c[1] || used != c[2] {
			t.Errorf("%q: %q, %q", c[0], user, used)
		}
	}
}

func TestIdentify(t *testing.T) {
	type is struct{ term, account, region string }
	for text, want := range map[string]is{
		"sg-0a1b2c3d":                     {"iAWS::EC2::SecurityGroup sg-0a1b2c3d", "", ""},
		"tgw-attach-0a1b2c3d4e5f60718":    {"iAWS::EC2::TransitGatewayAttachment tgw-attach-0a1b2c3d4e5f60718", "", ""},
		"sg-0a1b2c3":                      {},
		"r-0a1b2c3d":                      {},
		"eni-attach-0a1b2c3d":             {},
		"2024-01-02T03:04:05Z":            {},
		"a-deadbeef":                      {},
		"arn:aws:iam::111122223333:root":  {},
		"arn:aws:s3:::bucket/key/*":       {"iAWS::S3::Bucket bucket", "", ""},
		"arn:aws:s3:::buck*":              {},
		"arn:aws:ec2:r:1:instance/i-1":    {"iAWS::EC2::Instance i-1", "1", "r"},
		"arn:aws:sns:r:1:t":               {"garn:aws:sns:r:1:t", "", ""},
		"arn:aws:lambda:r:1:function:f:7": {"garn:aws:lambda:r:1:function:f", "", ""},
		"arn:aws-cn:kms:r:1:key/k":        {"garn:aws-cn:kms:r:1:key/k", "", ""},
		"arn:aws:ec2:ap-southeast-2:...":  {},
		"arn:aws:kms":                     {},
		"arn::::::":                       {},
		"arn:aws:sts::1:assumed-role/r/s": {"nAWS::IAM::Role r", "1", ""},
		"https://example.org/a":           {},
		"https://www.googleapis.com/compute/v1/projects/p/global/networks/n": {"g//compute.googleapis.com/projects/p/global/networks/n", "", ""},
		"https://www.googleapis.com/storage/v1/b/bucket":                     {"g//storage.googleapis.com/bucket", "", ""},
		"https://www.googleapis.com/storage/v1/b/bucket/o/x":                 {},
		"//pubsub.googleapis.com/projects/p/topics/t":                        {"g//pubsub.googleapis.com/projects/p/topics/t", "", ""},
		"//example.org/projects/p":                                           {},
		"projects/p/topics/t":                                                {"g//pubsub.googleapis.com/projects/p/topics/t", "", ""},
		"projects/p/things/t":                                                {},
		"projects/p/logs/l%2Fx":                                              {},
		"serviceAccount:a@p.iam.gserviceaccount.com":                         {"gserviceAccount:a@p.iam.gserviceaccount.com", "", ""},
		"a@p.iam.gserviceaccount.com":                                        {"gserviceAccount:a@p.iam.gserviceaccount.com", "", ""},
		"serviceAccount:p.svc.id.goog[ns/a]":                                 {},
		"7A3F9C52-1b7e-4c36-9d0c-3a0b5a8d1f10":                               {"g7a3f9c52-1b7e-4c36-9d0c-3a0b5a8d1f10", "", ""},
		"https://sqs.eu-west-1.amazonaws.com/111122223333/q":                 {"garn:aws:sqs:eu-west-1:111122223333:q", "", ""},
	} {
		term, account, region, ok := graph.Identify(text)
		if got := (is{term.String(), account, region}); got != want || ok != (want.term != "") {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
}
