package gateway

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/reflect/protoreflect"
)

func (d *decoder) scalar(fd protoreflect.FieldDescriptor) (v protoreflect.Value, err error) {
	raw, err := d.in.ReadValue()
	if err != nil {
		return v, d.syntax(err)
	}
	kind := raw.Kind()
	text := string(raw)
	if kind == '"' {
		if text, err = unquote(raw); err != nil {
			return v, d.refuse(err.Error())
		}
	}
	quotedOr := func(other jsontext.Kind) bool { return kind == '"' || kind == other }

	switch k := fd.Kind(); {
	case k == protoreflect.BoolKind && (kind == 't' || kind == 'f'):
		return protoreflect.ValueOfBool(kind == 't'), nil
	case k == protoreflect.BoolKind:
		return v, d.refuse("is not true or false")
	case k == protoreflect.StringKind && kind == '"':
		return protoreflect.ValueOfString(text), nil
	case k == protoreflect.StringKind:
		return v, d.refuse("is not a string")
	case k == protoreflect.BytesKind:
		if b, err := base64.StdEncoding.DecodeString(text); err == nil && kind == '"' {
			return protoreflect.ValueOfBytes(b), nil
		}
		return v, d.refuse("is not a string of base64")
	case k == protoreflect.Int32Kind && quotedOr('0'):
		if n, err := strconv.ParseInt(text, 10, 32); err == nil {
			return protoreflect.ValueOfInt32(int32(n)), nil
		}
	case k == protoreflect.Int64Kind && quotedOr('0'):
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return protoreflect.ValueOfInt64(n), nil
		}
	case k == protoreflect.Uint32Kind && quotedOr('0'):
		if n, err := strconv.ParseUint(text, 10, 32); err == nil {
			return protoreflect.ValueOfUint32(uint32(n)), nil
		}
	case k == protoreflect.Uint64Kind && quotedOr('0'):
		if n, err := strconv.ParseUint(text, 10, 64); err == nil {
			return protoreflect.ValueOfUint64(n), nil
		}
	case k == protoreflect.EnumKind:
		if known := fd.Enum().Values().ByName(protoreflect.Name(text)); known != nil && kind == '"' {
			return protoreflect.ValueOfEnum(known.Number()), nil
		}
		if n, err := strconv.ParseInt(text, 10, 32); err == nil && kind == '0' {
			return protoreflect.ValueOfEnum(protoreflect.EnumNumber(n)), nil
		}
	}
	return v, d.refuse("is not " + wanted(fd))
}

// wanted describes the values of a field for an error.
func wanted(fd protoreflect.FieldDescriptor) string {
	switch fd.Kind() {
	case protoreflect.Int32Kind:
		return fmt.Sprintf("a whole number from %d to %d", math.MinInt32, math.MaxInt32)
	case protoreflect.Uint32Kind:
		return fmt.Sprintf("a whole number from 0 to %d", uint32(math.MaxUint32))
	case protoreflect.Int64Kind:
		return "a whole number of 64 bits"
	case protoreflect.Uint64Kind:
		return "a whole number of 64 bits, from 0"
	case protoreflect.EnumKind:
		var names []string
		for i := range fd.Enum().Values().Len() {
			names = append(names, string(fd.Enum().Values().Get(i).Name()))
		}
		return "one of " + strings.Join(names, ", ")
	}
	return "a value of kind " + fd.Kind().String()
}
