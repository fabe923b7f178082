package main

import (
	"context"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/client"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/rules/managed"
)

// isFile tells a file from the name of a recorded rule, which has no dot before yaml.
func isFile(arg string) bool {
	if arg == "-" || strings.HasSuffix(arg, ".yaml") || strings.HasSuffix(arg, ".yml") {
		return true
	}
	info, err := os.Stat(arg)
	return err == nil && info.Mode().IsRegular()
}

// readText reads a file; - is standard input.
func readText(file string) (string, error) {
	if file == "-" {
		text, err := io.ReadAll(os.Stdin)
		return string(text), err
	}
	text, err := os.ReadFile(file)
	return string(text), err
}

// completeManaged completes the identifier of a managed rule.
func completeManaged(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var all []cobra.Completion
	for _, d := range managed.All() {
		all = append(all, cobra.CompletionWithDesc(d.Identifier, d.Rule.Description))
	}
	return all, cobra.ShellCompDirectiveNoFileComp
}

// completeRule completes the name of a rule at the first arguments, up to most of
// them; files are completed as well where they may be given.
func completeRule(a *app, files cobra.ShellCompDirective) cobra.CompletionFunc {
	return completeNames(a, files, func(ctx context.Context, conn *client.Conn, add func(name, about string)) error {
		return eachRule(ctx, conn, &varvev1.ListRulesRequest{}, func(r answer.Rule) { add(r.Recorded(), r.Description) })
	})
}

func completePack(a *app) cobra.CompletionFunc {
	return completeNames(a, cobra.ShellCompDirectiveNoFileComp, func(ctx context.Context, conn *client.Conn, add func(name, about string)) error {
		return eachPack(ctx, conn, &varvev1.ListPacksRequest{}, func(p answer.Pack) { add(p.Name, p.Description) })
	})
}

func completeWaiver(a *app) cobra.CompletionFunc {
	return completeNames(a, cobra.ShellCompDirectiveNoFileComp, func(ctx context.Context, conn *client.Conn, add func(name, about string)) error {
		return eachWaiver(ctx, conn, &varvev1.ListWaiversRequest{}, func(w answer.Waiver) { add(w.Name, w.Reason) })
	})
}

// completeNames completes the first argument, or the value of a flag, from what the
// daemon has.
func completeNames(a *app, directive cobra.ShellCompDirective, each func(context.Context, *client.Conn, func(name, about string)) error) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		conn, err := a.dial(cmd)
		if err != nil {
			return nil, directive
		}
		defer conn.Close()
		var names []cobra.Completion
		_ = each(ctx, conn, func(name, about string) { // as far as it goes
			names = append(names, cobra.CompletionWithDesc(name, about))
		})
		return names, directive
	}
}

// atFirst completes nothing but the first argument.
func atFirst(f cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return f(cmd, args, begun)
	}
}

func eachRule(ctx context.Context, conn *client.Conn, request *varvev1.ListRulesRequest, use func(answer.Rule)) error {
	for request.PageSize = fullPage; ; {
		page, err := conn.ListRules(ctx, request)
		if err != nil {
			return err
		}
		for _, r := range page.GetRules() {
			use(answer.RuleOf(r))
		}
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			return nil
		}
	}
}

func eachPack(ctx context.Context, conn *client.Conn, request *varvev1.ListPacksRequest, use func(answer.Pack)) error {
	for request.PageSize = fullPage; ; {
		page, err := conn.ListPacks(ctx, request)
		if err != nil {
			return err
		}
		for _, p := range page.GetPacks() {
			use(answer.PackOf(p))
		}
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			return nil
		}
	}
}

func eachWaiver(ctx context.Context, conn *client.Conn, request *varvev1.ListWaiversRequest, use func(answer.Waiver)) error {
	for request.PageSize = fullPage; ; {
		page, err := conn.ListWaivers(ctx, request)
		if err != nil {
			return err
		}
		for _, w := range page.GetWaivers() {
			use(answer.WaiverOf(w))
		}
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			return nil
		}
	}
}
