package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func newGet(a *app) *cobra.Command {
	var s subject
	var m moment
	cmd := &cobra.Command{
		Use:   "get TYPE ID",
		Short: "Show a resource as it was at a moment",
		Long: `Show one resource: its newest state, or what it was like at a moment.

A resource that did not exist then is exit code 1; the message says when it did.
Where resources in several accounts or regions match, the answer is an error that
lists them, whether they exist at that moment or not: --account and --region say
which is meant.

With -o json the answer is one object, the configuration embedded with every digit
as it was recorded.`,
		Example: `  varve get AWS::EC2::SecurityGroup sg-07c41d9be52a8f360
  varve get AWS::EC2::SecurityGroup sg-07c41d9be52a8f360 --at 2026-07-18T02:30:00Z
  varve get AWS::S3::Bucket logs --account 111122223333 --at -3d -o json | jq .configuration
  varve get Kubernetes::core::Namespace -/payments --at 2026-07-18 --known-at 2026-08-01`,
	}
	s.bind(a, cmd)
	m.bind(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		item, err := conn.LookupItem(cmd.Context(), &varvev1.LookupItemRequest{
			Type: s.typ, Id: s.id, Account: s.account.value(), Region: s.region.value(),
			At: m.at.Timestamp(), KnownAt: m.knownAt.String(),
		})
		if err != nil {
			return err
		}
		if a.output == asJSON {
			return a.writeJSON(answer.ItemOf(item))
		}
		return a.page(func(w io.Writer) error { return writeItem(w, a.screen, answer.ItemOf(item)) })
	}
	return cmd
}

// writeItem shows an item for people: what it is, since when, then all of it.
func writeItem(w io.Writer, screen terminal.Screen, i answer.Item) error {
	fmt.Fprintln(w, screen.Paint(terminal.Bold, terminal.Clean(i.Type+" "+i.ID)))
	table.Fields(w, screen, []table.Field{
		{Name: "name", Cell: table.Text(i.Name)},
		{Name: "account", Cell: table.Text(i.Account)},
		{Name: "region", Cell: table.Text(i.Region)},
		{Name: "zone", Cell: table.Text(i.AvailabilityZone)},
		{Name: "arn", Cell: table.Text(i.ARN)},
		{Name: "created", Cell: table.Text(i.CreatedAt)},
		{Name: "tags", Cell: table.Text(tagText(i.Tags))},
		{Name: "status", Cell: statusCell(i.Status)},
		{Name: "version", Cell: table.Text(fmt.Sprintf("v%d, revision %s", i.Version, i.Revision))},
		{Name: "captured", Cell: table.Text(i.CapturedAt)},
		{Name: "last seen", Cell: table.Text(i.LastSeenAt)},
		{Name: "recorded", Cell: table.Text(i.RecordedAt)},
		{Name: "content", Cell: contentCell(i)},
		{Name: "by", Cell: table.Text(causeText(i.Cause))},
		{Name: "source", Cell: table.Text(joinNonEmpty(", ", i.Source, i.Provider, prefixed("run ", i.Run)))},
	})
	if len(i.Relationships) > 0 {
		fmt.Fprintln(w)
		t := table.New(screen, "relationship", "type", "id")
		for _, r := range i.Relationships {
			t.Row(table.Text(r.Name), table.Text(r.Type), table.Text(joinNonEmpty(" ", r.ID, r.ResourceName, r.Account, r.Region)))
		}
		if _, err := t.WriteTo(w); err != nil {
			return err
		}
	}
	if err := writeDocument(w, screen, "configuration", i.Configuration); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(i.Supplementary)) {
		if err := writeDocument(w, screen, "supplementary "+name, i.Supplementary[name]); err != nil {
			return err
		}
	}
	return writeDocument(w, screen, "extras", i.Extras)
}

func contentCell(i answer.Item) table.Cell {
	switch {
	case i.Lost:
		return table.Cell{Text: lostToDamage, Style: terminal.Red}
	case i.Erased:
		return table.Cell{Text: wasErased, Style: terminal.Red}
	}
	return table.Cell{}
}

func writeDocument(w io.Writer, screen terminal.Screen, title string, raw []byte) error {
	if raw == nil {
		return nil
	}
	text, err := answer.Indent(raw)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\n%s\n%s\n", screen.Paint(terminal.Dim, terminal.Clean(title)), terminal.CleanJSON(text))
	return err
}

// statusCell is a status in colour: gone, or new.
func statusCell(status string) table.Cell {
	switch status {
	case "ResourceDeleted", "ResourceDeletedNotRecorded":
		return table.Cell{Text: status, Style: terminal.Red}
	case "ResourceDiscovered":
		return table.Cell{Text: status, Style: terminal.Green}
	}
	return table.Text(status)
}

func tagText(tags map[string]string) string {
	pairs := make([]string, 0, len(tags))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		pairs = append(pairs, k+"="+tags[k])
	}
	return strings.Join(pairs, ", ")
}

func causeText(c *answer.Cause) string {
	if c == nil {
		return ""
	}
	return joinNonEmpty(", ", c.Actor, prefixed("from ", c.SourceIP), prefixed("event ", c.EventID))
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

func joinNonEmpty(sep string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), sep)
}
