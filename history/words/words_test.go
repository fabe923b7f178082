package words_test

import (
	"testing"

	"github.com/varvehq/varve/history/words"
)

func TestRemedy(t *testing.T) {
	many := []string{"n", "m", "l", "k", "j", "i", "h", "g", "f", "e", "d", "c", "b"}
	for name, c := range map[string]struct {
		word  string
		known []string
		want  string
	}{
		"Near":   {"resourceType", []string{"resourceTypes", "scope"}, "; did you mean resourceTypes?"},
		"Case":   {"MAXAGE", []string{"maxAge"}, "; did you mean maxAge?"},
		"Far":    {"colour", []string{"shape", "size"}, "; there are shape, size"},
		"None":   {"colour", nil, "; there are none"},
		"Many":   {"colour", many, "; there are b, c, d, e, f, g, h, i, j, k, l, m and others"},
		"Nearer": {"port", []string{"ports", "portal"}, "; did you mean ports?"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := words.Remedy(c.word, c.known); got != c.want {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestComment(t *testing.T) {
	const file = "// Package rule reads\n// rules:\n//\n// # Words\n//\n//\tname: x\npackage rule\n"
	if got := words.Comment(file); got != "Reads\nrules:\n\nWORDS\n\n  name: x" {
		t.Errorf("got %q", got)
	}
}
