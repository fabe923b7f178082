package ndjson

import (
	"bytes"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/canonical"
)

// ordinary reads a line as programs write it, in half the time of strict and like
// it but for the errors: it reports false where there would be one, and for some
// lines that are right but rare, such as those with null for a text.
func (d *decoder) ordinary(line []byte) (o history.Observation, ok bool) {
	f := fast{d, canonical.NewCursor(line)}
	defer f.c.Close()
	ok = f.object(func(name string) (member, bool) {
		m, known := memberOf(name)
		return m, known && f.member(m, &o)
	})
	return o, ok && f.c.AtEnd() && o.CapturedAt != 0 && o.Key.Type != "" && o.Key.ID != ""
}

// fast reads one line. Its methods report whether what they read was ordinary.
type fast struct {
	d *decoder // for its words
	c *canonical.Cursor
}

// object calls read with each name, to read the value and tell the member, which
// must come once.
func (f *fast) object(read func(name string) (member, bool)) bool {
	var given members
	return f.c.Object(func(key []byte) bool {
		m, ok := read(f.d.internBytes(key))
		return ok && !given.add(m)
	})
}

func (f *fast) member(m member, o *history.Observation) bool {
	s, from := &o.State, &o.Origin
	switch m {
	case memberTime:
		return f.moment(&o.CapturedAt)
	case memberProvider:
		return f.word(&from.Provider)
	case memberAccount:
		return f.word(&o.Key.Account)
	case memberRegion:
		return f.word(&o.Key.Region)
	case memberType:
		return f.word(&o.Key.Type)
	case memberID:
		return f.text(&o.Key.ID)
	case memberName:
		return f.text(&s.Name)
	case memberARN:
		return f.text(&s.ARN)
	case memberAvailabilityZone:
		return f.word(&s.AvailabilityZone)
	case memberCreatedAt:
		return f.moment(&s.CreatedAt)
	case memberStatus:
		return f.word((*string)(&s.Status))
	case memberTags:
		s.Tags = map[string]string{}
		return f.tags(s.Tags)
	case memberConfiguration:
		return f.document(&s.Configuration)
	case memberSupplementary:
		s.Supplementary = map[string][]byte{}
		return f.supplementary(s.Supplementary)
	case memberRelationships:
		return f.c.Array(func() bool {
			s.Relationships = append(s.Relationships, history.Relationship{})
			return f.relationship(&s.Relationships[len(s.Relationships)-1])
		})
	case memberDeleted:
		raw, ok := f.c.Value()
		s.Deleted = string(raw) == "true"
		return ok && (s.Deleted || string(raw) == "false")
	case memberCause:
		return f.cause(&from.Cause)
	case memberSource:
		return f.text(&from.Source)
	case memberExtras:
		return f.c.Peek() != 'n' && f.document(&from.Extras) && from.Extras[0] == '{'
	}
	return false
}

func (f *fast) tags(tags map[string]string) bool {
	return f.c.Object(func(key []byte) bool {
		before := len(tags)
		text, ok := f.c.Text()
		tags[f.d.intern(string(key))] = string(text)
		return ok && len(tags) > before
	})
}

func (f *fast) supplementary(docs map[string][]byte) bool {
	return f.c.Object(func(key []byte) bool {
		before := len(docs)
		raw, ok := f.c.Value()
		docs[f.d.intern(string(key))] = bytes.Clone(raw)
		return ok && len(docs) > before
	})
}

func (f *fast) relationship(r *history.Relationship) bool {
	return f.object(func(name string) (member, bool) {
		switch name {
		case "name":
			return 0, f.word(&r.Name)
		case "type":
			return 1, f.word(&r.Type)
		case "id":
			return 2, f.word(&r.ID)
		case "resourceName":
			return 3, f.word(&r.ResourceName)
		case "account":
			return 4, f.word(&r.Account)
		case "region":
			return 5, f.word(&r.Region)
		}
		return 0, false
	})
}

func (f *fast) cause(c *history.Cause) bool {
	return f.object(func(name string) (member, bool) {
		switch name {
		case "actor":
			return 0, f.word(&c.Actor)
		case "eventId":
			return 1, f.word(&c.EventID)
		case "sourceIp":
			return 2, f.word(&c.SourceIP)
		}
		return 0, false
	})
}

// document takes null for none, as it stands.
func (f *fast) document(to *[]byte) bool {
	raw, ok := f.c.Value()
	if string(raw) != "null" {
		*to = bytes.Clone(raw)
	}
	return ok
}

func (f *fast) moment(to *history.Moment) bool {
	text, ok := f.c.Text()
	if !ok {
		return false
	}
	var t time.Time
	if t.UnmarshalText(text) != nil {
		return false
	}
	*to = history.MomentOf(t)
	return to.Valid()
}

func (f *fast) text(to *string) bool {
	text, ok := f.c.Text()
	*to = string(text)
	return ok
}

func (f *fast) word(to *string) bool {
	text, ok := f.c.Text()
	if ok && len(text) <= 128 {
		*to = f.d.internBytes(text)
		return true
	}
	*to = string(text)
	return ok
}
