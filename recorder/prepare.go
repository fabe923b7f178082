package recorder

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/canonical"
)

// Prepare puts an observation into the form that stores take, as Record does
// with each of its batch. An error is a *[history.Error] and leaves the
// observation half prepared.
//
// What o refers to is neither changed nor kept, but for what the redaction hook
// leaves in it: that gets copies to work on.
func (r *Recorder) Prepare(o *history.Observation) error {
	if err := r.redact(o); err != nil {
		return err
	}
	given := givenBuffers.Get().(*[]byte)
	defer givenBuffers.Put(given)
	if r.o.Redact == nil && r.recall(o, given) {
		return checkEvidence(o)
	}
	if err := Check(o); err != nil {
		return err
	}
	extras := o.Origin.Extras
	if err := r.canonical(o); err != nil {
		return err
	}
	complete(o)
	o.State.Relationships = slices.Clone(o.State.Relationships)
	o.State.Normalize()
	if r.o.Redact == nil {
		r.remember(o, *given, extras)
	}
	return nil
}

func (r *Recorder) redact(o *history.Observation) error {
	if r.o.Redact == nil {
		return nil
	}
	s := &o.State
	s.Tags = maps.Clone(s.Tags)
	s.Configuration = slices.Clone(s.Configuration)
	s.Relationships = slices.Clone(s.Relationships)
	s.Supplementary = maps.Clone(s.Supplementary)
	for name, doc := range s.Supplementary {
		s.Supplementary[name] = slices.Clone(doc)
	}
	o.Origin.Extras = slices.Clone(o.Origin.Extras)

	err := r.o.Redact(o)
	if err == nil || errors.As(err, new(*history.Error)) {
		return err
	}
	return &history.Error{Kind: history.Internal, Text: "could not be redacted, and is not stored unredacted", Err: err}
}

// canonical replaces every JSON value by its canonical form.
func (r *Recorder) canonical(o *history.Observation) error {
	var err error
	if o.State.Configuration != nil {
		if o.State.Configuration, err = r.form(o.State.Configuration, "configuration", ""); err != nil {
			return err
		}
	}

	if n := len(o.State.Supplementary); n > 0 {
		forms := make(map[string][]byte, n)
		for name, doc := range o.State.Supplementary {
			if forms[name], err = r.form(doc, "supplementary", name); err != nil {
				return err
			}
		}
		o.State.Supplementary = forms
	}

	if len(o.Origin.Extras) == 0 {
		o.Origin.Extras = nil
		return nil
	}
	if o.Origin.Extras, err = r.form(o.Origin.Extras, "extras", ""); err != nil {
		return err
	}
	switch {
	case o.Origin.Extras[0] != '{':
		return &history.Error{Kind: history.Invalid, Field: "extras", Text: "is not a JSON object"}
	case len(o.Origin.Extras) == len("{}"):
		o.Origin.Extras = nil
	}
	return nil
}

func (r *Recorder) form(doc []byte, field, name string) ([]byte, error) {
	form, err := canonical.Form(doc, r.o.Limits)
	if err == nil {
		return form, nil
	}
	return nil, refusal(err, field, name)
}

// refusal tells in history's words why a document has no canonical form.
func refusal(err error, field, name string) error {
	e := &history.Error{Kind: history.Invalid, Field: field, Text: err.Error()}
	if name != "" {
		e.Value = quote(name)
	}
	var why *canonical.Error
	if errors.As(err, &why) {
		if why.Kind == canonical.TooLarge || why.Kind == canonical.TooDeep {
			e.Kind = history.TooLarge
		}
		e.Meta = map[string]string{"pointer": cut(why.Pointer), "byte": strconv.Itoa(why.Offset)}
	}
	return e
}

// cut keeps a pointer, which can be as long as its document, at a length that
// fits into an answer's headers.
func cut(pointer string) string {
	const most = 512
	if len(pointer) <= most {
		return pointer
	}
	end := most
	for !utf8.RuneStart(pointer[end]) {
		end--
	}
	return pointer[:end] + "…"
}
