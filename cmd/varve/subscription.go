package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/client"
	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func newSubscription(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "subscription",
		Short: "Have changes sent: to a webhook, to a file",
		Long: `A subscription sends changes as they are recorded: to a webhook, or into a file. Each
is sent at least once, in order for each resource, through restarts on either side;
what is sent twice has the same id.

What a receiver does not take is tried again, after 100 to 300 ms at first and then
ever later, up to 5 minutes apart, for 24 hours. Nobody else waits for it: neither
other resources nor other subscriptions nor what records. After that it is a dead
letter, to be looked at and replayed.

Every event tells its sequence and the one that the subscription matched before it,
"previous": a receiver that follows these back can prove that it lacks nothing.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSubscriptionPut(a), newSubscriptionList(a), newSubscriptionShow(a),
		newSubscriptionDelete(a), newSubscriptionPause(a), newSubscriptionResume(a), newSubscriptionTest(a),
		newDeadLetters(a), newReplay(a))
	return cmd
}

// subscriptionName is how the API calls a subscription.
func subscriptionName(args []string) string { return "subscriptions/" + args[0] }

// oneSubscription is for commands that take the name of a subscription.
func oneSubscription(cmd *cobra.Command, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return usagef(cmd, "the NAME of one subscription is needed; %d are given", len(args))
	}
	return nil
}

// ofSubscription completes a command that does something with one subscription.
func (a *app) ofSubscription(cmd *cobra.Command, do func(ctx context.Context, conn *client.Conn, name string) error) *cobra.Command {
	cmd.Args = oneSubscription
	cmd.ValidArgsFunction = completeSubscription(a)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		return do(cmd.Context(), conn, subscriptionName(args))
	}
	return cmd
}

// completeSubscription completes the NAME of a subscription.
func completeSubscription(a *app) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		conn, err := a.dial(cmd)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer conn.Close()
		var names []cobra.Completion
		_ = eachSubscription(ctx, conn, func(s answer.Subscription) { // as far as it goes
			names = append(names, cobra.CompletionWithDesc(s.Name, s.Target))
		})
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

func eachSubscription(ctx context.Context, conn *client.Conn, use func(answer.Subscription)) error {
	request := &varvev1.ListSubscriptionsRequest{PageSize: fullPage}
	for {
		page, err := conn.ListSubscriptions(ctx, request)
		if err != nil {
			return err
		}
		for _, s := range page.GetSubscriptions() {
			use(answer.SubscriptionOf(s))
		}
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			return nil
		}
	}
}

func newSubscriptionList(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List subscriptions, and how each does",
		Long: `List subscriptions by name. BEHIND counts the changes between what a receiver has and
the newest one, LAG is how long ago the oldest of them was recorded. Those that are
not yet read may or may not match its filter.`,
		Example: `  varve subscription list
  varve subscription list -o json | jq '.subscriptions[] | select(.state!="active") | .name'`,
		Args: noArgs,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		all := []answer.Subscription{}
		if err := eachSubscription(cmd.Context(), conn, func(s answer.Subscription) { all = append(all, s) }); err != nil {
			return err
		}
		if a.output == asJSON {
			return a.writeJSON(struct {
				Subscriptions []answer.Subscription `json:"subscriptions"`
			}{all})
		}
		return a.subscriptionTable(all)
	}
	return cmd
}

func (a *app) subscriptionTable(all []answer.Subscription) error {
	t := table.New(a.screen, "name", "state", ">behind", ">lag", "oldest undelivered", ">delivered", ">failed", ">retried", ">dead", "format", "target")
	t.GiveWay()
	for _, s := range all {
		t.Row(
			table.Text(s.Name), subscriptionStateCell(s.State), table.Text(fmt.Sprint(s.LagEvents)), table.Text(lagText(s)),
			table.Text(s.OldestUndelivered), table.Text(fmt.Sprint(s.Delivered)), table.Text(fmt.Sprint(s.Failed)),
			table.Text(fmt.Sprint(s.Retried)), deadCell(s), table.Text(s.Format), table.Text(s.Target))
	}
	if t.Len() == 0 {
		fmt.Fprintln(a.stderr, "no subscriptions")
	}
	_, err := t.WriteTo(a.stdout)
	return err
}

func subscriptionStateCell(state string) table.Cell {
	styles := map[string]terminal.Style{"active": terminal.Green, "failing": terminal.Yellow, "paused": terminal.Cyan, "disabled": terminal.Red}
	return table.Cell{Text: state, Style: styles[state]}
}

func deadCell(s answer.Subscription) table.Cell {
	if s.DeadLetters == 0 {
		return table.Text("0")
	}
	return table.Cell{Text: fmt.Sprint(s.DeadLetters), Style: terminal.Red}
}

// lagText is a lag as people read it.
func lagText(s answer.Subscription) string {
	if s.LagEvents == 0 {
		return ""
	}
	lag := time.Duration(s.LagSeconds * float64(time.Second))
	if lag < 10*time.Second {
		return lag.Round(time.Millisecond).String()
	}
	return lag.Round(time.Second).String()
}

func newSubscriptionShow(a *app) *cobra.Command {
	return a.ofSubscription(&cobra.Command{
		Use:   "show NAME",
		Short: "Show a subscription, and how it does",
		Long: `Show what a subscription says, how far it has come, what became of the events that it
matched, and what failed last. Secrets are not shown, but how many are in force and
until when.`,
		Example: `  varve subscription show ops
  varve subscription show ops -o json | jq .lagEvents`,
	}, func(ctx context.Context, conn *client.Conn, name string) error {
		s, err := conn.GetSubscription(ctx, &varvev1.GetSubscriptionRequest{Name: name})
		if err != nil {
			return err
		}
		return a.showSubscription(s)
	})
}

func (a *app) showSubscription(p *varvev1.Subscription) error {
	s := answer.SubscriptionOf(p)
	if a.output == asJSON {
		return a.writeJSON(s)
	}
	table.Fields(a.stdout, a.screen, subscriptionFields(s))
	return nil
}

func subscriptionFields(s answer.Subscription) []table.Field {
	text := func(name, value string) table.Field { return table.Field{Name: name, Cell: table.Text(value)} }
	fields := []table.Field{
		text("name", s.Name), text("target", s.Target), text("filter", s.Filter), text("format", s.Format),
		text("options", optionsText(s)), text("secrets", secretsText(s.Secrets)),
		text("created", s.CreatedAt), text("updated", s.UpdatedAt),
		{Name: "state", Cell: subscriptionStateCell(s.State)}, text("disabled", s.Disabled),
		text("position", s.Position), text("sequence", s.Sequence), text("previous", s.Previous),
		text("matched", fmt.Sprint(s.Matched)), text("delivered", fmt.Sprint(s.Delivered)),
		text("failed", fmt.Sprint(s.Failed)), text("retried", fmt.Sprint(s.Retried)),
		text("outstanding", fmt.Sprint(s.Outstanding)), {Name: "dead letters", Cell: deadCell(s)},
	}
	for _, rare := range []struct {
		name string
		n    uint64
	}{{"replayed", s.DeadLettered - uint64(s.DeadLetters) - s.Dropped}, {"dropped", s.Dropped}, {"missed", s.Missed}, {"undecided", s.FilterErrors}} {
		if rare.n > 0 {
			fields = append(fields, text(rare.name, fmt.Sprint(rare.n)))
		}
	}
	fields = append(fields, text("behind", fmt.Sprint(s.LagEvents)), text("lag", lagText(s)),
		text("oldest undelivered", s.OldestUndelivered), text("last delivered", s.LastDelivered))
	if f := s.LastFailure; f != nil {
		what := f.At
		if f.Sequence != "0" {
			what += ", sequence " + f.Sequence
		}
		fields = append(fields, text("last failure", what+": "+f.Reason))
	}
	return fields
}

// optionsText is what was said beside target, filter and format, as it was said.
func optionsText(s answer.Subscription) string {
	var text string
	add := func(format string, args ...any) { text += fmt.Sprintf(" --"+format, args...) }
	if s.Gzip {
		add("gzip")
	}
	if s.Batch != 0 {
		add("batch %d", s.Batch)
	}
	if s.Timeout != "" {
		add("timeout %s", s.Timeout)
	}
	if s.RetryFor != "" {
		add("retry-for %s", s.RetryFor)
	}
	if s.Rotation != nil && s.Rotation.Bytes != 0 {
		add("rotate-size %d", s.Rotation.Bytes)
	}
	if s.Rotation != nil && s.Rotation.Keep != 0 {
		add("rotate-keep %d", s.Rotation.Keep)
	}
	if text == "" {
		return ""
	}
	return text[1:]
}

func secretsText(all []answer.Secret) string {
	if len(all) == 0 {
		return "none"
	}
	text := fmt.Sprintf("%d in force", len(all))
	for _, s := range all {
		if s.Until != "" {
			text += ", one until " + s.Until
		}
	}
	return text
}
