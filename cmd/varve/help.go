package main

import (
	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/when"
)

const rootHelp = `Varve records what every resource of your infrastructure looked like, and answers
for any moment: what was it like then, what changed, who did it, what existed, what
used it, and which rule it broke.

  varve demo                      see it at work, nothing is installed
  varve serve --data DIR          start the daemon
  varve import FILE…              record what files tell
  varve get TYPE ID --at -3d      ask
  varve uses TYPE ID --at -3d     ask who used it
  varve watch                     see what changes, as it is recorded
  varve subscription put NAME …   have it sent, to a webhook or into a file
  varve pack put security-checks  have it judged
  varve compliance --at -3d       ask what broke which rule, and since when

A resource has a TYPE (AWS::EC2::SecurityGroup, Kubernetes::apps::Deployment,
aws_instance) and an ID; where several accounts or regions have one of that name,
--account and --region tell them apart. An ID may begin with a dash.

Questions have two times. --at is the moment the answer is about. --known-at is
the moment at which it might have been given: "what did we believe on the day of
the audit". With both, the answer is the same for ever.

A TIME is
  ` + when.Forms + `.
now is this very moment by the clock of this computer; without --at the answer is
the newest state. Before 1970 is before everything.

The daemon is at 127.0.0.1:7420 unless --addr HOST:PORT or VARVE_ADDR says
otherwise; https://HOST:PORT speaks TLS with it. Where it asks for a token,
--token-file or VARVE_TOKEN_FILE names the file that holds yours, or VARVE_TOKEN is
the token itself; --ca-file or VARVE_CA_FILE names the authority of its certificate,
where that is not one of the system's.

Tables are for people. On a terminal a cell that is wider than all of it, and than
128 columns, is shortened in the middle; pipes, files and -o json get it whole.

Exit codes: 0 done; 1 answered no, or part was refused (not found, rejected lines,
damage found); 2 the command line is wrong, or the daemon cannot be reached.`

// newHelp is cobra's own but for a command that there is not, which it takes for
// an answer.
func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Help about any command",
		Long:    `Show what a command does, and its flags.`,
		GroupID: groupOperate,
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var names []cobra.Completion
			if about, rest, err := root.Find(args); err == nil && len(rest) == 0 {
				for _, c := range about.Commands() {
					if c.IsAvailableCommand() || c.IsAdditionalHelpTopicCommand() {
						names = append(names, cobra.CompletionWithDesc(c.Name(), c.Short))
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			about, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(about, args[len(args)-max(len(rest), 1)])
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// refuseOtherShells makes "completion" refuse what it has no script for; cobra
// shows its help instead.
func refuseOtherShells(root *cobra.Command) {
	completion, _, err := root.Find([]string{"completion"})
	if err != nil || completion == root {
		return
	}
	completion.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usagef(cmd, "no completion for %q: choose bash, zsh, fish or powershell", args[0])
		}
		return nil
	}
	completion.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	for _, shell := range completion.Commands() {
		shell.Args = noArgs
	}
}
