package shape

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/history"
)

// Encode writes a pointer to a struct as JSON: members in the order of its
// fields, keys of maps bytewise. It fails for text that is not UTF-8.
func Encode(from any) ([]byte, error) {
	var b bytes.Buffer
	e := encoder{jsontext.NewEncoder(&b)}
	if err := e.object(reflect.ValueOf(from).Elem()); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

type encoder struct{ out *jsontext.Encoder }

func (e encoder) object(v reflect.Value) error {
	if err := e.out.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, m := range planOf(v.Type()).members {
		field := v.Field(m.field)
		if empty(field) && !m.always {
			continue
		}
		if err := e.out.WriteToken(jsontext.String(m.name)); err != nil {
			return err
		}
		if err := e.value(field); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return e.out.WriteToken(jsontext.EndObject)
}

// empty reports whether a value is not written. A list that was made is, though
// it hold nothing; so is a map.
func empty(v reflect.Value) bool { return v.IsZero() }

func (e encoder) value(v reflect.Value) error {
	switch {
	case v.Type() == momentType:
		return e.out.WriteValue(seconds(history.Moment(v.Int())))
	case v.Kind() == reflect.Pointer:
		return e.object(v.Elem())
	}
	switch v.Kind() {
	case reflect.Struct:
		return e.object(v)
	case reflect.Slice:
		return e.list(v)
	case reflect.Map:
		return e.pairs(v)
	case reflect.String:
		return e.out.WriteToken(jsontext.String(v.String()))
	case reflect.Bool:
		return e.out.WriteToken(jsontext.Bool(v.Bool()))
	}
	return e.out.WriteToken(jsontext.Int(v.Int()))
}

func (e encoder) list(v reflect.Value) error {
	if err := e.out.WriteToken(jsontext.BeginArray); err != nil {
		return err
	}
	for i := range v.Len() {
		if err := e.value(v.Index(i)); err != nil {
			return err
		}
	}
	return e.out.WriteToken(jsontext.EndArray)
}

func (e encoder) pairs(v reflect.Value) error {
	if err := e.out.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, name := range slices.SortedFunc(slices.Values(v.MapKeys()), func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) }) {
		if err := e.out.WriteToken(jsontext.String(name.String())); err != nil {
			return err
		}
		if err := e.value(v.MapIndex(name)); err != nil {
			return err
		}
	}
	return e.out.WriteToken(jsontext.EndObject)
}

// seconds are a moment on the wire: 1767323045.678.
func seconds(m history.Moment) jsontext.Value {
	whole, part := int64(m)/1_000_000, int64(m)%1_000_000
	text := strconv.AppendInt(nil, whole, 10)
	if part != 0 {
		text = append(text, '.')
		text = append(text, fmt.Sprintf("%06d", part)...)
		text = bytes.TrimRight(text, "0")
	}
	return text
}
