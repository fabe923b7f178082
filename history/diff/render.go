package diff

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Render writes changes as text for a terminal: a line with the path of what
// encloses them, and below it each change with its marker, + for added, - for
// removed, ~ for changed and reordered. Changes at one place stand together, at
// the place of the first.
//
//	/spec/template/spec/containers/[name=web]
//	  ~ image: "web:1.4" → "web:1.5"
//	  + livenessProbe: {"httpGet":{"path":"/healthz","port":8080}}
//
// Values are JSON; long ones are cut to the part that tells, with their size
// behind. Of strings with several lines the lines that differ are shown. With
// color, markers and values are set in ANSI colors.
//
// Nothing in a document reaches the terminal as a control character: those, and
// characters that are invisible or turn the direction of writing, are written as
// JSON escapes. The only control characters in the text are the line feeds and
// colors written here. Changes of any origin may be given, in any order; the
// error is that of w.
func Render(w io.Writer, changes []Change, color bool) error {
	r := renderer{out: bufio.NewWriter(w)}
	if color {
		r.paint = ansi
	}
	var places []string // in the order of their first change
	inside := map[string][]Change{}
	for _, c := range changes {
		place, _ := splitLast(c.Path)
		if inside[place] == nil {
			places = append(places, place)
		}
		inside[place] = append(inside[place], c)
	}
	for _, place := range places {
		r.line(0, r.paint.place, displayPlace(place))
		for _, c := range inside[place] {
			r.change(c)
		}
	}
	return r.out.Flush()
}

// Summary counts changes in one line without line feed, such as
// "3 changed, 1 added"; "no changes" if there are none. Kinds that do not occur
// are left out.
func Summary(changes []Change) string {
	count := map[Kind]int{}
	for _, c := range changes {
		count[c.Kind]++
	}
	var parts []string
	for _, kind := range []Kind{Changed, Added, Removed, Reordered} {
		if n := count[kind]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, kind))
		}
	}
	if parts == nil {
		return "no changes"
	}
	return strings.Join(parts, ", ")
}

// A palette holds what is written before a text of its kind. The zero palette
// writes nothing, nor does it write reset.
type palette struct {
	place, added, removed, changed, reset string
}

var ansi = palette{
	place:   "\x1b[1m",
	added:   "\x1b[32m",
	removed: "\x1b[31m",
	changed: "\x1b[33m",
	reset:   "\x1b[0m",
}

// How much of a value is shown, in characters.
const (
	widthAlone = 120 // a value on its own
	widthPair  = 60  // each of two values on one line
	widthLine  = 160 // a line of a string
)

// A renderer writes lines. Errors stay in out until it is flushed.
type renderer struct {
	out   *bufio.Writer
	paint palette
}

// line writes pairs of color and text on one line.
func (r *renderer) line(indent int, colored ...string) {
	var b strings.Builder
	b.WriteString(strings.Repeat("  ", indent))
	for i := 0; i < len(colored); i += 2 {
		if color, text := colored[i], colored[i+1]; color == "" {
			b.WriteString(text)
		} else {
			b.WriteString(color + text + r.paint.reset)
		}
	}
	b.WriteByte('\n')
	_, _ = r.out.WriteString(b.String()) // flushing tells the error
}

// change writes one change, below its place.
func (r *renderer) change(c Change) {
	_, last := splitLast(c.Path)
	name := displayToken(last)
	switch c.Kind {
	case Added:
		r.line(1, r.paint.added, "+ ", "", name, r.paint.added, show(string(c.New), widthAlone))
	case Removed:
		r.line(1, r.paint.removed, "- ", "", name, r.paint.removed, show(string(c.Old), widthAlone))
	case Reordered:
		r.line(1, r.paint.changed, "~ ", "", name+"reordered"+elements(c.New))
	default:
		if before, after, ok := bothLines(c); ok {
			r.lines(name, before, after)
			return
		}
		before, after := showPair(string(c.Old), string(c.New), widthPair)
		r.line(1, r.paint.changed, "~ ", "", name, r.paint.removed, before, "", " → ", r.paint.added, after)
	}
}

// splitLast splits the path of a change into what encloses it and the last token.
// The path of the document itself has no last token and encloses itself.
func splitLast(path string) (in, last string) {
	slash := strings.LastIndexByte(path, '/')
	if slash < 0 {
		return path, ""
	}
	return path[:slash], path[slash:]
}

// displayPlace is a path as a heading; the whole document is a slash.
func displayPlace(path string) string {
	if path == "" {
		return "/"
	}
	return escape(path)
}

// displayToken is a last token, with its slash in front, as it stands before a
// value: alone it can do without the escapes of a pointer. Scalar elements have no
// name but their value.
func displayToken(token string) string {
	switch token {
	case "", "/[]":
		return ""
	case "/":
		return `"": `
	}
	return escape(unescapeToken.Replace(token[1:])) + ": "
}

// elements tells how many elements an array has.
func elements(array []byte) string {
	v, err := parse(array)
	if err != nil || !v.isArray() {
		return ""
	}
	return fmt.Sprintf(" (%d elements)", len(v.elements()))
}
