package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/client"
	"github.com/varvehq/varve/cmd/internal/terminal"
	"github.com/varvehq/varve/cmd/internal/when"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func newWatch(a *app) *cobra.Command {
	var from, filter string
	var limit int
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Show changes as they are recorded",
		Long: `Show each change when it is recorded: what happened to which resource, when and by
whom, what is different, and which references it opened and closed. --from begins
with what was recorded before, and then goes on; nothing is missed in between, and
nothing comes twice.

--filter shows only the changes for which a condition holds, such as
  type == "AWS::EC2::SecurityGroup" && changed("/configuration/ipPermissions")
See ` + "`varve help filters`" + `. "previous" is the sequence of the change that was shown
before, so that whoever keeps what he got can prove that he lacks nothing.

With -o json each change is an object on a line of its own: the members of varve
changes, and before, after, patch, attributes, paths, opened and closed.

A daemon that goes away is waited for, and what was recorded meanwhile is shown
when it is back. Interrupted, or after as many changes as --limit says, the command
says how to go on from there, and exits with 0.`,
		Example: `  varve watch
  varve watch --from -1h --filter 'kind == "deleted"'
  varve watch --limit 1 --filter 'id == "sg-1" && kind == "updated"' && make deploy
  varve watch --from "$POSITION" -o json | jq -c '[.id, .paths]'`,
		Args: noArgs,
	}
	cmd.Flags().StringVar(&from, "from", "", "begin with what was recorded at `TIME|POSITION` (default: now)")
	cmd.Flags().StringVar(&filter, "filter", "", "show only what this `CONDITION` in CEL chooses")
	cmd.Flags().IntVar(&limit, "limit", 0, "end after `N` changes (default: never)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if limit < 0 {
			return usagef(cmd, "--limit %d: it must not be negative", limit)
		}
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		ctx, stop := interruptible(cmd.Context())
		defer stop()
		w := &watcher{app: a, conn: conn, request: watchFrom(from), limit: limit}
		w.request.Filter = filter
		err = w.follow(ctx)
		if ctx.Err() != nil || errors.Is(err, errShown) {
			w.goOn()
			return nil
		}
		if w.request.GetPosition() != "" && w.shown > 0 {
			w.goOn()
		}
		return err
	}
	return cmd
}

// watchFrom reads --from: a moment where it is one, else a position.
func watchFrom(from string) *varvev1.WatchChangesRequest {
	if from == "" {
		return &varvev1.WatchChangesRequest{}
	}
	m, err := when.Parse(from, time.Now())
	if err != nil {
		return &varvev1.WatchChangesRequest{Position: from}
	}
	return &varvev1.WatchChangesRequest{Since: m.Timestamp()}
}

// watcher shows changes, over as many streams as it takes.
type watcher struct {
	*app
	conn    *client.Conn
	request *varvev1.WatchChangesRequest // goes on after what was shown

	limit    int    // 0: none
	previous uint64 // sequence of the change shown last
	shown    int
	begun    bool // the daemon has answered
	away     bool // it does no longer, and that was told
}

// errShown ends a watch that was to show so many changes.
var errShown = errors.New("as many changes as were asked for")

// How long to wait for a daemon that went away, before the next attempt.
const (
	shortestAbsence = 100 * time.Millisecond
	longestAbsence  = 2 * time.Second
)

// follow shows changes until ctx is done or the daemon refuses. One that was there
// and went away is waited for as long as it takes.
func (w *watcher) follow(ctx context.Context) error {
	pause := shortestAbsence
	for {
		err := w.conn.Once(ctx, func() error { return w.stream(ctx, &pause) })
		if !isAway(err) {
			return err
		}
		if !w.away {
			w.away = true
			fmt.Fprintf(w.stderr, "%s the daemon went away; waiting for it to come back\n", w.errScreen.Paint(terminal.Yellow, "varve:"))
		}
		select {
		case <-time.After(pause):
			pause = min(pause*2, longestAbsence)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// isAway reports whether a daemon that has answered before does so no longer.
func isAway(err error) bool {
	var unreachable *client.Unreachable
	var refusal *client.Refusal
	return errors.As(err, &unreachable) && unreachable.Lost || errors.As(err, &refusal) && refusal.Code == codes.Unavailable
}

// stream shows the changes of one stream.
func (w *watcher) stream(ctx context.Context, pause *time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := w.conn.WatchChanges(ctx, w.request)
	if err != nil {
		return err
	}
	for {
		m, err := stream.Recv()
		if err != nil {
			return err
		}
		w.conn.Progress(nil)
		*pause = shortestAbsence
		w.tellBegun()
		switch part := m.GetPart().(type) {
		case *varvev1.WatchChangesResponse_Change:
			if err := w.show(part.Change); err != nil {
				return err
			}
			w.after(part.Change.GetChange().GetPosition())
			if w.shown == w.limit {
				return errShown
			}
		case *varvev1.WatchChangesResponse_Progress_:
			w.after(part.Progress.GetPosition())
		}
	}
}

// tellBegun tells people that changes would appear now.
func (w *watcher) tellBegun() {
	switch {
	case w.away:
		fmt.Fprintf(w.stderr, "%s the daemon is back; going on after the last change\n", w.errScreen.Paint(terminal.Yellow, "varve:"))
	case !w.begun && w.limit == 0:
		fmt.Fprintln(w.stderr, w.errScreen.Paint(terminal.Dim, "watching; Ctrl-C ends"))
	}
	w.away, w.begun = false, true
}

func (w *watcher) after(position string) { w.request.Position, w.request.Since = position, nil }

// show writes one change, at once.
func (w *watcher) show(p *varvev1.ChangeEvent) error {
	if p.GetPrevious() == 0 { // the stream's first
		p.Previous = w.previous
	}
	w.previous = p.GetChange().GetSequence()
	w.shown++
	if w.output == asJSON {
		return w.writeJSON(answer.EventOf(p))
	}
	return w.page(func(out io.Writer) error { return writeEvent(out, w.screen, p) })
}

// goOn tells how to go on after what was shown.
func (w *watcher) goOn() {
	position := w.request.GetPosition()
	if position == "" {
		return // nothing was looked at
	}
	command := "varve watch --from " + terminal.Clean(position)
	if w.request.GetFilter() != "" {
		command += " --filter " + shellQuote(w.request.GetFilter())
	}
	fmt.Fprintf(w.stderr, "%s %s\n", w.errScreen.Paint(terminal.Dim, "go on with:"), command)
}

// shellWords writes words for a shell, quoted where they must be.
func shellWords(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		if quoted[i] = word; word == "" || strings.ContainsAny(word, " \t\n\"'`$&|;<>()*?[]{}#~!\\") {
			quoted[i] = shellQuote(word)
		}
	}
	return strings.Join(quoted, " ")
}

// shellQuote writes a text as one word of a shell, and nothing that a terminal
// would act on.
func shellQuote(text string) string {
	return "'" + strings.ReplaceAll(terminal.CleanLines(text), "'", `'\''`) + "'"
}
