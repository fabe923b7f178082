package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// completeResource completes TYPE and ID from what the daemon has; a shell does
// not wait for a daemon that is slow or away.
func completeResource(a *app, s *subject) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		switch len(args) {
		case 0:
			return typesOf(ctx, a, cmd), cobra.ShellCompDirectiveNoFileComp
		case 1:
			return idsOf(ctx, a, cmd, s, args[0], begun), cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeType completes the value of --type.
func completeType(a *app) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		return typesOf(ctx, a, cmd), cobra.ShellCompDirectiveNoFileComp
	}
}

func typesOf(ctx context.Context, a *app, cmd *cobra.Command) []cobra.Completion {
	conn, err := a.dial(cmd)
	if err != nil {
		return nil
	}
	defer conn.Close()
	counts, err := conn.CountItems(ctx, &varvev1.CountItemsRequest{GroupBy: varvev1.CountItemsRequest_GROUP_BY_TYPE, ShowDeleted: true})
	if err != nil {
		return nil
	}
	var types []cobra.Completion
	for _, g := range counts.GetGroups() {
		types = append(types, g.GetName())
	}
	return types
}

func idsOf(ctx context.Context, a *app, cmd *cobra.Command, s *subject, typ, begun string) []cobra.Completion {
	conn, err := a.dial(cmd)
	if err != nil {
		return nil
	}
	defer conn.Close()
	page, err := conn.ListItems(ctx, &varvev1.ListItemsRequest{
		Type: typ, IdPrefix: begun, Account: s.account.value(), Region: s.region.value(),
		ShowDeleted: true, PageSize: 100, ReadMask: mask("key", "name"),
	})
	if err != nil {
		return nil
	}
	var ids []cobra.Completion
	for _, i := range page.GetItems() {
		ids = append(ids, cobra.CompletionWithDesc(i.GetKey().GetId(), i.GetName()))
	}
	return ids
}
