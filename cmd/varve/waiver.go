package main

import (
	"cmp"
	"context"
	"fmt"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/client"
	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	"github.com/varvehq/varve/cmd/internal/when"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/rules"
)

func newWaiver(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "waiver",
		Short: "Accept verdicts as they are, for a time",
		Long: `A waiver accepts that resources do not comply: their results stay what they are and
are shown as waived, with who said so and why, until the waiver lapses or is deleted.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(newWaiverPut(a), newWaiverList(a), newWaiverDelete(a))
	return cmd
}

func newWaiverPut(a *app) *cobra.Command {
	var of owner
	var expires when.Moment
	var days int
	w := &varvev1.Waiver{Scope: &varvev1.RuleScope{}}
	cmd := &cobra.Command{
		Use:   "put NAME --reason TEXT",
		Short: "Put a waiver",
		Long: `Put a waiver, or replace it. It holds from now on for the rules and the resources that
the flags name, all where none is named, and lapses at --expires, or after --days.
A rule is named NAME, which means those of packs, too, or PACK/NAME.`,
		Example: `  varve waiver put bastion --rule restricted-ssh --type AWS::EC2::SecurityGroup --id sg-07c41d9be52a8f360 \
    --reason 'jump host, reviewed in June' --expires 2026-12-31
  varve waiver put sandbox --account 111122223333 --reason 'play ground' --days 30`,
		Args: oneName("waiver"),
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&w.Rules, "rule", nil, "excuse from this `RULE`; may be given several times")
	flags.StringArrayVar(&w.Scope.Types, "type", nil, "excuse resources of this `TYPE`; may be given several times")
	flags.StringArrayVar(&w.Scope.Ids, "id", nil, "excuse the resource with this `ID`, of one type; may be given several times")
	flags.StringArrayVar(&w.Scope.Accounts, "account", nil, "excuse resources of this `ACCOUNT`; may be given several times")
	flags.StringArrayVar(&w.Scope.Regions, "region", nil, "excuse resources of this `REGION`; may be given several times")
	var tag string
	flags.StringVar(&tag, "tag", "", "excuse resources that bear this tag: `KEY[=VALUE]`")
	flags.StringVar(&w.Reason, "reason", "", "`TEXT` that says why; needed")
	flags.StringVar(&w.Author, "author", "", "`WHO` says so (default: the user at this computer)")
	flags.Var(&expires, "expires", "when it lapses (default: it does not)")
	flags.IntVar(&days, "days", 0, "lapse after `N` days")
	of.bind(cmd)
	_ = cmd.RegisterFlagCompletionFunc("rule", completeRule(a, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("type", completeType(a))
	cmd.ValidArgsFunction = atFirst(completeWaiver(a))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case w.Reason == "":
			return usagef(cmd, "--reason is needed: why is it accepted?")
		case days < 0:
			return usagef(cmd, "--days %d: it must not be negative", days)
		case days > 0 && expires.Given():
			return usagef(cmd, "--days does not go with --expires; give one of both")
		case days > 0:
			w.ExpiresAt = timestamppb.New(time.Now().AddDate(0, 0, days))
		default:
			w.ExpiresAt = expires.Timestamp()
		}
		w.Name, w.Account, w.Region = "waivers/"+args[0], of.account, of.region
		w.Author = cmp.Or(w.Author, currentUser())
		w.Scope.TagKey, w.Scope.TagValue, _ = strings.Cut(tag, "=")
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		resp, err := conn.PutWaiver(cmd.Context(), &varvev1.PutWaiverRequest{Waiver: w})
		if err != nil {
			return err
		}
		one := answer.WaiverOf(resp.GetWaiver())
		if err := a.warnOfUnknownRules(cmd.Context(), conn, w); err != nil {
			return err
		}
		if a.output == asJSON {
			return a.writeJSON(one)
		}
		return a.waiverTable([]answer.Waiver{one})
	}
	return cmd
}

// warnOfUnknownRules says which rules of a waiver are not put: it holds for them as soon
// as they are, but it may be a slip of the hand.
func (a *app) warnOfUnknownRules(ctx context.Context, conn *client.Conn, w *varvev1.Waiver) error {
	if len(w.GetRules()) == 0 {
		return nil
	}
	unknown := slices.Clone(w.GetRules())
	err := eachRule(ctx, conn, &varvev1.ListRulesRequest{Account: &w.Account, Region: &w.Region}, func(r answer.Rule) {
		unknown = slices.DeleteFunc(unknown, func(name string) bool { return rules.Means(name, r.Recorded()) })
	})
	for _, name := range unknown {
		fmt.Fprintf(a.stderr, "no rule %s is put; the waiver waits for one\n", terminal.Clean(name))
	}
	return err
}

func currentUser() string {
	u, err := user.Current()
	if err != nil {
		return "" // the daemon asks for it
	}
	return cmp.Or(u.Username, u.Uid)
}

func newWaiverList(a *app) *cobra.Command {
	var of owner
	var lapsed bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List waivers",
		Long:    `List the waivers that hold, by owner and name; with --lapsed those that lapsed, too.`,
		Example: `  varve waiver list --lapsed`,
		Args:    noArgs,
	}
	of.bindFilter(cmd)
	cmd.Flags().BoolVar(&lapsed, "lapsed", false, "those that lapsed, too")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		account, region := of.filter()
		list := []answer.Waiver{}
		err = eachWaiver(cmd.Context(), conn, &varvev1.ListWaiversRequest{Account: account, Region: region, ShowLapsed: lapsed},
			func(w answer.Waiver) { list = append(list, w) })
		if err != nil {
			return err
		}
		if a.output == asJSON {
			return a.writeJSON(struct {
				Waivers []answer.Waiver `json:"waivers"`
			}{list})
		}
		if len(list) == 0 {
			fmt.Fprintln(a.stderr, "no waivers")
		}
		return a.waiverTable(list)
	}
	return cmd
}

func (a *app) waiverTable(list []answer.Waiver) error {
	t := table.New(a.screen, "waiver", "owner", "rules", "resources", "expires", "author", "reason")
	t.GiveWay()
	for i := range list {
		w := &list[i]
		expires := table.Cell{Text: w.ExpiresAt}
		if w.ExpiresAt == "" {
			expires = table.Cell{Text: "never", Style: terminal.Yellow}
		}
		t.Row(table.Text(w.Name), table.Text(w.Owner), table.Text(cmp.Or(strings.Join(w.Rules, ", "), "all")), table.Text(coverText(&w.Scope)),
			expires, table.Text(w.Author), table.Text(w.Reason))
	}
	_, err := t.WriteTo(a.stdout)
	return err
}

// coverText says which resources are meant.
func coverText(s *answer.RuleScope) string {
	var parts []string
	for _, list := range [][]string{s.Types, s.IDs, s.Accounts, s.Regions} {
		if len(list) > 0 {
			parts = append(parts, strings.Join(list, ", "))
		}
	}
	if s.TagKey != "" {
		parts = append(parts, "tag "+strings.TrimSuffix(s.TagKey+"="+s.TagValue, "="))
	}
	return cmp.Or(strings.Join(parts, "; "), "all")
}

func newWaiverDelete(a *app) *cobra.Command {
	var of owner
	cmd := &cobra.Command{
		Use:     "delete NAME",
		Short:   "Delete a waiver from now on",
		Long:    `Delete a waiver from now on: what it excused is open again.`,
		Example: `  varve waiver delete bastion`,
		Args:    oneName("waiver"),
	}
	of.bind(cmd)
	cmd.ValidArgsFunction = atFirst(completeWaiver(a))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		resp, err := conn.DeleteWaiver(cmd.Context(), &varvev1.DeleteWaiverRequest{Name: "waivers/" + args[0], Account: of.account, Region: of.region})
		if err != nil {
			return err
		}
		return a.deleted(args[0], resp.GetPosition())
	}
	return cmd
}
