package awsconfig

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder"
	"github.com/varvehq/varve/recorder/canonical"
	"github.com/varvehq/varve/recorder/internal/walk"
)

// The members of an item that have two names, as the stream calls them and as
// the API does.
const (
	streamVersion = "configurationItemVersion"
	streamHash    = "configurationStateMd5Hash"
	streamAccount = "awsAccountId"
	streamARN     = "ARN"
	stateID       = "configurationStateId"

	apiVersion = "version"
	apiHash    = "configurationItemMD5Hash"
	apiAccount = "accountId"
	apiARN     = "arn"
)

// item is an item taken apart: its members as canonical JSON, nil where they are
// null or absent.
type item struct {
	account, region, typ, id, name, arn, zone []byte

	captured, created, status        []byte
	configuration, supplementary     []byte
	tags, relationships, state, ours []byte

	hasStreamAccount bool
	extras           members
}

// members is a list of members that goes into the extras.
type members []member

type member struct {
	name  string
	value []byte
}

func (list members) find(name string) []byte {
	for _, m := range list {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

func (list members) without(name string) members {
	kept := list[:0]
	for _, m := range list {
		if m.name != name {
			kept = append(kept, m)
		}
	}
	return kept
}

// object writes the members as an object, in their order; nil if there are none.
func (list members) object() []byte {
	if len(list) == 0 {
		return nil
	}
	b := []byte{'{'}
	for i, m := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b, _ = canonical.AppendString(b, m.name) // it comes from valid JSON
		b = append(append(b, ':'), m.value...)
	}
	return append(b, '}')
}

// observation reads an item from canonical JSON. The observation's documents are
// parts of doc.
func observation(doc []byte) (history.Observation, error) {
	if doc[0] != '{' {
		return history.Observation{}, &history.Error{Kind: history.Invalid, Text: "is not a configuration item, which is an object"}
	}
	it, err := takeApart(doc)
	if err != nil {
		return history.Observation{}, err
	}
	return it.observation()
}

// takeApart sorts the members of an item by what they mean.
func takeApart(doc []byte) (*item, error) {
	it := &item{}
	for key, value := range walk.Object(doc) {
		name := string(key)
		to, field := it.field(name)
		if !field {
			if err := it.keep(name, value); err != nil {
				return nil, err
			}
			continue
		}
		it.hasStreamAccount = it.hasStreamAccount || name == streamAccount
		if isNull(value) {
			continue
		}
		if *to != nil && !bytes.Equal(*to, value) {
			return nil, &history.Error{Kind: history.Invalid, Field: name, Text: "contradicts what the item says under the other dialect's name"}
		}
		*to = value
	}
	return it, nil
}

// field returns where the value of a member goes that Varve has a field for.
func (it *item) field(name string) (to *[]byte, ok bool) {
	switch name {
	case streamAccount, apiAccount:
		return &it.account, true
	case streamARN, apiARN:
		return &it.arn, true
	case "awsRegion":
		return &it.region, true
	case "resourceType":
		return &it.typ, true
	case "resourceId":
		return &it.id, true
	case "resourceName":
		return &it.name, true
	case "availabilityZone":
		return &it.zone, true
	case "configurationItemCaptureTime":
		return &it.captured, true
	case "resourceCreationTime":
		return &it.created, true
	case "configurationItemStatus":
		return &it.status, true
	case "configuration":
		return &it.configuration, true
	case "supplementaryConfiguration":
		return &it.supplementary, true
	case "tags":
		return &it.tags, true
	case "relationships":
		return &it.relationships, true
	case ourMember:
		return &it.ours, true
	}
	return nil, false
}

// keep puts a member into the extras, under the stream's name and in its form.
func (it *item) keep(name string, value []byte) error {
	streams := name
	switch name {
	case apiVersion:
		streams = streamVersion
	case apiHash:
		streams = streamHash
	case stateID:
		it.state = value
		if text, ok := walk.Text(value); ok && isPlainNumber(text) {
			value = []byte(text)
		}
	}
	if before := it.extras.find(streams); before != nil {
		if !bytes.Equal(before, value) {
			return &history.Error{Kind: history.Invalid, Field: name, Text: "contradicts " + streams}
		}
		return nil
	}
	it.extras = append(it.extras, member{streams, value})
	return nil
}

func (it *item) observation() (history.Observation, error) {
	var o history.Observation
	for _, f := range []struct {
		name     string
		raw      []byte
		to       *string
		required bool
	}{
		{streamAccount, it.account, &o.Key.Account, true},
		{"awsRegion", it.region, &o.Key.Region, true},
		{"resourceType", it.typ, &o.Key.Type, true},
		{"resourceId", it.id, &o.Key.ID, true},
		{"resourceName", it.name, &o.State.Name, false},
		{streamARN, it.arn, &o.State.ARN, false},
		{"availabilityZone", it.zone, &o.State.AvailabilityZone, false},
		{"configurationItemStatus", it.status, (*string)(&o.State.Status), false},
	} {
		if f.raw == nil {
			if f.name == streamAccount {
				return o, missing(streamAccount + " (or " + apiAccount + ")")
			}
			if f.required {
				return o, missing(f.name)
			}
			continue
		}
		var ok bool
		if *f.to, ok = walk.Text(f.raw); !ok {
			return o, wrongKind(f.name, f.raw, "a string")
		}
	}
	o.Origin.Provider = "aws"

	for _, read := range []func(*history.Observation) error{
		it.readTimes, it.readTags, it.readRelationships, it.readDocuments, it.readOurs,
	} {
		if err := read(&o); err != nil {
			return o, err
		}
	}
	o.Origin.Extras = it.extras.object()
	return o, recorder.Check(&o)
}

func (it *item) readTimes(o *history.Observation) (err error) {
	if it.captured == nil {
		return missing("configurationItemCaptureTime")
	}
	clock := clock{state: it.state}
	if o.CapturedAt, err = clock.moment("configurationItemCaptureTime", it.captured); err != nil {
		return err
	}
	if it.created == nil || len(it.created) == len(`""`) {
		return nil
	}
	o.State.CreatedAt, err = clock.moment("resourceCreationTime", it.created)
	return err
}

func (it *item) readTags(o *history.Observation) error {
	if it.tags == nil || string(it.tags) == "[]" {
		return nil
	}
	if it.tags[0] != '{' {
		return wrongKind("tags", it.tags, "an object")
	}
	o.State.Tags = map[string]string{}
	for key, value := range walk.Object(it.tags) {
		text, ok := walk.Text(value)
		if !ok {
			return &history.Error{Kind: history.Invalid, Field: "tags", Value: strconv.Quote(string(key)),
				Text: "is " + kindName(value) + ", not a string"}
		}
		o.State.Tags[string(key)] = text
	}
	return nil
}

func (it *item) readRelationships(o *history.Observation) error {
	if it.relationships == nil {
		return nil
	}
	list, whole, err := relationships(it.relationships)
	if err != nil {
		return err
	}
	o.State.Relationships = list
	if !whole {
		it.extras = append(it.extras, member{"relationships", it.relationships})
	}
	return nil
}

// relationships reads the list of an item; whole tells whether the result says
// all that the list does.
func relationships(raw []byte) (list []history.Relationship, whole bool, err error) {
	if raw[0] != '[' {
		return nil, false, wrongKind("relationships", raw, "a list")
	}
	whole = true
	for entry := range walk.Array(raw) {
		field := "relationships/" + strconv.Itoa(len(list))
		if entry[0] != '{' {
			return nil, false, wrongKind(field, entry, "an object")
		}
		var r history.Relationship
		for key, value := range walk.Object(entry) {
			if isNull(value) {
				continue
			}
			var to *string
			switch name := string(key); name {
			case "resourceType":
				to = &r.Type
			case "resourceId":
				to = &r.ID
			case "resourceName":
				to = &r.ResourceName
			case "relationshipName", "name":
				to = &r.Name
			case streamAccount:
				to = &r.Account
			case "awsRegion":
				to = &r.Region
			default:
				whole = false
				continue
			}
			text, ok := walk.Text(value)
			switch {
			case !ok:
				return nil, false, wrongKind(field+"/"+string(key), value, "a string")
			case *to != "" && *to != text:
				return nil, false, &history.Error{Kind: history.Invalid, Field: field + "/" + string(key),
					Text: "contradicts what the entry says under the other dialect's name"}
			}
			*to = text
		}
		list = append(list, r)
	}
	set := history.State{Relationships: slices.Clone(list)}
	set.Normalize()
	return list, whole && len(set.Relationships) == len(list), nil
}

func (it *item) readDocuments(o *history.Observation) error {
	o.State.Configuration = unwrap(it.configuration)
	if string(it.configuration) == `""` {
		o.State.Configuration = nil
	}

	if it.supplementary == nil {
		return nil
	}
	if it.supplementary[0] != '{' {
		return wrongKind("supplementaryConfiguration", it.supplementary, "an object")
	}
	wrapped := !it.hasStreamAccount && (it.configuration == nil || it.configuration[0] == '"')
	o.State.Supplementary = map[string][]byte{}
	for name, value := range walk.Object(it.supplementary) {
		if wrapped {
			value = unwrap(value)
		}
		o.State.Supplementary[string(name)] = value
	}
	return nil
}

// unwrap returns the document that a string holds as JSON text. What is no
// string, or no text of JSON, it returns as it is.
func unwrap(raw []byte) []byte {
	text, ok := walk.Text(raw)
	if !ok || !isJSON(text) {
		return raw
	}
	return []byte(text)
}

// isJSON goes by the grammar only: whether a document can be stored is for the
// recorder to say, which says why not.
func isJSON(text string) bool {
	return jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// isPlainNumber reports whether text is a whole number as JSON writes it.
func isPlainNumber(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == "" && (text[0] != '0' || len(text) == 1)
}

func isNull(raw []byte) bool { return string(raw) == "null" }

func missing(name string) error {
	return &history.Error{Kind: history.Invalid, Field: name, Text: "is required"}
}

func wrongKind(name string, raw []byte, want string) error {
	return &history.Error{Kind: history.Invalid, Field: name, Text: fmt.Sprintf("is %s, not %s", kindName(raw), want)}
}

func kindName(raw []byte) string {
	switch raw[0] {
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
	}
	return "a number"
}
