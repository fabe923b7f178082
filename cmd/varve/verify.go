package main

import (
	"encoding/hex"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// verification is what a check of a store came to.
type verification struct {
	Resources  uint64    `json:"resources"`
	Versions   uint64    `json:"versions"`
	Changes    uint64    `json:"changes"`
	Sightings  uint64    `json:"sightings"`
	Runs       uint64    `json:"runs"`
	Documents  uint64    `json:"documents"`
	LogEntries uint64    `json:"logEntries"`
	FileBytes  int64     `json:"fileBytes"`
	LiveBytes  int64     `json:"liveBytes"` // of its pages in use
	Findings   []finding `json:"findings"`

	broken bool // it could not be read to the end; the numbers above are not known
}

// finding is one thing that is not as it should be.
type finding struct {
	Bucket   string           `json:"bucket"`
	Key      string           `json:"key"`               // hexadecimal
	Resource *findingResource `json:"resource,omitzero"` // absent if it is about none, or several
	Text     string           `json:"text"`
}

// findingResource is the resource that a finding is about: its number in the store,
// and which that is, as far as it can be told.
type findingResource struct {
	Number  uint32 `json:"number,omitempty"`
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`
	Type    string `json:"type,omitempty"`
	ID      string `json:"id,omitempty"`
}

func findingOf(f bolt.Finding) finding {
	of := finding{Bucket: f.Bucket, Key: hex.EncodeToString(f.Key), Text: f.Text}
	if k := f.Resource; f.Subject() != "" {
		of.Resource = &findingResource{Number: f.Number, Account: k.Account, Region: k.Region, Type: k.Type, ID: k.ID}
	}
	return of
}

// subject is the resource in words; empty if there is none.
func (f finding) subject() string {
	r := f.Resource
	if r == nil {
		return ""
	}
	return bolt.Finding{Number: r.Number, Resource: history.Key{Account: r.Account, Region: r.Region, Type: r.Type, ID: r.ID}}.Subject()
}

func newVerify(a *app) *cobra.Command {
	var dir string
	var inProcess bool
	cmd := &cobra.Command{
		Use:   "verify --data DIR",
		Short: "Check a store for damage",
		Long: `Read every value of the store in DIR and report what is damaged, or contradicts
something else. Nothing is changed. The daemon must not be running: a store that
is in use is refused. Exit code 1 means that damage was found.

What is wrong comes with the resource that it is about, if it is about one and that
can still be told, and with the place in the file. A value that is damaged is told
once: what others say of it cannot be held against it until it is mended. Of a page
that is damaged it is told besides up to which key its bucket could be read, for what
stands behind it is not looked at, and which pages nothing leads to for want of it. A
dictionary comes with how many contents were written with it.

The daemon verifies a store by itself when the disk failed to write before, which
the file varve.failed beside the store says: it answers questions meanwhile, and
records again once nothing was found.`,
		Example: `  varve verify --data /var/lib/varve`,
		Args:    noArgs,
	}
	cmd.Flags().StringVar(&dir, "data", "", "the folder `DIR` of the store")
	cmd.Flags().BoolVar(&inProcess, "in-process", false, "")
	_ = cmd.Flags().MarkHidden("in-process")
	_ = cmd.MarkFlagDirname("data")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if dir == "" {
			return usagef(cmd, "--data is needed: the folder of the store")
		}
		if err := checkFolder(dir); err != nil {
			return err
		}
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		if inProcess {
			return a.examine(ctx, dir)
		}
		v, err := verify(ctx, dir)
		if err != nil {
			return err
		}
		if a.output == asJSON {
			err = a.writeJSON(v)
		} else {
			err = a.verifyTable(v)
		}
		if err == nil && len(v.Findings) > 0 {
			findings := "findings"
			if len(v.Findings) == 1 {
				findings = "finding"
			}
			a.complain("%d %s: the store is damaged. Restore a backup (varve restore), or have a new store made of what can be read: varve repair --data %s --into NEW",
				len(v.Findings), findings, dir)
			return errReported
		}
		return err
	}
	return cmd
}

func (a *app) verifyTable(v verification) error {
	number := func(name string, n uint64) table.Field {
		return table.Field{Name: name, Cell: table.Text(fmt.Sprint(n))}
	}
	fields := []table.Field{
		number("resources", v.Resources),
		number("versions", v.Versions),
		number("changes", v.Changes),
		number("sightings", v.Sightings),
		number("runs", v.Runs),
		number("documents", v.Documents),
		number("log entries", v.LogEntries),
		{Name: "file", Cell: table.Text(fmt.Sprintf("%s, of which %s in use", size(v.FileBytes), size(v.LiveBytes)))},
	}
	if v.broken {
		fields = []table.Field{{Name: "file", Cell: table.Text(size(v.FileBytes))}}
	}
	table.Fields(a.stdout, a.screen, fields)
	if len(v.Findings) == 0 {
		_, err := fmt.Fprintln(a.stdout, a.screen.Paint(terminal.Green, "no damage found"))
		return err
	}
	fmt.Fprintln(a.stdout)
	t := table.New(a.screen, "bucket", "what is wrong")
	for _, f := range v.Findings {
		t.Row(table.Text(f.Bucket), table.Cell{Text: f.Text, Style: terminal.Red})
		for _, more := range []string{prefixed("of ", f.subject()), prefixed("key ", f.Key)} { // below it: each may take a line
			if more != "" {
				t.Row(table.Text(""), table.Text(more))
			}
		}
	}
	_, err := t.WriteTo(a.stdout)
	return err
}

// size is a number of bytes for people.
func size(n int64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n)/1024, 0
	for f >= 1024 && unit < len(units)-1 {
		f, unit = f/1024, unit+1
	}
	return fmt.Sprintf("%.1f %ciB", f, units[unit])
}
