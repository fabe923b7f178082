package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/client"
	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	"github.com/varvehq/varve/cmd/internal/when"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// historyPage is how many versions are asked for at once: whole documents, which
// may be large.
const historyPage = 100

func newHistory(a *app) *cobra.Command {
	var s subject
	var from, to when.Moment
	var known when.Known
	var limit int
	cmd := &cobra.Command{
		Use:   "history TYPE ID",
		Short: "Show the versions of a resource",
		Long: `Show the versions of one resource, newest first by the time they were captured:
when each was true, who made it, and what changed against the version before.
Deletions are versions too.

--from and --to bound the time of capture, both inclusive. A version that was
captured before --from is left out, even if it still held then. Where --from lies
before the floor of "varve prune", standard error says so.

Version numbers count in the order in which the versions became known. One that
was captured earlier but learned of later stands in its place in time, with a
higher number.`,
		Example: `  varve history AWS::EC2::SecurityGroup sg-07c41d9be52a8f360
  varve history AWS::IAM::Role AROA4XQ7M2KPZL5RNDTVB --from 2026-07-17 --to 2026-07-21
  varve history Kubernetes::apps::Deployment payments/checkout --limit 0 -o json`,
	}
	s.bind(a, cmd)
	cmd.Flags().Var(&from, "from", "only versions captured then or later")
	cmd.Flags().Var(&to, "to", "only versions captured then or earlier")
	cmd.Flags().IntVar(&limit, "limit", 100, "at most `N` versions; 0 for all")
	bindKnown(cmd, &known)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if limit < 0 {
			return usagef(cmd, "--limit %d: it must not be negative", limit)
		}
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		h := &versions{conn: conn, request: &varvev1.ListItemHistoryRequest{
			Type: s.typ, Id: s.id, Account: s.account.value(), Region: s.region.value(),
			From: from.Timestamp(), To: to.Timestamp(), KnownAt: known.String(),
		}}
		show := a.historyTable
		if a.output == asJSON {
			show = a.historyJSON
		}
		if err := show(cmd.Context(), h, limit); err != nil {
			return err
		}
		if from.Given() && h.floor != nil {
			fmt.Fprintf(a.stderr, "what was captured before %s is no longer kept, but for the version that stood then\n", h.floor.AsTime().Format(time.RFC3339Nano))
		}
		return nil
	}
	return cmd
}

// versions reads the history of a resource, page by page.
type versions struct {
	conn    *client.Conn
	request *varvev1.ListItemHistoryRequest
	floor   *timestamppb.Timestamp // what was to come before it is not kept; set at the end
}

// each gives up to limit versions, newest first; 0 gives all. It reports whether
// there are more.
func (v *versions) each(ctx context.Context, limit int, use func(*varvev1.Item) error) (more bool, err error) {
	v.request.PageSize = historyPage
	if 0 < limit && limit < historyPage {
		v.request.PageSize = int32(limit)
	}
	for n := 0; ; {
		page, err := v.conn.ListItemHistory(ctx, v.request)
		if err != nil {
			return false, err
		}
		for i, item := range page.GetItems() {
			if err := use(item); err != nil {
				return false, err
			}
			if n++; n == limit && (i+1 < len(page.GetItems()) || page.GetNextPageToken() != "") {
				return true, nil
			}
		}
		if v.request.PageToken = page.GetNextPageToken(); v.request.PageToken == "" {
			v.floor = page.GetFloor()
			return false, nil
		}
	}
}

func (a *app) historyJSON(ctx context.Context, v *versions, limit int) error {
	list := a.array("items")
	more, err := v.each(ctx, limit, func(i *varvev1.Item) error { return list.add(answer.ItemOf(i)) })
	if err != nil {
		return err
	}
	if err := list.close(); err != nil {
		return err
	}
	if more {
		a.historyIsCut(limit)
	}
	return nil
}

// historyIsCut tells people that they do not see everything.
func (a *app) historyIsCut(limit int) {
	fmt.Fprintf(a.stderr, "cut after %d, there are older versions; --limit 0 shows all\n", limit)
}

// historyTable compares each version with the one before it, which comes next.
func (a *app) historyTable(ctx context.Context, v *versions, limit int) error {
	ask := limit
	if limit > 0 {
		ask++
	}
	t := table.New(a.screen, ">v", "captured", "last seen", "status", "recorded", "by", "change")
	t.GiveWay()
	narrow := 0 < a.screen.Width && a.screen.Width < roomForRecorded
	var newer *varvev1.Item
	n := 0
	_, err := v.each(ctx, ask, func(older *varvev1.Item) error {
		if newer != nil {
			historyRow(t, older, newer, narrow)
		}
		newer = older
		n++
		return nil
	})
	if err != nil {
		return err
	}
	if newer != nil && (limit == 0 || n <= limit) {
		older, err := v.before(ctx, newer)
		if err != nil {
			return err
		}
		historyRow(t, older, newer, narrow)
	}
	if t.Len() == 0 {
		fmt.Fprintln(a.stderr, "no versions in that time")
	}
	if _, err := t.WriteTo(a.stdout); err != nil {
		return err
	}
	if limit > 0 && n > limit {
		a.historyIsCut(limit)
	}
	return nil
}

// before looks up what stands before the oldest version shown, if a range of
// time may have cut it off.
func (v *versions) before(ctx context.Context, item *varvev1.Item) (*varvev1.Item, error) {
	at := history.MomentOf(item.GetCapturedAt().AsTime()) - 1
	if v.request.GetFrom() == nil || !at.Valid() {
		return nil, nil
	}
	older, err := v.conn.LookupItem(ctx, &varvev1.LookupItemRequest{
		Type: item.GetKey().GetType(), Id: item.GetKey().GetId(),
		Account: &item.GetKey().Account, Region: &item.GetKey().Region,
		At:      timestamppb.New(at.Time()),
		KnownAt: v.request.GetKnownAt(),
	})
	switch client.Reason(err) {
	case "NOT_ALIVE", "NOT_FOUND", "COMPACTED": // of what was pruned nothing is left to compare with
		return nil, nil
	}
	return older, err
}

// roomForRecorded is the width from which a history shows when each version was
// recorded. Below that, what changed needs the room.
const roomForRecorded = 150

func historyRow(t *table.Table, older, newer *varvev1.Item, narrow bool) {
	i := answer.ItemOf(newer)
	seen, recorded := i.LastSeenAt, toSeconds(newer.GetRecordedAt())
	if seen == i.CapturedAt {
		seen = ""
	}
	if narrow {
		recorded = ""
	}
	t.Row(
		table.Text(fmt.Sprint(i.Version)),
		table.Text(i.CapturedAt),
		table.Cell{Text: seen, Style: terminal.Dim},
		statusCell(i.Status),
		table.Cell{Text: recorded, Style: terminal.Dim},
		table.Text(whoText(i)),
		changeCell(older, newer))
}

func changeCell(older, newer *varvev1.Item) table.Cell {
	c := table.Cell{Text: changeText(older, newer)}
	switch {
	case newer.GetDeleted():
		c.Style = terminal.Red
	case older == nil || older.GetDeleted():
		c.Style = terminal.Green
	}
	return c
}

// toSeconds is a moment of recording in a table, where its digits after the
// second only take room.
func toSeconds(t *timestamppb.Timestamp) string {
	return t.AsTime().UTC().Format(time.RFC3339)
}

// whoText is who made a version, else where it was seen.
func whoText(i answer.Item) string {
	if i.Cause != nil && i.Cause.Actor != "" {
		return shortActor(i.Cause.Actor)
	}
	return i.Source
}

// shortActor is what tells one actor of an organisation from another:
//
//	arn:aws:iam::111122223333:user/alice                      alice
//	arn:aws:sts::111122223333:assumed-role/deploy/ci-4711     deploy/ci-4711
//	system:serviceaccount:platform:deployer                   platform:deployer
func shortActor(text string) string {
	if account, ok := strings.CutPrefix(text, "system:serviceaccount:"); ok {
		return account
	}
	parts := strings.SplitN(text, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return text
	}
	for _, kind := range []string{"user/", "assumed-role/", "role/", "federated-user/"} {
		if name, ok := strings.CutPrefix(parts[5], kind); ok {
			return name
		}
	}
	return parts[5]
}
