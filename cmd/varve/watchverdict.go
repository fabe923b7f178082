package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
)

// writeVerdict shows that a rule says something else of a resource than before: a
// block as of other changes. False: the change is none that can be read so.
func writeVerdict(w io.Writer, screen terminal.Screen, p *varvev1.ChangeEvent) (bool, error) {
	if p.GetChange().GetKey().GetType() != rules.TypeVerdict {
		return false, nil
	}
	before, was := recordOf(p.GetBefore())
	after, is := recordOf(p.GetAfter())
	of := &after
	if !is {
		of = &before
	}
	if !was && !is {
		return false, nil
	}
	e := answer.EventOf(p)
	ended := table.Cell{Text: "no verdict any more", Style: terminal.Dim}
	head := ended
	if is {
		head = complianceCell(string(after.Compliance), false)
	}
	place := strings.TrimSpace(of.Key.Account + " " + of.Key.Region)
	fmt.Fprintf(w, "%s %s", screen.Paint(head.Style, head.Text), screen.Paint(terminal.Bold, terminal.Clean(of.Key.Type+" "+of.Key.ID)))
	if place != "" {
		fmt.Fprint(w, "  ", screen.Paint(terminal.Dim, terminal.Clean(place)))
	}
	fmt.Fprintln(w)
	fields := []table.Field{
		{Name: "rule", Cell: table.Text(of.Rule)}, {Name: "severity", Cell: severityCell(string(of.Severity))},
		{Name: "since", Cell: table.Text(e.CapturedAt)}, {Name: "recorded", Cell: table.Text(e.RecordedAt)},
	}
	if was {
		fields = append(fields, table.Field{Name: "before", Cell: verdictCell(&answer.Verdict{Compliance: string(before.Compliance), Annotation: before.Annotation})})
	}
	if is {
		fields = append(fields, table.Field{Name: "why", Cell: table.Text(after.Annotation)})
	}
	table.Fields(w, screen, fields)
	_, err := fmt.Fprintln(w)
	return true, err
}

// recordOf reads the verdict that an item holds; false: none.
func recordOf(i *varvev1.Item) (engine.Record, bool) {
	if i == nil || i.GetDeleted() || i.GetConfiguration() == nil {
		return engine.Record{}, false
	}
	r, err := engine.ReadRecord(&history.Item{State: history.State{Configuration: i.GetConfiguration().GetRaw()}})
	return r, err == nil
}
