package diff

import (
	"fmt"
	"strings"
)

// How much of a string with several lines is shown.
const (
	contextLines = 1  // before and after the lines that differ
	maxLines     = 12 // of those removed, and of those added
)

// bothLines tells whether a change is between two strings of which one has
// several lines, and returns what they hold.
func bothLines(c Change) (before, after []string, ok bool) {
	a, okA := stringOf(c.Old)
	b, okB := stringOf(c.New)
	if !okA || !okB || !strings.Contains(a, "\n") && !strings.Contains(b, "\n") {
		return nil, nil, false
	}
	if strings.HasSuffix(a, "\n") && strings.HasSuffix(b, "\n") {
		a, b = a[:len(a)-1], b[:len(b)-1] // a line feed ends the last line and begins no other
	}
	return strings.Split(a, "\n"), strings.Split(b, "\n"), true
}

func stringOf(raw []byte) (string, bool) {
	v, err := parse(raw)
	if err != nil || v.kind() != '"' {
		return "", false
	}
	return v.unquote(), true
}

// lines shows what differs between two strings line by line: the lines that they
// have in common at the beginning and at the end are left out, but for a few.
//
//	~ script: 4 lines → 5 lines
//	    @@ line 2 @@
//	      set -e
//	    - make
//	    + make all
//	    + make test
//	      exit 0
func (r *renderer) lines(name string, before, after []string) {
	size := countLines(before)
	if len(before) != len(after) {
		size += " → " + countLines(after)
	}
	r.line(1, r.paint.changed, "~ ", "", name+size)

	start, endA, endB := 0, len(before), len(after)
	for start < min(endA, endB) && before[start] == after[start] {
		start++
	}
	for start < min(endA, endB) && before[endA-1] == after[endB-1] {
		endA, endB = endA-1, endB-1
	}

	top := max(start-contextLines, 0)
	r.line(3, r.paint.place, fmt.Sprintf("@@ line %d @@", top+1))
	for _, line := range before[top:start] {
		r.line(3, "", "  "+show(line, widthLine))
	}
	if endA-start == 1 && endB-start == 1 {
		old, now := showPair(before[start], after[start], widthLine)
		r.line(3, r.paint.removed, "- "+old)
		r.line(3, r.paint.added, "+ "+now)
	} else {
		r.some(r.paint.removed, "- ", before[start:endA])
		r.some(r.paint.added, "+ ", after[start:endB])
	}
	for _, line := range before[endA:min(endA+contextLines, len(before))] {
		r.line(3, "", "  "+show(line, widthLine))
	}
}

// some writes lines with a marker, the first of them if they are many.
func (r *renderer) some(color, marker string, lines []string) {
	shown := lines
	if len(lines) > maxLines+1 {
		shown = lines[:maxLines]
	}
	for _, line := range shown {
		r.line(3, color, marker+show(line, widthLine))
	}
	if more := len(lines) - len(shown); more > 0 {
		r.line(3, color, fmt.Sprintf("%s… %d more lines", marker, more))
	}
}

func countLines(lines []string) string {
	if len(lines) == 1 {
		return "1 line"
	}
	return fmt.Sprintf("%d lines", len(lines))
}
