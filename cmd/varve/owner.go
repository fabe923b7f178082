package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// owner is --owner A/R: whose a rule, a pack or a waiver is. Not given it is the
// whole installation; for lists, all owners.
type owner struct {
	account, region string
	given           bool
}

func (o *owner) String() string { return strings.TrimSuffix(o.account+"/"+o.region, "/") }
func (o *owner) Type() string   { return "ACCOUNT/REGION" }

func (o *owner) Set(text string) error {
	account, region, _ := strings.Cut(text, "/")
	if strings.Contains(region, "/") {
		return errors.New("an owner is written ACCOUNT/REGION, or ACCOUNT for all of its regions")
	}
	o.account, o.region, o.given = account, region, true
	return nil
}

func (o *owner) bind(cmd *cobra.Command) {
	cmd.Flags().Var(o, "owner", "whose it is: an account, or one of its regions (default: the whole installation)")
}

func (o *owner) bindFilter(cmd *cobra.Command) {
	cmd.Flags().Var(o, "owner", "only those of this owner (default: of all)")
}

// filter is nil where the flag is not given.
func (o *owner) filter() (account, region *string) {
	if !o.given {
		return nil, nil
	}
	return &o.account, &o.region
}

// parameters is --param NAME=VALUE, any number of times.
type parameters map[string]string

func (p *parameters) String() string {
	var list []string
	for _, k := range slices.Sorted(maps.Keys(*p)) {
		list = append(list, k+"="+(*p)[k])
	}
	return strings.Join(list, ",")
}

func (p *parameters) Type() string { return "NAME=VALUE" }

func (p *parameters) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return errors.New("a parameter is written NAME=VALUE")
	}
	if _, twice := (*p)[name]; twice {
		return fmt.Errorf("%s is given twice", name)
	}
	if *p == nil {
		*p = parameters{}
	}
	(*p)[name] = value
	return nil
}

func (p *parameters) bind(cmd *cobra.Command) {
	cmd.Flags().Var(p, "param", "give a parameter its value, the name ends at the first '='; may be given several times")
}

// oneName is for commands that take the name of one thing.
func oneName(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 || args[0] == "" {
			return usagef(cmd, "the NAME of one %s is needed; %d are given", what, len(args))
		}
		return nil
	}
}

// choice is a rule that is asked about: RULE, FILE or --managed.
type ruleChoice struct {
	owner   owner
	params  parameters
	managed string
}

func (c *ruleChoice) bind(a *app, cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.managed, "managed", "", "take the managed rule `IDENTIFIER` instead of RULE or FILE")
	c.params.bind(cmd)
	c.owner.bind(cmd)
	_ = cmd.RegisterFlagCompletionFunc("managed", completeManaged)
}

// request reads what is meant by RULE|FILE; empty with --managed.
func (c *ruleChoice) request(cmd *cobra.Command, arg string) (*varvev1.RuleChoice, error) {
	r := &varvev1.RuleChoice{Account: c.owner.account, Region: c.owner.region, InputParameters: c.params, Identifier: c.managed}
	if c.managed != "" {
		return r, nil
	}
	if !isFile(arg) {
		r.Name = "rules/" + arg
		return r, nil
	}
	text, err := readText(arg)
	if err != nil {
		return nil, usagef(cmd, "%w", err)
	}
	r.Text, r.File = text, arg
	return r, nil
}
