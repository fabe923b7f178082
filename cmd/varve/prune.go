package main

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/client"
	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/when"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func newPrune(a *app) *cobra.Command {
	var age when.Age
	var recorded when.Moment
	var typ string
	var dryRun, yes bool
	cmd := &cobra.Command{
		Use:   "prune --older-than AGE",
		Short: "Forget the far past",
		Long: `Forget what happened longer ago than AGE: years of the calendar, then weeks, days,
hours, minutes and seconds, such as ` + when.Ages + `.

That moment becomes the floor. Of each resource the version that stands at the
floor stays, and all that begin later; a resource that was deleted by then goes
entirely. What is asked or captured below the floor is refused from then on. With
--type only resources of that type are pruned; without it, what was known when and
the feed of changes are pruned as well. A TYPE of which nothing is known, or not any
more, is refused, unless it has a floor of its own from before.

The store also knows what it knew when. What was believed before the floor is
forgotten with it; what was recorded since stays answerable as it was known then,
and keeps its versions. So of old history that was imported only lately little
goes until the import, too, is older than AGE. --recorded-before does not wait for
that: beliefs are forgotten up to that moment of recording, such as "now", and
without --type the feed of changes is, too. A moment before the floor means the floor.

What is forgotten is gone for good, but for backups. --dry-run tells what would
go. Where nobody can be asked, --yes is needed. The file does not shrink: its
space is used again, and "varve compact" gives it back. Until then the file may
hold what was forgotten word for word, in freed space and in samples by which it
compresses other documents.`,
		Example: `  varve prune --older-than 2y --dry-run
  varve prune --older-than 90d --type Kubernetes::core::Pod --yes
  varve prune --older-than 1y --recorded-before now --dry-run`,
		Args: noArgs,
	}
	flags := cmd.Flags()
	flags.Var(&age, "older-than", "forget what happened longer ago than that")
	flags.Var(&recorded, "recorded-before", "forget what was believed up to this moment of recording, too (default: the floor)")
	flags.StringVar(&typ, "type", "", "only resources of this `TYPE`")
	flags.BoolVar(&dryRun, "dry-run", false, "only tell what would go")
	flags.BoolVar(&yes, "yes", false, "do not ask")
	_ = cmd.RegisterFlagCompletionFunc("type", completeType(a))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !age.Given() {
			return usagef(cmd, "--older-than is needed: how old what is forgotten must be, such as %s", when.Ages)
		}
		if typ == "" && cmd.Flags().Changed("type") {
			return usagef(cmd, "--type is empty: name a TYPE, or leave --type out to prune all of them")
		}
		canAsk := term.IsTerminal(int(os.Stdin.Fd())) && a.errScreen.Terminal
		if !dryRun && !yes && !canAsk {
			return usagef(cmd, "--yes is needed, since what is forgotten is gone for good; --dry-run tells what would go")
		}
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()

		request := &varvev1.PruneRequest{Floor: age.Before(time.Now()).Timestamp(), Recorded: recorded.Timestamp(), Type: typ, DryRun: dryRun}
		if !dryRun && !yes {
			request.DryRun = true
			would, err := a.prune(cmd.Context(), conn, request)
			if err != nil {
				return err
			}
			if err := a.prunedTable(would); err != nil {
				return err
			}
			if !a.confirm("Forget this for good?") {
				a.complain("nothing was forgotten")
				return errReported
			}
			request.DryRun = false
		}
		pruned, err := a.prune(cmd.Context(), conn, request)
		if err != nil {
			return err
		}
		if a.output == asJSON {
			return a.writeJSON(pruned)
		}
		if err := a.prunedTable(pruned); err != nil {
			return err
		}
		if pruned.Versions == 0 && !recorded.Given() {
			fmt.Fprintln(a.stderr, "no version is both that old and was recorded that long ago; see --recorded-before in `varve help prune`")
		}
		return nil
	}
	return cmd
}

// prune asks for a prune and follows it to its end. To begin it again does no
// harm.
func (a *app) prune(ctx context.Context, conn *client.Conn, request *varvev1.PruneRequest) (_ answer.Pruned, err error) {
	message := "pruning"
	if request.GetDryRun() {
		message = "counting"
	}
	bar := newBar(a, message, 0, progress.UnitsDefault)
	defer func() { bar.end(err) }()
	var result *varvev1.PruneResponse_Result
	err = conn.Insist(ctx, func() error {
		stream, err := conn.Prune(ctx, request)
		if err != nil {
			return err
		}
		for result = nil; result == nil; {
			part, err := stream.Recv()
			if err != nil {
				return err
			}
			conn.Progress(nil)
			bar.reached(part.GetProgress().GetDone(), part.GetProgress().GetTotal())
			result = part.GetResult()
		}
		return nil
	})
	return answer.PrunedOf(result, request.GetDryRun()), err
}

func (a *app) prunedTable(p answer.Pruned) error {
	verb := "dropped"
	if p.DryRun {
		verb = "would go"
	}
	t := table.New(a.screen, "what", ">"+verb)
	for _, line := range []struct {
		what string
		n    uint64
	}{
		{"resources, entirely", p.Resources}, {"versions", p.Versions}, {"sightings", p.Sightings}, {"changes of the feed", p.Changes},
	} {
		t.Row(table.Text(line.what), table.Text(fmt.Sprint(line.n)))
	}
	if _, err := t.WriteTo(a.stdout); err != nil {
		return err
	}
	fmt.Fprintln(a.stdout)
	table.Fields(a.stdout, a.screen, floorFields(p.Floors))
	return nil
}

// floorFields are floors for people; none where nothing was ever pruned.
func floorFields(f *answer.Floors) []table.Field {
	if f == nil {
		return nil
	}
	fields := []table.Field{{Name: "floor", Cell: table.Text(f.Captured)}}
	for _, typ := range slices.Sorted(maps.Keys(f.ByType)) {
		fields = append(fields, table.Field{Name: "floor of " + typ, Cell: table.Text(f.ByType[typ])})
	}
	if f.Revision != "0" {
		fields = append(fields, table.Field{Name: "known since", Cell: table.Text("revision " + f.Revision + ", " + f.RecordedAt)})
	}
	if f.Sequence != "0" {
		fields = append(fields, table.Field{Name: "feed since", Cell: table.Text("sequence " + f.Sequence)})
	}
	return fields
}

// confirm asks somebody at the terminal.
func (a *app) confirm(question string) bool {
	fmt.Fprintf(a.stderr, "%s [y/N] ", question)
	line, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	said := strings.ToLower(strings.TrimSpace(line))
	return said == "y" || said == "yes"
}
