package words

import "strings"

// Comment is the package comment of a file that holds nothing else, as plain text
// without "Package name" at its beginning.
func Comment(file string) string {
	comment, _, _ := strings.Cut(file, "\npackage ")
	lines := strings.Split(comment, "\n")
	for i, line := range lines {
		line = strings.TrimPrefix(strings.TrimPrefix(line, "//"), " ")
		if title, ok := strings.CutPrefix(line, "# "); ok {
			line = strings.ToUpper(title)
		}
		lines[i] = strings.Replace(line, "\t", "  ", 1)
	}
	text := strings.TrimPrefix(strings.Join(lines, "\n"), "Package ")
	_, text, _ = strings.Cut(text, " ")
	return strings.ToUpper(text[:1]) + text[1:]
}
