package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	"github.com/varvehq/varve/graph"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// writeEvent shows a change to people: a block that ends with an empty line.
func writeEvent(w io.Writer, screen terminal.Screen, p *varvev1.ChangeEvent) error {
	if shown, err := writeVerdict(w, screen, p); shown {
		return err
	}
	e := answer.EventOf(p)
	place := strings.TrimSpace(e.Account + " " + e.Region)
	kind := kindCell(e.Kind)
	fmt.Fprintf(w, "%s %s", screen.Paint(kind.Style, terminal.Clean(kind.Text)), screen.Paint(terminal.Bold, terminal.Clean(e.Type+" "+e.ID)))
	if place != "" {
		fmt.Fprint(w, "  ", screen.Paint(terminal.Dim, terminal.Clean(place)))
	}
	fmt.Fprintln(w)

	captured := table.Text(e.CapturedAt)
	if e.Late {
		captured = table.Cell{Text: e.CapturedAt + "  late: more recent states were known already", Style: terminal.Yellow}
	}
	version := fmt.Sprintf("v%d", e.Version)
	if e.Before != nil {
		version = fmt.Sprintf("v%d → v%d", e.Before.Version, e.Version)
	}
	table.Fields(w, screen, []table.Field{
		{Name: "recorded", Cell: table.Text(e.RecordedAt)},
		{Name: "captured", Cell: captured},
		{Name: "version", Cell: table.Text(version)},
		{Name: "by", Cell: table.Text(causeText(e.Cause))},
		{Name: "filter", Cell: table.Cell{Text: e.FilterError, Style: terminal.Yellow}},
	})
	if err := writeEventDifference(w, screen, p); err != nil {
		return err
	}
	if len(e.Opened)+len(e.Closed) > 0 {
		fmt.Fprintf(w, "\n%s\n", screen.Paint(terminal.Dim, "references"))
		writeReferences(w, screen, "+", terminal.Green, e.Opened)
		writeReferences(w, screen, "-", terminal.Red, e.Closed)
	}
	_, err := fmt.Fprintln(w)
	return err
}

// writeEventDifference shows what varve diff would.
func writeEventDifference(w io.Writer, screen terminal.Screen, p *varvev1.ChangeEvent) (err error) {
	before, after := p.GetBefore(), p.GetAfter()
	switch {
	case p.GetCompacted():
		_, err = fmt.Fprintln(w, "what differs was pruned")
	case p.GetReduced():
		_, err = fmt.Fprintln(w, "what differs is too large to be sent; varve diff shows it")
	case after.GetDeleted() && (before == nil || before.GetDeleted()):
		_, err = fmt.Fprintln(w, "nothing was known of it")
	default:
		err = writeDifference(w, screen, living(before), living(after))
	}
	return err
}

func writeReferences(w io.Writer, screen terminal.Screen, mark string, style terminal.Style, list []answer.Reference) {
	for _, r := range list {
		name := r.Name
		if r.Inverse {
			_, name = graph.Wording(r.Name)
		}
		place := strings.TrimSpace(r.Account + " " + r.Region)
		if place != "" {
			place = "  " + screen.Paint(terminal.Dim, terminal.Clean(place))
		}
		fmt.Fprintf(w, "  %s %s%s\n", screen.Paint(style, mark), terminal.Clean(name+" "+targetText(r)), place)
	}
}

// targetText is what a reference leads to.
func targetText(r answer.Reference) string {
	switch {
	case r.Identifier != "":
		return r.Identifier
	case r.Type != "":
		return strings.TrimSpace(r.Type + " " + r.ID + r.ResourceName)
	}
	var parts []string
	for _, q := range r.Selector {
		switch q.Operator {
		case "Exists":
			parts = append(parts, q.Key)
		case "DoesNotExist":
			parts = append(parts, "!"+q.Key)
		case "NotIn":
			parts = append(parts, q.Key+" notin ("+strings.Join(q.Values, ",")+")")
		default:
			parts = append(parts, q.Key+" in ("+strings.Join(q.Values, ",")+")")
		}
	}
	if parts == nil {
		return "all in " + r.Scope
	}
	return "all with " + strings.Join(parts, ", ") + " in " + r.Scope
}
