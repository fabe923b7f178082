package expr

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"golang.org/x/text/width"

	"github.com/varvehq/varve/history"
)

// problemAt is something wrong at a place: lines from 1, columns from 0.
type problemAt struct {
	line, column int
	text         string
}

func (e *Env) fits(field, text string) error {
	switch {
	case len(text) > e.limits.Text:
		return &history.Error{Kind: history.TooLarge, Field: field,
			Text: fmt.Sprintf("has %d bytes; at most %d", len(text), e.limits.Text)}
	case strings.TrimSpace(text) == "":
		return &history.Error{Kind: history.Invalid, Field: field, Text: "holds no expression"}
	}
	return nil
}

// shown is how many problems one error tells.
const shown = 3

func (e *Env) refusal(field, text string, issues *cel.Issues) error {
	var problems []problemAt
	for _, issue := range issues.Errors() {
		p := problemAt{issue.Location.Line(), issue.Location.Column(), e.plain(issue.Message)}
		if len(problems) == 0 || problems[len(problems)-1] != p {
			problems = append(problems, p)
		}
	}
	return refusal(field, text, problems[:min(shown, len(problems))])
}

// refusal tells problems, each with the line it is in and a caret under its place.
func refusal(field, text string, problems []problemAt) *history.Error {
	var b strings.Builder
	b.WriteString("does not hold a condition that can be evaluated")
	for _, p := range problems {
		p.line, p.column = max(p.line, 1), max(p.column, 0)
		fmt.Fprintf(&b, "\nline %d, column %d: %s\n%s", p.line, p.column+1, p.text, pointer(text, p.line, p.column))
	}
	return &history.Error{Kind: history.Invalid, Field: field, Text: b.String(), Meta: map[string]string{
		"line": strconv.Itoa(max(problems[0].line, 1)), "column": strconv.Itoa(max(problems[0].column, 0) + 1),
	}}
}

// around is how many characters of a line are shown on either side of a place.
const around = 36

// pointer is a line, or what stands around a place in it, and below it a caret
// under the place.
func pointer(text string, line, column int) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	row := []rune(lines[min(line, len(lines))-1])
	column = min(column, len(row))
	from, to := max(0, column-around), min(len(row), column+around)

	var shown, below strings.Builder
	if from > 0 {
		shown.WriteString("…")
		below.WriteString(" ")
	}
	for i, r := range row[from:to] {
		if unicode.IsControl(r) || !unicode.IsPrint(r) {
			r = ' '
		}
		shown.WriteRune(r)
		if from+i < column {
			below.WriteString(strings.Repeat(" ", columns(r)))
		}
	}
	if to < len(row) {
		shown.WriteString("…")
	}
	return "  " + shown.String() + "\n  " + below.String() + "^"
}

// columns is how wide a terminal draws a character.
func columns(r rune) int {
	switch {
	case unicode.Is(unicode.Mn, r):
		return 0
	case width.LookupRune(r).Kind() == width.EastAsianWide || width.LookupRune(r).Kind() == width.EastAsianFullwidth:
		return 2
	}
	return 1
}

var (
	undeclared = regexp.MustCompile(`^undeclared reference to '(.*?)'( \(in container '.*'\))?( \(did you mean '(.*)'\?\))?$`)
	mismatch   = regexp.MustCompile(`^found no matching overload for '(.*)' applied to '(.*)'$`)
	unexpected = regexp.MustCompile(`^Syntax error: (?:mismatched|extraneous) input '(.*)' expecting .*$`)
)

// plain says what cel-go says in the words of the expression.
func (e *Env) plain(message string) string {
	if m := undeclared.FindStringSubmatch(message); m != nil {
		if m[4] != "" {
			return fmt.Sprintf("there is no %s; did you mean %s?", m[1], m[4])
		}
		return fmt.Sprintf("there is no %s; there are %s", m[1], strings.Join(e.names(), ", "))
	}
	if m := mismatch.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("%s does not take %s", strings.Trim(m[1], "_@"), strings.Replace(m[2], ".(", " with (", 1))
	}
	if m := unexpected.FindStringSubmatch(message); m != nil {
		if m[1] == "<EOF>" {
			return "the condition breaks off"
		}
		return fmt.Sprintf("%s is out of place", m[1])
	}
	message, _ = strings.CutPrefix(message, "Syntax error: ")
	if len(message) > 160 {
		message = strings.ToValidUTF8(message[:160], "") + "…"
	}
	return message
}

// names are the variables that there are, sorted.
func (e *Env) names() []string {
	var names []string
	for _, v := range e.cel.Variables() {
		if v.Type().Kind() != types.TypeKind && !strings.HasPrefix(v.Name(), "@") {
			names = append(names, v.Name())
		}
	}
	slices.Sort(names)
	return names
}
