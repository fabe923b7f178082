package recorder

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/varvehq/varve/history"
)

// Check refuses an observation that contradicts itself or lacks what every
// observation has, with a *[history.Error] of the field. Its JSON values need
// not be canonical, or even valid. A configuration of null is taken for none,
// and a status that deletes for a deletion.
//
// Values of tags, names and documents are never quoted in the error.
func Check(o *history.Observation) error {
	if err := checkKey(&o.Key); err != nil {
		return err
	}
	if err := checkState(&o.State); err != nil {
		return err
	}
	for i := range o.State.Relationships {
		if err := checkRelationship(i, &o.State.Relationships[i]); err != nil {
			return err
		}
	}
	if err := checkTexts(&o.State); err != nil {
		return err
	}
	return checkEvidence(o)
}

// checkEvidence checks what is not part of the key or the state.
func checkEvidence(o *history.Observation) error {
	if o.CapturedAt != 0 && !o.CapturedAt.Valid() {
		return outOfRange("time", o.CapturedAt)
	}
	for _, text := range [...]struct{ field, value string }{
		{"provider", o.Origin.Provider},
		{"source", o.Origin.Source},
		{"cause/actor", o.Origin.Cause.Actor},
		{"cause/eventId", o.Origin.Cause.EventID},
		{"cause/sourceIp", o.Origin.Cause.SourceIP},
	} {
		if !utf8.ValidString(text.value) {
			return notUTF8(text.field, "")
		}
	}
	return nil
}

func checkKey(k *history.Key) error {
	if err := k.Validate(); err != nil {
		return err
	}
	if history.Reserved(k.Type) {
		return &history.Error{Kind: history.Invalid, Field: "type", Value: k.Type,
			Text: "is recorded by the program itself; types that begin with Varve:: cannot be given"}
	}
	return nil
}

func checkState(s *history.State) error {
	if s.CreatedAt != 0 && !s.CreatedAt.Valid() {
		return outOfRange("createdAt", s.CreatedAt)
	}
	if s.Status != "" && !s.Status.Known() {
		return &history.Error{Kind: history.Invalid, Field: "status", Value: quote(string(s.Status)),
			Text: "is not a status; known are OK, ResourceDiscovered, ResourceNotRecorded, ResourceDeleted and ResourceDeletedNotRecorded"}
	}
	if s.Status.Deletes() {
		s.Deleted = true
	}
	if len(s.Configuration) == 0 || isNull(s.Configuration) {
		s.Configuration = nil
	}
	switch {
	case s.Deleted && s.Status != "" && !s.Status.Deletes():
		return &history.Error{Kind: history.Invalid, Field: "status", Value: quote(string(s.Status)),
			Text: "contradicts deleted; leave one of them out"}
	case s.Deleted && s.Configuration != nil:
		return &history.Error{Kind: history.Invalid, Field: "configuration",
			Text: "contradicts deleted; a deleted resource has none"}
	case !s.Deleted && s.Configuration == nil && s.Status != history.StatusNotRecorded:
		return &history.Error{Kind: history.Invalid, Field: "configuration",
			Text: "is required, and null is none; set deleted if the resource is gone, or status ResourceNotRecorded"}
	}
	return nil
}

func checkRelationship(i int, r *history.Relationship) error {
	field := func(member string) string { return "relationships/" + strconv.Itoa(i) + member }
	switch {
	case r.Name == "":
		return &history.Error{Kind: history.Invalid, Field: field("/name"), Text: "is required"}
	case r.Type == "":
		return &history.Error{Kind: history.Invalid, Field: field("/type"), Text: "is required"}
	case r.ID == "" && r.ResourceName == "":
		return &history.Error{Kind: history.Invalid, Field: field(""), Text: "needs an id or a resourceName"}
	}
	for _, text := range [...]string{r.Name, r.Type, r.ID, r.ResourceName, r.Account, r.Region} {
		if !utf8.ValidString(text) {
			return notUTF8(field(""), "")
		}
	}
	return nil
}

func checkTexts(s *history.State) error {
	for _, text := range [...]struct{ field, value string }{
		{"arn", s.ARN},
		{"name", s.Name},
		{"availabilityZone", s.AvailabilityZone},
	} {
		if !utf8.ValidString(text.value) {
			return notUTF8(text.field, "")
		}
	}
	for key, value := range s.Tags {
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return notUTF8("tags", key)
		}
	}
	for name := range s.Supplementary {
		if !utf8.ValidString(name) {
			return notUTF8("supplementary", name)
		}
	}
	return nil
}

func outOfRange(field string, m history.Moment) error {
	return &history.Error{Kind: history.Invalid, Field: field, Value: fmt.Sprintf("%d µs", int64(m)),
		Text: "lies outside the years 1970 to 9999"}
}

func notUTF8(field, key string) error {
	e := &history.Error{Kind: history.Invalid, Field: field, Text: "is not valid UTF-8"}
	if key != "" {
		e.Value = quote(key)
	}
	return e
}

func isNull(raw []byte) bool { return string(bytes.TrimSpace(raw)) == "null" }

// quote shortens and quotes a value for an error.
func quote(s string) string {
	const most = 64
	if len(s) > most {
		return strconv.Quote(s[:most]) + "…"
	}
	return strconv.Quote(s)
}
