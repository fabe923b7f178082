package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	"github.com/varvehq/varve/cmd/internal/when"
	"github.com/varvehq/varve/history/diff"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func newDiff(a *app) *cobra.Command {
	var s subject
	var from, to when.State
	var known when.Known
	cmd := &cobra.Command{
		Use:   "diff TYPE ID --from X --to Y",
		Short: "Compare a resource at two moments, or two of its versions",
		Long: `Compare two states of one resource. X and Y are moments, or versions such as v3.

For people the changes are grouped by place, old → new; elements of arrays are
recognised by what identifies them, not by their index. With -o json the patch is
RFC 6902: applied to the configuration at X it gives the one at Y, to the digit.
"attributes" is a patch over name, tags, relationships and the like. The exit code
is 0 whether there are differences or not.`,
		Example: `  varve diff AWS::EC2::SecurityGroup sg-07c41d9be52a8f360 --from 2026-07-17 --to 2026-07-18
  varve diff AWS::S3::Bucket logs --from v3 --to v4
  varve diff aws_instance prod/main:aws_instance.web --from -7d --to now -o json`,
	}
	s.bind(a, cmd)
	cmd.Flags().Var(&from, "from", "the state before: a moment, or a version")
	cmd.Flags().Var(&to, "to", "the state after: a moment, or a version (default: the newest)")
	bindKnown(cmd, &known)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !from.Given() {
			return usagef(cmd, "--from is needed: a moment, or a version such as v3")
		}
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		request := &varvev1.DiffItemRequest{
			Type: s.typ, Id: s.id, Account: s.account.value(), Region: s.region.value(),
			From: from.String(), To: to.String(), KnownAt: known.String(),
		}
		if a.output == asJSON {
			request.ReadMask = mask(answer.StateFields...)
		}
		answered, err := conn.DiffItem(cmd.Context(), request)
		if err != nil {
			return err
		}
		if a.output == asJSON {
			return a.writeJSON(answer.DiffOf(answered))
		}
		return a.page(func(w io.Writer) error { return writeDiff(w, a.screen, s, answered) })
	}
	return cmd
}

// writeDiff shows which two states are compared, and then what differs.
func writeDiff(w io.Writer, screen terminal.Screen, s subject, d *varvev1.DiffItemResponse) error {
	fmt.Fprintln(w, screen.Paint(terminal.Bold, terminal.Clean(s.typ+" "+s.id)))
	table.Fields(w, screen, []table.Field{
		{Name: "from", Cell: sideCell(d.GetFrom())},
		{Name: "to", Cell: sideCell(d.GetTo())},
	})
	return writeDifference(w, screen, living(d.GetFrom()), living(d.GetTo()))
}

// writeDifference shows what differs between two states; nil does not exist.
func writeDifference(w io.Writer, screen terminal.Screen, before, after *varvev1.Item) error {
	if before == nil && after == nil {
		return nil
	}
	if before.GetErased() || after.GetErased() {
		_, err := fmt.Fprintln(w, "what differs is not known any more")
		return err
	}
	configuration, attributes, err := compare(before, after)
	if err != nil {
		return err
	}
	if before == nil || after == nil {
		attributes = nil // all of them came or went: the document tells enough
	}
	if len(configuration)+len(attributes) == 0 {
		_, err := fmt.Fprintln(w, "no differences")
		return err
	}
	for i, changes := range [][]diff.Change{configuration, attributes} {
		if len(changes) == 0 {
			continue
		}
		fmt.Fprintf(w, "\n%s\n", screen.Paint(terminal.Dim, []string{"configuration", "attributes"}[i]))
		if err := diff.Render(w, changes, screen.Color); err != nil {
			return err
		}
	}
	return nil
}

// living is the item, or nil where the resource did not exist.
func living(i *varvev1.Item) *varvev1.Item {
	if i.GetDeleted() {
		return nil
	}
	return i
}

// sideCell says which version a side of a comparison is, since when, and by whom.
func sideCell(p *varvev1.Item) table.Cell {
	if p == nil {
		return table.Cell{Text: "did not exist", Style: terminal.Dim}
	}
	i := answer.ItemOf(p)
	text := fmt.Sprintf("v%d  captured %s", i.Version, i.CapturedAt)
	if i.Cause != nil && i.Cause.Actor != "" {
		text += "  by " + shortActor(i.Cause.Actor)
	}
	switch {
	case p.GetDeleted():
		return table.Cell{Text: text + "  deleted", Style: terminal.Red}
	case i.Erased:
		return table.Cell{Text: text + "  content " + goneBy(p), Style: terminal.Red}
	}
	return table.Text(text)
}
