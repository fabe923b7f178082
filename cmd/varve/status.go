package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/table"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func newStatus(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say how far the store has come, and how large it is",
		Long: `Say which store the daemon has, its newest revision and the end of its feed, what
it no longer keeps, and how large it is: free space is used again before the file
grows, and "varve compact" gives it back. What is unmerged is durable and part of
every answer, but not yet in its final place in the file. The number of resources
counts all that were ever recorded, deleted and pruned ones too. Resources are damaged
where the file does not hold what was written to it: see "varve verify".`,
		Example: `  varve status
  varve status -o json | jq .sizes.freeBytes`,
		Args: noArgs,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		status, err := conn.GetStatus(cmd.Context(), &varvev1.GetStatusRequest{})
		if err != nil {
			return err
		}
		s := answer.StatusOf(status)
		if a.output == asJSON {
			return a.writeJSON(s)
		}
		table.Fields(a.stdout, a.screen, statusFields(s))
		return nil
	}
	return cmd
}

func statusFields(s answer.Status) []table.Field {
	fields := []table.Field{
		{Name: "store", Cell: table.Text(s.StoreID)},
		{Name: "revision", Cell: table.Text(s.Revision)},
		{Name: "recorded", Cell: table.Text(s.RecordedAt)},
		{Name: "position", Cell: table.Text(s.Position)},
		{Name: "resources", Cell: table.Text(fmt.Sprint(s.Resources))},
	}
	fields = append(fields, floorFields(s.Floors)...)
	if s.Sizes != nil {
		fields = append(fields, table.Field{Name: "file", Cell: table.Text(fmt.Sprintf("%s, of which %s in use and %s free",
			size(int64(s.Sizes.File)), size(int64(s.Sizes.Live)), size(int64(s.Sizes.Free))))})
	}
	if s.Lag != nil {
		fields = append(fields, table.Field{Name: "unmerged", Cell: table.Text(fmt.Sprintf("%d records, %s",
			s.Lag.Records, size(int64(s.Lag.Bytes))))})
	}
	if s.Lag != nil && s.Lag.Apart > 0 {
		fields = append(fields, table.Field{Name: "damaged", Cell: table.Text(fmt.Sprintf(
			"%d resources, of which what comes stays unmerged: run varve verify", s.Lag.Apart))})
	}
	if s.Format != 0 {
		fields = append(fields, table.Field{Name: "format", Cell: table.Text(fmt.Sprint(s.Format))})
	}
	return append(fields, table.Field{Name: "version", Cell: table.Text(s.Version)})
}
