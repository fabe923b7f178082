package main

import (
	"bufio"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/client"
	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	"github.com/varvehq/varve/cmd/internal/when"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func newChanges(a *app) *cobra.Command {
	var from string
	var limit int
	cmd := &cobra.Command{
		Use:   "changes",
		Short: "Show what was recorded, in that order",
		Long: `Show the feed of changes: one entry for each state that was recorded, in the order
of recording. It is about when we learned, not about when it was true; a change
that was captured before what was known already is marked late.

All changes are shown up to the end that the feed has when it is asked; varve watch
shows those that come after it, and what is different. --limit cuts it off
earlier, which is told on standard error with the position to go on from.

Each change has a position. Given to --from, it resumes the feed right after that
change, also after a restart of the daemon. With -o json each change is an object
on a line of its own.`,
		Example: `  varve changes --from -2h
  varve changes --from 2026-07-18 -o json
  varve changes --from "$POSITION" -o json | jq -r .id`,
		Args: noArgs,
	}
	cmd.Flags().StringVar(&from, "from", "", "start with what was recorded at `TIME|POSITION` (default: the first change)")
	cmd.Flags().IntVar(&limit, "limit", 0, "at most `N` changes (default: all, to the end)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if limit < 0 {
			return usagef(cmd, "--limit %d: it must not be negative", limit)
		}
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		f := &feed{conn: conn, request: feedFrom(from), limit: limit}
		if a.output == asJSON {
			return a.changesJSON(cmd.Context(), f)
		}
		return a.changesTable(cmd.Context(), f)
	}
	return cmd
}

// feedFrom reads --from: a moment where it is one, else a position.
func feedFrom(from string) *varvev1.ListChangesRequest {
	if from == "" {
		return &varvev1.ListChangesRequest{}
	}
	m, err := when.Parse(from, time.Now())
	if err != nil {
		return &varvev1.ListChangesRequest{Position: from}
	}
	return &varvev1.ListChangesRequest{Since: m.Timestamp()}
}

// feed reads changes up to the end that the feed has when it is asked; 0 as the
// limit is none.
type feed struct {
	conn    *client.Conn
	request *varvev1.ListChangesRequest
	limit   int

	next string // position after what was read
	more bool   // the limit has cut it off
}

func (f *feed) each(ctx context.Context, use func(*varvev1.Change) error) error {
	head, err := f.conn.GetStatus(ctx, &varvev1.GetStatusRequest{})
	if err != nil {
		return err
	}
	for n := 0; ; {
		f.request.PageSize = fullPage
		if f.limit > 0 { // and one, to see whether there is more
			f.request.PageSize = int32(min(fullPage, f.limit-n+1))
		}
		page, err := f.conn.ListChanges(ctx, f.request)
		if err != nil {
			return err
		}
		for _, c := range page.GetChanges() {
			switch {
			case c.GetRevision() > head.GetRevision():
				return nil
			case f.limit > 0 && n == f.limit:
				f.more = true
				return nil
			}
			if err := use(c); err != nil {
				return err
			}
			f.next = c.GetPosition()
			n++
		}
		if len(page.GetChanges()) == 0 {
			return nil
		}
		f.request.Position, f.request.Since = page.GetNextPosition(), nil
	}
}

func (a *app) changesJSON(ctx context.Context, f *feed) error {
	out := bufio.NewWriter(a.stdout)
	err := f.each(ctx, func(c *varvev1.Change) error {
		text, err := a.marshal(answer.ChangeOf(c))
		if err != nil {
			return err
		}
		_, err = out.Write(append(text, '\n'))
		return err
	})
	if flushErr := out.Flush(); err == nil {
		err = flushErr
	}
	if err == nil && f.more {
		a.goOn(f)
	}
	return err
}

func (a *app) changesTable(ctx context.Context, f *feed) error {
	t := table.New(a.screen, "recorded", "kind", "captured", ">v", "account", "region", "type", "id")
	err := f.each(ctx, func(p *varvev1.Change) error {
		c := answer.ChangeOf(p)
		captured := table.Text(c.CapturedAt)
		if c.Late {
			captured = table.Cell{Text: c.CapturedAt + " late", Style: terminal.Yellow}
		}
		t.Row(
			table.Cell{Text: toSeconds(p.GetRecordedAt()), Style: terminal.Dim}, kindCell(c.Kind), captured,
			table.Text(fmt.Sprint(c.Version)), table.Text(c.Account), table.Text(c.Region),
			table.Text(c.Type), table.Text(c.ID))
		return nil
	})
	if err != nil {
		return err
	}
	if t.Len() == 0 {
		fmt.Fprintln(a.stderr, "no changes")
		return nil
	}
	if _, err := t.WriteTo(a.stdout); err != nil {
		return err
	}
	a.goOn(f)
	return nil
}

// goOn tells people how to read on, and whether anything is left to read.
func (a *app) goOn(f *feed) {
	if f.more {
		fmt.Fprintf(a.stderr, "cut after %d, there are more changes\n", f.limit)
	}
	fmt.Fprintf(a.stderr, "%s varve changes --from %s\n", a.errScreen.Paint(terminal.Dim, "go on with:"), terminal.Clean(f.next))
}

func kindCell(kind string) table.Cell {
	switch kind {
	case "created":
		return table.Cell{Text: kind, Style: terminal.Green}
	case "deleted":
		return table.Cell{Text: kind, Style: terminal.Red}
	}
	return table.Text(kind)
}
