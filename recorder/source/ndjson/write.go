package ndjson

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/canonical"
)

// Write writes the line of an item. See [Append].
func Write(w io.Writer, item *history.Item) error {
	line, err := Append(nil, item)
	if err != nil {
		return err
	}
	_, err = w.Write(line)
	return err
}

// Append appends the line that reads back as an observation equal to the one
// that made the item, newline included: the members that are present, in an
// order of their own; tags and names sorted; JSON values as they are stored. The
// item must have been read with all its fields. Texts that are not UTF-8, which
// no store takes, are refused; dst is then returned as it was.
func Append(dst []byte, item *history.Item) ([]byte, error) {
	return AppendObservation(dst, &history.Observation{
		Key: item.Key, CapturedAt: item.CapturedAt, State: item.State, Origin: item.Origin,
	})
}

// AppendObservation is Append for an observation in the form that stores take.
func AppendObservation(dst []byte, o *history.Observation) ([]byte, error) {
	s, from := &o.State, &o.Origin
	e := encoder{b: append(dst, '{'), first: true}
	e.text("time", o.CapturedAt.String())
	e.text("provider", from.Provider)
	e.text("account", o.Key.Account)
	e.text("region", o.Key.Region)
	e.text("type", o.Key.Type)
	e.text("id", o.Key.ID)
	e.text("name", s.Name)
	e.text("arn", s.ARN)
	e.text("availabilityZone", s.AvailabilityZone)
	e.text("createdAt", s.CreatedAt.String())
	e.text("status", string(s.Status))
	e.tags(s.Tags)
	e.configuration(s)
	e.supplementary(s.Supplementary)
	e.relationships(s.Relationships)
	if s.Deleted {
		e.raw("deleted", []byte("true"))
	}
	e.cause(from.Cause)
	e.text("source", from.Source)
	e.raw("extras", from.Extras)
	if e.err != nil {
		return dst, fmt.Errorf("ndjson: %s: %w", o.Key, e.err)
	}
	return append(e.b, '}', '\n'), nil
}

// encoder appends members; after err it appends nothing that counts.
type encoder struct {
	b     []byte
	first bool // no member yet in the innermost object
	err   error
}

// member begins a member or, without a name, an element.
func (e *encoder) member(name string) {
	if !e.first {
		e.b = append(e.b, ',')
	}
	e.first = false
	if name != "" {
		e.string(name)
		e.b = append(e.b, ':')
	}
}

func (e *encoder) open(bracket byte)  { e.b, e.first = append(e.b, bracket), true }
func (e *encoder) close(bracket byte) { e.b, e.first = append(e.b, bracket), false }

func (e *encoder) string(s string) {
	var err error
	if e.b, err = canonical.AppendString(e.b, s); err != nil && e.err == nil {
		e.err = err
	}
}

// key begins a member whose name may be empty.
func (e *encoder) key(name string) {
	e.member("")
	e.string(name)
	e.b = append(e.b, ':')
}

func (e *encoder) text(name, value string) {
	if value == "" {
		return
	}
	e.member(name)
	e.string(value)
}

func (e *encoder) raw(name string, value []byte) {
	if len(value) == 0 {
		return
	}
	e.member(name)
	e.b = append(e.b, value...)
}

func (e *encoder) tags(tags map[string]string) {
	if len(tags) == 0 {
		return
	}
	e.member("tags")
	e.open('{')
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		e.key(key)
		e.string(tags[key])
	}
	e.close('}')
}

// configuration writes an explicit null for a deletion, so that the line says
// for itself that nothing was forgotten.
func (e *encoder) configuration(s *history.State) {
	if s.Deleted {
		e.raw("configuration", []byte("null"))
		return
	}
	e.raw("configuration", s.Configuration)
}

func (e *encoder) supplementary(docs map[string][]byte) {
	if len(docs) == 0 {
		return
	}
	e.member("supplementary")
	e.open('{')
	for _, name := range slices.Sorted(maps.Keys(docs)) {
		e.key(name)
		e.b = append(e.b, docs[name]...)
	}
	e.close('}')
}

func (e *encoder) relationships(list []history.Relationship) {
	if len(list) == 0 {
		return
	}
	e.member("relationships")
	e.open('[')
	for _, r := range list {
		e.member("")
		e.open('{')
		e.text("name", r.Name)
		e.text("type", r.Type)
		e.text("id", r.ID)
		e.text("resourceName", r.ResourceName)
		e.text("account", r.Account)
		e.text("region", r.Region)
		e.close('}')
	}
	e.close(']')
}

func (e *encoder) cause(c history.Cause) {
	if c == (history.Cause{}) {
		return
	}
	e.member("cause")
	e.open('{')
	e.text("actor", c.Actor)
	e.text("eventId", c.EventID)
	e.text("sourceIp", c.SourceIP)
	e.close('}')
}
