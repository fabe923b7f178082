// Package format writes notices in the forms that receivers read:
//
//	cloudevents        one CloudEvents 1.0 event, structured JSON
//	cloudevents-batch  up to 100 of them, a JSON array
//	aws-config         the notification that AWS Config sends to its topics
//	slack              text for incoming webhooks of Slack, Mattermost and the like
//	ndjson             up to 1,000 changes, one JSON object a line
//
// What comes out is a function of the notices, but for the time of writing that
// aws-config tells. JSON stands in it as the store keeps it, every digit
// included, and members are named as in the HTTP API.
package format

import (
	"fmt"
	"strings"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/words"
	"github.com/varvehq/varve/recorder/delivery"
)

// Options of a format; the zero value works.
type Options struct {
	// BaseURL is where receivers reach the HTTP gateway, such as
	// http://varve.example:7421. It stands in messages that say where the whole
	// item can be read; without it they give the path alone.
	BaseURL string
}

// formats are in the order of Names.
var formats = []struct {
	name string
	make func(Options) delivery.Format
}{
	{"cloudevents", func(Options) delivery.Format { return cloudEvents{} }},
	{"cloudevents-batch", func(Options) delivery.Format { return cloudEventsBatch{} }},
	{"aws-config", func(o Options) delivery.Format { return awsConfig{o} }},
	{"slack", func(Options) delivery.Format { return slack{} }},
	{"ndjson", func(Options) delivery.Format { return ndjson{} }},
}

// Names lists the formats, the default one first.
func Names() []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	return names
}

// New returns the format of that name: Invalid, with the name that was probably
// meant, if there is none.
func New(name string, o Options) (delivery.Format, error) {
	for _, f := range formats {
		if f.name == name {
			return f.make(o), nil
		}
	}
	text := "is not a format; they are " + strings.Join(Names(), ", ")
	if like := nearest(name); like != "" {
		text = "is not a format; did you mean " + like + "? They are " + strings.Join(Names(), ", ")
	}
	return nil, &history.Error{Kind: history.Invalid, Field: "format", Value: fmt.Sprintf("%q", cut(name, 64)), Text: text}
}

// nearest is the name spelt much like another, or one of which it is a part.
func nearest(name string) string {
	name = strings.ToLower(name)
	best := words.Nearest(name, Names())
	if best == "" && len(name) >= 3 {
		for _, known := range Names() {
			if strings.Contains(known, name) {
				return known
			}
		}
	}
	return best
}
