package scenario

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"time"
)

// A timeline is a list of plans, each for a moment. Playing it carries them
// out in order; what they record becomes the lines.
type timeline struct {
	plans []plan
	now   time.Time
	lines lines
	late  lines
}

type plan struct {
	at time.Time
	do func()
}

// at plans do for a moment. Plans for the same moment are carried out in the
// order in which they were made.
func (t *timeline) at(moment time.Time, do func()) {
	t.plans = append(t.plans, plan{moment, do})
}

// start plans resources which were there on the first day.
func (t *timeline) start(resources ...*resource) {
	for _, r := range resources {
		t.at(at(Start), func() { t.record(r, itself) })
	}
}

// create plans a resource which appears at a moment.
func (t *timeline) create(moment time.Time, by actor, r *resource) {
	t.at(moment, func() {
		r.CreatedAt = stamp(moment)
		t.record(r, by)
	})
}

// change plans an edit of a resource.
func (t *timeline) change(moment time.Time, by actor, r *resource, edit func()) {
	t.at(moment, func() {
		edit()
		t.record(r, by)
	})
}

// discover plans an edit which nobody saw when it was made: its line is told
// late. What it does has to be undone by another one before the resource
// changes again, or the lines told in time would know of it.
func (t *timeline) discover(moment time.Time, by actor, r *resource, edit func()) {
	t.at(moment, func() {
		edit()
		l := r.line(t.now, by)
		l.Source = "investigation/cloudtrail"
		t.late = append(t.late, l)
	})
}

// remove plans the end of a resource.
func (t *timeline) remove(moment time.Time, by actor, r *resource) {
	t.at(moment, func() { t.recordEnd(r, by) })
}

func (t *timeline) record(r *resource, by actor) {
	t.lines = append(t.lines, r.line(t.now, by))
}

func (t *timeline) recordEnd(r *resource, by actor) {
	t.lines = append(t.lines, r.lastLine(t.now, by))
}

func (t *timeline) run() {
	slices.SortStableFunc(t.plans, func(a, b plan) int { return a.at.Compare(b.at) })
	for _, p := range t.plans {
		t.now = p.at
		p.do()
	}
}

// A line is one observation, with the members in the order in which they are
// written.
type line struct {
	Time             string            `json:"time"`
	Provider         string            `json:"provider"`
	Account          string            `json:"account"`
	Region           string            `json:"region,omitempty"`
	Type             string            `json:"type"`
	ID               string            `json:"id"`
	Name             string            `json:"name"`
	ARN              string            `json:"arn,omitempty"`
	AvailabilityZone string            `json:"availabilityZone,omitempty"`
	CreatedAt        string            `json:"createdAt,omitempty"`
	Tags             map[string]string `json:"tags,omitempty"`
	Configuration    json.RawMessage   `json:"configuration"`
	Supplementary    json.RawMessage   `json:"supplementary,omitempty"`
	Relationships    []relationship    `json:"relationships,omitempty"`
	Cause            *cause            `json:"cause,omitempty"`
	Deleted          bool              `json:"deleted,omitempty"`
	Source           string            `json:"source"`
}

type relationship struct {
	Name string `json:"name"`
	Type string `json:"type"`
	ID   string `json:"id"`
}

type cause struct {
	Actor    string `json:"actor"`
	EventID  string `json:"eventId"`
	SourceIP string `json:"sourceIp"`
}

type lines []line

// text writes the lines in their order. Times have one width, so they compare
// as text.
func (ls lines) text() []byte {
	sorted := slices.SortedStableFunc(slices.Values(ls), func(a, b line) int {
		return cmp.Or(
			cmp.Compare(a.Time, b.Time),
			cmp.Compare(a.Account, b.Account),
			cmp.Compare(a.Type, b.Type),
			cmp.Compare(a.ID, b.ID),
		)
	})
	var out bytes.Buffer
	for _, l := range sorted {
		out.Write(encode(l))
		out.WriteByte('\n')
	}
	return out.Bytes()
}

// encode writes JSON without the escapes meant for web pages. Everything
// written here can be, so an error is a mistake in this package.
func encode(v any) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}
