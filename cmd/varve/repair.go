package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/google/uuid"
	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// repaired is what a repair came to.
type repaired struct {
	StoreID    string `json:"storeId"`
	Revision   string `json:"revision"`
	RecordedAt string `json:"recordedAt"`
	Resources  uint64 `json:"resources"`
	Versions   uint64 `json:"versions"`
	FileBytes  int64  `json:"fileBytes"`
	Losses     []loss `json:"losses"`
}

// loss is one thing that could not be read, or that lacked a bit.
type loss struct {
	What    string `json:"what"`
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`
	Type    string `json:"type,omitempty"`
	ID      string `json:"id,omitempty"`
	Text    string `json:"text"`
}

func newRepair(a *app) *cobra.Command {
	var dir, into string
	cmd := &cobra.Command{
		Use:   "repair --data DIR --into NEW",
		Short: "Make a sound store of what a damaged one holds",
		Long: `Make a store in NEW of all that can be read of the damaged one in DIR, and list what
is lost. The one in DIR is not touched, and no daemon may be using it; start one on
NEW afterwards. NEW is created; one that holds anything is refused.

Nothing is believed whose checksum does not match, but content whose SHA-256 does. A
single flipped bit is put back. What one place has lost another may know:
names, versions' times and numbers, the newest version's status. A version of which
nothing but that is known stays as a tombstone: where it was, "content was lost to
damage". Changes are told from behind the last one that is missing; what is lost of
the log was recorded last. The new store was verified before the command ends.

Where a backup is at hand, and no older than you can bear, restore that instead.
Exit code 1 means that something is lost.`,
		Example: `  varve verify --data /var/lib/varve
  varve repair --data /var/lib/varve --into /var/lib/varve-repaired`,
		Args: noArgs,
	}
	cmd.Flags().StringVar(&dir, "data", "", "the folder `DIR` of the damaged store")
	cmd.Flags().StringVar(&into, "into", "", "the folder `NEW` of the store to make")
	_ = cmd.MarkFlagDirname("data")
	_ = cmd.MarkFlagDirname("into")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		switch {
		case dir == "":
			return usagef(cmd, "--data is needed: the folder of the damaged store")
		case into == "":
			return usagef(cmd, "--into is needed: the folder of the store to make")
		}
		if err := checkFolder(dir); err != nil {
			return err
		}
		if info, err := os.Stat(into); err == nil && !info.IsDir() {
			return fmt.Errorf("%s is a file; --into takes a folder", into)
		}
		ctx, stop := interruptible(cmd.Context())
		defer stop()
		result, lost := repaired{Losses: []loss{}}, 0
		bar := newBar(a, "repairing", 0, progress.UnitsDefault)
		done, err := bolt.Repair(ctx, dir, into, func(l bolt.Loss) {
			result.Losses = append(result.Losses, loss{l.What.String(), l.Key.Account, l.Key.Region, l.Key.Type, l.Key.ID, l.Text})
			if l.What != bolt.Mended {
				lost++
			}
		}, bolt.CopyOptions{Progress: bar.reached})
		bar.end(err)
		if err != nil {
			if len(result.Losses) > 0 && a.output != asJSON {
				err = errors.Join(err, a.lossTable(result.Losses))
			}
			return err
		}
		result.StoreID = uuid.UUID(done.Lineage.StoreID).String()
		result.Revision, result.RecordedAt = done.Revision.String(), done.Recorded.String()
		result.Resources, result.Versions, result.FileBytes = done.Resources, done.Versions, done.FileBytes
		if a.output == asJSON {
			err = a.writeJSON(result)
		} else {
			err = a.repairTable(result)
		}
		if err == nil && lost > 0 {
			losses := "losses"
			if lost == 1 {
				losses = "loss"
			}
			a.complain("%d %s; all else is in %s", lost, losses, into)
			return errReported
		}
		return err
	}
	return cmd
}

func (a *app) repairTable(r repaired) error {
	table.Fields(a.stdout, a.screen, []table.Field{
		{Name: "store", Cell: table.Text(r.StoreID)},
		{Name: "revision", Cell: table.Text(r.Revision)},
		{Name: "recorded", Cell: table.Text(r.RecordedAt)},
		{Name: "resources", Cell: table.Text(fmt.Sprint(r.Resources))},
		{Name: "versions", Cell: table.Text(fmt.Sprint(r.Versions))},
		{Name: "file", Cell: table.Text(size(r.FileBytes))},
	})
	if len(r.Losses) == 0 {
		_, err := fmt.Fprintln(a.stdout, a.screen.Paint(terminal.Green, "nothing is lost"))
		return err
	}
	fmt.Fprintln(a.stdout)
	return a.lossTable(r.Losses)
}

func (a *app) lossTable(list []loss) error {
	t := table.New(a.screen, "what", "what is lost")
	for _, l := range list {
		style := terminal.Red
		if l.What == bolt.Mended.String() {
			style = terminal.Green
		}
		text := l.Text
		if l.ID != "" {
			text = history.Key{Account: l.Account, Region: l.Region, Type: l.Type, ID: l.ID}.String() + ": " + text
		}
		t.Row(table.Text(l.What), table.Cell{Text: text, Style: style})
	}
	_, err := t.WriteTo(a.stdout)
	return err
}
