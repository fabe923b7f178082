package accesskey_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/api/awsconfig/sigv4"
	"github.com/varvehq/varve/cmd/internal/accesskey"
)

const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCY"

func write(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestFind(t *testing.T) {
	f, err := accesskey.Open(write(t, "# id secret account\n\nAKIAOPS "+secret+"\t123456789012\r\n  ci.audit-1   "+secret+"2 000000000012 eu-west-1,global\n", 0o600))
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]sigv4.Key{
		"AKIAOPS":    {ID: "AKIAOPS", Secret: secret, Account: "123456789012"},
		"ci.audit-1": {ID: "ci.audit-1", Secret: secret + "2", Account: "000000000012", Regions: []string{"eu-west-1", "global"}},
	} {
		if got, ok := f.Find(id); !ok || !cmp.Equal(got, want) {
			t.Errorf("%s: %+v", id, got)
		}
	}
	for _, id := range []string{"", "#", "akiaops", "AKIAOP", secret} {
		if got, ok := f.Find(id); ok {
			t.Errorf("%s: %+v", id, got)
		}
	}
}

func TestReload(t *testing.T) {
	name := write(t, "AKIAOLD "+secret+" 123456789012", 0o600)
	f, err := accesskey.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	knows := func(id string) bool {
		_, ok := f.Find(id)
		return ok
	}
	if err := os.WriteFile(name, []byte("AKIANEW"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Reload(); err == nil || !knows("AKIAOLD") {
		t.Errorf("a file that cannot be used took the keys away: %v", err)
	}
	if err := os.WriteFile(name, []byte("AKIANEW "+secret+" 123456789012"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Reload(); err != nil || knows("AKIAOLD") || !knows("AKIANEW") {
		t.Errorf("the new key is not the one: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"OthersRead":    {"AKIAOPS " + secret + " 123456789012", 0o604, "others than its owner have access to the access keys; run chmod 600"},
		"Empty":         {"# none yet\n", 0o600, "holds no access key; write one a line: ID SECRET ACCOUNT"},
		"NoAccount":     {"\nAKIAOPS " + secret, 0o600, "line 2: 2 words; a key is ID SECRET ACCOUNT [REGION,…]"},
		"RegionsApart":  {"AKIAOPS " + secret + " 123456789012 eu-west-1, eu-west-2", 0o600, "line 1: 5 words"},
		"SecretFirst":   {secret + " AKIAOPS 123456789012", 0o600, "line 1: the first word is no id of a key"},
		"ShortID":       {"ops " + secret + " 123456789012", 0o600, "has 4 to 128 letters"},
		"ShortSecret":   {"AKIAOPS hunter2hunter22 123456789012", 0o600, "line 1: a secret of 15 bytes is too easy to guess; take at least 16"},
		"ForeignSecret": {"AKIAOPS ключ-ключ-ключ-ключ 123456789012", 0o600, "letters, digits and signs of ASCII"},
		"AccountShort":  {"AKIAOPS " + secret + " 12345678901", 0o600, "line 1: the third word is no account: that has 12 digits"},
		"AccountByName": {"AKIAOPS " + secret + " production12", 0o600, "no account"},
		"NoRegion":      {"AKIAOPS " + secret + " 123456789012 eu-west-1,", 0o600, `line 1: "" is no region`},
		"OddRegion":     {"AKIAOPS " + secret + " 123456789012 EU", 0o600, `line 1: "EU" is no region`},
		"Twice":         {"AKIAOPS " + secret + " 123456789012\nAKIAOPS " + secret + "2 123456789012", 0o600, "line 2: the id AKIAOPS stands on line 1 already"},
	} {
		file := write(t, tt.text, tt.mode)
		_, err := accesskey.Open(file)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), file) || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
