package config

import (
	"reflect"
	"strings"

	"github.com/varvehq/varve/history/words"
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
		d := words.Distance(strings.ToLower(key), name)
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
