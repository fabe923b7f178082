package main

import (
	_ "embed"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/api/awsconfig"
	"github.com/varvehq/varve/cmd/internal/config"
	changes "github.com/varvehq/varve/recorder/delivery/filter"
	"github.com/varvehq/varve/rules/custom/cel"
	"github.com/varvehq/varve/rules/managed"
	"github.com/varvehq/varve/rules/rulefile"
)

var (
	//go:embed deploy/varve.service
	systemdUnit string
	//go:embed deploy/Containerfile
	containerFile string
	//go:embed deploy/aws.txt
	awsHelp string
)

// newTopics are help texts that are files as they stand: `varve help config >
// varve.yaml`.
func newTopics() []*cobra.Command {
	return []*cobra.Command{
		{Use: "aws", Short: "How AWS's command line and SDKs speak with the daemon, and which operations there are", Long: awsHelp + awsconfig.Reference()},
		{Use: "config", Short: "A configuration file for `varve serve`, with every key explained", Long: config.Example},
		{Use: "filters", Short: "What a filter of changes may mention, and how it is understood", Long: changes.Reference()},
		{Use: "rules", Short: "What the file of a rule holds, and what its expressions may mention", Long: rulesHelp()},
		{Use: "systemd", Short: "A unit that runs the daemon under systemd", Long: systemdUnit},
		{Use: "container", Short: "A file that builds a container image of the daemon", Long: containerFile},
	}
}

// rulesHelp is what people who write rules read.
func rulesHelp() string {
	return "RULE FILES\n\n" + rulefile.Reference() + "\n\nEXPRESSIONS\n\n" + cel.Reference() + "\n\nMANAGED RULES\n\n" + managed.Reference()
}
