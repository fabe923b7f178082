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

Each change has a position. Given to --from, it resumes the feed right after that
change, also after a restart of the daemon. With -o json each change is an object
on a line of its own.`,
		Example: `  varve changes --from -2h
  varve changes --from 2026-07-18 --limit 0 -o json
  varve changes --from "$POSITION" -o json | jq -r .id`,
		Args: noArgs,
	}
	cmd.Flags().StringVar(&from, "from", "", "start with what was recorded at `TIME|POSITION` (default: the first change)")
	cmd.Flags().IntVar(&limit, "limit", 100, "at most `N` changes; 0 for all to the end")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if limit < 0 {
			return usagef(cmd, "--limit %d: it must not be negative", limit)
		}
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		request, err := feedFrom(cmd.Context(), conn, from)
		if err != nil {
			return err
		}
		if a.output == asJSON {
			return a.changesJSON(cmd.Context(), conn, request, limit)
		}
		return a.changesTable(cmd.Context(), conn, request, limit)
	}
	return cmd
}

// feedFrom reads --from: a moment where it is one, else a position.
func feedFrom(ctx context.Context, conn *client.Conn, from string) (*varvev1.ListChangesRequest, error) {
	if from == "" {
		return &varvev1.ListChangesRequest{}, nil
	}
	m, err := when.Parse(from, time.Now())
	if err != nil {
		return &varvev1.ListChangesRequest{Position: from}, nil
	}
	if since := m.Timestamp(); since != nil {
		return &varvev1.ListChangesRequest{Since: since}, nil
	}
	head, err := conn.GetStatus(ctx, &varvev1.GetStatusRequest{})
	if err != nil {
		return nil, err
	}
	return &varvev1.ListChangesRequest{Position: head.GetPosition()}, nil
}

// eachChange reads the feed up to its end or the limit and returns the position
// after what was read.
func eachChange(ctx context.Context, conn *client.Conn, request *varvev1.ListChangesRequest, limit int, use func(*varvev1.Change) error) (string, error) {
	for n := 0; ; {
		request.PageSize = fullPage
		if limit > 0 {
			request.PageSize = int32(min(fullPage, limit-n))
		}
		page, err := conn.ListChanges(ctx, request)
		if err != nil {
			return "", err
		}
		for _, c := range page.GetChanges() {
			if err := use(c); err != nil {
				return "", err
			}
			n++
		}
		request.Position, request.Since = page.GetNextPosition(), nil
		if len(page.GetChanges()) == 0 || n == limit {
			return request.GetPosition(), nil
		}
	}
}

func (a *app) changesJSON(ctx context.Context, conn *client.Conn, request *varvev1.ListChangesRequest, limit int) error {
	out := bufio.NewWriter(a.stdout)
	_, err := eachChange(ctx, conn, request, limit, func(c *varvev1.Change) error {
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
	return err
}

func (a *app) changesTable(ctx context.Context, conn *client.Conn, request *varvev1.ListChangesRequest, limit int) error {
	t := table.New(a.screen, "recorded", "kind", "captured", ">v", "account", "region", "type", "id")
	next, err := eachChange(ctx, conn, request, limit, func(p *varvev1.Change) error {
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
	_, err = fmt.Fprintf(a.stdout, "\n%s varve changes --from %s\n", a.screen.Paint(terminal.Dim, "go on with:"), terminal.Clean(next))
	return err
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
