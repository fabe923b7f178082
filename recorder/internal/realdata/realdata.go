// Package realdata finds the recorded data sets that tests read, in a folder
// beside the repository. They are not part of it.
package realdata

import (
	"os"
	"path/filepath"
	"testing"
)

// Path returns the path of a file or folder of shared/data, which lies beside
// the folder that has go.mod. It skips the test if there is none, in CI too: a
// clone has no such neighbour. It also skips what is asked to be short.
func Path(t testing.TB, elem ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("reads megabytes of real data")
	}
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			break
		}
		up := filepath.Dir(folder)
		if up == folder {
			t.Fatal("no go.mod above the test's folder")
		}
		folder = up
	}
	path := filepath.Join(append([]string{filepath.Dir(folder), "shared", "data"}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("SKIP: ../shared/data is not there: %v", err)
	}
	return path
}

// Glob returns the files of shared/data that match a pattern, of which there
// must be some if there is a folder.
func Glob(t testing.TB, pattern string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(Path(t), pattern))
	if err != nil || len(list) == 0 {
		t.Fatalf("nothing in ../shared/data matches %s: %v", pattern, err)
	}
	return list
}
