package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/google/uuid"
	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

func newRestore(a *app) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "restore FILE|- --data DIR",
		Short: "Make a store of a backup",
		Long: `Make a store in DIR of a backup, which with - is read from standard input. DIR is
created; one that holds anything is refused with exit code 1. No daemon is asked;
start one on DIR afterwards.

Resources, version numbers and revisions are those of the store that was backed up.
Positions and page tokens which that one gave before the backup go on in this one;
those that it gave later are refused, since this one does not know what they know.

Relationships are not part of a backup: the daemon reads them anew out of the
versions when it is first started, before (a small store) or while it answers.

A backup that is damaged or was cut short is refused, with the place, and nothing
is left that could be taken for a store.`,
		Example: `  varve restore /backups/varve-2026-07-18 --data /var/lib/varve
  ssh vault cat varve-backup | varve restore - --data ./store`,
		Args: oneFile,
	}
	cmd.Flags().StringVar(&dir, "data", "", "the folder `DIR` of the store to make")
	_ = cmd.MarkFlagDirname("data")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if dir == "" {
			return usagef(cmd, "--data is needed: the folder of the store to make")
		}
		if info, err := os.Stat(dir); err == nil && !info.IsDir() {
			return fmt.Errorf("%s is a file; --data takes a folder", dir)
		}
		var in io.Reader = os.Stdin
		if args[0] != "-" {
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			in = f
		}
		ctx, stop := interruptible(cmd.Context())
		defer stop()
		bar := newBar(a, "restoring", 0, progress.UnitsDefault)
		restored, err := bolt.Restore(ctx, in, dir, bolt.CopyOptions{Progress: bar.reached})
		bar.end(err)
		if err != nil {
			return ofBackup(args[0], err)
		}
		id := uuid.UUID(restored.Lineage.StoreID).String()
		if a.output == asJSON {
			return a.writeJSON(struct {
				StoreID    string `json:"storeId"`
				Revision   string `json:"revision"`
				RecordedAt string `json:"recordedAt"`
				Resources  uint64 `json:"resources"`
				Versions   uint64 `json:"versions"`
				FileBytes  int64  `json:"fileBytes"`
			}{id, restored.Revision.String(), restored.Recorded.String(), restored.Resources, restored.Versions, restored.FileBytes})
		}
		table.Fields(a.stdout, a.screen, []table.Field{
			{Name: "store", Cell: table.Text(id)},
			{Name: "revision", Cell: table.Text(restored.Revision.String())},
			{Name: "recorded", Cell: table.Text(restored.Recorded.String())},
			{Name: "resources", Cell: table.Text(fmt.Sprint(restored.Resources))},
			{Name: "versions", Cell: table.Text(fmt.Sprint(restored.Versions))},
			{Name: "file", Cell: table.Text(size(restored.FileBytes))},
		})
		return nil
	}
	return cmd
}

// ofBackup names the file of a backup that is refused.
func ofBackup(file string, err error) error {
	var refused *history.Error
	if file == "-" || !errors.As(err, &refused) || refused.Field != "backup" || refused.Value != "" {
		return err
	}
	named := *refused
	named.Field, named.Text = "", file+" "+named.Text
	return &named
}
