package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/managed"
	"github.com/varvehq/varve/rules/rulefile"
	"github.com/varvehq/varve/rules/rulestest"
)

// testedRule is what became of a rule's cases.
type testedRule struct {
	Rule  string       `json:"rule"`
	File  string       `json:"file"`
	Cases []testedCase `json:"cases"`
}

type testedCase struct {
	Case       string           `json:"case"`
	At         string           `json:"at"`
	Expected   rules.Compliance `json:"expected"`
	Compliance rules.Compliance `json:"compliance"`
	Annotation string           `json:"annotation"`
	Passed     bool             `json:"passed"`
	Failure    string           `json:"failure,omitempty"`
}

func newRuleTest(a *app) *cobra.Command {
	var casesFile string
	cmd := &cobra.Command{
		Use:   "test FILE…",
		Short: "Run the cases of rules",
		Long: `Run the cases of the rules in files, without a daemon. The cases of rule.yaml stand
in it under cases, or beside it in rule.cases.yaml; every rule has one at least.

  - case: open to the world
    item:                        # what is judged
      type: AWS::EC2::SecurityGroup
      configuration: {ipPermissions: [...]}
      uses: [{type: AWS::EC2::VPC, id: vpc-1, configuration: {}}]
      usedBy: []
    inventory: []                # other resources
    params: {port: 2222}
    now: 2026-01-01
    expect: NON_COMPLIANT        # COMPLIANT, NOT_APPLICABLE, ERROR, INSUFFICIENT_DATA
    annotation: 0.0.0.0/0        # a part of it

The exit code is 1 if a case fails, and 2 if a file is not understood.`,
		Example: `  varve rule test restricted-ssh.yaml
  varve rule test rules/*.yaml -o json | jq '.rules[].cases[] | select(.passed | not)'
  varve rule test rule.yaml --cases more.yaml`,
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usagef(cmd, "a FILE with a rule is needed")
		}
		return nil
	}
	cmd.ValidArgsFunction = cobra.FixedCompletions([]string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt)
	cmd.Flags().StringVar(&casesFile, "cases", "", "take the cases from `FILE` alone")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		tested := []testedRule{}
		passed, failed := 0, 0
		for _, file := range args {
			if strings.HasSuffix(file, ".cases.yaml") {
				continue // given by a wildcard
			}
			of, err := testRules(cmd.Context(), file, casesFile)
			if err != nil {
				if errors.Is(err, history.Invalid) || errors.Is(err, history.TooLarge) || errors.Is(err, fs.ErrNotExist) {
					return &usageError{err: err}
				}
				return err
			}
			tested = append(tested, of...)
		}
		for _, rule := range tested {
			for _, c := range rule.Cases {
				if c.Passed {
					passed++
				} else {
					failed++
				}
			}
		}
		err := a.writeTested(tested, passed, failed)
		if err == nil && failed > 0 {
			return errReported
		}
		return err
	}
	return cmd
}

// testRules runs the cases of all rules of a file.
func testRules(ctx context.Context, file, casesFile string) ([]testedRule, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	documents, err := rulefile.Parse(file, text)
	if err != nil {
		if definitions, other := rulefile.ParseDefinitions(file, text); other == nil {
			documents, err = definitions, nil
		}
	}
	if err != nil {
		return nil, err
	}
	separate, err := separateCases(file, casesFile)
	if err != nil {
		return nil, err
	}

	var tested []testedRule
	for _, d := range documents {
		rule := &d.Rule
		if rule.Compliant != "" {
			rule.Identifier = "" // a managed rule as it is written
		}
		if rule, err = managed.Resolve(rule); err != nil {
			return nil, d.Place(err)
		}
		rule.Identifier = ""
		cases, err := casesOf(d, separate, len(documents) == 1, casesFile == "")
		if err != nil {
			return nil, err
		}
		results, err := rulestest.Run(ctx, managed.Compile, rule, cases)
		if err != nil {
			return nil, d.Place(err)
		}
		of := testedRule{Rule: d.Rule.Name, File: file, Cases: []testedCase{}}
		for _, r := range results {
			of.Cases = append(of.Cases, testedCase{r.Case.Name, r.Case.At, r.Case.Expect, r.Got.Compliance, r.Got.Annotation, r.Failed == "", r.Failed})
		}
		tested = append(tested, of)
	}
	for _, c := range separate {
		if c.Rule != "" && !hasRule(documents, c.Rule) {
			return nil, history.Errorf(history.Invalid, "%s: there is no rule %s in %s", c.At, c.Rule, file)
		}
	}
	return tested, nil
}

func hasRule(documents []*rulefile.Document, name string) bool {
	for _, d := range documents {
		if d.Rule.Name == name {
			return true
		}
	}
	return false
}

// separateCases are those that lie beside the file of the rules, or in one that is
// named.
func separateCases(file, casesFile string) ([]*rulestest.Case, error) {
	if casesFile != "" {
		return rulestest.Read(casesFile)
	}
	base := strings.TrimSuffix(strings.TrimSuffix(file, ".yml"), ".yaml")
	cases, err := rulestest.Read(base + ".cases.yaml")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return cases, err
}

func casesOf(d *rulefile.Document, separate []*rulestest.Case, alone, own bool) ([]*rulestest.Case, error) {
	var cases []*rulestest.Case
	if d.Cases != nil && own {
		var err error
		if cases, err = rulestest.Cases(*d.Cases); err != nil {
			return nil, err
		}
	}
	for _, c := range separate {
		if c.Rule == d.Rule.Name || c.Rule == "" && alone {
			cases = append(cases, c)
		}
	}
	if len(cases) == 0 {
		return nil, history.Errorf(history.Invalid, "%s: the rule %s has no cases; write them under cases, or into a file that ends in .cases.yaml beside it", d.At(), d.Rule.Name)
	}
	return cases, nil
}

func (a *app) writeTested(tested []testedRule, passed, failed int) error {
	if a.output == asJSON {
		return a.writeJSON(struct {
			Rules  []testedRule `json:"rules"`
			Passed int          `json:"passed"`
			Failed int          `json:"failed"`
		}{tested, passed, failed})
	}
	return a.page(func(w io.Writer) error {
		t := table.New(a.screen, "rule", "case", "verdict", "result", "annotation")
		t.GiveWay()
		for _, rule := range tested {
			for _, c := range rule.Cases {
				result := table.Cell{Text: "passed", Style: terminal.Green}
				annotation := c.Annotation
				if !c.Passed {
					result, annotation = table.Cell{Text: "FAILED", Style: terminal.Red}, c.At+": "+c.Failure
				}
				t.Row(table.Text(rule.Rule), table.Text(c.Case), table.Text(string(c.Compliance)), result, table.Text(annotation))
			}
		}
		if _, err := t.WriteTo(w); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w, "%d passed, %d failed\n", passed, failed)
		return err
	})
}
