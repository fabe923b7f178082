package expr

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unsafe"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/history"
)

// maxDepth is deeper than what is recorded: see recorder/canonical.
const maxDepth = 10_000

// Decode makes a value of one JSON document in canonical form; no bytes are null.
// The value shares the memory of raw, which nobody may change any more. It is
// never changed itself, so that any number of evaluations may share it.
//
// A document that is damaged is an error value of kind DataLoss. A number which
// no CEL type holds exactly is an error value in its place: the rest of the
// document is there.
func Decode(raw []byte) ref.Val {
	if len(raw) == 0 {
		return types.NullValue
	}
	d := decoder{text: unsafe.String(unsafe.SliceData(raw), len(raw))}
	v, err := d.value(0)
	if err == nil && d.at < len(d.text) {
		err = d.damaged()
	}
	if err != nil {
		return Undecidable(err)
	}
	return v
}

// decoder reads text from at. What the containers around at hold so far lies on
// one stack for all of them.
type decoder struct {
	text   string
	at     int
	names  []string
	values []ref.Val
}

func (d *decoder) damaged() error {
	return &history.Error{Kind: history.DataLoss, Text: fmt.Sprintf("a document is damaged at byte %d; run verify", d.at)}
}

// skip steps over c if it comes next.
func (d *decoder) skip(c byte) bool {
	if d.at < len(d.text) && d.text[d.at] == c {
		d.at++
		return true
	}
	return false
}

func (d *decoder) value(depth int) (ref.Val, error) {
	if d.at >= len(d.text) || depth > maxDepth {
		return nil, d.damaged()
	}
	switch c := d.text[d.at]; {
	case c == '{':
		return d.object(depth)
	case c == '[':
		return d.array(depth)
	case c == '"':
		s, err := d.string()
		return types.String(s), err
	case c == '-' || '0' <= c && c <= '9':
		return d.number(), nil
	case c == 't':
		return types.True, d.literal("true")
	case c == 'f':
		return types.False, d.literal("false")
	default:
		return types.NullValue, d.literal("null")
	}
}

func (d *decoder) literal(word string) error {
	if !strings.HasPrefix(d.text[d.at:], word) {
		return d.damaged()
	}
	d.at += len(word)
	return nil
}

func (d *decoder) object(depth int) (ref.Val, error) {
	start, names, values := d.at, len(d.names), len(d.values)
	d.at++
	for first := true; !d.skip('}'); first = false {
		if !first && !d.skip(',') {
			return nil, d.damaged()
		}
		name, err := d.string()
		if err != nil {
			return nil, err
		}
		if !d.skip(':') {
			return nil, d.damaged()
		}
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		d.names, d.values = append(d.names, name), append(d.values, v)
	}
	o := newObject(d.text[start:d.at], append([]string(nil), d.names[names:]...), append([]ref.Val(nil), d.values[values:]...))
	d.names, d.values = d.names[:names], d.values[:values]
	return o, nil
}

func (d *decoder) array(depth int) (ref.Val, error) {
	start, values := d.at, len(d.values)
	d.at++
	for first := true; !d.skip(']'); first = false {
		if !first && !d.skip(',') {
			return nil, d.damaged()
		}
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		d.values = append(d.values, v)
	}
	l := &list{text: d.text[start:d.at], values: append([]ref.Val(nil), d.values[values:]...)}
	d.values = d.values[:values]
	return l, nil
}

// string reads a string literal; without escapes it is a part of the text.
func (d *decoder) string() (string, error) {
	if !d.skip('"') {
		return "", d.damaged()
	}
	start := d.at
	for ; d.at < len(d.text); d.at++ {
		switch d.text[d.at] {
		case '"':
			d.at++
			return d.text[start : d.at-1], nil
		case '\\':
			return d.escaped(start)
		}
	}
	return "", d.damaged()
}

// escaped reads on in a string whose text begins at start, from its first
// backslash.
func (d *decoder) escaped(start int) (string, error) {
	for d.at < len(d.text) && d.text[d.at] != '"' {
		if d.text[d.at] == '\\' {
			d.at++
		}
		d.at++
	}
	if d.at >= len(d.text) {
		return "", d.damaged()
	}
	d.at++
	plain, err := jsontext.AppendUnquote(nil, d.text[start-1:d.at])
	if err != nil {
		return "", d.damaged()
	}
	return string(plain), nil
}

func (d *decoder) number() ref.Val {
	start := d.at
	whole := true
	for ; d.at < len(d.text); d.at++ {
		switch c := d.text[d.at]; {
		case '0' <= c && c <= '9', c == '-':
		case c == '.' || c == 'e' || c == 'E' || c == '+':
			whole = false
		default:
			return number(d.text[start:d.at], whole)
		}
	}
	return number(d.text[start:], whole)
}

func number(literal string, whole bool) ref.Val {
	if !whole {
		f, err := strconv.ParseFloat(literal, 64)
		if err != nil {
			return Undecidable(unheld(literal))
		}
		return types.Double(f)
	}
	if i, err := strconv.ParseInt(literal, 10, 64); err == nil {
		return types.Int(i)
	}
	if u, err := strconv.ParseUint(literal, 10, 64); err == nil {
		return types.Uint(u)
	}
	return Undecidable(unheld(literal))
}

// unheld is a number that no type of the language holds: its literal.
type unheld string

// Error tells the number, shortened.
func (u unheld) Error() string {
	if len(u) > 40 {
		return fmt.Sprintf("number %s… of %d digits has no exact value here", string(u[:40]), len(u))
	}
	return fmt.Sprintf("number %s has no exact value here", string(u))
}

func (u unheld) whole() bool { return u != "" && !strings.ContainsAny(string(u), ".eE") }

// literalOf is the literal of an error value that stands for a number.
func literalOf(v ref.Val) unheld {
	if e, ok := v.(*types.Err); ok {
		var u unheld
		errors.As(e, &u)
		return u
	}
	return ""
}
