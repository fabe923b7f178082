package main

import "github.com/spf13/cobra"

func newRule(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rule",
		Short: "Put, test and replay compliance rules",
		Long: `A rule says what complies: a file in YAML with an expression in CEL.

  name: restricted-ssh
  description: No security group lets everybody in by SSH.
  resourceTypes: [AWS::EC2::SecurityGroup]
  severity: high
  compliant: |
    sg.ingress(config).all(p, !sg.world(p) || !sg.covers(p, "tcp", 22))
  annotation: '"Port 22 is open to the world."'
  cases:
  - case: open
    item: {configuration: {ipPermissions: [{ipProtocol: tcp, fromPort: 22, toPort: 22, ipRanges: [0.0.0.0/0]}]}}
    expect: NON_COMPLIANT

Other keys are scope (resourceTypes, resourceIds, tagKey, tagValue, accounts,
regions), trigger (change, periodic, both), period, parameters, inputParameters,
mode, frameworks, applicable, identifier (of a managed rule) and external.
"varve help rules" tells all of them, and what expressions may mention.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(newRulePut(a), newRuleList(a), newRuleShow(a), newRuleDelete(a), newRuleTest(a), newRuleEvaluate(a),
		newRuleBacktest(a), newRuleBisect(a), newRuleWhatIf(a))
	return cmd
}
