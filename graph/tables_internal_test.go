package graph

import (
	"io/fs"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// copyTables is a copy of the embedded tables, to be broken.
func copyTables(t *testing.T) fstest.MapFS {
	t.Helper()
	tables := fstest.MapFS{}
	files, err := fs.Glob(embedded, "shapes/*.tsv")
	if err != nil || len(files) == 0 {
		t.Fatal("no tables", err)
	}
	for _, file := range files {
		text, err := fs.ReadFile(embedded, file)
		if err != nil {
			t.Fatal(err)
		}
		tables[strings.TrimPrefix(file, "shapes/")] = &fstest.MapFile{Data: text}
	}
	return tables
}

// TestBrokenTables: an error says in which table and line, and why.
func TestBrokenTables(t *testing.T) {
	for _, c := range []struct{ file, row, want string }{
		{"aws.tsv", "AWS::A::B	/x	Is attached to	AWS::A::C", "4 columns, want 5 to 6"},
		{"aws.tsv", "AWS::A::B	x	Is attached to	AWS::A::C	id", `path "x" does not begin with a slash`},
		{"aws.tsv", "AWS::A::B	/x//y	Is attached to	AWS::A::C	id", `no step is empty`},
		{"aws.tsv", "AWS::A::B	/x/**/y	Is attached to	AWS::A::C	id", `** stands only at the beginning`},
		{"aws.tsv", "AWS::A::B	/x	Is glued to	AWS::A::C	id", `relationship "Is glued to" is not in wordings.tsv`},
		{"aws.tsv", "AWS::A::B	/x	Contains	AWS::A::C	id", `relationship "Contains" is not in wordings.tsv, or in its used one's wording`},
		{"aws.tsv", "AWS::A::B	/x	Is attached to	-	id", "no target type"},
		{"aws.tsv", "AWS::A::B	/x	-	AWS::A::C	id", "do not go together"},
		{"aws.tsv", "AWS::A::B	/x	Is attached to	AWS::A::C	ident", `form "ident" is unknown`},
		{"aws.tsv", "AWS::A::B	/x	Is attached to	AWS::A::C	id spilt=,", `word "spilt=," is unknown`},
		{"aws.tsv", "AWS::A::B	/x	Is attached to	AWS::A::C	id re=(", "missing closing )"},
		{"aws.tsv", "AWS::A::B	/x	Is attached to	AWS::A::C	id object", "an object needs value= or text="},
		{"aws.tsv", "AWS::A::B	/x	Is attached to	AWS::A::C	id	used", `user "used" is neither owner nor target`},
		{"kubernetes.tsv", "%pods	/x	Is attached to	AWS::A::C	kube", `there is no template "pods"`},
		{"declared.tsv", "AWS::A::B	Contains	AWS::A::C	Is attached to	both", `user "both" is neither`},
		{"declared.tsv", "AWS::EC2::EIP	Is attached to	AWS::EC2::Instance	Is attached to	target", "is there twice"},
		{"wordings.tsv", "References	Mentions", `"References" is worded twice`},
		{"prefixes.tsv", "sg	AWS::A::B", `prefix "sg" is there twice`},
		{"arns.tsv", "a	b	ident", `form "ident" is neither`},
		{"arns.tsv", "a	b	id", "do not go together"},
		{"quiet.tsv", "AWS::*	tags", "does not begin with a slash"},
	} {
		broken := copyTables(t)
		text := string(broken[c.file].Data)
		broken[c.file] = &fstest.MapFile{Data: []byte(text + c.row + "\n")}
		line := strings.Count(text, "\n") + 1
		_, err := loadTables(broken)
		if err == nil {
			t.Errorf("%s with %q loads", c.file, c.row)
			continue
		}
		place := "graph: " + c.file + ":" + strconv.Itoa(line) + ": "
		if text := err.Error(); !strings.HasPrefix(text, place) || !strings.Contains(text, c.want) {
			t.Errorf("%s with %q: %v, want %s… %s", c.file, c.row, err, place, c.want)
		}
	}
	missing := copyTables(t)
	delete(missing, "arns.tsv")
	if _, err := loadTables(missing); err == nil {
		t.Error("tables load without one of them")
	}
}

// TestVersion: any change of a table is another version.
func TestVersion(t *testing.T) {
	same, err := loadTables(copyTables(t))
	if err != nil {
		t.Fatal(err)
	}
	if same.version != TablesVersion() || len(same.version) != 24 {
		t.Errorf("version %q, and %q of the same tables", TablesVersion(), same.version)
	}
	changed := copyTables(t)
	changed["names.tsv"] = &fstest.MapFile{Data: append(changed["names.tsv"].Data, "# a comment\n"...)}
	other, err := loadTables(changed)
	if err != nil {
		t.Fatal(err)
	}
	if other.version == same.version {
		t.Error("other tables have the same version")
	}
}

func TestMatchType(t *testing.T) {
	for _, c := range []struct {
		pattern, typ string
		want         bool
	}{
		{"AWS::EC2::VPC", "AWS::EC2::VPC", true},
		{"AWS::EC2::VPC", "AWS::EC2::VPCEndpoint", false},
		{"AWS::*", "AWS::EC2::VPC", true},
		{"*.googleapis.com/*", "compute.googleapis.com/Instance", true},
		{"*.googleapis.com/*", "googleapis.com/Instance", false},
		{"Kubernetes::gateway.networking.k8s.io::*Route", "Kubernetes::gateway.networking.k8s.io::HTTPRoute", true},
		{"Kubernetes::gateway.networking.k8s.io::*Route", "Kubernetes::gateway.networking.k8s.io::HTTPRouter", false},
		{"*::*::*", "A::B", false},
		{"*", "", true},
	} {
		if got := matchType(c.pattern, c.typ); got != c.want {
			t.Errorf("%s, %s: %v", c.pattern, c.typ, got)
		}
	}
}

// TestDialects: the key alone tells how a document is written.
func TestDialects(t *testing.T) {
	for _, c := range []struct {
		typ, id string
		want    dialect
	}{
		{"AWS::EC2::VPC", "vpc-1", dialectAWS},
		{"AWS::EC2::VPC", "a/b.yaml#Net", dialectTemplate},
		{"Boto3::CodeCommit.put_file", "a.template#Readme", dialectTemplate},
		{"AWS::EC2::VPC", "a#b-c", dialectAWS},
		{"Acme::Shop::Site", "main", dialectOther},
		{"Kubernetes::core::Pod", "a/b#c", dialectKubernetes},
		{"compute.googleapis.com/Instance", "x", dialectGoogle},
		{"aws_instance", "a:aws_instance.b", dialectTerraform},
		{"data.http", "a:data.http.b", dialectTerraform},
		{"module", "module.a", dialectTerraform},
		{"Host", "x", dialectOther},
	} {
		if got := dialectOf(c.typ, c.id); got != c.want {
			t.Errorf("%s %s: %s", c.typ, c.id, got)
		}
	}
}
