package managed_test

import (
	"context"
	"encoding/csv"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/managed"
	"github.com/varvehq/varve/rules/rulestest"
)

// Every rule has cases: one that complies, one that does not, and one that the rule
// is not about or that lacks what the rule asks for.
func TestCases(t *testing.T) {
	for _, d := range managed.All() {
		t.Run(d.Rule.Name, func(t *testing.T) {
			cases, err := rulestest.Read(strings.TrimSuffix(d.File, ".yaml") + ".cases.yaml")
			if err != nil {
				t.Fatal(err)
			}
			rule := d.Rule
			rule.Identifier = d.Identifier
			results, err := rulestest.Run(context.Background(), managed.Compile, &rule, cases)
			if err != nil {
				t.Fatal(err)
			}
			seen := make(map[rules.Compliance]int)
			for _, r := range results {
				if seen[r.Got.Compliance]++; r.Failed != "" {
					t.Errorf("%s: %s: %s", r.Case.At, r.Case.Name, r.Failed)
				}
			}
			if seen[rules.Compliant] == 0 || seen[rules.NonCompliant] == 0 {
				t.Error("a case that complies and one that does not are needed")
			}
			if seen[rules.NotApplicable]+seen[rules.Error]+seen[rules.InsufficientData] == 0 {
				t.Error("a case that the rule is not about, or that lacks something, is needed")
			}
		})
	}
}

// Whatever lies among the rules is one, or the cases of one.
func TestNoCasesWithoutRule(t *testing.T) {
	known := make(map[string]bool)
	for _, d := range managed.All() {
		known[d.File] = true
	}
	err := filepath.WalkDir(".", func(name string, f fs.DirEntry, err error) error {
		if rule, ok := strings.CutSuffix(filepath.ToSlash(name), ".cases.yaml"); ok && !known[rule+".yaml"] {
			t.Errorf("%s has no rule", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// list is AWS Config's list of managed rules: tab-separated, with a comment and a
// head; parameters are "name:type:default;required|optional", joined by " | ".
const list = "testdata/aws-rules.tsv"

func TestAgainstAWSConfigsList(t *testing.T) {
	rows := readList(t)
	covered, all := 0, 0
	for _, row := range rows {
		packs, err := strconv.Atoi(row["packs"])
		if err != nil {
			t.Fatal(err)
		}
		all += packs
		d := managed.Find(row["identifier"])
		if d == nil {
			continue
		}
		covered += packs
		if d.Rule.Name != row["name"] {
			t.Errorf("%s is named %s, want %s", d.Identifier, d.Rule.Name, row["name"])
		}
		if d.Rule.Trigger.String() != row["trigger"] {
			t.Errorf("%s: trigger %s, want %s", d.Rule.Name, d.Rule.Trigger, row["trigger"])
		}
		types := strings.Split(row["resource_types"], ",")
		slices.Sort(types)
		if !slices.Equal(d.Rule.Scope.Types, types) {
			t.Errorf("%s: types %q, want %q", d.Rule.Name, d.Rule.Scope.Types, types)
		}
		checkParameters(t, d, row["parameters"])
	}
	for _, d := range managed.All() {
		if !slices.ContainsFunc(rows, func(row map[string]string) bool { return row["identifier"] == d.Identifier }) {
			t.Errorf("%s is not in the list", d.Identifier)
		}
	}
	t.Logf("%d rules cover %d of %d references in sample packs: %.1f %%", len(managed.All()), covered, all, 100*float64(covered)/float64(all))
}

func checkParameters(t *testing.T, d *managed.Definition, want string) {
	var wanted []string
	if want != "" {
		wanted = strings.Split(want, " | ")
	}
	slices.Sort(wanted)
	var have []string
	for _, p := range d.Rule.Parameters {
		text, need := "", "optional"
		if p.Default != nil {
			text = *p.Default
		}
		if p.Required {
			need = "required"
		}
		have = append(have, p.Name+":"+string(p.Type)+":"+text+";"+need)
	}
	slices.Sort(have)
	if !slices.Equal(have, wanted) {
		t.Errorf("%s: parameters\nhave %q\nwant %q", d.Rule.Name, have, wanted)
	}
}

func readList(t *testing.T) []map[string]string {
	f, err := os.Open(list)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.Comment, r.LazyQuotes = '\t', '#', true
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := make(map[string]string)
		for i, column := range lines[0] {
			row[column] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func TestRuleThatIsPut(t *testing.T) {
	d := managed.Find("RDS_INSTANCE_PUBLIC_ACCESS_CHECK")
	if d == nil {
		t.Fatal("not there")
	}
	r, err := d.New("mine", nil)
	if err != nil {
		t.Fatal(err)
	}
	put, err := r.Observation(rules.Owner{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	language := managed.Language{}
	recorded, from, err := language.Read(&history.Item{Key: put.Key, State: put.State, CapturedAt: 5})
	if err != nil || from != 5 {
		t.Fatal(from, err)
	}
	judge, err := language.Compile(&recorded)
	if err != nil {
		t.Fatal(err)
	}
	item := func(typ string) *rules.Subject {
		return &rules.Subject{Item: &rules.Decoded{Item: history.Item{
			Key: history.Key{Type: typ, ID: "db"}, State: history.State{Configuration: []byte(`{"publiclyAccessible":true}`)},
		}}}
	}
	if v, err := judge.Judge(context.Background(), item("AWS::RDS::DBInstance")); err != nil || v.Compliance != rules.NonCompliant {
		t.Error(v, err)
	}
	if v, err := judge.Judge(context.Background(), item("AWS::RDS::DBCluster")); err != nil || v.Compliance != rules.NotApplicable {
		t.Error(v, err)
	}
	if _, err := d.New("mine", map[string]string{"port": "1"}); !errors.Is(err, history.Invalid) {
		t.Error(err)
	}
	if _, err := d.New("not a name", nil); !errors.Is(err, history.Invalid) {
		t.Error(err)
	}
}

func TestUnknownIdentifier(t *testing.T) {
	_, err := managed.Compile(&rules.Rule{Name: "x", Identifier: "RDS_INSTANCE_PUBLIC_ACCES_CHECK"})
	if !errors.Is(err, history.Invalid) || !strings.Contains(err.Error(), "did you mean RDS_INSTANCE_PUBLIC_ACCESS_CHECK?") {
		t.Error(err)
	}
}
