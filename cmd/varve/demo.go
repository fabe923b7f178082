package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/client"
	"github.com/varvehq/varve/cmd/internal/daemon"
	"github.com/varvehq/varve/cmd/internal/scenario"
	"github.com/varvehq/varve/cmd/internal/terminal"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func newDemo(a *app) *cobra.Command {
	var keep, once bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it at work on an estate that comes with the program",
		Long: `Start a daemon on a fresh store in a temporary folder, record ninety days of a small
shop on AWS and Kubernetes, with one bad weekend in the middle, and ask what an
engineer would ask. Each answer comes with the command that gave it. The daemon
keeps serving until Ctrl-C, so that you can go on asking.`,
		Example: `  varve demo
  varve demo --keep`,
		Args: noArgs,
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "keep the store when it ends, and say where it is")
	cmd.Flags().BoolVar(&once, "once", false, "end after the last answer")
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		// However it ends (the terminal closed, "| head" satisfied), the store
		// is taken away.
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
		defer stop()

		folder, err := os.MkdirTemp("", "varve-demo-")
		if err != nil {
			return err
		}
		defer func() {
			if !keep {
				err = errors.Join(err, os.RemoveAll(folder))
			}
		}()
		d := &demo{app: a, folder: folder}
		if err := d.start(ctx); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, d.daemon.Stop(context.Background())) }()
		if err := d.show(ctx); err != nil {
			return err
		}
		if keep {
			d.say("The store stays in %s.", filepath.Join(folder, "store"))
		}
		if once {
			return nil
		}
		d.farewell()
		<-ctx.Done()
		return nil
	}
	return cmd
}

// demo is one demonstration: its daemon and its files.
type demo struct {
	app    *app
	folder string
	daemon *daemon.Daemon
	before uint64 // the newest revision before the investigation
}

// start starts the daemon where the other commands look for it, or else on free
// ports.
func (d *demo) start(ctx context.Context) error {
	options := daemon.Options{
		Dir:     filepath.Join(d.folder, "store"),
		Logger:  slog.New(slog.NewTextHandler(d.app.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Version: thisBuild().Version,
	}
	d.daemon = daemon.New(options)
	err := d.daemon.Start(ctx)
	if errors.Is(err, syscall.EADDRINUSE) {
		options.GRPCAddr, options.HTTPAddr = "127.0.0.1:0", "127.0.0.1:0"
		d.daemon = daemon.New(options)
		err = d.daemon.Start(ctx)
	}
	return err
}

// show records the scenario and goes through the questions.
func (d *demo) show(ctx context.Context) error {
	bold := func(text string) string { return d.app.screen.Paint(terminal.Bold, text) }
	fmt.Fprintf(d.app.stdout, "%s\n\n", bold("varve demo: ninety days of a small shop on AWS and Kubernetes"))

	begin := time.Now()
	lines, late := scenario.Lines(), scenario.Late()
	if err := d.load(ctx, "lines.ndjson", lines); err != nil {
		return err
	}
	var err error
	if d.before, err = d.revision(ctx); err != nil {
		return err
	}
	if err := d.load(ctx, "late.ndjson", late); err != nil {
		return err
	}
	n := bytes.Count(lines, []byte("\n")) + bytes.Count(late, []byte("\n"))
	d.say("%d observations recorded in %s, the last two of them about a night long past.", n, time.Since(begin).Round(time.Millisecond))
	d.say("On Friday, 17 July, checkout went down. It was a long evening, and on Monday nothing was")
	d.say("left to see. What happened?")

	for i, q := range questions(strconv.FormatUint(d.before, 10)) {
		fmt.Fprintf(d.app.stdout, "\n%s\n", bold(fmt.Sprintf("%d. %s", i+1, q.text)))
		for _, args := range q.commands {
			if err := d.ask(ctx, args); err != nil {
				return err
			}
		}
	}
	fmt.Fprintln(d.app.stdout)
	return nil
}

// load imports lines as a user would, from a file.
func (d *demo) load(ctx context.Context, name string, lines []byte) error {
	path := filepath.Join(d.folder, name)
	if err := os.WriteFile(path, lines, 0o600); err != nil {
		return err
	}
	if out, code := d.command(ctx, []string{"import", path}); code != exitDone {
		return fmt.Errorf("the scenario could not be imported:\n%s", out)
	}
	return os.Remove(path)
}

func (d *demo) revision(ctx context.Context) (uint64, error) {
	conn, err := client.Dial(d.daemon.GRPCAddr())
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	head, err := conn.GetStatus(ctx, &varvev1.GetStatusRequest{})
	return head.GetRevision(), err
}

// margin stands before everything that a command prints.
const margin = "   "

// ask shows a command and what it prints. An answer "no" is an answer.
func (d *demo) ask(ctx context.Context, args []string) error {
	prompt := "$ "
	if addr := d.daemon.GRPCAddr(); addr != daemon.DefaultGRPCAddr {
		prompt += "VARVE_ADDR=" + addr + " "
	}
	line := d.app.screen.Paint(terminal.Dim, prompt) + d.app.screen.Paint(terminal.Cyan, "varve "+shellWords(args))
	fmt.Fprintf(d.app.stdout, "%s%s\n", margin, line)

	out, code := d.command(ctx, args)
	if code == exitUsage {
		return fmt.Errorf("%s\n%s", strings.Join(args, " "), out)
	}
	for line := range strings.Lines(out) {
		if line == "\n" {
			continue // answers are close together here
		}
		fmt.Fprintf(d.app.stdout, "%s%s", margin, line)
	}
	return nil
}

// command runs a command of this program against the daemon and returns all that
// it prints.
func (d *demo) command(ctx context.Context, args []string) (string, int) {
	var out bytes.Buffer
	screen := d.app.screen
	screen.Width = max(0, screen.Width-len(margin))
	sub := &app{stdout: &out, stderr: &out, screen: screen, errScreen: terminal.Screen{Color: screen.Color}}
	code := sub.run(ctx, append([]string{"--addr", d.daemon.GRPCAddr()}, args...))
	return out.String(), code
}

func (d *demo) say(text string, args ...any) {
	fmt.Fprintf(d.app.stdout, text+"\n", args...)
}

func (d *demo) farewell() {
	d.say("Ask your own: the daemon keeps serving until Ctrl-C.")
	d.say("%sgRPC  %s", margin, d.daemon.GRPCAddr())
	d.say("%sHTTP  http://%s/v1/items:count?groupBy=GROUP_BY_TYPE", margin, d.daemon.HTTPAddr())
}
