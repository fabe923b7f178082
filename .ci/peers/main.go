// Command peers measures Varve's store as a library beside what one would put
// configuration items into otherwise: bare bbolt, Postgres, SQLite, git. It runs
// them on one stream, in turn, and prints a table; read the ratios.
//
// The other stores come from a module named "peers", whose package harness has
// the measurements and the interface that this joins. A workspace outside of both
// trees puts them together:
//
//	go 1.26.8
//	use (
//		VARVE
//		VARVE/.ci/peers
//		PEERS
//	)
//
// and with GOWORK naming it:
//
//	go run ./.ci/peers -in items.ndjson -rescan rescan.ndjson -pg DSN
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"peers/harness"

	"github.com/varvehq/varve/graph"
)

func main() {
	in := flag.String("in", "", "items, one JSON object a line, in order of time")
	rescan := flag.String("rescan", "", "another pass over all resources, as -in")
	limit := flag.Int("limit", 0, "take so many items only")
	dir := flag.String("dir", "", "the folder to work in (default: a temporary one)")
	dsn := flag.String("pg", "", "connection string of a Postgres to fill")
	names := flag.String("peers", "raw,raw-append,varve,postgres,sqlite", "who takes part, in this order; git is the last one, varve-bare is varve without relationships")
	rounds := flag.Int("rounds", 3, "how often each measurement is made")
	flag.Parse()
	if err := run(*in, *rescan, *limit, *dir, *dsn, strings.Split(*names, ","), *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(in, rescan string, limit int, dir, dsn string, names []string, rounds int) error {
	if dir == "" {
		made, err := os.MkdirTemp("", "peers")
		if err != nil {
			return err
		}
		defer os.RemoveAll(made)
		dir = made
	}
	items, err := harness.Load(in, limit)
	if err != nil {
		return err
	}
	var again []harness.Item
	if rescan != "" {
		if again, err = harness.Load(rescan, 0); err != nil {
			return err
		}
	}
	var peers []harness.Peer
	for _, name := range names {
		p, err := open(name, dir, dsn)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		defer p.Close()
		peers = append(peers, p)
	}
	return harness.Run(harness.Config{Rounds: rounds, Out: os.Stdout}, peers, items, again)
}

func open(name, dir, dsn string) (harness.Peer, error) {
	switch name {
	case "varve":
		return newVarve(dir, name, graph.NewLinker())
	case "varve-bare":
		return newVarve(dir, name, nil)
	case "raw", "raw-append":
		return harness.NewRaw(name, dir, name == "raw-append")
	case "postgres":
		return harness.NewPostgres(dsn)
	case "sqlite":
		return harness.NewSQLite(dir)
	case "git":
		return harness.NewGit(dir)
	}
	return nil, fmt.Errorf("is not known")
}
