package repotest_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/varvehq/varve"

// top is the top of the checkout, seen from this package.
var top = filepath.Join("..", "..", "..")

// files lists the files of the repository by their slash-separated paths from
// the top: what git tracks and what it would offer to track. Without git
// (a source archive) it is everything that lies there.
func files(t *testing.T) []string {
	t.Helper()
	list := exec.Command("git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = top
	if out, err := list.Output(); err == nil {
		names := strings.Split(strings.TrimRight(string(out), "\x00"), "\x00")
		return slices.DeleteFunc(names, func(name string) bool {
			_, err := os.Lstat(filepath.Join(top, name))
			return err != nil // removed, but not yet from the index
		})
	}

	var names []string
	err := fs.WalkDir(os.DirFS(top), ".", func(name string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && d.Name() == ".git" {
			return fs.SkipDir
		}
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// packages groups the Go files that the go command would build by their folder.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	dirs := make(map[string][]string)
	for _, name := range files(t) {
		ignored := slices.ContainsFunc(strings.Split(name, "/"), func(part string) bool {
			return part == "testdata" || strings.HasPrefix(part, ".") || strings.HasPrefix(part, "_")
		})
		if strings.HasSuffix(name, ".go") && !ignored {
			dir := path.Dir(name)
			dirs[dir] = append(dirs[dir], name)
		}
	}
	return dirs
}

// read returns the contents of a file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(top, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTopLevel(t *testing.T) {
	want := []string{
		"LICENSE", "README.md", "api", "cmd", "go.mod", "go.sum", "graph", "history", "proto", "recorder", "rules",
	}
	have := make(map[string]bool)
	for _, name := range files(t) {
		first, _, _ := strings.Cut(name, "/")
		have[first] = true
	}
	for _, name := range want {
		if !have[name] {
			t.Errorf("%s is missing", name)
		}
	}
	for name := range have {
		if !strings.HasPrefix(name, ".") && !slices.Contains(want, name) {
			t.Errorf("%s does not belong at the top level", name)
		}
	}
}

// TestRegistries keeps the addresses of package registries out of the tree:
// which mirror answers is the business of the machine that builds. Module
// files are left out, because a module may be named after its registry.
func TestRegistries(t *testing.T) {
	var hosts []string
	for _, host := range [][]string{
		{"proxy", "golang", "org"},
		{"sum", "golang", "org"},
		{"goproxy", "io"},
		{"registry", "npmjs", "org"},
		{"registry", "yarnpkg", "com"},
		{"deb", "debian", "org"},
		{"pypi", "org"},
		{"buf", "build"},
	} {
		hosts = append(hosts, strings.Join(host, "."))
	}
	for _, name := range files(t) {
		if base := path.Base(name); base == "go.mod" || base == "go.sum" {
			continue
		}
		body, err := os.ReadFile(filepath.Join(top, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		for _, host := range hosts {
			if strings.Contains(string(body), host) {
				t.Errorf("%s names the registry %s", name, host)
			}
		}
	}
}
