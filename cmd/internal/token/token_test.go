package token_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/varvehq/varve/cmd/internal/token"
)

const (
	first  = "0123456789abcdef"
	second = "fedcba9876543210-second"
)

func write(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestKnow(t *testing.T) {
	f, err := token.Open(write(t, "# of the shop\n\n"+first+"\r\n  "+second+"\n", 0o600))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		header []string
		who    string
		err    error
	}{
		"OK":         {[]string{"Bearer " + first}, "token on line 3", nil},
		"Second":     {[]string{"bearer " + second}, "token on line 4", nil},
		"None":       {nil, "", token.ErrNone},
		"Empty":      {[]string{""}, "", token.ErrForm},
		"Basic":      {[]string{"Basic " + first}, "", token.ErrForm},
		"Bare":       {[]string{first}, "", token.ErrForm},
		"Two":        {[]string{"Bearer " + first, "Bearer " + first}, "", token.ErrForm},
		"TooLong":    {[]string{"Bearer " + strings.Repeat("a", token.MaxBytes+1)}, "", token.ErrForm},
		"Unknown":    {[]string{"Bearer 0123456789abcdeg"}, "", token.ErrUnknown},
		"Prefix":     {[]string{"Bearer " + first[:15]}, "", token.ErrUnknown},
		"Longer":     {[]string{"Bearer " + first + "0"}, "", token.ErrUnknown},
		"NoToken":    {[]string{"Bearer "}, "", token.ErrUnknown},
		"Comment":    {[]string{"Bearer # of the shop"}, "", token.ErrUnknown},
		"BlankAfter": {[]string{"Bearer " + first + " "}, "", token.ErrUnknown},
	} {
		who, err := f.Know(tt.header)
		if who != tt.who || !errors.Is(err, tt.err) {
			t.Errorf("%s: %q, %v", name, who, err)
		}
	}
}

func TestReload(t *testing.T) {
	name := write(t, first, 0o600)
	f, err := token.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	knows := func(text string) bool {
		_, err := f.Know([]string{"Bearer " + text})
		return err == nil
	}
	if err := os.WriteFile(name, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Reload(); err == nil || !knows(first) {
		t.Errorf("a file that cannot be used took the tokens away: %v", err)
	}
	if err := os.WriteFile(name, []byte(second), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Reload(); err != nil || knows(first) || !knows(second) {
		t.Errorf("the new token is not the one: %v", err)
	}
}

// TestCredential: the modes of systemd's credentials are no sign of others.
func TestCredential(t *testing.T) {
	name := write(t, first, 0o440)
	t.Setenv("CREDENTIALS_DIRECTORY", filepath.Dir(name)+"/")
	if _, err := token.Open(name); err != nil {
		t.Error(err)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", filepath.Dir(filepath.Dir(name)))
	if _, err := token.Open(name); err == nil {
		t.Error("a file elsewhere was taken for a credential")
	}
}

func TestRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		file, want string
	}{
		"NoFile":      {filepath.Join(t.TempDir(), "none"), "cannot be read: no such file"},
		"Folder":      {t.TempDir(), "is a folder"},
		"GroupReads":  {write(t, first, 0o640), "has mode 0640: others than its owner have access to the tokens; run chmod 600 "},
		"OthersRead":  {write(t, first, 0o604), "run chmod 600"},
		"Short":       {write(t, "#\n"+first[:15], 0o600), "line 2: a token of 15 bytes is too easy to guess; take at least 16"},
		"Long":        {write(t, strings.Repeat("a", 5000), 0o600), "line 1: a token of 5000 bytes is too long"},
		"TwoWords":    {write(t, first+" "+first, 0o600), "line 1: a token is one word"},
		"OtherScript": {write(t, "ключ-ключ-ключ-ключ", 0o600), "line 1: a token is one word"},
		"Empty":       {write(t, "# none yet\n\n", 0o600), "holds no token; write one a line"},
	} {
		_, err := token.Open(tt.file)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), tt.file) || strings.Contains(err.Error(), first[:15]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
