package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/client"
	"github.com/varvehq/varve/cmd/internal/table"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func newDeadLetters(a *app) *cobra.Command {
	return a.ofSubscription(&cobra.Command{
		Use:   "dead-letters NAME",
		Short: "List the events that a subscription gave up",
		Long: `List the events that a subscription gave up, in the order of the feed: which resource
each is about, how often it was tried, and what the receiver answered last. The change
itself is where it was, in the history of its resource.`,
		Example: `  varve subscription dead-letters ops
  varve subscription dead-letters ops -o json | jq -r '.deadLetters[].reason' | sort | uniq -c`,
	}, func(ctx context.Context, conn *client.Conn, name string) error {
		all := []answer.DeadLetter{}
		request := &varvev1.ListDeadLettersRequest{Name: name, PageSize: fullPage}
		for {
			page, err := conn.ListDeadLetters(ctx, request)
			if err != nil {
				return err
			}
			for _, d := range page.GetDeadLetters() {
				all = append(all, answer.DeadLetterOf(d))
			}
			if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
				break
			}
		}
		if a.output == asJSON {
			return a.writeJSON(struct {
				DeadLetters []answer.DeadLetter `json:"deadLetters"`
			}{all})
		}
		return a.deadLetterTable(all)
	})
}

func (a *app) deadLetterTable(all []answer.DeadLetter) error {
	t := table.New(a.screen, ">sequence", "type", "id", "account", "region", ">attempts", "first failure", "last failure", "reason")
	t.GiveWay()
	for _, d := range all {
		t.Row(
			table.Text(d.Sequence), table.Text(d.Type), table.Text(d.ID), table.Text(d.Account), table.Text(d.Region),
			table.Text(fmt.Sprint(d.Attempts)), table.Text(d.FirstFailure), table.Text(d.LastFailure), table.Text(d.Reason))
	}
	if t.Len() == 0 {
		fmt.Fprintln(a.stderr, "no dead letters")
	}
	_, err := t.WriteTo(a.stdout)
	return err
}

func newReplay(a *app) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "replay NAME SEQUENCE…",
		Short: "Send dead letters again",
		Long: `Send dead letters again, those of the given sequences or with --all every one. Each is
tried at once, and for as long as an event that is new. With --all those stay whose
change was pruned meanwhile, and those for which there is no room yet.`,
		Example: `  varve subscription replay ops 4711 4712
  varve subscription replay ops --all`,
		ValidArgsFunction: completeSubscription(a),
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 || args[0] == "":
				return usagef(cmd, "the NAME of a subscription is needed")
			case len(args) == 1 && !all:
				return usagef(cmd, "name the sequences to replay, as varve subscription dead-letters lists them, or say --all")
			case len(args) > 1 && all:
				return usagef(cmd, "--all does not go with sequences; give one of both")
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "replay every dead letter")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		request := &varvev1.ReplayDeadLettersRequest{Name: subscriptionName(args), All: all}
		for _, text := range args[1:] {
			seq, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				return usagef(cmd, "%q is not a sequence: a whole number is expected", text)
			}
			request.Sequences = append(request.Sequences, seq)
		}
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		r, err := conn.ReplayDeadLetters(cmd.Context(), request)
		if err != nil {
			return err
		}
		if a.output == asJSON {
			return a.writeJSON(struct {
				Replayed uint32 `json:"replayed"`
			}{r.GetReplayed()})
		}
		_, err = fmt.Fprintf(a.stdout, "replayed %d\n", r.GetReplayed())
		return err
	}
	return cmd
}
