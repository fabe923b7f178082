package main

import (
	"fmt"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/history/bolt"
)

func newCompact(a *app) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "compact --data DIR",
		Short: "Give a store's free space back",
		Long: `Write the store in DIR into a fresh file that takes the place of the old one,
packed and without free space. The daemon must not be running: a store that is in
use is refused. The store stays the same in every answer.

Until it is done both files need room. If there is none, or the program is killed,
the old file stays as it is. Relationships are not copied: the daemon reads them
anew when it is next started, before (a small store) or while it answers.`,
		Example: `  varve compact --data /var/lib/varve`,
		Args:    noArgs,
	}
	cmd.Flags().StringVar(&dir, "data", "", "the folder `DIR` of the store")
	_ = cmd.MarkFlagDirname("data")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if dir == "" {
			return usagef(cmd, "--data is needed: the folder of the store")
		}
		if err := checkFolder(dir); err != nil {
			return err
		}
		ctx, stop := interruptible(cmd.Context())
		defer stop()
		bar := newBar(a, "compacting", 0, progress.UnitsDefault)
		done, err := bolt.Compact(ctx, dir, bolt.CopyOptions{Progress: bar.reached})
		bar.end(err)
		if err != nil {
			return err
		}
		if a.output == asJSON {
			return a.writeJSON(struct {
				Resources   uint64 `json:"resources"`
				Versions    uint64 `json:"versions"`
				BytesBefore int64  `json:"bytesBefore"`
				BytesAfter  int64  `json:"bytesAfter"`
			}{done.Resources, done.Versions, done.Before, done.After})
		}
		table.Fields(a.stdout, a.screen, []table.Field{
			{Name: "resources", Cell: table.Text(fmt.Sprint(done.Resources))},
			{Name: "versions", Cell: table.Text(fmt.Sprint(done.Versions))},
			{Name: "before", Cell: table.Text(size(done.Before))},
			{Name: "after", Cell: table.Text(size(done.After))},
		})
		return nil
	}
	return cmd
}
