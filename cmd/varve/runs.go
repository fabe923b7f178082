package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func newRun(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Look at collection runs",
		Long: `A collection run is an import of everything there is: what it does not see, it
deletes. See "varve import --help" for how to make one.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRunList(a))
	return cmd
}

func newRunList(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List collection runs, latest first",
		Long: `List collection runs, latest opened first: what each was to collect, the moment it
speaks about, what it saw, and how many resources its completion deleted.`,
		Example: `  varve run list
  varve run list -o json | jq '.runs[] | select(.state=="aborted")'`,
		Args: noArgs,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()

		runs := []answer.Run{}
		request := &varvev1.ListRunsRequest{PageSize: fullPage}
		for {
			page, err := conn.ListRuns(cmd.Context(), request)
			if err != nil {
				return err
			}
			for _, r := range page.GetRuns() {
				runs = append(runs, answer.RunOf(r))
			}
			if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
				break
			}
		}
		if a.output == asJSON {
			return a.writeJSON(struct {
				Runs []answer.Run `json:"runs"`
			}{runs})
		}
		return a.runTable(runs)
	}
	return cmd
}

func (a *app) runTable(runs []answer.Run) error {
	t := table.New(a.screen, "id", "state", "moment", "opened", "closed", ">observed", ">refused", ">deleted", "scope", "reason")
	t.GiveWay()
	for _, r := range runs {
		t.Row(
			table.Text(r.ID), runStateCell(r.State), table.Text(r.Moment), table.Text(r.OpenedAt), table.Text(r.ClosedAt),
			table.Text(fmt.Sprint(r.Observed)), table.Text(fmt.Sprint(r.Refused)), table.Text(fmt.Sprint(r.Deleted)),
			table.Text(scopeText(r.Scope)), table.Text(r.Reason))
	}
	if t.Len() == 0 {
		fmt.Fprintln(a.stderr, "no runs")
	}
	_, err := t.WriteTo(a.stdout)
	return err
}

func runStateCell(state string) table.Cell {
	switch state {
	case "complete":
		return table.Cell{Text: state, Style: terminal.Green}
	case "aborted":
		return table.Cell{Text: state, Style: terminal.Red}
	}
	return table.Cell{Text: state, Style: terminal.Yellow}
}

// scopeText is a scope as --scope takes it.
func scopeText(s answer.Scope) string {
	var parts []string
	for _, list := range []struct {
		name   string
		values []string
	}{{"account", s.Accounts}, {"region", s.Regions}, {"type", s.Types}} {
		for _, v := range list.values {
			parts = append(parts, list.name+"="+v)
		}
	}
	if parts == nil {
		return "everything"
	}
	return strings.Join(parts, ",")
}
