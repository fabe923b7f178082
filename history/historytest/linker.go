package historytest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/varvehq/varve/history"
)

// Linker reads links for the suite, under that name. What they are is written in
// the state:
//
//	"bears": ["a"]                terms that it bears
//	"refers": [["b","detail"]]    terms that it refers to
//	"state": "c,d"                the same, without details
//	"NAME": {"bears":…}           all of these, to the linker of that name alone
//
// These are spelled in Latin-1, a character for a byte, so that terms of any bytes
// can stand in JSON. Beside them a resource bears its type, with its id for the
// detail, its name and its tags, all of them behind the linker's name.
func Linker(name string) history.Linker { return linker(name) }

type linker string

// Tables implements history.Linker.
func (l linker) Tables() string { return "historytest " + string(l) }

// Links implements history.Linker.
func (l linker) Links(k history.Key, s *history.State) []history.Link {
	if s.Deleted {
		return []history.Link{{Term: "the links of a deletion are not to be asked for", Bears: true}}
	}
	own := func(text string) string { return string(l) + ":" + text }
	links := []history.Link{{Term: own(k.Type), Bears: true, Detail: k.ID}}
	if s.Name != "" {
		links = append(links, history.Link{Term: own(s.Name), Bears: true})
	}
	for tag, value := range s.Tags {
		links = append(links, history.Link{Term: own(tag + "=" + value), Bears: true})
	}
	return history.NormalizeLinks(l.written(links, s.Configuration))
}

// written adds the links that stand in a configuration. Members of another form
// than is told above say nothing.
func (l linker) written(links []history.Link, configuration []byte) []history.Link {
	if !slices.ContainsFunc([]string{"bears", "refers", "state", string(l)}, func(name string) bool {
		return bytes.Contains(configuration, []byte(name))
	}) {
		return links // most have none, and are not worth being read
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(configuration, &members) != nil {
		return links
	}
	var bears []string
	if json.Unmarshal(members["bears"], &bears) == nil {
		for _, term := range bears {
			links = append(links, history.Link{Term: latin(term), Bears: true})
		}
	}
	var refers [][2]string
	if json.Unmarshal(members["refers"], &refers) == nil {
		for _, r := range refers {
			links = append(links, history.Link{Term: latin(r[0]), Detail: latin(r[1])})
		}
	}
	var state string
	if json.Unmarshal(members["state"], &state) == nil {
		for word := range strings.SplitSeq(state, ",") {
			links = append(links, history.Link{Term: latin(word)})
		}
	}
	if own := members[string(l)]; own != nil {
		return l.written(links, own)
	}
	return links
}

// latin is the bytes that a text spells.
func latin(text string) string {
	b := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xFF {
			b = utf8.AppendRune(b, r)
			continue
		}
		b = append(b, byte(r))
	}
	return string(b)
}

// unlatin is the text that spells bytes.
func unlatin(bytes string) string {
	runes := make([]rune, len(bytes))
	for i := range len(bytes) {
		runes[i] = rune(bytes[i])
	}
	return string(runes)
}

// linking is a canonical configuration with links. Bears are terms, refers terms
// and details, each a pair.
type linking struct {
	Bears  []string    `json:"bears,omitempty"`
	Refers [][2]string `json:"refers,omitempty"`
	Second *linking    `json:"second,omitempty"` // for the linker of that name alone
	State  string      `json:"state,omitempty"`
}

// configuration writes the terms and details, which are bytes, as JSON.
func (l linking) configuration() []byte {
	b, err := json.Marshal(l.spelled())
	if err != nil {
		panic(err) // strings only
	}
	return b
}

func (l linking) spelled() linking {
	s := linking{State: unlatin(l.State)}
	for _, term := range l.Bears {
		s.Bears = append(s.Bears, unlatin(term))
	}
	for _, r := range l.Refers {
		s.Refers = append(s.Refers, [2]string{unlatin(r[0]), unlatin(r[1])})
	}
	if l.Second != nil {
		second := l.Second.spelled()
		s.Second = &second
	}
	return s
}
