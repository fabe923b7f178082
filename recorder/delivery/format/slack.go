package format

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/diff"
	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

// slack is the text of an incoming webhook: what happened to which resource,
// where, who did it and when, and the changes that tell most. What comes from
// outside stands between backquotes, where it cannot mention anybody, make a
// link or end the quotation.
type slack struct{}

// Batches implements delivery.Format.
func (slack) Batches() int { return 1 }

// Bounds of a message. Slack advises 4,000 characters and takes 40,000; those
// who speak its protocol take less.
const (
	slackLines = 8   // changes that are told
	slackPath  = 120 // characters of the path of one
	slackValue = 60  // of a value
	slackName  = 200 // of a name or an id
)

// Encode implements delivery.Format.
func (slack) Encode(notices []*delivery.Notice, _ time.Time) (delivery.Message, error) {
	if len(notices) != 1 {
		return delivery.Message{}, fmt.Errorf("slack: %d notices in a message of one", len(notices))
	}
	text, err := slackText(notices[0])
	if err != nil {
		return delivery.Message{}, err
	}
	var e encoder
	e.open('{')
	e.text("text", text)
	e.close('}')
	return message(notices, "application/json", &e)
}

var slackMarks = map[history.ChangeKind]string{history.Created: "+", history.Updated: "~", history.Deleted: "-"}

func slackText(n *delivery.Notice) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "`%s` *%s* %s %s", cmp.Or(slackMarks[n.Kind], "?"), n.Kind, quoted(n.Key.Type, slackName), quoted(n.Key.ID, slackName))
	if name := nameOf(n); name != "" && name != n.Key.ID {
		fmt.Fprintf(&b, " (%s)", quoted(name, slackName))
	}
	var where []string
	for _, part := range [...][2]string{{"account", n.Key.Account}, {"region", n.Key.Region}} {
		if part[1] != "" {
			where = append(where, part[0]+" "+quoted(part[1], slackName))
		}
	}
	if len(where) > 0 {
		b.WriteString(" in " + strings.Join(where, ", "))
	}
	fmt.Fprintf(&b, "\nat %s", timestamp(n.CapturedAt))
	if actor := n.After.Origin.Cause.Actor; actor != "" {
		fmt.Fprintf(&b, " by %s", quoted(actor, slackName))
	}
	if n.Late {
		fmt.Fprintf(&b, ", learned late, at %s", timestamp(n.RecordedAt))
	}
	if n.Compacted || !n.Before.Exists() || !n.After.Exists() {
		return b.String(), nil
	}
	list, err := telling(n)
	if err != nil {
		return "", err
	}
	for i, c := range list {
		if i == slackLines {
			fmt.Fprintf(&b, "\n… and %d more", len(list)-i)
			break
		}
		b.WriteString("\n• " + slackLine(c))
	}
	return b.String(), nil
}

// nameOf is the resource's name, its last one if it is gone.
func nameOf(n *delivery.Notice) string {
	if n.After.Exists() {
		return n.After.State.Name
	}
	return n.Before.State.Name
}

func slackLine(c diff.Change) string {
	path := quoted(c.Path, slackPath)
	switch c.Kind {
	case diff.Added:
		return path + " added " + quoted(string(c.New), slackValue)
	case diff.Removed:
		return path + " removed " + quoted(string(c.Old), slackValue)
	case diff.Reordered:
		return path + " reordered"
	}
	return path + " " + quoted(string(c.Old), slackValue) + " → " + quoted(string(c.New), slackValue)
}

// telling lists what changed, short values before long ones, else in order: of
// the configuration, then of the other attributes.
func telling(n *delivery.Notice) ([]diff.Change, error) {
	all, err := diff.Changes(n.Before.State.Configuration, n.After.State.Configuration, diff.ViewOptions{ResourceType: n.Key.Type})
	if err != nil {
		return nil, err
	}
	for i := range all {
		all[i].Path = "/configuration" + all[i].Path
	}
	before, err := feed.Attributes(&n.Before)
	if err != nil {
		return nil, err
	}
	after, err := feed.Attributes(&n.After)
	if err != nil {
		return nil, err
	}
	others, err := diff.Changes(before, after, diff.ViewOptions{})
	if err != nil {
		return nil, err
	}
	var short, long []diff.Change
	for _, c := range append(all, others...) {
		if fits(c.Old) && fits(c.New) {
			short = append(short, c)
		} else {
			long = append(long, c)
		}
	}
	return append(short, long...), nil
}

func fits(value []byte) bool { return utf8.RuneCount(value) <= slackValue }

// quoted is text between backquotes on one line, shortened and escaped as Slack
// asks.
func quoted(s string, most int) string {
	var b bytes.Buffer
	b.WriteByte('`')
	for _, r := range cut(s, most) {
		switch {
		case r == '&':
			b.WriteString("&amp;")
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '`':
			b.WriteRune('ˋ')
		case disallowed(r), r == '\u2028', r == '\u2029', unicode.Is(unicode.Bidi_Control, r):
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	if b.Len() == 1 { // two backquotes in a row are no quotation
		b.WriteByte(' ')
	}
	b.WriteByte('`')
	return b.String()
}

// cut shortens text to so many characters.
func cut(s string, most int) string {
	count := 0
	for i := range s {
		if count == most {
			return s[:i] + "…"
		}
		count++
	}
	return s
}
