package wire

import (
	"bytes"
	"fmt"
	"strconv"

	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// JSONToProto writes JSON text; nil gives nil.
func JSONToProto(raw []byte) *varvev1.Json {
	if raw == nil {
		return nil
	}
	return &varvev1.Json{Raw: raw}
}

// JSONFromProto reads JSON text as it stands; nil gives nil, and so does null:
// an attribute without a value and one that is not there are the same.
func JSONFromProto(field string, p *varvev1.Json) ([]byte, error) {
	raw, err := rawJSON(field, p)
	if bytes.Equal(bytes.Trim(raw, " \t\r\n"), null) {
		return nil, err
	}
	return raw, err
}

var null = []byte("null")

func rawJSON(field string, p *varvev1.Json) ([]byte, error) {
	switch {
	case p == nil:
		return nil, nil
	case len(p.GetRaw()) == 0:
		return nil, invalid(field, "", "is no JSON value: its text is empty")
	}
	return p.GetRaw(), nil
}

func documentsToProto(docs map[string][]byte) map[string]*varvev1.Json {
	if len(docs) == 0 {
		return nil
	}
	out := make(map[string]*varvev1.Json, len(docs))
	for name, raw := range docs {
		out[name] = &varvev1.Json{Raw: raw}
	}
	return out
}

// documentsFromProto keeps null: under a name of its own it is a value.
func documentsFromProto(field string, docs map[string]*varvev1.Json) (map[string][]byte, error) {
	if len(docs) == 0 {
		return nil, nil
	}
	out := make(map[string][]byte, len(docs))
	for name, p := range docs {
		path := fmt.Sprintf("%s[%s]", field, strconv.Quote(shorten(name)))
		if p == nil {
			p = &varvev1.Json{}
		}
		raw, err := rawJSON(path, p)
		if err != nil {
			return nil, err
		}
		out[name] = raw
	}
	return out, nil
}
