package gateway

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"

	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

var jsonName = (*varvev1.Json)(nil).ProtoReflect().Descriptor().FullName()

// encoder writes messages in the JSON form of protocol buffers, with members
// named in lowerCamelCase, in the order of the .proto file, 64-bit integers as
// strings and fields without presence always there. What differs is varve.v1.Json,
// which stands as the value that it holds, byte for byte.
type encoder struct {
	out []byte
	// only, if set, are the fields of a masked answer: messages of that type
	// leave out fields that are not among them, rather than claim that they are
	// empty.
	only   map[protoreflect.Name]bool
	onlyIn protoreflect.FullName
}

func (e *encoder) message(m protoreflect.Message) error {
	name := m.Descriptor().FullName()
	switch {
	case name == jsonName:
		return e.document(m)
	case name.Parent() == "google.protobuf":
		return e.wellKnown(m)
	}
	masked := e.only != nil && name == e.onlyIn
	fields := m.Descriptor().Fields()
	e.out = append(e.out, '{')
	first := true
	for i := range fields.Len() {
		fd := fields.Get(i)
		if !m.Has(fd) && (fd.HasPresence() || masked && !e.only[fd.Name()]) {
			continue
		}
		if !first {
			e.out = append(e.out, ',')
		}
		first = false
		if err := e.string(fd.JSONName()); err != nil {
			return err
		}
		e.out = append(e.out, ':')
		if err := e.field(fd, m.Get(fd)); err != nil {
			return fmt.Errorf("%s: %w", fd.Name(), err)
		}
	}
	e.out = append(e.out, '}')
	return nil
}

// document writes the value itself. What is in it is not our business, but a text
// that is no JSON would break the whole answer, so its grammar is looked at.
func (e *encoder) document(m protoreflect.Message) error {
	raw := m.Get(m.Descriptor().Fields().ByName("raw")).Bytes()
	if !jsontext.Value(raw).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
		return fmt.Errorf("%s holds no JSON value", jsonName)
	}
	e.out = append(e.out, raw...)
	return nil
}

// wellKnown writes google.protobuf's messages, which have forms of their own.
func (e *encoder) wellKnown(m protoreflect.Message) error {
	b, err := protojson.Marshal(m.Interface())
	if err != nil {
		return err
	}
	text := jsontext.Value(b)
	if err := text.Compact(); err != nil { // protojson puts in blanks at random
		return err
	}
	e.out = append(e.out, text...)
	return nil
}

func (e *encoder) field(fd protoreflect.FieldDescriptor, v protoreflect.Value) error {
	switch {
	case fd.IsMap():
		return e.mapping(fd, v.Map())
	case fd.IsList():
		return e.list(fd, v.List())
	}
	return e.value(fd, v)
}

func (e *encoder) list(fd protoreflect.FieldDescriptor, list protoreflect.List) error {
	e.out = append(e.out, '[')
	for i := range list.Len() {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		if err := e.value(fd, list.Get(i)); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	e.out = append(e.out, ']')
	return nil
}

func (e *encoder) mapping(fd protoreflect.FieldDescriptor, m protoreflect.Map) error {
	keys := make([]protoreflect.MapKey, 0, m.Len())
	m.Range(func(k protoreflect.MapKey, _ protoreflect.Value) bool {
		keys = append(keys, k)
		return true
	})
	slices.SortFunc(keys, func(a, b protoreflect.MapKey) int { return strings.Compare(a.String(), b.String()) })

	e.out = append(e.out, '{')
	for i, k := range keys {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		if err := e.string(k.String()); err != nil {
			return err
		}
		e.out = append(e.out, ':')
		if err := e.value(fd.MapValue(), m.Get(k)); err != nil {
			return fmt.Errorf("[%q]: %w", k.String(), err)
		}
	}
	e.out = append(e.out, '}')
	return nil
}

func (e *encoder) value(fd protoreflect.FieldDescriptor, v protoreflect.Value) error {
	switch fd.Kind() {
	case protoreflect.BoolKind:
		e.out = strconv.AppendBool(e.out, v.Bool())
	case protoreflect.StringKind:
		return e.string(v.String())
	case protoreflect.BytesKind:
		return e.string(base64.StdEncoding.EncodeToString(v.Bytes()))
	case protoreflect.Int32Kind:
		e.out = strconv.AppendInt(e.out, v.Int(), 10)
	case protoreflect.Uint32Kind:
		e.out = strconv.AppendUint(e.out, v.Uint(), 10)
	case protoreflect.Int64Kind:
		return e.string(strconv.FormatInt(v.Int(), 10))
	case protoreflect.Uint64Kind:
		return e.string(strconv.FormatUint(v.Uint(), 10))
	case protoreflect.EnumKind:
		if known := fd.Enum().Values().ByNumber(v.Enum()); known != nil {
			return e.string(string(known.Name()))
		}
		e.out = strconv.AppendInt(e.out, int64(v.Enum()), 10)
	case protoreflect.MessageKind:
		return e.message(v.Message())
	default:
		return fmt.Errorf("fields of kind %v have no form here", fd.Kind())
	}
	return nil
}

func (e *encoder) string(s string) (err error) {
	e.out, err = jsontext.AppendQuote(e.out, s)
	return err
}
