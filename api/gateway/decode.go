package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/varvehq/varve/history"
)

// decoder reads what encoder writes. It is as strict as can be: unknown and
// repeated members, lone surrogates and invalid UTF-8 are refused where they
// stand. Documents in place of a varve.v1.Json are taken as they are, down to
// their faults, for the recorder to judge: one bad document then refuses one
// observation, as it does over gRPC, and not the whole request.
//
// Errors are *history.Error and name the field, such as observations[2].key.type.
type decoder struct {
	in   *jsontext.Decoder
	path []string // of the value being read: names with their dot, indexes in brackets
}

// decode reads one JSON value into m. Empty input is io.EOF.
func decode(text []byte, m proto.Message) error {
	d := decoder{in: jsontext.NewDecoder(bytes.NewBuffer(text),
		jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
	if d.in.PeekKind() == jsontext.KindInvalid {
		if _, err := d.in.ReadToken(); errors.Is(err, io.EOF) {
			return io.EOF
		}
	}
	if err := d.message(m.ProtoReflect()); err != nil {
		return err
	}
	if _, err := d.in.ReadToken(); !errors.Is(err, io.EOF) {
		return d.refuse("is followed by more data")
	}
	return nil
}

func (d *decoder) message(m protoreflect.Message) error {
	switch name := m.Descriptor().FullName(); {
	case name == jsonName:
		return d.document(m)
	case name.Parent() == "google.protobuf":
		return d.wellKnown(m)
	}
	fields := m.Descriptor().Fields()
	var seen []protoreflect.FieldNumber
	return d.object(func(name string) error {
		fd := fields.ByJSONName(name)
		if fd == nil {
			fd = fields.ByTextName(name)
		}
		if fd == nil {
			return d.refuse("is not a field of " + string(m.Descriptor().Name()) + nearby(name, fields))
		}
		if slices.Contains(seen, fd.Number()) {
			return d.refuse("is given twice; keep one of them")
		}
		seen = append(seen, fd.Number())
		return d.field(fd, m)
	})
}

// nearby helps who wrote snake case or forgot about case altogether.
func nearby(name string, fields protoreflect.FieldDescriptors) string {
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }
	for i := range fields.Len() {
		if json := fields.Get(i).JSONName(); plain(json) == plain(name) {
			return "; did you mean " + json + "?"
		}
	}
	return ""
}

func (d *decoder) field(fd protoreflect.FieldDescriptor, m protoreflect.Message) error {
	if d.in.PeekKind() == 'n' && !isDocument(fd) {
		_, err := d.in.ReadToken() // null leaves a field as it is
		return d.syntax(err)
	}
	switch {
	case fd.IsMap():
		return d.mapping(fd, m.Mutable(fd).Map())
	case fd.IsList():
		return d.list(fd, m.Mutable(fd).List())
	case fd.Message() != nil:
		return d.message(m.Mutable(fd).Message())
	}
	v, err := d.scalar(fd)
	if err == nil {
		m.Set(fd, v)
	}
	return err
}

func isDocument(fd protoreflect.FieldDescriptor) bool {
	return !fd.IsMap() && !fd.IsList() && fd.Message() != nil && fd.Message().FullName() == jsonName
}

// document takes the value as it stands.
func (d *decoder) document(m protoreflect.Message) error {
	raw, err := d.in.ReadValue()
	if err != nil {
		return d.syntax(err)
	}
	m.Set(m.Descriptor().Fields().ByName("raw"), protoreflect.ValueOfBytes(bytes.Clone(raw)))
	return nil
}

func (d *decoder) wellKnown(m protoreflect.Message) error {
	raw, err := d.in.ReadValue()
	if err != nil {
		return d.syntax(err)
	}
	if err := protojson.Unmarshal(raw, m.Interface()); err != nil {
		want := map[protoreflect.Name]string{
			"Timestamp": "a time in RFC 3339, such as 2026-03-01T09:30:00Z",
			"Duration":  "a duration in seconds, such as 1.5s",
			"FieldMask": "a list of fields, such as key,capturedAt",
		}[m.Descriptor().Name()]
		if want == "" {
			want = "a " + string(m.Descriptor().FullName())
		}
		return d.refuse("is not " + want)
	}
	return nil
}

func (d *decoder) list(fd protoreflect.FieldDescriptor, list protoreflect.List) error {
	if err := d.open('[', "a list"); err != nil {
		return err
	}
	for i := 0; d.in.PeekKind() != ']'; i++ {
		err := d.within("["+strconv.Itoa(i)+"]", func() error {
			if fd.Message() != nil {
				v := list.NewElement()
				list.Append(v)
				return d.message(v.Message())
			}
			v, err := d.scalar(fd)
			if err == nil {
				list.Append(v)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	_, err := d.in.ReadToken()
	return d.syntax(err)
}

func (d *decoder) mapping(fd protoreflect.FieldDescriptor, m protoreflect.Map) error {
	return d.object(func(name string) error {
		if fd.MapKey().Kind() != protoreflect.StringKind {
			return d.refuse("is a map of a kind that has no form here")
		}
		key := protoreflect.ValueOfString(name).MapKey()
		if m.Has(key) {
			return d.refuse("is given twice; keep one of them")
		}
		if fd.MapValue().Message() != nil {
			v := m.NewValue()
			m.Set(key, v)
			return d.message(v.Message())
		}
		v, err := d.scalar(fd.MapValue())
		if err == nil {
			m.Set(key, v)
		}
		return err
	})
}

// object calls member for each, with the value next to be read.
func (d *decoder) object(member func(name string) error) error {
	if err := d.open('{', "an object"); err != nil {
		return err
	}
	for d.in.PeekKind() != '}' {
		raw, err := d.in.ReadValue()
		if err != nil {
			return d.syntax(err)
		}
		name, err := unquote(raw)
		if err != nil {
			return d.refuse("has a member whose name " + err.Error())
		}
		if err := d.within("."+name, func() error { return member(name) }); err != nil {
			return err
		}
	}
	_, err := d.in.ReadToken()
	return d.syntax(err)
}

// open reads the opening of an object or a list.
func (d *decoder) open(kind jsontext.Kind, want string) error {
	if got := d.in.PeekKind(); got != kind && got != jsontext.KindInvalid {
		return d.refuse("is not " + want)
	}
	_, err := d.in.ReadToken()
	return d.syntax(err)
}

// unquote reads a string strictly.
func unquote(raw jsontext.Value) (string, error) {
	text, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return "", errors.New("is not valid UTF-8, or half of a surrogate pair")
	}
	return string(text), nil
}

func (d *decoder) within(step string, f func() error) error {
	d.path = append(d.path, step)
	err := f()
	d.path = d.path[:len(d.path)-1]
	return err
}

// refuse makes an error of the value being read.
func (d *decoder) refuse(text string) error {
	field := strings.TrimPrefix(strings.Join(d.path, ""), ".")
	if field == "" {
		field = "body"
	}
	return &history.Error{Kind: history.Invalid, Field: field, Text: text}
}

// syntax makes an error of what jsontext did not like; nil stays nil.
func (d *decoder) syntax(err error) error {
	if err == nil {
		return nil
	}
	why := "it ends early"
	var s *jsontext.SyntacticError
	if errors.As(err, &s) {
		why = fmt.Sprintf("%v (byte %d)", s.Err, s.ByteOffset)
		if s.JSONPointer != "" {
			why = fmt.Sprintf("%v at %s (byte %d)", s.Err, s.JSONPointer, s.ByteOffset)
		}
	}
	return d.refuse("is not JSON: " + why)
}
