package source

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// Format is a file format that observations are read from.
type Format uint8

// The formats. Unknown is no answer: say which.
const (
	Unknown   Format = iota
	NDJSON           // one observation a line, see package ndjson
	AWSConfig        // AWS Config's snapshots, histories and items, see package awsconfig
)

var formatNames = [...]string{Unknown: "unknown", NDJSON: "ndjson", AWSConfig: "aws-config"}

// String is the name of the format as ParseFormat takes it.
func (f Format) String() string { return formatNames[f] }

// ParseFormat reads the name of a format; Unknown if it is none.
func ParseFormat(name string) Format {
	switch name {
	case "ndjson":
		return NDJSON
	case "aws-config":
		return AWSConfig
	}
	return Unknown
}

// DetectBytes is how many bytes of a file are a good basis for Detect.
const DetectBytes = 64 << 10

// Detect tells the format of a file from its first bytes, of which the last may
// be cut off anywhere. It goes by the names of the members of the first object
// that has telling ones. What is no JSON at all it takes for bad lines of
// NDJSON; JSON without any telling name is Unknown.
func Detect(peek []byte) Format {
	answer := NDJSON
	for {
		peek = bytes.TrimLeft(peek, " \t\r\n")
		if len(peek) == 0 {
			return answer
		}
		switch peek[0] {
		case '[':
			return AWSConfig
		case '{':
			format, length := detectObject(peek)
			if format != Unknown || length == len(peek) {
				return format
			}
			answer = Unknown
			if length > 0 {
				peek = peek[length:]
				continue
			}
		}
		newline := bytes.IndexByte(peek, '\n')
		if newline < 0 {
			return answer
		}
		peek = peek[newline+1:]
	}
}

// detectObject looks at the member names of the object at the beginning of peek.
// Unless they tell the format it returns the length of the object as well, all
// of peek if it is cut off, 0 if it is not JSON.
func detectObject(peek []byte) (format Format, length int) {
	dec := jsontext.NewDecoder(bytes.NewReader(peek), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	end := func(err error) (Format, int) {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return format, len(peek)
		}
		return format, 0
	}
	if _, err := dec.ReadToken(); err != nil {
		return end(err)
	}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return end(err)
		}
		switch name.String() {
		case "type":
			return NDJSON, 0
		case "configurationItems", "configurationItem", "configurationItemSummary", "invokingEvent", "fileVersion",
			"configSnapshotId", "configurationItemVersion", "configurationItemCaptureTime", "configurationItemStatus",
			"configurationStateId", "configurationItemMD5Hash", "configurationStateMd5Hash", "accountId", "awsAccountId",
			"awsRegion", "resourceType", "resourceId", "resourceName", "relatedEvents", "supplementaryConfiguration",
			"detail-type", "detail", "messageType", "TopicArn", "Message":
			return AWSConfig, 0
		case "time", "id", "provider", "account", "region", "name", "deleted", "source", "cause":
			// EventBridge has some of these as well: see what else comes.
			format = NDJSON
		}
		if err := dec.SkipValue(); err != nil {
			return end(err)
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return end(err)
	}
	return format, int(dec.InputOffset())
}
