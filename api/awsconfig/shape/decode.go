package shape

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/history"
)

// Malformed says that a request is no JSON, or has a value of the wrong type:
// a SerializationException.
type Malformed struct{ Text string }

func (e *Malformed) Error() string { return e.Text }

// Violations say what of a request its limits forbid, in the words of a
// ValidationException.
type Violations []string

func (v Violations) Error() string {
	noun := "errors"
	if len(v) == 1 {
		noun = "error"
	}
	return fmt.Sprintf("%d validation %s detected: %s", len(v), noun, strings.Join(v, "; "))
}

// maxViolations bounds what one answer tells.
const maxViolations = 20

// Decode reads the JSON of a request into a pointer to its struct, which is zero.
// The error is Malformed or Violations. Members that the struct has not are passed
// over.
func Decode(text []byte, into any) error {
	d := &decoder{in: jsontext.NewDecoder(bytes.NewReader(text))}
	err := d.object(reflect.ValueOf(into).Elem())
	if err == nil {
		if _, err = d.in.ReadToken(); errors.Is(err, io.EOF) {
			err = nil
		} else if err == nil {
			err = &Malformed{"something follows the JSON object"}
		}
	}
	if err != nil {
		var syntax *jsontext.SyntacticError
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return &Malformed{"the body ends within its JSON"}
		case errors.As(err, &syntax):
			return &Malformed{"the body is not valid JSON: " + syntax.Err.Error()}
		}
		return err
	}
	if len(d.violations) > 0 {
		return d.violations
	}
	return nil
}

type decoder struct {
	in         *jsontext.Decoder
	path       []string // of the value that is read, as violations tell it
	violations Violations
}

// object reads a JSON object into a struct.
func (d *decoder) object(into reflect.Value) error {
	if err := d.open('{'); err != nil {
		return err
	}
	p := planOf(into.Type())
	given := make([]bool, len(p.members))
	for d.in.PeekKind() != '}' {
		name, err := d.in.ReadToken()
		if err != nil {
			return err
		}
		i, known := p.byName[name.String()]
		if !known {
			if err := d.in.SkipValue(); err != nil {
				return err
			}
			continue
		}
		if d.in.PeekKind() == 'n' {
			if err := d.in.SkipValue(); err != nil {
				return err
			}
			continue
		}
		m := &p.members[i]
		given[i] = true
		d.path = append(d.path, lowerFirst(m.name))
		if err := d.value(into.Field(m.field), m); err != nil {
			return err
		}
		d.path = d.path[:len(d.path)-1]
	}
	for i := range p.members {
		if p.members[i].required && !given[i] {
			d.path = append(d.path, lowerFirst(p.members[i].name))
			d.violate("null", "Member must not be null")
			d.path = d.path[:len(d.path)-1]
		}
	}
	_, err := d.in.ReadToken()
	return err
}

// value reads the value of a member, which is not null.
func (d *decoder) value(into reflect.Value, m *member) error {
	switch into.Kind() {
	case reflect.Slice:
		return d.list(into, m)
	case reflect.Map:
		return d.pairs(into, m)
	}
	return d.one(into, &m.own)
}

func (d *decoder) list(into reflect.Value, m *member) error {
	if err := d.open('['); err != nil {
		return err
	}
	into.Set(reflect.MakeSlice(into.Type(), 0, 0))
	for n := 1; d.in.PeekKind() != ']'; n++ {
		if d.in.PeekKind() == 'n' {
			if err := d.in.SkipValue(); err != nil {
				return err
			}
			continue
		}
		element := reflect.New(into.Type().Elem()).Elem()
		d.path = append(d.path, strconv.Itoa(n), "member")
		if err := d.one(element, &m.each); err != nil {
			return err
		}
		d.path = d.path[:len(d.path)-2]
		into.Set(reflect.Append(into, element))
	}
	d.countItems(&m.own, into)
	_, err := d.in.ReadToken()
	return err
}

func (d *decoder) pairs(into reflect.Value, m *member) error {
	if err := d.open('{'); err != nil {
		return err
	}
	into.Set(reflect.MakeMap(into.Type()))
	for d.in.PeekKind() != '}' {
		name, err := d.in.ReadToken()
		if err != nil {
			return err
		}
		key := name.String()
		if d.in.PeekKind() == 'n' {
			if err := d.in.SkipValue(); err != nil {
				return err
			}
			continue
		}
		d.path = append(d.path, key)
		d.text(&m.key, key)
		value := reflect.New(into.Type().Elem()).Elem()
		if err := d.one(value, &m.each); err != nil {
			return err
		}
		d.path = d.path[:len(d.path)-1]
		into.SetMapIndex(reflect.ValueOf(key), value)
	}
	d.countItems(&m.own, into)
	_, err := d.in.ReadToken()
	return err
}

// one reads what is neither list nor map.
func (d *decoder) one(into reflect.Value, l *limits) error {
	switch {
	case into.Type() == momentType:
		m, err := d.moment()
		into.SetInt(int64(m))
		return err
	case into.Kind() == reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		return d.object(into.Elem())
	case into.Kind() == reflect.Struct:
		return d.object(into)
	}
	kind := d.in.PeekKind()
	token, err := d.in.ReadToken()
	if err != nil {
		return err
	}
	switch into.Kind() {
	case reflect.String:
		if kind != '"' {
			return d.mistyped("a string")
		}
		into.SetString(token.String())
		d.text(l, into.String())
	case reflect.Bool:
		if kind != 't' && kind != 'f' {
			return d.mistyped("true or false")
		}
		into.SetBool(kind == 't')
	default: // int32, int64
		n, err := strconv.ParseInt(token.String(), 10, into.Type().Bits())
		if kind != '0' || err != nil {
			return d.mistyped("a whole number of " + strconv.Itoa(into.Type().Bits()) + " bits")
		}
		into.SetInt(n)
		d.number(l, n)
	}
	return nil
}

// moment reads seconds since the Unix epoch. What lies between two microseconds
// is cut off.
func (d *decoder) moment() (history.Moment, error) {
	kind := d.in.PeekKind()
	token, err := d.in.ReadToken()
	if err != nil {
		return 0, err
	}
	const what = "a number of seconds since 1970-01-01"
	text := token.String()
	// The exponent is bounded before the number is made.
	if _, exponent, ok := strings.Cut(strings.ToLower(text), "e"); kind != '0' || len(text) > 64 || ok && len(exponent) > 3 {
		return 0, d.mistyped(what)
	}
	seconds, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, d.mistyped(what)
	}
	micros := seconds.Mul(seconds, big.NewRat(1_000_000, 1))
	whole := new(big.Int).Quo(micros.Num(), micros.Denom())
	if !whole.IsInt64() || whole.Int64() != 0 && !history.Moment(whole.Int64()).Valid() {
		return 0, d.mistyped(what + ", before the year 10000")
	}
	return history.Moment(whole.Int64()), nil
}

// open reads the beginning of an object or a list.
func (d *decoder) open(kind jsontext.Kind) error {
	if d.in.PeekKind() != kind && d.in.PeekKind() > 0 {
		if kind == '{' {
			return d.mistyped("an object")
		}
		return d.mistyped("a list")
	}
	_, err := d.in.ReadToken()
	return err
}

func (d *decoder) mistyped(want string) error {
	if len(d.path) == 0 {
		return &Malformed{"the body is not " + want}
	}
	return &Malformed{strings.Join(d.path, ".") + " is not " + want}
}

// text holds a string to its limits.
func (d *decoder) text(l *limits, s string) {
	if n := int64(utf8.RuneCountInString(s)); l.length != nil {
		d.within(l.length, n, s, "length")
	}
	if l.pattern != nil && !l.pattern.MatchString(s) {
		d.violate(quoted(s), "Member must satisfy regular expression pattern: "+l.written)
	}
	if l.enum != nil {
		for _, known := range l.enum {
			if s == known {
				return
			}
		}
		d.violate(quoted(s), "Member must satisfy enum value set: ["+strings.Join(l.enum, ", ")+"]")
	}
}

func (d *decoder) number(l *limits, n int64) {
	if l.size != nil {
		d.within(l.size, n, strconv.FormatInt(n, 10), "value")
	}
}

func (d *decoder) countItems(l *limits, v reflect.Value) {
	if l.items == nil {
		return
	}
	told := "[" + strconv.Itoa(v.Len()) + " members]"
	if texts, ok := v.Interface().([]string); ok || v.Len() == 0 {
		told = "[" + strings.Join(texts, ", ") + "]"
	}
	d.within(l.items, int64(v.Len()), told, "length")
}

func (d *decoder) within(s *span, n int64, value, what string) {
	switch {
	case s.low != nil && n < *s.low:
		d.violate(quoted(value), fmt.Sprintf("Member must have %s greater than or equal to %d", what, *s.low))
	case s.high != nil && n > *s.high:
		d.violate(quoted(value), fmt.Sprintf("Member must have %s less than or equal to %d", what, *s.high))
	}
}

func (d *decoder) violate(value, constraint string) {
	if len(d.violations) < maxViolations {
		d.violations = append(d.violations, fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: %s", value, strings.Join(d.path, "."), constraint))
	}
}

// quoted is a value as violations tell it, cut where it is long.
func quoted(s string) string {
	const most = 128
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return "'" + s + "'"
}

func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[n:]
}
