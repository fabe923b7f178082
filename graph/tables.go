package graph

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

//go:embed shapes/*.tsv
var embedded embed.FS

// codeVersion changes whenever this package reads more or less out of the same
// document with the same tables, or encodes it otherwise.
const codeVersion = 2

// tables is all that is written as data. Tables that do not parse cannot be
// built into a program that starts; the tests say where they are broken.
var theTables = func() *tables {
	dir, err := fs.Sub(embedded, "shapes")
	if err != nil {
		panic(err)
	}
	t, err := loadTables(dir)
	if err != nil {
		panic(err)
	}
	return t
}()

// TablesVersion tells tables apart: it is a hash of their text and of the
// version of the code that applies them. An index that was made under another
// one has to be made anew.
func TablesVersion() string { return theTables.version }

type tables struct {
	version    string
	shapes     []*shape
	quiet      []*shape
	plans      plans
	quietNames []string          // of supplementary configurations
	names      []string          // patterns of types that are looked up by name
	global     []string          // patterns of types whose names are unique in an account
	byName     map[string]bool   // types which a shape looks up by name
	clusters   map[string]bool   // Kubernetes types without a namespace
	cores      map[string]bool   // kinds of the core group which a shape looks for
	declared   map[pair]declared // by owner's type, verb and target's type
	verbs      []verb
	ids        map[string]string // EC2's prefix of an id -> type
	arns       map[string][]arnShape
	google     map[string]string // collection of a relative resource name -> service
}

// loadTables reads all tables of a directory. Errors name file and line.
func loadTables(dir fs.FS) (*tables, error) {
	t := &tables{byName: map[string]bool{}, clusters: map[string]bool{}, cores: map[string]bool{}}
	for _, load := range []func(fs.FS) error{
		t.loadShapes, t.loadQuiet, t.loadNames, t.loadClusters, t.loadWordings, t.loadDeclared, t.loadIdentifiers,
	} {
		if err := load(dir); err != nil {
			return nil, err
		}
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%d %d\n", codeVersion, detailVersion)
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(dir, name)
		fmt.Fprintf(sum, "%s %d\n%s", name, len(text), text)
		return err
	})
	if err != nil {
		return nil, err
	}
	t.version = hex.EncodeToString(sum.Sum(nil)[:12])
	return t, nil
}

// loadShapes reads the tables of known shapes. A row whose types are %NAME is
// told once for each row of that name in templates.tsv, whose path comes first.
func (t *tables) loadShapes(dir fs.FS) error {
	templates, err := readTable(dir, "templates.tsv", 3, 3)
	if err != nil {
		return err
	}
	for _, file := range []string{"aws.tsv", "kubernetes.tsv", "google.tsv", "code.tsv"} {
		rows, err := readTable(dir, file, 5, 6)
		if err != nil {
			return err
		}
		for i := range rows {
			name, template := strings.CutPrefix(rows[i].cells[0], "%")
			if !template {
				if err := t.addShape(rows[i]); err != nil {
					return err
				}
				continue
			}
			used := false
			for _, tmpl := range templates {
				if tmpl.cells[0] != name {
					continue
				}
				used = true
				told := rows[i]
				told.cells = append([]string{tmpl.cells[1], tmpl.cells[2] + rows[i].cells[1]}, rows[i].cells[2:]...)
				if err := t.addShape(told); err != nil {
					return err
				}
			}
			if !used {
				return rows[i].errorf("there is no template %q", name)
			}
		}
	}
	return nil
}

func (t *tables) addShape(r row) error {
	s, err := parseShape(&r)
	if err != nil {
		return err
	}
	t.shapes = append(t.shapes, s)
	if kind, ok := strings.CutPrefix(s.target, kubePrefix+"core::"); ok {
		t.cores[kind] = true
	}
	if s.form == formName && s.target != "" {
		t.byName[s.target] = true
	}
	return nil
}

// loadQuiet reads where no identifiers are looked for: types and path.
func (t *tables) loadQuiet(dir fs.FS) error {
	rows, err := readTable(dir, "quiet.tsv", 2, 2)
	if err != nil {
		return err
	}
	for i := range rows {
		if name, ok := strings.CutPrefix(rows[i].cells[1], "@"); ok {
			t.quietNames = append(t.quietNames, name)
			continue
		}
		path := strings.Split(strings.TrimPrefix(rows[i].cells[1], "/"), "/")
		if !strings.HasPrefix(rows[i].cells[1], "/") || path[0] == "" {
			return rows[i].errorf("path %q does not begin with a slash", rows[i].cells[1])
		}
		for j := range path {
			path[j] = strings.ReplaceAll(path[j], "~1", "/")
		}
		t.quiet = append(t.quiet, &shape{row: &rows[i], types: strings.Split(rows[i].cells[0], "|"), path: path})
	}
	return nil
}

func (t *tables) quietWithin(name string) bool { return slices.Contains(t.quietNames, name) }

func (t *tables) loadNames(dir fs.FS) error {
	rows, err := readTable(dir, "names.tsv", 1, 1)
	if err != nil {
		return err
	}
	for _, r := range rows {
		t.names = append(t.names, r.cells[0])
	}
	rows, err = readTable(dir, "accountwide.tsv", 1, 1)
	for _, r := range rows {
		t.global = append(t.global, r.cells[0])
	}
	return err
}

func (t *tables) loadClusters(dir fs.FS) error {
	rows, err := readTable(dir, "clusterwide.tsv", 1, 1)
	for _, r := range rows {
		t.clusters[r.cells[0]] = true
	}
	return err
}

// reach tells how far a short name of a type reaches: AWS's are unique in a
// region of an account, some in the whole account.
func (t *tables) reach(typ string) Reach {
	switch {
	case dialectOf(typ, "") != dialectAWS:
		return Anywhere
	case slices.ContainsFunc(t.global, func(pattern string) bool { return matchType(pattern, typ) }):
		return SameAccount
	}
	return SameRegion
}

// named tells whether sources may know resources of a type by name.
func (t *tables) named(typ string, d dialect) bool {
	return slices.ContainsFunc(t.names, func(pattern string) bool {
		mark, ok := strings.CutPrefix(pattern, "@")
		return ok && mark == d.String() || !ok && d == dialectOther && matchType(pattern, typ)
	})
}
