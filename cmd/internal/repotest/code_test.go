package repotest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// parse reads a Go file as far as mode asks.
func parse(t *testing.T, name string, mode parser.Mode) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(top, filepath.FromSlash(name)), nil, mode|parser.SkipObjectResolution)
	if err != nil {
		t.Error(err)
	}
	return file
}

// TestPackageComments: a package says once what it is for. Generated files do
// not count where the package has others, and may repeat themselves where it
// has not.
func TestPackageComments(t *testing.T) {
	for dir, names := range packages(t) {
		var (
			written, generated int
			introduced         bool // by a generated file
			comments           []string
		)
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file := parse(t, name, parser.PackageClauseOnly|parser.ParseComments)
			switch {
			case file == nil:
				continue
			case ast.IsGenerated(file):
				generated++
				introduced = introduced || file.Doc != nil
				continue
			}
			written++
			if file.Doc != nil {
				comments = append(comments, name)
			}
		}
		switch {
		case written > 0 && len(comments) != 1:
			t.Errorf("%s: %d package comments, want 1: %q", dir, len(comments), comments)
		case written == 0 && generated > 0 && !introduced:
			t.Errorf("%s: no package comment", dir)
		}
	}
}

// directions is the order of the layers: packages at or below one of the
// folders in from import nothing at or below those in not. Tests of a package
// may: a store suite drives every backend.
var directions = []struct {
	from, not []string
	why       string
}{
	{[]string{"history"}, []string{"recorder", "rules", "graph"}, "history is the lowest layer"},
	{[]string{"rules"}, []string{"recorder", "graph"}, "rules follow the history and declare the interface which the graph fits"},
	{[]string{"graph"}, []string{"recorder", "rules"}, "the graph is read out of the history"},
	{[]string{"history", "recorder", "rules", "graph"}, []string{"api", "proto"}, "domain packages know no protocol"},
	{[]string{"recorder", "rules", "graph", "api"}, []string{"history/bolt", "history/memory", "history/postgres"}, "the daemon chooses the backend"},
	{[]string{"history", "recorder", "rules", "graph", "api", "proto"}, []string{"cmd"}, "nothing imports the program"},
	{[]string{"proto"}, []string{"api", "history", "recorder", "rules", "graph"}, "the protocol knows nobody"},
}

func TestImportDirections(t *testing.T) {
	for dir, names := range packages(t) {
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file := parse(t, name, parser.ImportsOnly)
			if file == nil {
				continue
			}
			for _, spec := range file.Imports {
				imported, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				checkImport(t, dir, name, imported)
			}
		}
	}
}

func checkImport(t *testing.T, dir, name, imported string) {
	t.Helper()
	first, _, _ := strings.Cut(imported, "/")
	if dir == "history" && strings.Contains(first, ".") {
		t.Errorf("%s imports %s: the vocabulary imports the standard library only", name, imported)
	}
	for _, rule := range directions {
		if !under(dir, rule.from) {
			continue
		}
		if below, ok := strings.CutPrefix(imported, module+"/"); ok && under(below, rule.not) {
			t.Errorf("%s imports %s: %s", name, imported, rule.why)
		}
	}
}

// under tells whether dir is one of the folders or lies below one.
func under(dir string, folders []string) bool {
	for _, folder := range folders {
		if dir == folder || strings.HasPrefix(dir, folder+"/") {
			return true
		}
	}
	return false
}

// TestSkips holds tests to the rule in the package comment: whoever skips has
// asked for CI first. Skips that -short asks for are free, for go test ./...
// does not ask; so are inputs which a fuzz target turns down.
func TestSkips(t *testing.T) {
	for _, names := range packages(t) {
		for _, name := range names {
			if !strings.HasSuffix(name, ".go") {
				continue
			}
			if file := parse(t, name, 0); file != nil {
				checkSkips(t, name, file)
			}
		}
	}
}

func checkSkips(t *testing.T, name string, file *ast.File) {
	var stack []ast.Node
	ast.Inspect(file, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		stack = append(stack, n)

		if !isCall(n, "Skip") && !isCall(n, "Skipf") && !isCall(n, "SkipNow") {
			return true
		}
		method := n.(*ast.CallExpr).Fun.(*ast.SelectorExpr)
		on, ok := method.X.(*ast.Ident)
		if !ok {
			return true
		}
		if body := skipper(stack, on.Name); body != nil && !mentions(body, "CI") && !calls(body, "Short") {
			t.Errorf("%s: %s.%s where CI is not asked for; see the comment of package repotest", name, on.Name, method.Sel.Name)
		}
		return true
	})
}

// skipper returns the body of the function whose parameter of type testing.T,
// B, F or TB is called name, or nil if the innermost such parameter is of
// another type or belongs to the function of a fuzz target.
func skipper(stack []ast.Node, name string) *ast.BlockStmt {
	for i := len(stack) - 1; i >= 0; i-- {
		var fn *ast.FuncType
		var body *ast.BlockStmt
		switch n := stack[i].(type) {
		case *ast.FuncLit:
			fn, body = n.Type, n.Body
		case *ast.FuncDecl:
			fn, body = n.Type, n.Body
		default:
			continue
		}
		kind, ok := paramType(fn, name)
		if !ok {
			continue
		}
		if i > 0 && isCall(stack[i-1], "Fuzz") {
			return nil
		}
		if pkg, ok := kind.X.(*ast.Ident); !ok || pkg.Name != "testing" {
			return nil
		}
		return body
	}
	return nil
}

// paramType finds the qualified type of the parameter called name.
func paramType(fn *ast.FuncType, name string) (*ast.SelectorExpr, bool) {
	for _, field := range fn.Params.List {
		for _, param := range field.Names {
			if param.Name != name {
				continue
			}
			kind := field.Type
			if pointer, ok := kind.(*ast.StarExpr); ok {
				kind = pointer.X
			}
			selector, ok := kind.(*ast.SelectorExpr)
			return selector, ok
		}
	}
	return nil, false
}

// mentions tells whether the string literal text occurs in n.
func mentions(n ast.Node, text string) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		found = found || ok && lit.Value == strconv.Quote(text)
		return !found
	})
	return found
}

// calls tells whether a function or method of that name is called in n.
func calls(n ast.Node, name string) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		found = found || isCall(n, name)
		return !found
	})
	return found
}

// isCall tells whether n is itself a call x.name(…).
func isCall(n ast.Node, name string) bool {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return false
	}
	selector, ok := call.Fun.(*ast.SelectorExpr)
	return ok && selector.Sel.Name == name
}
