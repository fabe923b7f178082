package settings

import (
	"strconv"

	"github.com/varvehq/varve/history"
)

// Refusal is why something cannot be as it was asked: errors.Is(err, NoChannel).
type Refusal uint8

// The refusals.
const (
	_                Refusal = iota
	UnknownRecorder          // there is none of that name
	BadRecorderName          // blank, reserved, or not printable
	SecondRecorder           // there is one of another name
	NoRole                   // a recorder has none
	BadGroup                 // contradicts itself, or says nothing
	Linked                   // what only belongs to recorders of other services
	FixedGroup               // names no types that could be added or taken away
	TypeThere                // is recorded by the group already
	TypeNotThere             // is not recorded by the group
	LastType                 // without which the group would name none
	BadType                  // is no resource type, or one too many
	NoChannel                // to start a recorder without
	NoRecorder               // to put a channel without
	UnknownChannel           // there is none of that name
	BadChannelName           // blank, or not printable
	SecondChannel            // there is one of another name
	ChannelInUse             // by the running recorder
	NoBucket                 // none is named, or none can have that name
	BadKeyPrefix             // cannot begin keys
	BadKMSKey                // is no ARN of a key
	BadTopic                 // is no ARN of a topic
	UnknownRetention         // there is none of that name
	BadRetention             // is out of bounds
	UnknownQuery             // there is none of that name
	BadQuery                 // has not what it needs
	TooManyQueries           // of one owner
	BadTag                   // is not a tag that can be
	TooManyTags              // of one thing
)

var refusals = [...]struct {
	kind        history.Kind
	field, text string
}{
	UnknownRecorder:  {history.NotFound, "recorder", "is not there"},
	BadRecorderName:  {history.Invalid, "recorder.name", "cannot be the name of a recorder; give printable ASCII that does not begin with " + linkedPrefix},
	SecondRecorder:   {history.AlreadyExists, "recorder.name", "is not the name of the recorder that is there; delete that first, or put it under its name"},
	NoRole:           {history.Invalid, "recorder.role_arn", "is no ARN; name the role that records"},
	BadGroup:         {history.Invalid, "recorder.group", "is not valid; record all types, or name those to include, or those to exclude"},
	Linked:           {history.Unimplemented, "recorder", "would be linked to a service; those are not offered"},
	FixedGroup:       {history.Invalid, "recorder.group.strategy", "leaves no types to choose; put the recorder with types to include or to exclude"},
	TypeThere:        {history.Invalid, "resource_types", "is recorded already; leave it out"},
	TypeNotThere:     {history.Invalid, "resource_types", "is not recorded; leave it out"},
	LastType:         {history.Invalid, "resource_types", "would leave none in the recording group; put the recorder with all types, or delete it"},
	BadType:          {history.Invalid, "resource_types", "is none; give up to 2000 with 1 to 196 characters each"},
	NoChannel:        {history.NotFound, "channel", "is not there; put one before the recorder is started"},
	NoRecorder:       {history.NotFound, "recorder", "is not there; put one before a channel"},
	UnknownChannel:   {history.NotFound, "channel", "is not there"},
	BadChannelName:   {history.Invalid, "channel.name", "cannot be the name of a channel; give printable ASCII"},
	SecondChannel:    {history.AlreadyExists, "channel.name", "is not the name of the channel that is there; delete that first, or put it under its name"},
	ChannelInUse:     {history.Invalid, "channel", "is what the running recorder delivers to; stop that first"},
	NoBucket:         {history.Invalid, "channel.bucket", "is no name of a bucket; give 3 to 255 letters, digits, dots, dashes and underscores"},
	BadKeyPrefix:     {history.Invalid, "channel.key_prefix", "cannot begin a key; give segments with one slash between them, up to 512 bytes, and none that is . or .."},
	BadKMSKey:        {history.Invalid, "channel.kms_key_arn", "is no ARN of a key"},
	BadTopic:         {history.Invalid, "channel.topic_arn", "is no ARN of a topic"},
	UnknownRetention: {history.NotFound, "retention", "is not there"},
	BadRetention:     {history.Invalid, "retention.days", "is not between 30 and 2557"},
	UnknownQuery:     {history.NotFound, "query", "is not there"},
	BadQuery:         {history.Invalid, "query", "is none; give a name, and an expression that begins with SELECT"},
	TooManyQueries:   {history.TooLarge, "query", "is one too many; delete another of the 300 first"},
	BadTag: {history.Invalid, "tags", "is none; give keys of 1 to 128 characters that do not begin with aws: and values of up to 256, " +
		"of letters, digits, blanks and _.:/=+-@"},
	TooManyTags: {history.TooLarge, "tags", "would have more than 50; take some away"},
}

// Error is the text of the refusal, without what it is about.
func (r Refusal) Error() string { return refusals[r].field + " " + refusals[r].text }

// Of makes the error of something that is refused.
func (r Refusal) Of(what string) *Error {
	row := refusals[r]
	return &Error{r, what, &history.Error{Kind: row.kind, Field: row.field, Value: strconv.Quote(short(what)), Text: row.text}}
}

// Refusals are all there are, for the tables that must map each of them.
func Refusals() []Refusal {
	var all []Refusal
	for r := UnknownRecorder; int(r) < len(refusals); r++ {
		all = append(all, r)
	}
	return all
}

// Error is a refusal of something. It is a *history.Error, too.
type Error struct {
	Refusal Refusal
	What    string // name, ARN or value that is refused
	err     *history.Error
}

func (e *Error) Error() string { return e.err.Error() }

// Is makes it match its refusal.
func (e *Error) Is(target error) bool { return target == e.Refusal }

func (e *Error) Unwrap() error { return e.err }

// short keeps a value to what an error should show.
func short(s string) string {
	const most = 128
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
