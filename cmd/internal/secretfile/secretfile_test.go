package secretfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/cmd/internal/secretfile"
)

func TestRead(t *testing.T) {
	write := func(text string, mode os.FileMode) string {
		name := filepath.Join(t.TempDir(), "secrets")
		if err := os.WriteFile(name, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return name
	}
	got, err := secretfile.Read(write("# ours\r\n\r\n a b\t\n\n#\nlast", 0o600), "words")
	if want := []secretfile.Line{{Number: 3, Text: "a b"}, {Number: 6, Text: "last"}}; err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v %v", got, err)
	}
	if got, err := secretfile.Read(write("", 0o400), "words"); err != nil || len(got) != 0 {
		t.Errorf("%v %v", got, err)
	}
	for want, file := range map[string]string{
		"cannot be read: no such file":          filepath.Join(t.TempDir(), "none"),
		"is a folder; give a file of words":     t.TempDir(),
		"have access to the words; run chmod":   write("secret", 0o640),
		"is larger than 1 MiB; give a file of ": write(strings.Repeat("secret\n", 1<<18), 0o600),
	} {
		_, err := secretfile.Read(file, "words")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), file+" ") || strings.Contains(err.Error(), "secret\n") {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}
