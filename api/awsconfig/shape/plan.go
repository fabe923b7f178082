package shape

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/varvehq/varve/history"
)

// plan is what the tags of a struct say.
type plan struct {
	members []member
	byName  map[string]int
}

// member is what the tags of one field say.
type member struct {
	name     string // on the wire
	field    int
	typ      reflect.Type
	required bool
	always   bool
	own      limits // of the value itself
	each     limits // of its elements
	key      limits // of its keys
}

// limits are what a value is held to; nil and empty fields hold it to nothing.
type limits struct {
	length, size, items *span
	enum                []string
	pattern             *regexp.Regexp
	written             string // the pattern as it is told
}

// span is a range, inclusive; nil: without an end on that side.
type span struct{ low, high *int64 }

var plans sync.Map // of reflect.Type: *plan

// planOf reads the tags of a struct once. A tag that cannot be read is a mistake
// of this package, and panics: a test makes every plan.
func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	p := &plan{byName: map[string]int{}}
	for i := range t.NumField() {
		f := t.Field(i)
		m := member{field: i, typ: f.Type}
		words := strings.Split(f.Tag.Get("aws"), ",")
		m.name = words[0]
		for _, w := range words[1:] {
			switch w {
			case "required":
				m.required = true
			case "always":
				m.always = true
			default:
				panic(fmt.Sprintf("shape: %s.%s: %q is no word of the tag aws", t.Name(), f.Name, w))
			}
		}
		if m.name == "" {
			panic(fmt.Sprintf("shape: %s.%s has no name", t.Name(), f.Name))
		}
		if err := m.check(f.Tag.Get("check"), f.Tag.Get("pattern")); err != nil {
			panic(fmt.Sprintf("shape: %s.%s: %v", t.Name(), f.Name, err))
		}
		p.byName[m.name] = len(p.members)
		p.members = append(p.members, m)
	}
	was, _ := plans.LoadOrStore(t, p)
	return was.(*plan)
}

func (m *member) check(tag, pattern string) error {
	if tag != "" {
		for word := range strings.SplitSeq(tag, ";") {
			name, value, _ := strings.Cut(word, "=")
			l := &m.own
			if rest, ok := strings.CutPrefix(name, "each."); ok {
				name, l = rest, &m.each
			} else if rest, ok := strings.CutPrefix(name, "key."); ok {
				name, l = rest, &m.key
			}
			if err := l.read(name, value); err != nil {
				return fmt.Errorf("%s: %w", word, err)
			}
		}
	}
	if pattern == "" {
		return nil
	}
	l := &m.own
	if m.typ.Kind() == reflect.Slice {
		l = &m.each
	}
	whole, err := regexp.Compile(`^(?s:` + strings.TrimSuffix(strings.TrimPrefix(pattern, "^"), "$") + `)$`)
	l.pattern, l.written = whole, pattern
	return err
}

func (l *limits) read(name, value string) (err error) {
	switch name {
	case "len":
		l.length, err = readSpan(value)
	case "range":
		l.size, err = readSpan(value)
	case "items":
		l.items, err = readSpan(value)
	case "enum":
		l.enum = strings.Split(value, "|")
	default:
		err = fmt.Errorf("is no limit")
	}
	return err
}

func readSpan(text string) (*span, error) {
	low, high, ok := strings.Cut(text, "..")
	if !ok {
		return nil, fmt.Errorf("is not of the form LOW..HIGH")
	}
	s := &span{}
	for _, end := range []struct {
		text string
		into **int64
	}{{low, &s.low}, {high, &s.high}} {
		if end.text == "" {
			continue
		}
		n, err := strconv.ParseInt(end.text, 10, 64)
		if err != nil {
			return nil, err
		}
		*end.into = &n
	}
	return s, nil
}

var momentType = reflect.TypeFor[history.Moment]()
