package main

import (
	"context"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/client"
	"github.com/varvehq/varve/cmd/internal/table"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func newRebuild(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rebuild",
		Short: "Derive anew what is derived from what was recorded",
		Long:  `Derive anew what is derived from what was recorded. Nothing that was recorded is changed.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRebuildGraph(a))
	return cmd
}

func newRebuildGraph(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "graph",
		Short: "Read the relationships of all versions anew",
		Long: `Read the relationships of all versions anew, as if all had been recorded by this
version of the program: every question about the graph, at any moment and as known
at any, is answered from the tables of today.

A daemon whose tables have changed does this by itself when it starts, so that this
is needed at most after damage. Recording goes on meanwhile, and so do all questions
but those about the graph, which are refused until it is done. One that is cut short
is done by the next start of the daemon, or the next call.`,
		Example: `  varve rebuild graph`,
		Args:    noArgs,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		resources, err := a.rebuildGraph(cmd.Context(), conn)
		if err != nil {
			return err
		}
		if a.output == asJSON {
			return a.writeJSON(struct {
				Resources uint64 `json:"resources"`
			}{resources})
		}
		table.Fields(a.stdout, a.screen, []table.Field{{Name: "resources", Cell: table.Text(fmt.Sprint(resources))}})
		return nil
	}
	return cmd
}

// rebuildGraph asks for it and follows it to its end. To begin it again does no
// harm.
func (a *app) rebuildGraph(ctx context.Context, conn *client.Conn) (resources uint64, err error) {
	bar := newBar(a, "rebuilding", 0, progress.UnitsDefault)
	defer func() { bar.end(err) }()
	err = conn.Insist(ctx, func() error {
		stream, err := conn.RebuildGraph(ctx, &varvev1.RebuildGraphRequest{})
		if err != nil {
			return err
		}
		for {
			part, err := stream.Recv()
			if err != nil {
				return err
			}
			conn.Progress(nil)
			if result := part.GetResult(); result != nil {
				resources = result.GetResources()
				return nil
			}
			bar.reached(part.GetProgress().GetDone(), part.GetProgress().GetTotal())
		}
	})
	return resources, err
}
