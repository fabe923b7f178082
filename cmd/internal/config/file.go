package config

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// File is a configuration that was read, and where in the file each key stands.
type File struct {
	Config
	name  string
	lines map[string]int
}

// Load reads a file: what it does not set keeps its default, and a relative path
// in it begins at the file's folder. The configuration is not checked yet, since
// flags may still change it. Errors name file, line and key.
func Load(name string) (*File, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		var path *os.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return parse(name, text)
}

func parse(name string, text []byte) (*File, error) {
	f := &File{Config: Default(), name: name, lines: map[string]int{}}
	var doc yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	switch err := decoder.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return f, nil
	case err != nil:
		text := strings.TrimPrefix(err.Error(), "yaml: ")
		if line, ok := strings.CutPrefix(text, "line "); ok {
			return nil, fmt.Errorf("%s:%s", name, line)
		}
		return nil, fmt.Errorf("%s: %s", name, text)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: a second document begins; one file is one configuration", name)
	}
	if err := f.section("", doc.Content[0], reflect.ValueOf(&f.Config).Elem()); err != nil {
		return nil, err
	}
	return f, nil
}

// Where names a key as its author finds it: varve.yaml:12: tls.cert.
func (f *File) Where(key string) string {
	plain, _, _ := strings.Cut(key, "[")
	if line, ok := f.lines[plain]; ok {
		return fmt.Sprintf("%s:%d: %s", f.name, line, key)
	}
	return f.name + ": " + key
}

// section reads a mapping into a struct, key by key.
func (f *File) section(path string, n *yaml.Node, into reflect.Value) error {
	if isNull(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		return f.at(n, path, "a section with keys of its own is expected")
	}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		full := join(path, key.Value)
		field, ok := fieldOf(into, key.Value)
		if !ok {
			return f.at(key, full, "is not a key"+suggestion(path, key.Value))
		}
		if line, ok := f.lines[full]; ok {
			return f.at(key, full, fmt.Sprintf("stands on line %d already", line))
		}
		f.lines[full] = key.Line
		read := f.value
		if isSection(field.Type) {
			read = func(path string, n *yaml.Node, field reflect.StructField, v reflect.Value) error {
				return f.section(path, n, v)
			}
		}
		if err := read(full, value, field, into.FieldByIndex(field.Index)); err != nil {
			return err
		}
	}
	return nil
}

// value reads what is no section.
func (f *File) value(path string, n *yaml.Node, field reflect.StructField, v reflect.Value) error {
	if isNull(n) {
		return nil // as if the key were not there
	}
	if v.Kind() == reflect.Slice {
		if n.Kind != yaml.SequenceNode {
			return f.at(n, path, "a list is expected, such as [a, b]")
		}
		v.SetZero()
		for _, element := range n.Content {
			if element.Kind != yaml.ScalarNode {
				return f.at(element, path, "a list of plain values is expected")
			}
			v.Set(reflect.Append(v, reflect.ValueOf(element.Value)))
		}
		return nil
	}
	if n.Kind != yaml.ScalarNode {
		return f.at(n, path, "a plain value is expected")
	}
	if err := set(v, n.Value); err != nil {
		return f.at(n, path, fmt.Sprintf("%q: %v", n.Value, err))
	}
	if _, ok := field.Tag.Lookup("path"); ok && n.Value != "" && !filepath.IsAbs(n.Value) {
		v.SetString(filepath.Join(filepath.Dir(f.name), n.Value))
	}
	return nil
}

func set(v reflect.Value, text string) error {
	if own, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return own.UnmarshalText([]byte(text))
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return errors.New("true or false is expected")
		}
		v.SetBool(text == "true")
	case reflect.Int:
		number, err := strconv.Atoi(text)
		if err != nil {
			return errors.New("a whole number is expected")
		}
		v.SetInt(int64(number))
	case reflect.Float64:
		number, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return errors.New("a number is expected")
		}
		v.SetFloat(number)
	default:
		panic("config: no reader for " + v.Type().String())
	}
	return nil
}

func (f *File) at(n *yaml.Node, path, text string) error {
	if path != "" {
		path += ": "
	}
	return fmt.Errorf("%s:%d: %s%s", f.name, n.Line, path, text)
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func isSection(t reflect.Type) bool { return t.Kind() == reflect.Struct }

func fieldOf(section reflect.Value, key string) (reflect.StructField, bool) {
	for field := range section.Type().Fields() {
		if field.Tag.Get("yaml") == key {
			return field, true
		}
	}
	return reflect.StructField{}, false
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
