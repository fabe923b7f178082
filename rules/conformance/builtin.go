package conformance

import (
	"embed"
	"path"
	"strings"
)

//go:embed packs/*.yaml
var builtin embed.FS

// Builtin lists the packs that come with the program, in the order of their names.
func Builtin() []string {
	files, err := builtin.ReadDir("packs")
	if err != nil {
		panic(err) // they are embedded
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimSuffix(f.Name(), ".yaml")
	}
	return names
}

// BuiltinTemplate is the template of a pack that comes with the program.
func BuiltinTemplate(name string) (template []byte, ok bool) {
	template, err := builtin.ReadFile(path.Join("packs", name+".yaml"))
	return template, err == nil
}
