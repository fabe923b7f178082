package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"google.golang.org/grpc/codes"

	"github.com/varvehq/varve/cmd/internal/argv"
	"github.com/varvehq/varve/cmd/internal/client"
	"github.com/varvehq/varve/cmd/internal/daemon"
	"github.com/varvehq/varve/cmd/internal/terminal"
)

// Exit codes.
const (
	exitDone    = 0
	exitRefused = 1 // answered no, or part refused
	exitUsage   = 2 // not understood, or nobody to ask
)

// app is one run of the program: where it writes and what its global flags say.
type app struct {
	stdout, stderr io.Writer
	screen         terminal.Screen // of stdout
	errScreen      terminal.Screen // of stderr
	output         format
	addr           string
	tokenFile      string
	caFile         string
}

// run runs one command line and returns its exit code.
func run(args []string, stdout, stderr io.Writer) int {
	a := &app{stdout: stdout, stderr: stderr, screen: terminal.Of(stdout), errScreen: terminal.Of(stderr)}
	return a.run(context.Background(), args)
}

func (a *app) run(ctx context.Context, args []string) int {
	root := newRoot(a)
	root.SetArgs(argv.Arrange(root, args))
	err := root.ExecuteContext(ctx)

	var usage *usageError
	var refusal *client.Refusal
	var unreachable *client.Unreachable
	var untrusted *client.Untrusted
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errReported):
		return exitRefused
	case errors.As(err, &usage):
		if usage.command == "" {
			a.complain("%v", usage.err)
			return exitUsage
		}
		a.complain("%v\nSee `%s --help`.", usage.err, usage.command)
		return exitUsage
	}
	if errors.Is(err, context.Canceled) || errors.As(err, &refusal) && refusal.Code == codes.Canceled {
		err = errors.New("interrupted")
	}
	a.complain("%v", err)
	if errors.As(err, &unreachable) || errors.As(err, &untrusted) || errors.As(err, &refusal) && refusal.Code == codes.InvalidArgument {
		return exitUsage
	}
	return exitRefused
}

// interruptible is a context that ends with the first signal to stop, so that a
// command can tidy up; the second one ends the program at once.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// complain writes a line, or a few, to standard error.
func (a *app) complain(text string, args ...any) {
	mark := a.errScreen.Paint(terminal.Red, "varve:")
	fmt.Fprintf(a.stderr, "%s %s\n", mark, terminal.CleanLines(fmt.Sprintf(text, args...)))
}

// errReported is a refusal that has been told already.
var errReported = errors.New("part was refused")

// usageError is a command line that is not understood, or cannot be followed.
type usageError struct {
	command string // whose help says more; may be empty
	err     error
}

func (e *usageError) Error() string { return e.err.Error() }

func usagef(cmd *cobra.Command, text string, args ...any) error {
	return &usageError{cmd.CommandPath(), fmt.Errorf(text, args...)}
}

// dial connects to the daemon.
func (a *app) dial(cmd *cobra.Command) (*client.Conn, error) {
	access, err := a.access()
	if err == nil {
		var conn *client.Conn
		if conn, err = access.Dial(a.addr); err == nil {
			return conn, nil
		}
	}
	return nil, usagef(cmd, "%w", err)
}

// format is the value of --output.
type format string

const (
	asTable format = "table"
	asJSON  format = "json"
)

func (f *format) String() string { return string(*f) }

// Type lists the values; package argv reads it.
func (f *format) Type() string { return "table|json" }

func (f *format) Set(text string) error {
	switch v := format(text); v {
	case asTable, asJSON:
		*f = v
		return nil
	}
	return errors.New("choose table or json")
}

func addrFromEnv() string {
	if addr := os.Getenv("VARVE_ADDR"); addr != "" {
		return addr
	}
	return daemon.DefaultGRPCAddr
}

func init() { cobra.EnableCommandSorting = false } // they stand in the order of use

func newRoot(a *app) *cobra.Command {
	a.output, a.addr = asTable, addrFromEnv()
	var version bool
	root := &cobra.Command{
		Use:   "varve",
		Short: "The time machine for infrastructure configuration",
		Long:  rootHelp,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version {
				return a.version()
			}
			return cmd.Help()
		},
		SilenceErrors: true,
		SilenceUsage:  true,

		SuggestionsMinimumDistance: 2,
	}
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(flagError)

	root.Flags().BoolVar(&version, "version", false, "say which version this is")
	flags := root.PersistentFlags()
	flags.VarP(&a.output, "output", "o", "how to answer: a table for people, or json for programs")
	flags.StringVar(&a.addr, "addr", a.addr, "`HOST:PORT` of the daemon, https://HOST:PORT with TLS; VARVE_ADDR sets it as well")
	flags.StringVar(&a.tokenFile, "token-file", "", "show the token in `FILE`; VARVE_TOKEN_FILE, VARVE_TOKEN set it as well")
	flags.StringVar(&a.caFile, "ca-file", "", "trust the authority in `FILE` (PEM) over https; VARVE_CA_FILE sets it as well")
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp))

	root.AddGroup(
		&cobra.Group{ID: groupAsk, Title: "Ask:"},
		&cobra.Group{ID: groupRecord, Title: "Record:"},
		&cobra.Group{ID: groupComply, Title: "Comply:"},
		&cobra.Group{ID: groupOperate, Title: "Operate:"})
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add(groupAsk, newGet(a), newHistory(a), newDiff(a), newList(a), newCount(a), newChanges(a), newWatch(a),
		newGraph(a), newUses(a), newPath(a), newUnused(a), newLastUsed(a), newGraphDiff(a))
	add(groupRecord, newImport(a), newRun(a), newExport(a))
	add(groupComply, newCompliance(a), newRule(a), newPack(a), newWaiver(a))
	add(groupOperate, newServe(a), newStatus(a), newSubscription(a), newBackup(a), newRestore(a), newPrune(a), newErase(a), newCompact(a),
		newVerify(a), newRepair(a), newRebuild(a), newDemo(a), newVersion(a))
	root.AddCommand(newTopics()...)
	root.SetHelpCommandGroupID(groupOperate)
	root.SetHelpCommand(newHelp(root))
	root.SetCompletionCommandGroupID(groupOperate)
	root.InitDefaultCompletionCmd()
	refuseOtherShells(root)
	return root
}

const (
	groupAsk     = "ask"
	groupRecord  = "record"
	groupComply  = "comply"
	groupOperate = "operate"
)

// flagError says in our words what the parser of numbers says in its own.
func flagError(cmd *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	var number *strconv.NumError
	if !errors.As(err, &invalid) || !errors.As(err, &number) {
		return usagef(cmd, "%w", err)
	}
	expected := "a whole number is expected"
	if number.Func == "ParseBool" {
		expected = "true or false is expected"
	}
	if errors.Is(number, strconv.ErrRange) {
		expected = "it is too large"
	}
	return usagef(cmd, "--%s %s: %s", invalid.GetFlag().Name, invalid.GetValue(), expected)
}

func unknownCommand(cmd *cobra.Command, name string) error {
	if like := cmd.SuggestionsFor(name); len(like) > 0 {
		return usagef(cmd, "unknown command %q; did you mean %s?", name, like[0])
	}
	return usagef(cmd, "unknown command %q", name)
}
