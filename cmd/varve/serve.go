package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/daemon"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

func newServe(a *app) *cobra.Command {
	var dir, grpcAddr, httpAddr string
	cmd := &cobra.Command{
		Use:   "serve --data DIR",
		Short: "Start the daemon",
		Long: `Start the daemon on the store in DIR, which is created if it is not there. It logs
"ready" with its addresses as soon as it answers: gRPC, which the other commands
speak, and HTTP with JSON. SIGTERM and SIGINT make it finish what is under way
and exit; what it has acknowledged survives any end.

One daemon has a store; a second one on the same DIR is refused. It listens on
loopback only, since everybody who reaches it may ask and record.`,
		Example: `  varve serve --data /var/lib/varve
  varve serve --data ./store --grpc-addr 127.0.0.1:9420 --http-addr 127.0.0.1:9421`,
		Args: noArgs,
	}
	flags := cmd.Flags()
	flags.StringVar(&dir, "data", "", "the folder `DIR` of the store")
	flags.StringVar(&grpcAddr, "grpc-addr", daemon.DefaultGRPCAddr, "`HOST:PORT` for gRPC; port 0 takes a free one")
	flags.StringVar(&httpAddr, "http-addr", daemon.DefaultHTTPAddr, "`HOST:PORT` for HTTP; port 0 takes a free one")
	_ = cmd.MarkFlagDirname("data")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if dir == "" {
			return usagef(cmd, "--data is needed: the folder of the store")
		}
		if err := checkFolder(dir); err != nil {
			return err
		}
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		log := a.logger()
		d := daemon.New(daemon.Options{
			Dir: dir, GRPCAddr: grpcAddr, HTTPAddr: httpAddr,
			Logger: log, Version: thisBuild().Version,
		})
		if err := d.Start(ctx); err != nil {
			if errors.Is(err, history.Invalid) {
				return usagef(cmd, "%w", err)
			}
			return err
		}
		<-ctx.Done()
		stop() // a second signal ends the program at once
		log.Info("stopping")
		return d.Stop(context.Background()) // it bounds its time itself
	}
	return cmd
}

// logger writes to standard error, as text or, with -o json, as JSON.
func (a *app) logger() *slog.Logger {
	if a.output == asJSON {
		return slog.New(slog.NewJSONHandler(a.stderr, nil))
	}
	return slog.New(slog.NewTextHandler(a.stderr, nil))
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
