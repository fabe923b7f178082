package config

import (
	"reflect"
	"strings"
)

// suggestion names the key that was probably meant: one of the same section
// spelt much like it, or the one of that name in another section.
func suggestion(section, key string) string {
	if key == "" {
		return "; `varve help config` lists them"
	}
	best, least := "", 1+max(2, len(key)/3)
	for _, known := range keys(reflect.TypeFor[Config](), "") {
		parent, name := "", known
		if i := strings.LastIndexByte(known, '.'); i >= 0 {
			parent, name = known[:i], known[i+1:]
		}
		d := distance(strings.ToLower(key), name)
		if parent != section && d > 0 {
			continue
		}
		if d < least || d == 0 {
			best, least = known, d
		}
	}
	if best == "" {
		return "; `varve help config` lists them"
	}
	return "; did you mean " + best + "?"
}

// keys lists the keys of a section and of those in it, sections included.
func keys(section reflect.Type, path string) []string {
	var all []string
	for field := range section.Fields() {
		key := join(path, field.Tag.Get("yaml"))
		all = append(all, key)
		if isSection(field.Type) {
			all = append(all, keys(field.Type, key)...)
		}
	}
	return all
}

// distance is the number of bytes to insert, drop or replace between two words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
