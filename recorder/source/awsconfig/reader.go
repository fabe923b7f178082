package awsconfig

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/canonical"
	"github.com/varvehq/varve/recorder/internal/walk"
	"github.com/varvehq/varve/recorder/source"
)

// DefaultMaxItem is the longest item where [Options] say nothing else, in bytes.
const DefaultMaxItem = 64 << 20

// Options of a reader; the zero value works.
type Options struct {
	MaxItem int    // bytes of the longest item or envelope; default 64 MiB
	Source  string // of observations that name none
}

// Reader reads the configuration items of a file. It is a [source.Reader]; the
// line of an item within an envelope that is read whole, such as an event, is
// that of the envelope.
type Reader struct {
	o     Options
	in    *feed
	json  *jsontext.Decoder
	where place
	whole []byte  // the object at the top level so far, while it may be an item
	began int     // the line of that object
	ready []found // read but not yet returned
	err   error   // why nothing more can be read
}

// place is where in the file the decoder stands.
type place uint8

const (
	between  place = iota // the values at the top level
	inArray               // at the top level
	inObject              // at the top level
	inItems               // in the configurationItems of that object
)

// found is an observation, or why it is none.
type found struct {
	o    history.Observation
	line int
	err  error
}

// NewReader returns a reader of r. It reads ahead.
func NewReader(r io.Reader, o Options) *Reader {
	if o.MaxItem <= 0 {
		o.MaxItem = DefaultMaxItem
	}
	in := &feed{r: r, lines: 1, allowance: o.MaxItem}
	// Duplicate keys and bad UTF-8 are found item by item, and spoil no more.
	json := jsontext.NewDecoder(in, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return &Reader{o: o, in: in, json: json}
}

// Next returns the next configuration item. See [source.Reader] for the errors.
// A document that holds no items is one of them.
func (r *Reader) Next() (history.Observation, int, error) {
	for len(r.ready) == 0 {
		if r.err != nil {
			return history.Observation{}, r.in.lines, r.err
		}
		r.in.allowance = r.o.MaxItem
		r.in.line(r.json.InputOffset())
		if err := r.step(); err != nil {
			r.err = r.broken(err)
		}
	}
	next := r.ready[0]
	r.ready = r.ready[1:]
	if next.err != nil {
		return history.Observation{}, next.line, &source.LineError{Line: next.line, Err: next.err}
	}
	if next.o.Origin.Source == "" {
		next.o.Origin.Source = r.o.Source
	}
	return next.o, next.line, nil
}

// step reads the next value or bracket.
func (r *Reader) step() error {
	kind := r.json.PeekKind()
	switch r.where {
	case between:
		switch kind {
		case '[':
			return r.enter(inArray)
		case '{':
			if err := r.enter(inObject); err != nil {
				return err
			}
			r.began = r.in.line(r.json.InputOffset())
			r.whole = append(r.whole[:0], '{')
			return nil
		}
		return r.value(r.document)

	case inArray:
		if kind == ']' {
			return r.enter(between)
		}
		return r.value(r.document)

	case inItems:
		if kind == ']' {
			return r.enter(inObject)
		}
		return r.value(r.item)
	}
	return r.member(kind)
}

// member reads a member of an object at the top level. The object is an item or
// a small envelope, and is put together to be read whole, until it turns out to
// have a list of items.
func (r *Reader) member(kind jsontext.Kind) error {
	if kind == '}' {
		if err := r.enter(between); err != nil {
			return err
		}
		if r.whole != nil {
			r.document(append(r.whole, '}'), r.began)
		}
		return nil
	}

	name, err := r.json.ReadValue()
	if err != nil {
		return err
	}
	list := string(name) == `"configurationItems"`
	if r.whole != nil {
		if len(r.whole) > 1 {
			r.whole = append(r.whole, ',')
		}
		r.whole = append(append(r.whole, name...), ':')
	}
	if list && r.json.PeekKind() == '[' { // from here on name is no longer valid
		r.whole = nil
		return r.enter(inItems)
	}
	if r.whole == nil {
		return r.json.SkipValue()
	}
	value, err := r.json.ReadValue()
	r.whole = append(r.whole, value...)
	if len(r.whole) > r.o.MaxItem {
		return errTooLarge
	}
	return err
}

// enter reads a bracket, behind which is another place.
func (r *Reader) enter(where place) error {
	_, err := r.json.ReadToken()
	r.where = where
	return err
}

// value reads a value whole and has it taken.
func (r *Reader) value(take func(raw []byte, line int)) error {
	raw, err := r.json.ReadValue()
	if err != nil {
		return err
	}
	take(raw, r.in.line(r.json.InputOffset()-int64(len(raw))))
	return nil
}

// item takes a value that must be an item.
func (r *Reader) item(raw []byte, line int) {
	doc, err := form(raw)
	if err != nil {
		r.refuse(line, err)
		return
	}
	r.add(doc, line)
}

// document takes a value that may be an item or hold some.
func (r *Reader) document(raw []byte, line int) {
	doc, err := form(raw)
	if err != nil {
		r.refuse(line, err)
		return
	}
	if err := r.search(doc, line, 0); err != nil {
		r.refuse(line, err)
	}
}

// search looks for items in canonical JSON. An error says that there is no place
// for any.
func (r *Reader) search(doc []byte, line, depth int) error {
	const deepest = 8 // envelopes within envelopes
	if depth > deepest {
		return errNoItems
	}
	if doc[0] == '[' {
		for element := range walk.Array(doc) {
			if err := r.search(element, line, depth+1); err != nil {
				r.refuse(line, err)
			}
		}
		return nil
	}

	if list := walk.Member(doc, "configurationItems"); list != nil {
		for element := range walk.Array(list) {
			r.add(element, line)
		}
		return nil
	}
	if item := walk.Member(doc, "configurationItem"); len(item) > 0 && item[0] == '{' {
		r.add(item, line)
		return nil
	}
	for _, name := range [...]string{"resourceType", "resourceId", "configurationItemCaptureTime"} {
		if walk.Member(doc, name) != nil {
			r.add(doc, line)
			return nil
		}
	}
	if walk.Member(doc, "configurationItemSummary") != nil {
		return &history.Error{Kind: history.Invalid,
			Text: "holds only the summary of an oversized configuration item; read the file that its s3DeliverySummary names"}
	}
	for _, name := range [...]string{"detail", "invokingEvent", "Message"} {
		inner := walk.Member(doc, name)
		if text, ok := walk.Text(inner); ok {
			var err error
			if inner, err = form([]byte(text)); err != nil {
				continue
			}
		}
		if len(inner) > 0 && inner[0] == '{' {
			return r.search(inner, line, depth+1)
		}
	}
	return errNoItems
}

// add reads an item from canonical JSON.
func (r *Reader) add(doc []byte, line int) {
	o, err := observation(doc)
	if err != nil {
		r.refuse(line, err)
		return
	}
	r.ready = append(r.ready, found{o: o, line: line})
}

func (r *Reader) refuse(line int, err error) {
	r.ready = append(r.ready, found{line: line, err: err})
}

// broken says where and why the file cannot be read on, or that it is at its
// end.
func (r *Reader) broken(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	var syntax *jsontext.SyntacticError
	offset := r.json.InputOffset()
	switch {
	case r.in.err != nil:
		offset, err = r.in.end(), r.in.err
	case errors.Is(err, errTooLarge):
		err = history.Errorf(history.TooLarge, "is longer than %d bytes", r.o.MaxItem)
	case errors.Is(err, io.ErrUnexpectedEOF):
		offset = r.in.end()
		err = history.Errorf(history.Invalid, "the file ends in the middle of a JSON value")
	case errors.As(err, &syntax):
		offset = syntax.ByteOffset
		err = history.Errorf(history.Invalid, "not valid JSON: %v at byte %d of the file", syntax.Err, syntax.ByteOffset)
	}
	return &source.BrokenError{Line: r.in.line(offset), Err: err}
}

var (
	errNoItems  = &history.Error{Kind: history.Invalid, Text: "holds no configuration items"}
	errTooLarge = errors.New("longer than it may be")
)

// form is the canonical form of an item or envelope. How large and how deep the
// documents within may be is for the recorder to say.
func form(raw []byte) ([]byte, error) {
	widest := canonical.Limits{MaxBytes: canonical.HighestMaxBytes, MaxDepth: canonical.HighestMaxDepth}
	doc, err := canonical.Form(raw, widest)
	if err == nil {
		return doc, nil
	}
	text := err.Error()
	if why := (*canonical.Error)(nil); errors.As(err, &why) && why.Kind == canonical.Syntax {
		text = "not valid JSON: " + text
	}
	return nil, &history.Error{Kind: history.Invalid, Text: text}
}

// feed feeds the decoder, counts lines, and stops it from reading more for one
// item than it is allowed to.
type feed struct {
	r         io.Reader
	allowance int
	err       error // of r

	text    []byte // the end of what was read from r
	counted int    // bytes of text whose lines are counted
	from    int64  // offset in the file of the first byte that is not counted
	lines   int    // up to there
}

func (f *feed) Read(p []byte) (int, error) {
	if f.allowance <= 0 {
		return 0, errTooLarge
	}
	n, err := f.r.Read(p)
	if err != nil && err != io.EOF {
		f.err = err
	}
	f.allowance -= n
	if f.counted > len(f.text)/2 {
		f.text = f.text[:copy(f.text, f.text[f.counted:])]
		f.counted = 0
	}
	f.text = append(f.text, p[:n]...)
	return n, err
}

// line returns the line of an offset, which must not be before the last one
// that was asked for.
func (f *feed) line(offset int64) int {
	rest := f.text[f.counted:]
	n := min(max(int(offset-f.from), 0), len(rest))
	f.lines += bytes.Count(rest[:n], []byte{'\n'})
	f.counted += n
	f.from += int64(n)
	return f.lines
}

// end is the offset behind all that was read.
func (f *feed) end() int64 { return f.from + int64(len(f.text)-f.counted) }
