package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/rules/conformance"
)

func newPack(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pack",
		Short: "Put and show conformance packs",
		Long: `A conformance pack is a set of rules in AWS Config's own template, unchanged: YAML or
JSON with parameters, conditions and remediations. It is put, replaced and deleted as
a whole. A rule that cannot be judged is in it as UNSUPPORTED, with the reason, and
shows in every summary.

A daemon of another version that has more managed rules, or other ones, puts a pack
again by itself when it starts, as it was put, with effect from then on.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(newPackPut(a), newPackList(a), newPackShow(a), newPackDelete(a))
	return cmd
}

func newPackPut(a *app) *cobra.Command {
	var name string
	var params parameters
	var of owner
	cmd := &cobra.Command{
		Use:   "put FILE",
		Short: "Put a conformance pack",
		Long: `Put a conformance pack from a template, or replace it as a whole. FILE may also be the
name of a pack that is part of the program: ` + strings.Join(conformance.Builtin(), ", ") + `.

Its rules are recorded as PACK/NAME. A mistake in the template is told with key, line
and column. A parameter without a value that a rule needs makes that rule UNSUPPORTED.`,
		Example: `  varve pack put Operational-Best-Practices-for-CIS.yaml --name cis
  varve pack put security-checks
  varve pack put pack.yaml --param AccessKeysRotatedParamMaxAccessKeyAge=60`,
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 || args[0] == "" {
			return usagef(cmd, "the FILE of one template is needed; %d are given", len(args))
		}
		return nil
	}
	cmd.Flags().StringVar(&name, "name", "", "put the pack under `NAME` (default: the name of the file)")
	params.bind(cmd)
	of.bind(cmd)
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return conformance.Builtin(), cobra.ShellCompDirectiveDefault
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		template, err := packTemplate(args[0])
		if err != nil {
			return usagef(cmd, "%w", err)
		}
		if name == "" {
			name = packName(args[0])
		}
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		resp, err := conn.PutPack(cmd.Context(), &varvev1.PutPackRequest{
			Name: "packs/" + name, Account: of.account, Region: of.region, Template: template, Parameters: params,
		})
		if err != nil {
			return err
		}
		p := answer.PackOf(resp.GetPack())
		if a.output == asJSON {
			return a.writeJSON(struct {
				answer.Pack
				Position string `json:"position"`
			}{p, resp.GetPosition()})
		}
		return a.page(func(w io.Writer) error { return a.writePack(w, &p) })
	}
	return cmd
}

// packTemplate reads a template: of a file, or one of the program's.
func packTemplate(file string) (string, error) {
	text, err := readText(file)
	if err == nil {
		return text, nil
	}
	if builtin, ok := conformance.BuiltinTemplate(file); ok {
		return string(builtin), nil
	}
	return "", err
}

// packName is the name of a file as a pack can have it.
func packName(file string) string {
	base := filepath.Base(file)
	for _, end := range []string{".yaml", ".yml", ".json", ".template"} {
		base = strings.TrimSuffix(base, end)
	}
	return base
}

func newPackList(a *app) *cobra.Command {
	var of owner
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List conformance packs",
		Long:    `List the packs that are put, by owner and name, and how many of their rules are judged.`,
		Example: `  varve pack list`,
		Args:    noArgs,
	}
	of.bindFilter(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		account, region := of.filter()
		list := []answer.Pack{}
		err = eachPack(cmd.Context(), conn, &varvev1.ListPacksRequest{Account: account, Region: region}, func(p answer.Pack) { list = append(list, p) })
		if err != nil {
			return err
		}
		if a.output == asJSON {
			return a.writeJSON(struct {
				Packs []answer.Pack `json:"packs"`
			}{list})
		}
		t := table.New(a.screen, "pack", "owner", ">rules", ">unsupported", "put", "description")
		t.GiveWay()
		for i := range list {
			p := &list[i]
			t.Row(table.Text(p.Name), table.Text(p.Owner), table.Text(fmt.Sprint(len(p.Rules))), unsupportedCell(p.Unsupported()), table.Text(p.PutAt), table.Text(p.Description))
		}
		if t.Len() == 0 {
			fmt.Fprintln(a.stderr, "no packs")
		}
		_, err = t.WriteTo(a.stdout)
		return err
	}
	return cmd
}

func unsupportedCell(n int) table.Cell {
	if n == 0 {
		return table.Text("0")
	}
	return table.Cell{Text: fmt.Sprint(n), Style: terminal.Yellow}
}

func newPackShow(a *app) *cobra.Command {
	var of owner
	var template bool
	cmd := &cobra.Command{
		Use:   "show NAME",
		Short: "Show a conformance pack, and which of its rules are judged",
		Long: `Show the rules of a pack, whether each is judged and if not, why; its checks with their
status, as on a traffic light; and what of the template has no effect. --template
writes the template as it was put.`,
		Example: `  varve pack show security-checks
  varve pack show cis -o json | jq -r '.rules[] | select(.state == "UNSUPPORTED") | .reason'`,
		Args: oneName("pack"),
	}
	of.bind(cmd)
	cmd.Flags().BoolVar(&template, "template", false, "write the template as it was put")
	cmd.ValidArgsFunction = atFirst(completePack(a))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		resp, err := conn.GetPack(cmd.Context(), &varvev1.GetPackRequest{Name: "packs/" + args[0], Account: of.account, Region: of.region})
		if err != nil {
			return err
		}
		if template {
			text := resp.GetTemplate()
			if a.screen.Terminal {
				text = terminal.CleanLines(text)
			}
			_, err := io.WriteString(a.stdout, text)
			return err
		}
		p := answer.PackOf(resp)
		if a.output == asJSON {
			return a.writeJSON(p)
		}
		return a.page(func(w io.Writer) error { return a.writePack(w, &p) })
	}
	return cmd
}

func (a *app) writePack(w io.Writer, p *answer.Pack) error {
	text := func(name, value string) table.Field { return table.Field{Name: name, Cell: table.Text(value)} }
	fields := []table.Field{text("pack", p.Name), text("owner", p.Owner), text("description", oneLine(p.Description)), text("put", p.PutAt)}
	for _, one := range p.Parameters {
		value := "(no value)"
		if one.Value != nil {
			value = *one.Value
		}
		fields = append(fields, text("parameter", one.Name+" = "+value))
	}
	table.Fields(w, a.screen, fields)
	t := table.New(a.screen, "rule", "managed", "state", "severity", "check", "reason")
	t.GiveWay()
	for _, r := range p.Rules {
		state := table.Cell{Text: r.State, Style: terminal.Green}
		if r.State != "ACTIVE" {
			state.Style = terminal.Yellow
		}
		t.Row(table.Text(r.Name), table.Text(r.Identifier), state, severityCell(r.Severity), table.Text(r.Check), table.Text(r.Reason))
	}
	if _, err := t.WriteTo(w); err != nil {
		return err
	}
	if len(p.Checks) > 0 {
		t := table.New(a.screen, "check", "status", "reason")
		t.GiveWay()
		for _, c := range p.Checks {
			style := map[string]terminal.Style{"green": terminal.Green, "yellow": terminal.Yellow, "red": terminal.Red}[c.Status]
			t.Row(table.Text(c.Name), table.Cell{Text: c.Status, Style: style}, table.Text(c.Reason))
		}
		fmt.Fprintln(w)
		if _, err := t.WriteTo(w); err != nil {
			return err
		}
	}
	for _, n := range p.Notes {
		fmt.Fprintf(w, "note: %s (line %d) %s\n", terminal.Clean(n.Field), n.Line, terminal.Clean(n.Text))
	}
	_, err := fmt.Fprintf(w, "%s, %d of them unsupported\n", several(len(p.Rules), "rule"), p.Unsupported())
	return err
}

func newPackDelete(a *app) *cobra.Command {
	var of owner
	cmd := &cobra.Command{
		Use:     "delete NAME",
		Short:   "Delete a conformance pack with its rules from now on",
		Long:    `Delete a pack with its rules from now on. What they said of the past is still answered.`,
		Example: `  varve pack delete security-checks`,
		Args:    oneName("pack"),
	}
	of.bind(cmd)
	cmd.ValidArgsFunction = atFirst(completePack(a))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		resp, err := conn.DeletePack(cmd.Context(), &varvev1.DeletePackRequest{Name: "packs/" + args[0], Account: of.account, Region: of.region})
		if err != nil {
			return err
		}
		return a.deleted(args[0], resp.GetPosition())
	}
	return cmd
}
