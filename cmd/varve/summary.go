package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/history/diff"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// changeText tells on one line what sets a version apart from the one before.
func changeText(older, newer *varvev1.Item) string {
	switch {
	case newer.GetDeleted():
		return "deleted"
	case newer.GetErased():
		return "content " + goneBy(newer)
	case older == nil && newer.GetVersion() > 1 && newer.GetStatus() != "ResourceDiscovered":
		return "the oldest that is kept"
	case older == nil:
		return "first seen"
	case older.GetDeleted():
		return "there again"
	case older.GetErased():
		return fmt.Sprintf("content of v%d, before it, %s", older.GetVersion(), goneBy(older))
	}
	configuration, attributes, err := compare(older, newer)
	if err != nil {
		return err.Error()
	}
	return summary(slices.Concat(configuration, attributes))
}

// What became of a content that is not there.
const (
	wasErased    = "was erased"
	lostToDamage = "was lost to damage"
)

func goneBy(p *varvev1.Item) string {
	if p.GetLost() {
		return lostToDamage
	}
	return wasErased
}

// compare returns what changed between two versions, for people. Either may be
// nil.
func compare(older, newer *varvev1.Item) (configuration, attributes []diff.Change, err error) {
	opts := diff.ViewOptions{ResourceType: older.GetKey().GetType()}
	if newer != nil {
		opts.ResourceType = newer.GetKey().GetType()
	}
	configuration, err = diff.Changes(older.GetConfiguration().GetRaw(), newer.GetConfiguration().GetRaw(), opts)
	if err != nil {
		return nil, nil, err
	}
	before, err := attributesOf(older)
	if err != nil {
		return nil, nil, err
	}
	after, err := attributesOf(newer)
	if err != nil {
		return nil, nil, err
	}
	attributes, err = diff.Changes(before, after, diff.ViewOptions{})
	return configuration, attributes, err
}

// attributesOf is what an item has besides its configuration, as a document.
func attributesOf(p *varvev1.Item) ([]byte, error) {
	i := answer.ItemOf(p)
	doc := map[string]any{}
	for name, text := range map[string]string{
		"name": i.Name, "arn": i.ARN, "availabilityZone": i.AvailabilityZone, "createdAt": i.CreatedAt,
	} {
		if text != "" {
			doc[name] = text
		}
	}
	if len(i.Tags) > 0 {
		doc["tags"] = i.Tags
	}
	if len(i.Supplementary) > 0 {
		doc["supplementary"] = i.Supplementary
	}
	if len(i.Relationships) > 0 {
		doc["relationships"] = i.Relationships
	}
	return answer.Marshal(doc)
}

// summaryWidth is how long a summary gets before it counts the rest.
const summaryWidth = 90

// summary tells the first changes, and how many more there are:
//
//	~ spec/…/image "checkout:41" → "checkout:42"; ~ metadata/generation 7 → 8; 3 more
func summary(changes []diff.Change) string {
	var b strings.Builder
	for i, c := range changes {
		text := inShort(c)
		if i > 0 && utf8.RuneCountInString(b.String())+utf8.RuneCountInString(text) > summaryWidth {
			fmt.Fprintf(&b, "; %d more", len(changes)-i)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(text)
	}
	return b.String()
}

// inShort is a change without what encloses it, and with its values if they are
// short.
func inShort(c diff.Change) string {
	place := inShortPath(c.Path)
	switch c.Kind {
	case diff.Added:
		return joinNonEmpty(" ", "+", place, shortValue(c.New))
	case diff.Removed:
		return joinNonEmpty(" ", "-", place, shortValue(c.Old))
	case diff.Reordered:
		return joinNonEmpty(" ", "~", place, "reordered")
	}
	before, after := shortPair(c.Old, c.New)
	if before == "" || after == "" {
		return joinNonEmpty(" ", "~", place)
	}
	return joinNonEmpty(" ", "~", place, before, "→", after)
}

// inShortPath keeps the beginning and the end of a path.
func inShortPath(path string) string {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if n := len(parts); n > 1 && parts[n-1] == "[]" { // which one, the value says
		parts = parts[:n-1]
	}
	if len(parts) > 2 {
		parts = []string{parts[0], "…", parts[len(parts)-1]}
	}
	for i := range parts {
		parts[i] = unescape.Replace(parts[i])
	}
	return strings.Join(parts, "/")
}

// unescape reads a token of a JSON pointer.
var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// shortPair is two scalars; of long strings the part from where they differ.
func shortPair(before, after []byte) (string, string) {
	if a, b := shortValue(before), shortValue(after); a != "" && b != "" {
		return a, b
	}
	if len(before) == 0 || len(after) == 0 || before[0] != '"' || after[0] != '"' {
		return "", ""
	}
	same := 0
	for i := 1; i < min(len(before), len(after)) && before[i] == after[i]; i++ {
		if strings.IndexByte(":/.,= -_@", before[i]) >= 0 {
			same = i // a value is cut in front of a mark, not within a word
		}
	}
	if same == 0 {
		return "", ""
	}
	cut := func(raw []byte) string {
		if rest := shortValue(raw[same:]); rest != "" {
			return `"…` + rest
		}
		return ""
	}
	return cut(before), cut(after)
}

// shortValue is a scalar of a few characters; "" for anything else.
func shortValue(raw []byte) string {
	if len(raw) == 0 || raw[0] == '{' || raw[0] == '[' || utf8.RuneCount(raw) > 32 {
		return ""
	}
	return string(raw)
}
