package awsconfig

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/canonical"
	"github.com/varvehq/varve/recorder/internal/walk"
)

// WriterOptions of a writer; the zero value works.
type WriterOptions struct {
	SnapshotID string // configSnapshotId of the file; left out if empty
}

// Writer writes items as one snapshot file, item by item. It is not safe for
// concurrent use.
type Writer struct {
	w     *bufio.Writer
	o     WriterOptions
	buf   []byte
	begun bool
	items bool
	err   error
}

// NewWriter returns a writer to w. Nothing is written before the first item or
// Close.
func NewWriter(w io.Writer, o WriterOptions) *Writer {
	return &Writer{w: bufio.NewWriterSize(w, 64<<10), o: o}
}

// Write writes an item, which must have been read with all its fields. After an
// error of w every call returns it; an item that cannot be written, because it
// has texts that are not UTF-8, is left out of the file.
func (w *Writer) Write(item *history.Item) error {
	line, err := appendItem(w.buf[:0], item)
	if err != nil {
		return fmt.Errorf("aws-config: %s: %w", item.Key, err)
	}
	w.buf = line
	w.begin()
	if w.items {
		w.put(",")
	}
	w.items = true
	w.put("\n")
	w.put(string(line))
	return w.err
}

// Close writes the end of the file. It does not close the underlying writer.
func (w *Writer) Close() error {
	w.begin()
	if w.items {
		w.put("\n")
	}
	w.put("]}\n")
	if w.err == nil {
		w.err = w.w.Flush()
	}
	return w.err
}

func (w *Writer) begin() {
	if w.begun {
		return
	}
	w.begun = true
	w.put(`{"fileVersion":"1.0",`)
	if w.o.SnapshotID != "" {
		id, err := canonical.AppendString(nil, w.o.SnapshotID)
		if err != nil {
			w.err = fmt.Errorf("aws-config: configSnapshotId: %w", err)
		}
		w.put(`"configSnapshotId":` + string(id) + ",")
	}
	w.put(`"configurationItems":[`)
}

func (w *Writer) put(s string) {
	if w.err == nil {
		_, w.err = w.w.WriteString(s)
	}
}

// Append appends one item in the stream's dialect, as it stands in the files
// that Writer writes. If it cannot, it returns dst as it was.
func Append(dst []byte, it *history.Item) ([]byte, error) {
	b, err := appendItem(dst, it)
	if err != nil {
		return dst, fmt.Errorf("aws-config: %s: %w", it.Key, err)
	}
	return b, nil
}

// schemaVersion is that of the items that AWS writes now.
const schemaVersion = `"1.3"`

func appendItem(dst []byte, it *history.Item) ([]byte, error) {
	s := &it.State
	extras, foreign := splitExtras(it)
	head := headOf(it, extras)
	related := extras["relationships"]
	for _, written := range [...]string{streamVersion, stateID, "relationships"} {
		delete(extras, written)
	}

	e := encoder{b: append(dst, '{')}
	e.raw(streamVersion, head.version)
	e.text("configurationItemCaptureTime", format(it.CapturedAt))
	e.text("configurationItemStatus", string(head.status))
	e.raw(stateID, head.state)
	e.text(streamAccount, it.Key.Account)
	e.text("awsRegion", it.Key.Region)
	e.orNull("availabilityZone", s.AvailabilityZone)
	e.text("resourceType", it.Key.Type)
	e.text("resourceId", it.Key.ID)
	e.orNull("resourceName", s.Name)
	e.orNull(streamARN, s.ARN)
	created := ""
	if s.CreatedAt != 0 {
		created = format(s.CreatedAt)
	}
	e.orNull("resourceCreationTime", created)
	e.tags(s.Tags)
	if related != nil {
		e.raw("relationships", related)
	} else {
		e.relationships(s.Relationships)
	}
	e.raw("configuration", wrap(s.Configuration))
	e.documents(s.Supplementary)
	for _, name := range slices.Sorted(maps.Keys(extras)) {
		e.raw(name, extras[name])
	}
	e.ours(head.derived, &it.Origin, foreign)
	return append(e.b, '}'), e.err
}

// head are the members that every item of AWS Config has.
type head struct {
	version, state []byte // as in the stream
	status         history.Status
	derived        []string // names of those that the item's source did not give
}

// headOf derives what is not among the extras that stand for themselves.
func headOf(it *history.Item, extras map[string][]byte) head {
	h := head{version: extras[streamVersion], state: extras[stateID], status: it.State.Status}
	if h.version == nil {
		h.version = []byte(schemaVersion)
		h.derived = append(h.derived, streamVersion)
	}
	if h.state == nil {
		h.state = strconv.AppendInt(nil, int64(it.CapturedAt)/1000, 10)
		h.derived = append(h.derived, stateID)
	}
	switch {
	case h.status != "":
	case it.State.Deleted:
		h.status = history.StatusDeleted // stands for deleted, and reads back as no more
	default:
		h.status = history.DeriveStatus(it.Status, false, true)
		h.derived = append(h.derived, "configurationItemStatus")
	}
	return h
}

// splitExtras tells the extras that can stand in the item itself from those that
// would be taken for something else there, which are returned as an object.
func splitExtras(it *history.Item) (own map[string][]byte, foreign []byte) {
	own = map[string][]byte{}
	var others members
	for key, value := range walk.Object(it.Origin.Extras) {
		name := string(key)
		if standsForItself(name, value, &it.State) {
			own[name] = value
			continue
		}
		others = append(others, member{name, value})
	}
	return own, others.object()
}

// standsForItself reports whether a reader keeps a member of an item in the
// extras just so.
func standsForItself(name string, value []byte, s *history.State) bool {
	switch name {
	case apiVersion, apiHash:
		return false
	case stateID:
		text, ok := walk.Text(value)
		return !ok || !isPlainNumber(text)
	case "relationships":
		return tellsMore(value, s)
	}
	_, isField := new(item).field(name)
	return !isField
}

// tellsMore reports whether a list of relationships is one that was kept beside
// those of the state because it says the same and more.
func tellsMore(raw []byte, s *history.State) bool {
	list, whole, err := []history.Relationship(nil), true, error(nil)
	if raw[0] == '[' {
		list, whole, err = relationships(raw)
	}
	if err != nil || whole {
		return false
	}
	same := history.State{Relationships: list}
	same.Normalize()
	return slices.Equal(same.Relationships, s.Relationships)
}

// wrap writes a configuration so that unwrap gives it back: a string that would
// be taken for something else becomes JSON text of a string.
func wrap(doc []byte) []byte {
	if doc == nil {
		return []byte("null")
	}
	text, isString := walk.Text(doc)
	if !isString || (text != "" && !isJSON(text)) {
		return doc
	}
	b, _ := canonical.AppendString(nil, string(doc)) // it is valid JSON
	return b
}

// encoder appends the members of an item; after err it appends nothing that
// counts.
type encoder struct {
	b   []byte
	err error
}

func (e *encoder) string(s string) {
	var err error
	if e.b, err = canonical.AppendString(e.b, s); err != nil && e.err == nil {
		e.err = err
	}
}

// member begins a member of the innermost object.
func (e *encoder) member(name string) {
	e.comma()
	e.string(name)
	e.b = append(e.b, ':')
}

func (e *encoder) comma() {
	if last := e.b[len(e.b)-1]; last != '{' && last != '[' {
		e.b = append(e.b, ',')
	}
}

func (e *encoder) raw(name string, value []byte) {
	e.member(name)
	e.b = append(e.b, value...)
}

func (e *encoder) text(name, value string) {
	e.member(name)
	e.string(value)
}

func (e *encoder) orNull(name, value string) {
	if value == "" {
		e.raw(name, []byte("null"))
		return
	}
	e.text(name, value)
}

func (e *encoder) tags(tags map[string]string) {
	e.member("tags")
	e.b = append(e.b, '{')
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		e.text(key, tags[key])
	}
	e.b = append(e.b, '}')
}

func (e *encoder) relationships(list []history.Relationship) {
	e.member("relationships")
	e.b = append(e.b, '[')
	for _, r := range list {
		e.comma()
		e.b = append(e.b, '{')
		e.text("resourceType", r.Type)
		e.orNull("resourceId", r.ID)
		e.orNull("resourceName", r.ResourceName)
		e.text("name", r.Name)
		if r.Account != "" {
			e.text(streamAccount, r.Account)
		}
		if r.Region != "" {
			e.text("awsRegion", r.Region)
		}
		e.b = append(e.b, '}')
	}
	e.b = append(e.b, ']')
}

func (e *encoder) documents(docs map[string][]byte) {
	e.member("supplementaryConfiguration")
	e.b = append(e.b, '{')
	for _, name := range slices.Sorted(maps.Keys(docs)) {
		e.raw(name, docs[name])
	}
	e.b = append(e.b, '}')
}

// ours writes the member of our own, unless it would be empty.
func (e *encoder) ours(derived []string, from *history.Origin, extras []byte) {
	before := len(e.b)
	e.member(ourMember)
	e.b = append(e.b, '{')
	empty := len(e.b)
	if len(derived) > 0 {
		slices.Sort(derived)
		e.member("derived")
		e.b = append(e.b, '[')
		for _, name := range derived {
			e.comma()
			e.string(name)
		}
		e.b = append(e.b, ']')
	}
	if from.Provider != "aws" {
		e.text("provider", from.Provider)
	}
	if from.Source != "" {
		e.text("source", from.Source)
	}
	if from.Cause != (history.Cause{}) {
		e.member("cause")
		e.b = append(e.b, '{')
		for _, m := range [...][2]string{{"actor", from.Cause.Actor}, {"eventId", from.Cause.EventID}, {"sourceIp", from.Cause.SourceIP}} {
			if m[1] != "" {
				e.text(m[0], m[1])
			}
		}
		e.b = append(e.b, '}')
	}
	if extras != nil {
		e.raw("extras", extras)
	}
	if len(e.b) == empty {
		e.b = e.b[:before]
		return
	}
	e.b = append(e.b, '}')
}
