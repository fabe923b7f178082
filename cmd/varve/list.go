package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/client"
	"github.com/varvehq/varve/cmd/internal/table"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// fullPage is the most the daemon puts on a page of small answers.
const fullPage = 1000

// filter selects a part of the inventory; its flags are those of list and count.
type filter struct {
	moment
	typ, idPrefix, name string
	account, region     optional
	tags                tagFilter
	deleted             bool
}

func (f *filter) bind(a *app, cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.typ, "type", "", "only resources of this `TYPE`")
	flags.Var(&f.account, "account", "only this `ACCOUNT`, project or cluster; may be empty")
	flags.Var(&f.region, "region", "only this `REGION`; may be empty")
	flags.StringVar(&f.idPrefix, "id-prefix", "", "only ids that begin with `TEXT`")
	flags.StringVar(&f.name, "name", "", "only resources of this `NAME`")
	flags.Var(&f.tags, "tag", "only resources that bear this tag, the key ends at the first '='; may be given several times")
	flags.BoolVar(&f.deleted, "deleted", false, "deleted resources too")
	f.moment.bind(cmd)
	_ = cmd.RegisterFlagCompletionFunc("type", completeType(a))
}

func newList(a *app) *cobra.Command {
	var f filter
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what existed at a moment",
		Long: `List the inventory: all resources that exist, or existed at a moment, in order of
account, region, type and id. Filters are joined by and.`,
		Example: `  varve list --type AWS::EC2::Instance --tag env=prod
  varve list --account 111122223333 --at 2026-07-18
  varve list --type AWS::S3::Bucket --deleted -o json`,
		Args: noArgs,
	}
	f.bind(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		request := &varvev1.ListItemsRequest{
			At: f.at.Timestamp(), KnownAt: f.knownAt.String(),
			Type: f.typ, Account: f.account.value(), Region: f.region.value(),
			IdPrefix: f.idPrefix, Name: f.name, Tags: f.tags, ShowDeleted: f.deleted,
			PageSize: fullPage, ReadMask: mask(answer.ResourceFields...),
		}
		pages := func(use func([]*varvev1.Item) error) error {
			return eachPage(cmd.Context(), conn, request, use)
		}
		if a.output == asJSON {
			return a.listJSON(pages)
		}
		return a.listTable(pages, f.deleted, "no resources")
	}
	return cmd
}

// itemPages gives items page by page, to the last one or to an error.
type itemPages func(use func([]*varvev1.Item) error) error

func mask(fields ...string) *fieldmaskpb.FieldMask { return &fieldmaskpb.FieldMask{Paths: fields} }

// listJSON writes resources as they come, since there may be many; nothing is
// written before the daemon has begun to answer.
func (a *app) listJSON(pages itemPages) error {
	list := a.array("resources")
	err := pages(func(items []*varvev1.Item) error {
		for _, i := range items {
			if err := list.add(answer.ResourceOf(i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return list.close()
}

// listTable shows resources, with their status where some may be deleted. Of none
// it says so.
func (a *app) listTable(pages itemPages, deleted bool, none string) error {
	head := []string{"type", "id", "name", "account", "region", ">v", "captured"}
	if deleted {
		head = append(head, "status")
	}
	t := table.New(a.screen, head...)
	err := pages(func(items []*varvev1.Item) error {
		for _, p := range items {
			i := answer.ResourceOf(p)
			row := []table.Cell{
				table.Text(i.Type), table.Text(i.ID), table.Text(i.Name), table.Text(i.Account), table.Text(i.Region),
				table.Text(fmt.Sprint(i.Version)), table.Text(i.CapturedAt),
			}
			if deleted {
				row = append(row, statusCell(i.Status))
			}
			t.Row(row...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if t.Len() == 0 {
		fmt.Fprintln(a.stderr, none)
	}
	_, err = t.WriteTo(a.stdout)
	return err
}

func eachPage(ctx context.Context, conn *client.Conn, request *varvev1.ListItemsRequest, use func([]*varvev1.Item) error) error {
	for {
		page, err := conn.ListItems(ctx, request)
		if err != nil {
			return err
		}
		if err := use(page.GetItems()); err != nil {
			return err
		}
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			return nil
		}
	}
}
