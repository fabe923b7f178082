// Package answer writes the daemon's answers as the JSON that scripts read: keys
// in lowerCamelCase, revisions and positions as strings, configurations as real
// JSON with every digit intact.
package answer

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Marshal writes a value of this package on one line, without a line feed. The
// same value always gives the same bytes. Number literals stay as they are.
func Marshal(v any) ([]byte, error) {
	return json.Marshal(v, json.Deterministic(true))
}

// Indent writes JSON for people, with every digit intact.
func Indent(raw []byte) ([]byte, error) {
	v := jsontext.Value(raw).Clone()
	if err := v.Indent(jsontext.WithIndent("  ")); err != nil {
		return nil, err
	}
	return v, nil
}

// Time is a moment in RFC 3339 and UTC with as many digits as it needs; "" for
// none.
func Time(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return t.AsTime().UTC().Format(time.RFC3339Nano)
}
