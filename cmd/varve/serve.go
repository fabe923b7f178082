package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/varvehq/varve/cmd/internal/config"
	"github.com/varvehq/varve/cmd/internal/daemon"
	"github.com/varvehq/varve/cmd/internal/tracing"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/recorder/canonical"
)

func newServe(a *app) *cobra.Command {
	s := &serving{app: a, flags: config.Default()}
	cmd := &cobra.Command{
		Use:   "serve --data DIR",
		Short: "Start the daemon",
		Long: `Start the daemon on the store in DIR, which is created if it is not there. It logs
"ready" with its addresses as soon as it answers: gRPC, which the other commands
speak, and HTTP with JSON. SIGTERM and SIGINT make it finish what is under way
and exit; what it has acknowledged survives any end. When the disk fails to write
or to sync, the daemon records nothing more until it is started anew and has
verified the store; a full disk only has it refuse what does not fit. A store of
an older format is brought to the present one first, which needs room for both; the
old file stays beside the new one, as varve.db.v1, until somebody removes it.

One daemon has a store; a second one on the same DIR is refused. Everybody who
reaches it may ask and record, so it listens on loopback only, until two things
are given together: --auth-token-file, whose tokens callers must bear, and
--tls-cert with --tls-key, so that nobody on the way reads them. SIGHUP reads
these files again.

AWS's own tools find AWS Config at the HTTP address: requests are signed with the
access keys of --aws-keys-file, and without one all are refused. For a trial on
this machine, --aws-auth=none lets everybody in with any key: see ` + "`varve help aws`" + `.

Over HTTP, /livez says whether the process answers, /readyz whether the store
does and takes writes, /metrics is for Prometheus. A full disk refuses writes, but
reads go on, and so does /readyz: see to varve_store_writes_without_room_total.

All of this and more may stand in a file; flags win over it. ` + "`varve help config`" + `
prints one with every key explained, ` + "`varve help systemd`" + ` a unit, and
` + "`varve help container`" + ` a container file.`,
		Example: `  varve serve --data /var/lib/varve
  varve serve --data ./store --grpc-addr 127.0.0.1:9420 --http-addr 127.0.0.1:9421
  varve serve --config /etc/varve/varve.yaml
  varve serve --data /var/lib/varve --grpc-addr :7420 --http-addr :7421 \
      --auth-token-file tokens --tls-cert tls.crt --tls-key tls.key`,
		Args: noArgs,
	}
	flags, c := cmd.Flags(), &s.flags
	flags.StringVar(&s.file, "config", "", "a configuration `FILE`; see `varve help config`")
	flags.StringVar(&c.Data, "data", "", "the folder `DIR` of the store")
	flags.StringVar(&c.Listen.GRPC, "grpc-addr", daemon.DefaultGRPCAddr, "`HOST:PORT` for gRPC; port 0 takes a free one")
	flags.StringVar(&c.Listen.HTTP, "http-addr", daemon.DefaultHTTPAddr, "`HOST:PORT` for HTTP; port 0 takes a free one")
	flags.StringSliceVar(&c.Listen.Hosts, "host", nil, "a `NAME` by which HTTP requests may address the daemon; may be repeated")
	flags.StringVar(&c.Auth.TokenFile, "auth-token-file", "", "ask for one of the tokens in `FILE`, one a line")
	flags.StringVar(&c.TLS.Cert, "tls-cert", "", "speak TLS with the certificate in `FILE` (PEM)")
	flags.StringVar(&c.TLS.Key, "tls-key", "", "the key of that certificate in `FILE` (PEM)")
	flags.StringVar(&c.AWS.Auth, "aws-auth", config.SigV4, "who may ask in AWS Config's protocol: `sigv4`, who signs with a key, or none: everybody")
	flags.StringVar(&c.AWS.KeysFile, "aws-keys-file", "", "the access keys of these in `FILE`, one a line: ID SECRET ACCOUNT [REGION,…]")
	flags.StringVar(&c.AWS.Account, "aws-account", c.AWS.Account, "the `ACCOUNT` that everybody is of with --aws-auth=none")
	flags.BoolVar(&c.Debug.Pprof, "debug-pprof", false, "offer profiles at /debug/pprof/ on the HTTP port")
	_ = cmd.MarkFlagDirname("data")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := s.configure(cmd); err != nil {
			return usagef(cmd, "%w", err)
		}
		if err := checkFolder(s.config.Data); err != nil {
			return err
		}
		return s.run(cmd)
	}
	return cmd
}

// serving is one run of `varve serve`.
type serving struct {
	app    *app
	file   string        // of --config
	flags  config.Config // what the flags say
	config config.Config // what holds
	json   bool          // the log, because --output says so
}

// flagOf tells which flag sets a key, and how it wins over the file.
var flagOf = map[string]struct {
	flag string
	win  func(over, flags *config.Config)
}{
	"data":            {"data", func(c, f *config.Config) { c.Data = f.Data }},
	"listen.grpc":     {"grpc-addr", func(c, f *config.Config) { c.Listen.GRPC = f.Listen.GRPC }},
	"listen.http":     {"http-addr", func(c, f *config.Config) { c.Listen.HTTP = f.Listen.HTTP }},
	"listen.hosts":    {"host", func(c, f *config.Config) { c.Listen.Hosts = f.Listen.Hosts }},
	"auth.token_file": {"auth-token-file", func(c, f *config.Config) { c.Auth.TokenFile = f.Auth.TokenFile }},
	"aws.auth":        {"aws-auth", func(c, f *config.Config) { c.AWS.Auth = f.AWS.Auth }},
	"aws.keys_file":   {"aws-keys-file", func(c, f *config.Config) { c.AWS.KeysFile = f.AWS.KeysFile }},
	"aws.account":     {"aws-account", func(c, f *config.Config) { c.AWS.Account = f.AWS.Account }},
	"tls.cert":        {"tls-cert", func(c, f *config.Config) { c.TLS.Cert = f.TLS.Cert }},
	"tls.key":         {"tls-key", func(c, f *config.Config) { c.TLS.Key = f.TLS.Key }},
	"debug.pprof":     {"debug-pprof", func(c, f *config.Config) { c.Debug.Pprof = f.Debug.Pprof }},
}

// configure puts file and flags together. An error names the line or the flag.
func (s *serving) configure(cmd *cobra.Command) error {
	s.json = s.app.output == asJSON
	s.config = s.flags
	where := func(string) string { return "" }
	if s.file != "" {
		file, err := config.Load(s.file)
		if err != nil {
			return err
		}
		s.config, where = file.Config, file.Where
		for _, of := range flagOf {
			if cmd.Flags().Changed(of.flag) {
				of.win(&s.config, &s.flags)
			}
		}
	}
	err := s.config.Check()
	var bad *config.Error
	if !errors.As(err, &bad) {
		return err
	}
	key, _, _ := strings.Cut(bad.Key, "[")
	if of, ok := flagOf[key]; ok && (s.file == "" || cmd.Flags().Changed(of.flag)) {
		return fmt.Errorf("--%s %s", of.flag, bad.Text)
	}
	if s.file == "" {
		return bad
	}
	return fmt.Errorf("%s: %s", where(bad.Key), bad.Text)
}

func (s *serving) run(cmd *cobra.Command) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP)
	defer signal.Stop(again)

	log := s.logger()
	options := s.options(log)
	if s.config.Traces.Endpoint != "" {
		traces, err := s.traces(ctx, log)
		if err != nil {
			return fmt.Errorf("traces: %w", err)
		}
		defer flush(traces)
		options.Traces = traces
	}
	d := daemon.New(options)
	if err := d.Start(ctx); err != nil {
		if errors.Is(err, history.Invalid) {
			return usagef(cmd, "%w", err)
		}
		return err
	}
	notify(log, "READY=1")
	for {
		select {
		case <-again:
			if err := d.Reload(); err != nil {
				log.Error("what cannot be read again stays as it was", "err", err)
			} else {
				log.Info("tokens, access keys and certificate were read again")
			}
		case <-ctx.Done():
			stop() // a second signal ends the program at once
			notify(log, "STOPPING=1")
			log.Info("stopping")
			return d.Stop(context.Background()) // it bounds its time itself
		}
	}
}

func (s *serving) options(log *slog.Logger) daemon.Options {
	c := &s.config
	return daemon.Options{
		Dir: c.Data, GRPCAddr: c.Listen.GRPC, HTTPAddr: c.Listen.HTTP, Hosts: c.Listen.Hosts,
		TokenFile: c.Auth.TokenFile, CertFile: c.TLS.Cert, KeyFile: c.TLS.Key,
		AWS:    daemon.AWS{KeysFile: c.AWS.KeysFile, Anyone: c.AWS.Auth == config.NoAuth, Account: c.AWS.Account},
		Logger: log, Slow: time.Duration(c.Log.Slow), Pprof: c.Debug.Pprof,
		Version: thisBuild().Version, Commit: thisBuild().Commit,
		Delivery:  daemon.Delivery{BaseURL: c.Delivery.BaseURL, Files: c.Delivery.Files},
		Buckets:   daemon.Buckets{Folder: c.Buckets.Folder, Endpoint: c.Buckets.Endpoint, Region: c.Buckets.Region, KeyFile: c.Buckets.KeyFile},
		Documents: canonical.Limits{MaxBytes: int(c.Limits.Document), MaxDepth: c.Limits.Depth},
		Tuning: bolt.Options{
			FutureSlack: time.Duration(c.Limits.Future), MergeRecords: c.Store.MergeRecords,
			MergeBytes: int(c.Store.MergeBytes), MergeIdle: time.Duration(c.Store.MergeIdle),
		},
		GraphCache: int(c.Graph.Cache),
	}
}

func (s *serving) traces(ctx context.Context, log *slog.Logger) (*trace.TracerProvider, error) {
	c := s.config.Traces
	return tracing.New(ctx, tracing.Options{
		Endpoint: c.Endpoint, CAFile: c.CA, Sample: c.Sample, Version: thisBuild().Version, Logger: log,
	})
}

// flush sends the last spans, if the receiver takes them at once.
func flush(traces *trace.TracerProvider) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = traces.Shutdown(ctx) // what it says, the log has
}

// logger writes to standard error, as the configuration says or, with -o json, as
// JSON.
func (s *serving) logger() *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.Level(s.config.Log.Level)}
	if s.json || s.config.Log.Format == "json" {
		options.ReplaceAttr = durationsWithUnits
		return slog.New(slog.NewJSONHandler(s.app.stderr, options))
	}
	return slog.New(slog.NewTextHandler(s.app.stderr, options))
}

// durationsWithUnits writes 1.5s where JSON would have a number of nanoseconds
// which does not say so.
func durationsWithUnits(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

// checkFolder refuses what is no folder of a store, and a store's file that lost
// all it held: opened, it would become a new store without a word.
func checkFolder(dir string) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return fmt.Errorf("%s is a file; --data takes the folder of a store", dir)
	}
	file := filepath.Join(dir, bolt.FileName)
	if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		return fmt.Errorf("%s is empty: there is no store in it; restore it, or remove it to begin a new one", file)
	}
	return nil
}
