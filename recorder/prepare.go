package recorder

import (
	"bytes"
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
	given, err := r.prepare(o)
	if given != nil {
		defer givenBuffers.Put(given)
	}
	complete := o.Complete
	o.Complete = nil // it needs the buffer
	if err != nil || complete == nil {
		return err
	}
	if o.State, err = complete(); err == nil {
		o.Content = o.State.AppendContent(nil)
	}
	return err
}

// prepare is Prepare that leaves out what a store most likely does not need. The
// buffer it may return belongs to the observation.
func (r *Recorder) prepare(o *history.Observation) (given *[]byte, err error) {
	o.Content, o.Hash, o.Complete = nil, history.Hash{}, nil // of what is given, not of what is stored
	if r.o.Redact != nil {
		if err := r.redact(o); err != nil {
			return nil, err
		}
		return nil, r.whole(o)
	}
	given = givenBuffers.Get().(*[]byte)
	hash := encodeGiven(given, o)
	if r.recall(o, hash, *given) {
		return given, r.rest(o)
	}
	defer givenBuffers.Put(given)
	if err := r.whole(o); err != nil {
		return nil, err
	}
	*given = o.State.AppendContent((*given)[:0])
	o.Content, o.Hash = bytes.Clone(*given), history.HashContent(*given)
	r.memory.Put(hash, o.Hash, 0)
	return nil, nil
}

// whole checks an observation and puts all of it into the form that is stored.
func (r *Recorder) whole(o *history.Observation) error {
	if err := Check(o); err != nil {
		return err
	}
	if err := r.form(o); err != nil {
		return err
	}
	return r.extras(o)
}

// rest is whole without the state.
func (r *Recorder) rest(o *history.Observation) error {
	if err := checkKey(&o.Key); err != nil {
		return err
	}
	if err := checkEvidence(o); err != nil {
		return err
	}
	return r.extras(o)
}

// form puts the state of an observation into the form that is stored.
func (r *Recorder) form(o *history.Observation) error {
	if err := checkState(&o.State); err != nil {
		return err
	}
	if err := r.documents(&o.State); err != nil {
		return err
	}
	complete(o)
	o.State.Relationships = slices.Clone(o.State.Relationships)
	o.State.Normalize()
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

// documents replaces the JSON values of a state by their canonical forms.
func (r *Recorder) documents(s *history.State) (err error) {
	if s.Configuration != nil {
		if s.Configuration, err = r.canonical(s.Configuration, "configuration", ""); err != nil {
			return err
		}
	}
	if n := len(s.Supplementary); n > 0 {
		forms := make(map[string][]byte, n)
		for name, doc := range s.Supplementary {
			if forms[name], err = r.canonical(doc, "supplementary", name); err != nil {
				return err
			}
		}
		s.Supplementary = forms
	}
	return nil
}

// extras replaces what else was given by its canonical form.
func (r *Recorder) extras(o *history.Observation) (err error) {
	if len(o.Origin.Extras) == 0 {
		o.Origin.Extras = nil
		return nil
	}
	if o.Origin.Extras, err = r.canonical(o.Origin.Extras, "extras", ""); err != nil {
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

func (r *Recorder) canonical(doc []byte, field, name string) ([]byte, error) {
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
