package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/cmd/internal/client"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/recorder/source"
	"github.com/varvehq/varve/recorder/source/awsconfig"
	"github.com/varvehq/varve/recorder/source/ndjson"
)

func newExport(a *app) *cobra.Command {
	var m moment
	var format string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write out everything that existed at a moment",
		Long: `Write the whole inventory at a moment to standard output, in order of account,
region, type and id: one line for each resource that "varve import" takes, or one
snapshot file of AWS Config. The same state gives the same bytes, wherever and
whenever it is exported.`,
		Example: `  varve export > today.ndjson
  varve export --at 2026-07-18 | zstd > friday-night.ndjson.zst
  varve export --format aws-config --at -7d > snapshot.json`,
		Args: noArgs,
	}
	m.bind(cmd)
	cmd.Flags().StringVar(&format, "format", "ndjson", "`FORMAT`: ndjson or aws-config")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"ndjson", "aws-config"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		f := source.ParseFormat(format)
		if f == source.Unknown {
			return usagef(cmd, "--format %s: choose ndjson or aws-config", format)
		}
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()

		e := exporter{conn: conn, request: &varvev1.ExportItemsRequest{At: m.at.Timestamp(), KnownAt: m.knownAt.String()}}
		out := newItemWriter(f, a.stdout)
		if err := e.run(cmd.Context(), out.Write); err != nil {
			return err
		}
		return out.Close()
	}
	return cmd
}

// itemWriter writes items in a format; nothing is complete before Close.
type itemWriter interface {
	Write(*history.Item) error
	Close() error
}

func newItemWriter(f source.Format, w io.Writer) itemWriter {
	if f == source.AWSConfig {
		return awsconfig.NewWriter(w, awsconfig.WriterOptions{})
	}
	return &lineWriter{w: bufio.NewWriterSize(w, 64<<10)}
}

type lineWriter struct {
	w   *bufio.Writer
	buf []byte
}

func (l *lineWriter) Write(item *history.Item) (err error) {
	if l.buf, err = ndjson.Append(l.buf[:0], item); err != nil {
		return err
	}
	_, err = l.w.Write(l.buf)
	return err
}

func (l *lineWriter) Close() error { return l.w.Flush() }

// exporter reads the inventory. If the daemon goes away and comes back it goes
// on where it was: at one revision the inventory is always the same.
type exporter struct {
	conn    *client.Conn
	request *varvev1.ExportItemsRequest
	written int
}

func (e *exporter) run(ctx context.Context, write func(*history.Item) error) error {
	if e.request.GetKnownAt() == "" {
		head, err := e.conn.GetStatus(ctx, &varvev1.GetStatusRequest{})
		if err != nil || head.GetRevision() == 0 {
			return err
		}
		e.request.KnownAt = strconv.FormatUint(head.GetRevision(), 10)
	}
	var away client.Away
	for {
		err := e.read(ctx, &away, write)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err := away.Wait(ctx, e.conn, err); err != nil {
			return err
		}
	}
}

// read reads one stream to its end, io.EOF, leaving out what is written already.
func (e *exporter) read(ctx context.Context, away *client.Away, write func(*history.Item) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := e.conn.ExportItems(ctx, e.request)
	if err != nil {
		return err
	}
	for seen := 0; ; {
		part, err := stream.Recv()
		if err != nil {
			return err
		}
		e.conn.Progress(away)
		for _, p := range part.GetItems() {
			if seen++; seen <= e.written {
				continue
			}
			item, err := wire.ItemFromProto(p)
			if err != nil {
				return err
			}
			if err := write(&item); err != nil {
				return err
			}
			e.written++
		}
	}
}
