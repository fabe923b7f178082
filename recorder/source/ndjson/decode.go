package ndjson

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder"
	"github.com/varvehq/varve/recorder/canonical"
)

// decoder reads lines. It reuses what it can from one line to the next.
type decoder struct {
	json  *jsontext.Decoder
	buf   bytes.Buffer
	texts map[string]string // words that come again and again, see word
}

// Keys given twice are found here where they are read, and within documents by
// whoever puts those into canonical form; jsontext need not look as well.
var jsonOptions = jsontext.AllowDuplicateNames(true)

// observation reads one line. What it returns shares no memory with the line.
func (d *decoder) observation(line []byte) (history.Observation, error) {
	o, ok := d.ordinary(line)
	if !ok {
		var err error
		if o, err = d.strict(line); err != nil {
			return o, err
		}
	}
	return o, recorder.Check(&o)
}

// strict reads any line, in one pass, and says what is wrong with it.
func (d *decoder) strict(line []byte) (history.Observation, error) {
	d.buf = *bytes.NewBuffer(line)
	if d.json == nil {
		d.json = jsontext.NewDecoder(&d.buf, jsonOptions)
	} else {
		d.json.Reset(&d.buf, jsonOptions)
	}

	var o history.Observation
	err := d.line(&o)
	if syntax := (*syntaxError)(nil); errors.As(err, &syntax) {
		return o, explain(line, syntax)
	}
	return o, err
}

func (d *decoder) line(o *history.Observation) error {
	if kind := d.json.PeekKind(); kind != '{' {
		if _, err := d.value(); err != nil {
			return err
		}
		return &history.Error{Kind: history.Invalid, Field: "the line", Text: "is " + kindName(kind) + ", not an object"}
	}
	var given members
	err := d.object("", func(name string) error {
		m, known := memberOf(name)
		if !known {
			return unknown(name, "put what has no member here into extras")
		}
		if given.add(m) {
			return twice(name)
		}
		return d.member(m, o)
	})
	if err != nil {
		return err
	}
	if _, err := d.value(); err == nil {
		return &history.Error{Kind: history.Invalid, Field: "the line", Text: "goes on after its object; write one observation a line"}
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	switch {
	case o.CapturedAt == 0:
		return required("time")
	case o.Key.Type == "":
		return required("type")
	case o.Key.ID == "":
		return required("id")
	}
	return nil
}

// member reads the value of one member of the line.
func (d *decoder) member(m member, o *history.Observation) (err error) {
	s, from := &o.State, &o.Origin
	switch m {
	case memberTime:
		o.CapturedAt, err = d.moment("time")
	case memberProvider:
		from.Provider, err = d.word("provider")
	case memberAccount:
		o.Key.Account, err = d.word("account")
	case memberRegion:
		o.Key.Region, err = d.word("region")
	case memberType:
		o.Key.Type, err = d.word("type")
	case memberID:
		o.Key.ID, err = d.text("id")
	case memberName:
		s.Name, err = d.text("name")
	case memberARN:
		s.ARN, err = d.text("arn")
	case memberAvailabilityZone:
		s.AvailabilityZone, err = d.word("availabilityZone")
	case memberCreatedAt:
		s.CreatedAt, err = d.moment("createdAt")
	case memberStatus:
		var status string
		status, err = d.word("status")
		s.Status = history.Status(status)
	case memberTags:
		s.Tags, err = d.tags()
	case memberConfiguration:
		s.Configuration, err = d.document()
	case memberSupplementary:
		s.Supplementary, err = d.supplementary()
	case memberRelationships:
		s.Relationships, err = d.relationships()
	case memberDeleted:
		s.Deleted, err = d.boolean("deleted")
	case memberCause:
		err = d.cause(&from.Cause)
	case memberSource:
		from.Source, err = d.text("source")
	case memberExtras:
		from.Extras, err = d.extras()
	}
	return err
}

func (d *decoder) tags() (map[string]string, error) {
	if null, err := d.null(); null || err != nil {
		return nil, err
	}
	tags := map[string]string{}
	err := d.object("tags", func(key string) error {
		if _, ok := tags[key]; ok {
			return &history.Error{Kind: history.Invalid, Field: "tags", Value: quote(key), Text: "is given twice"}
		}
		raw, err := d.value()
		if err != nil {
			return err
		}
		if raw.Kind() != '"' {
			return &history.Error{Kind: history.Invalid, Field: "tags", Value: quote(key),
				Text: "is " + kindName(raw.Kind()) + ", not a string"}
		}
		tags[d.intern(key)] = unquote(raw)
		return nil
	})
	return tags, err
}

func (d *decoder) supplementary() (map[string][]byte, error) {
	if null, err := d.null(); null || err != nil {
		return nil, err
	}
	docs := map[string][]byte{}
	err := d.object("supplementary", func(name string) error {
		if _, ok := docs[name]; ok {
			return &history.Error{Kind: history.Invalid, Field: "supplementary", Value: quote(name), Text: "is given twice"}
		}
		raw, err := d.value()
		docs[d.intern(name)] = bytes.Clone(raw)
		return err
	})
	return docs, err
}

func (d *decoder) relationships() ([]history.Relationship, error) {
	if null, err := d.null(); null || err != nil {
		return nil, err
	}
	if kind := d.json.PeekKind(); kind != '[' {
		return nil, d.wrongKind("relationships", "a list")
	}
	if _, err := d.token(); err != nil {
		return nil, err
	}
	var list []history.Relationship
	for d.json.PeekKind() != ']' {
		field := "relationships/" + strconv.Itoa(len(list))
		var r history.Relationship
		err := d.fields(field, []textMember{
			{"name", &r.Name}, {"type", &r.Type}, {"id", &r.ID},
			{"resourceName", &r.ResourceName}, {"account", &r.Account}, {"region", &r.Region},
		})
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	_, err := d.token()
	return list, err
}

func (d *decoder) cause(c *history.Cause) error {
	if null, err := d.null(); null || err != nil {
		return err
	}
	return d.fields("cause", []textMember{{"actor", &c.Actor}, {"eventId", &c.EventID}, {"sourceIp", &c.SourceIP}})
}

// textMember is a member of a small object all of whose members are texts.
type textMember struct {
	name string
	to   *string
}

func (d *decoder) fields(field string, list []textMember) error {
	var given members
	return d.object(field, func(name string) error {
		i := slices.IndexFunc(list, func(m textMember) bool { return m.name == name })
		if i < 0 {
			return unknown(field+"/"+name, "")
		}
		if given.add(member(i)) {
			return twice(field + "/" + name)
		}
		var err error
		*list[i].to, err = d.word(field + "/" + name)
		return err
	})
}

// document reads a JSON value of any kind but null.
func (d *decoder) document() ([]byte, error) {
	raw, err := d.value()
	if err != nil || raw.Kind() == 'n' {
		return nil, err
	}
	return bytes.Clone(raw), nil
}

func (d *decoder) extras() ([]byte, error) {
	raw, err := d.document()
	if err == nil && raw != nil && raw[0] != '{' {
		err = &history.Error{Kind: history.Invalid, Field: "extras", Text: "is " + kindName(jsontext.Value(raw).Kind()) + ", not an object"}
	}
	return raw, err
}

func (d *decoder) boolean(field string) (bool, error) {
	switch kind := d.json.PeekKind(); kind {
	case 't', 'f', 'n':
		_, err := d.value()
		return kind == 't', err
	}
	return false, d.wrongKind(field, "true or false")
}

func (d *decoder) moment(field string) (history.Moment, error) {
	raw, err := d.string(field)
	if err != nil || raw == nil {
		return 0, err
	}
	text := unquote(raw)
	var t time.Time
	if err := t.UnmarshalText([]byte(text)); err != nil {
		return 0, &history.Error{Kind: history.Invalid, Field: field, Value: quote(text),
			Text: "is not an RFC 3339 time; write 2006-01-02T15:04:05Z"}
	}
	m := history.MomentOf(t)
	if !m.Valid() {
		return 0, &history.Error{Kind: history.Invalid, Field: field, Value: quote(text),
			Text: "lies outside the years 1970 to 9999"}
	}
	return m, nil
}

// text reads a string, and null for the empty one.
func (d *decoder) text(field string) (string, error) {
	raw, err := d.string(field)
	if err != nil || raw == nil {
		return "", err
	}
	return unquote(raw), nil
}

// word is text for values that few lines differ in, which are kept once.
func (d *decoder) word(field string) (string, error) {
	raw, err := d.string(field)
	if err != nil || raw == nil {
		return "", err
	}
	if len(raw) > 128 || bytes.IndexByte(raw, '\\') >= 0 {
		return unquote(raw), nil
	}
	return d.internBytes(raw[1 : len(raw)-1]), nil
}

func (d *decoder) intern(s string) string {
	if len(s) > 128 {
		return s
	}
	return d.internBytes([]byte(s))
}

func (d *decoder) internBytes(b []byte) string {
	if s, ok := d.texts[string(b)]; ok {
		return s
	}
	const most = 4096
	if d.texts == nil || len(d.texts) >= most {
		d.texts = make(map[string]string)
	}
	s := string(b)
	d.texts[s] = s
	return s
}

// object reads an object and calls member at each value. The name is valid
// during the call.
func (d *decoder) object(field string, member func(name string) error) error {
	if kind := d.json.PeekKind(); kind != '{' {
		return d.wrongKind(field, "an object")
	}
	if _, err := d.token(); err != nil {
		return err
	}
	for d.json.PeekKind() != '}' {
		name, err := d.value()
		if err != nil {
			return err
		}
		if err := member(d.name(name)); err != nil {
			return err
		}
	}
	_, err := d.token()
	return err
}

// string reads a string and returns it as it stands, nil for null.
func (d *decoder) string(field string) (jsontext.Value, error) {
	switch d.json.PeekKind() {
	case '"':
		return d.value()
	case 'n':
		_, err := d.value()
		return nil, err
	}
	return nil, d.wrongKind(field, "a string")
}

// null skips a value if it is null.
func (d *decoder) null() (bool, error) {
	if d.json.PeekKind() != 'n' {
		return false, nil
	}
	_, err := d.value()
	return true, err
}

// wrongKind skips a value and says that it is of the wrong kind, which is not
// true if it is none.
func (d *decoder) wrongKind(field, want string) error {
	kind := d.json.PeekKind()
	if _, err := d.value(); err != nil {
		return err
	}
	return &history.Error{Kind: history.Invalid, Field: field, Text: "is " + kindName(kind) + ", not " + want}
}

func (d *decoder) name(quoted jsontext.Value) string {
	if bytes.IndexByte(quoted, '\\') >= 0 {
		return unquote(quoted)
	}
	return d.internBytes(quoted[1 : len(quoted)-1])
}

func (d *decoder) value() (jsontext.Value, error) {
	v, err := d.json.ReadValue()
	if err != nil {
		return nil, &syntaxError{err}
	}
	return v, nil
}

func (d *decoder) token() (jsontext.Token, error) {
	t, err := d.json.ReadToken()
	if err != nil {
		return t, &syntaxError{err}
	}
	return t, nil
}

// syntaxError is jsontext's view of why a line is not JSON.
type syntaxError struct{ error }

func (e *syntaxError) Unwrap() error { return e.error }

// explain says why a line is not JSON in the words that are used of documents
// everywhere.
func explain(line []byte, syntax error) error {
	widest := canonical.Limits{MaxBytes: canonical.HighestMaxBytes, MaxDepth: canonical.HighestMaxDepth}
	_, err := canonical.Form(bytes.TrimRight(line, "\r\n"), widest)
	if err == nil {
		err = syntax
	}
	text := err.Error()
	if why := (*canonical.Error)(nil); !errors.As(err, &why) || why.Kind == canonical.Syntax {
		text = "not valid JSON: " + text
	}
	return &history.Error{Kind: history.Invalid, Text: text}
}

func unquote(quoted jsontext.Value) string {
	inside := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inside, '\\') < 0 {
		return string(inside)
	}
	text, _ := jsontext.AppendUnquote(nil, quoted)
	return string(text)
}

func unknown(name, remedy string) error {
	e := &history.Error{Kind: history.Invalid, Field: "member", Value: quote(name), Text: "is not known"}
	if remedy != "" {
		e.Text += "; " + remedy
	}
	return e
}

func twice(name string) error {
	return &history.Error{Kind: history.Invalid, Field: name, Text: "is given twice"}
}

func required(name string) error {
	return &history.Error{Kind: history.Invalid, Field: name, Text: "is required"}
}

func kindName(kind jsontext.Kind) string {
	switch kind {
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "a list"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	case '0':
		return "a number"
	}
	return "no JSON value"
}

// quote shortens and quotes a value for an error.
func quote(s string) string {
	const most = 64
	if len(s) > most {
		return strconv.Quote(strings.ToValidUTF8(s[:most], "")) + "…"
	}
	return strconv.Quote(s)
}
