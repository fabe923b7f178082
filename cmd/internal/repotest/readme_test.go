package repotest_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestReadme: README promises two commands to whoever has cloned the
// repository, and no third one of the go tool.
func TestReadme(t *testing.T) {
	want := []string{"go run ./cmd/varve demo", "go test ./..."}
	have := goCommands(read(t, "README.md"))
	if !slices.Equal(have, want) {
		t.Errorf("README names the commands %q, want %q", have, want)
	}
}

var (
	codeSpan  = regexp.MustCompile("`(go [a-z][^`]*)`")
	shellLine = regexp.MustCompile(`^\s*(?:\$ )?(go [a-z][^#]*)`)
)

// goCommands lists the go commands in the code of a Markdown text, in code
// spans and at the beginning of lines in fenced blocks, each once and sorted.
func goCommands(text string) []string {
	commands := make(map[string]bool)
	fenced := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
			continue
		}
		pattern := codeSpan
		if fenced {
			pattern = shellLine
		}
		for _, match := range pattern.FindAllStringSubmatch(line, -1) {
			commands[strings.TrimSpace(match[1])] = true
		}
	}
	return slices.Sorted(maps.Keys(commands))
}
