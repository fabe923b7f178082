package format

import (
	"maps"
	"slices"
	"strconv"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/diff"
	"github.com/varvehq/varve/recorder/canonical"
)

// encoder appends JSON without white space; after err what it appends does not
// count.
type encoder struct {
	b   []byte
	err error
}

func (e *encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

// open begins an object or an array, as a member or an element that was begun.
func (e *encoder) open(bracket byte)  { e.b = append(e.b, bracket) }
func (e *encoder) close(bracket byte) { e.b = append(e.b, bracket) }

// element begins an element of the innermost array.
func (e *encoder) element() {
	if last := e.b[len(e.b)-1]; last != '{' && last != '[' {
		e.b = append(e.b, ',')
	}
}

// member begins a member of the innermost object. The name needs no escapes.
func (e *encoder) member(name string) {
	e.element()
	e.b = append(e.b, '"')
	e.b = append(e.b, name...)
	e.b = append(e.b, '"', ':')
}

// key begins a member of any name.
func (e *encoder) key(name string) {
	e.element()
	e.string(name)
	e.b = append(e.b, ':')
}

func (e *encoder) string(s string) {
	var err error
	if e.b, err = canonical.AppendString(e.b, s); err != nil {
		e.fail(err)
	}
}

func (e *encoder) text(name, value string) {
	e.member(name)
	e.string(value)
}

// given is text that is left out when empty.
func (e *encoder) given(name, value string) {
	if value != "" {
		e.text(name, value)
	}
}

func (e *encoder) raw(name string, value []byte) {
	e.member(name)
	e.b = append(e.b, value...)
}

func (e *encoder) rawOrNull(name string, value []byte) {
	e.member(name)
	e.orNull(value)
}

func (e *encoder) orNull(value []byte) {
	if value == nil {
		value = null
	}
	e.b = append(e.b, value...)
}

var null = []byte("null")

func (e *encoder) bool(name string, value bool) {
	e.member(name)
	e.b = strconv.AppendBool(e.b, value)
}

// small is a number that every reader keeps exactly.
func (e *encoder) small(name string, value uint32) {
	e.member(name)
	e.b = strconv.AppendUint(e.b, uint64(value), 10)
}

// large is a number as text, as 64 bits do not survive every reader.
func (e *encoder) large(name string, value uint64) {
	e.member(name)
	e.b = append(e.b, '"')
	e.b = strconv.AppendUint(e.b, value, 10)
	e.b = append(e.b, '"')
}

// moment is left out when there is none.
func (e *encoder) moment(name string, m history.Moment) {
	if m == 0 || m == history.Newest {
		return
	}
	e.member(name)
	e.b = append(e.b, '"')
	e.b = m.Time().AppendFormat(e.b, layout(m))
	e.b = append(e.b, '"')
}

func timestamp(m history.Moment) string { return m.Time().Format(layout(m)) }

// layout writes a moment as the HTTP API does: no fraction, or three digits or
// six.
func layout(m history.Moment) string {
	switch {
	case m%1_000_000 == 0:
		return "2006-01-02T15:04:05Z"
	case m%1000 == 0:
		return "2006-01-02T15:04:05.000Z"
	}
	return "2006-01-02T15:04:05.000000Z"
}

func (e *encoder) texts(name string, m map[string]string) {
	e.member(name)
	e.open('{')
	for _, key := range slices.Sorted(maps.Keys(m)) {
		e.key(key)
		e.string(m[key])
	}
	e.close('}')
}

func (e *encoder) documents(name string, docs map[string][]byte) {
	e.member(name)
	e.open('{')
	for _, key := range slices.Sorted(maps.Keys(docs)) {
		e.key(key)
		e.orNull(docs[key])
	}
	e.close('}')
}

func (e *encoder) list(name string, values []string) {
	e.member(name)
	e.open('[')
	for _, v := range values {
		e.element()
		e.string(v)
	}
	e.close(']')
}

// patch writes an RFC 6902 patch. Its values are canonical already.
func (e *encoder) patch(name string, p diff.Patch) {
	e.member(name)
	e.open('[')
	for _, op := range p {
		e.element()
		e.open('{')
		e.text("op", op.Op)
		if op.Op == diff.OpMove || op.Op == diff.OpCopy {
			e.text("from", op.From)
		}
		e.text("path", op.Path)
		if op.Value != nil {
			e.raw("value", op.Value)
		}
		e.close('}')
	}
	e.close(']')
}
