package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tidwall/sjson"
)

// generated tells the files that generate owns, by the ends of their names. A
// file that no longer comes out of the plugins is removed.
var generated = []string{".pb.go", ".pb.gw.go", "openapi.json"}

// generate brings the tree to what the .proto files say.
func (t tree) generate(ctx context.Context) error {
	want, err := t.render(ctx)
	if err != nil {
		return err
	}
	have, err := readGenerated(t.proto)
	if err != nil {
		return err
	}
	for _, name := range differing(want, have) {
		path := filepath.Join(t.proto, name)
		body, ok := want[name]
		if !ok {
			if err := os.Remove(path); err != nil {
				return err
			}
			continue
		}
		if err := os.WriteFile(path, body, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// fresh reports the files that generate would touch.
func (t tree) fresh(ctx context.Context) error {
	want, err := t.render(ctx)
	if err != nil {
		return err
	}
	have, err := readGenerated(t.proto)
	if err != nil {
		return err
	}
	if names := differing(want, have); len(names) > 0 {
		return fmt.Errorf("not what the .proto files say: %s; run go generate ./proto", strings.Join(names, ", "))
	}
	return nil
}

// render runs the plugins of buf.gen.yaml and returns every file they make, by
// its path below proto/.
func (t tree) render(ctx context.Context) (map[string][]byte, error) {
	out := filepath.Join(t.work, "out")
	if err := t.buf(ctx, "generate", "--template", "buf.gen.yaml", "--output", out); err != nil {
		return nil, err
	}
	files, err := readGenerated(out)
	if err != nil {
		return nil, err
	}
	return t.mergeOpenAPI(ctx, files, out)
}

// mergeOpenAPI replaces the documents of the single .proto files in a folder by
// one document beside them.
func (t tree) mergeOpenAPI(ctx context.Context, files map[string][]byte, out string) (map[string][]byte, error) {
	parts := make(map[string][]string)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasSuffix(name, ".openapi.json") {
			continue
		}
		dir, body := filepath.Dir(name), files[name]
		delete(files, name)
		if len(parts[dir]) > 0 {
			// The plugin puts google.rpc.Status into every document, in words
			// of its own, except where a message holds a Status. The first
			// wording stands for all.
			var err error
			if body, err = sjson.DeleteBytes(body, schemaPath("google.rpc.Status")); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		part := filepath.Join(out, name)
		if err := os.WriteFile(part, body, 0o644); err != nil {
			return nil, err
		}
		parts[dir] = append(parts[dir], part)
	}
	for dir, names := range parts {
		merged, err := t.tool(ctx, "openapiv3-merge", names...).Output()
		if err != nil {
			return nil, fmt.Errorf("openapiv3-merge: %w", err)
		}
		if files[filepath.Join(dir, "openapi.json")], err = finishOpenAPI(merged, dir); err != nil {
			return nil, fmt.Errorf("openapi.json: %w", err)
		}
	}
	return files, nil
}

// finishOpenAPI says what the plugin cannot know: what the whole document is
// about, and that the gateway writes and reads a Json message as the JSON value
// it holds, so that its schema allows any value.
func finishOpenAPI(doc []byte, dir string) ([]byte, error) {
	doc, err := sjson.SetBytes(doc, "info", struct {
		Title   string            `json:"title"`
		Version string            `json:"version"`
		License map[string]string `json:"license"`
	}{
		Title:   "Varve",
		Version: filepath.Base(dir),
		License: map[string]string{"name": "Apache-2.0", "identifier": "Apache-2.0"},
	})
	if err != nil {
		return nil, err
	}
	schema := schemaPath(strings.ReplaceAll(filepath.ToSlash(dir), "/", ".") + ".Json")
	for _, member := range []string{"type", "properties"} {
		if doc, err = sjson.DeleteBytes(doc, schema+"."+member); err != nil {
			return nil, err
		}
	}
	var laidOut bytes.Buffer
	err = json.Indent(&laidOut, doc, "", "  ")
	return laidOut.Bytes(), err
}

// schemaPath is where sjson finds the schema of a message.
func schemaPath(message string) string {
	return "components.schemas." + strings.ReplaceAll(message, ".", `\.`)
}

// readGenerated reads the generated files below dir.
func readGenerated(dir string) (map[string][]byte, error) {
	files := make(map[string][]byte)
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() || !slices.ContainsFunc(generated, func(end string) bool { return strings.HasSuffix(name, end) }) {
			return nil
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		files[rel], err = os.ReadFile(name)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return files, nil
	}
	return files, err
}

// differing lists the names whose contents are not the same in both.
func differing(want, have map[string][]byte) []string {
	names := maps.Clone(want)
	maps.Copy(names, have)
	return slices.DeleteFunc(slices.Sorted(maps.Keys(names)), func(name string) bool {
		w, inWant := want[name]
		h, inHave := have[name]
		return inWant && inHave && bytes.Equal(w, h)
	})
}
