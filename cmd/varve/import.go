package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/terminal"
	"github.com/varvehq/varve/cmd/internal/when"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/recorder/source"
)

// importFlags say what to read and how.
type importFlags struct {
	format   string
	complete bool
	moment   when.Moment
	scope    scopeFlag
	force    bool
}

func newImport(a *app) *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import FILE…",
		Short: "Record what files tell",
		Long: `Read observations from files and record them. "-" is standard input; gzip and zstd
are understood. Lines may come in any order of time: what is older than what is
known takes its place in the past. Importing the same again records nothing. Times
are kept to the microsecond: what is finer is cut off.

Formats (--format auto tells them apart):
  ndjson      one object a line: time, type, id, and what is known of provider,
              account, region, name, arn, availabilityZone, createdAt, status, tags,
              configuration, supplementary, relationships, deleted, cause, source,
              extras; configuration is null only with deleted
  aws-config  AWS Config's snapshot and history files, notifications and single
              configuration items, in both of its dialects

The last line on standard output is a JSON object of numbers:
  {"read":…,"recorded":…,"unchanged":…,"late":…,"deleted":…,"rejected":…}
read is recorded + unchanged + rejected; late and deleted are parts of recorded. A
line that is not taken is told on standard error as FILE:LINE: reason, the others
are recorded, and the exit code is 1. Exit code 0 means that every line is durable.

With --complete the files are all there is (a collection run): every resource in
--scope that existed just before --moment and is not in the files is recorded as
deleted at that moment; "absent" counts those. A rejected line aborts the run, and
so does a run that would delete more than half of its scope: nothing is deleted
then, what was read stays recorded. --force completes it nevertheless.`,
		Example: `  varve import history.ndjson.gz
  kubectl-to-ndjson | varve import -
  varve import --format aws-config s3-dump/*.json.gz
  varve import --complete --scope account=111122223333,region=eu-west-1 inventory.ndjson`,
	}
	flags := cmd.Flags()
	flags.StringVar(&f.format, "format", "auto", "`FORMAT` of the files: auto, ndjson or aws-config")
	flags.BoolVar(&f.complete, "complete", false, "the files are everything there is: delete what they do not have")
	flags.Var(&f.moment, "moment", "the moment the files speak about, with --complete (default: now)")
	flags.Var(&f.scope, "scope", "what the files cover, with --complete: account=…,region=…,type=… (default: everything)")
	flags.BoolVar(&f.force, "force", false, "complete even with rejected lines, and whatever it deletes")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"auto", "ndjson", "aws-config"}, cobra.ShellCompDirectiveNoFileComp))

	cmd.Args = func(cmd *cobra.Command, files []string) error { return checkFiles(cmd, files) }
	cmd.RunE = func(cmd *cobra.Command, files []string) error {
		if f.format != "auto" && source.ParseFormat(f.format) == source.Unknown {
			return usagef(cmd, "--format %s: choose auto, ndjson or aws-config", f.format)
		}
		if f.moment.BeforeAll() {
			return usagef(cmd, "--moment: it must lie after 1970-01-01T00:00:00Z")
		}
		if !f.complete && (f.force || f.moment.Given() || f.scope.given()) {
			return usagef(cmd, "--moment, --scope and --force go with --complete only")
		}
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()

		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		if _, err := conn.GetStatus(ctx, &varvev1.GetStatusRequest{}); err != nil {
			return err
		}
		im := &importer{app: a, conn: conn, flags: f}
		im.bar = newProgress(a, files)
		counts, err := im.run(ctx, files)
		im.bar.end(err)
		if err != nil && !errors.Is(err, errReported) {
			return err
		}
		if a.errScreen.Terminal && a.output == asTable {
			fmt.Fprintln(a.stderr, counts.text())
		}
		return errors.Join(a.writeJSON(counts), err)
	}
	return cmd
}

// checkFiles refuses what cannot be read at all before anything is recorded.
func checkFiles(cmd *cobra.Command, files []string) error {
	if len(files) == 0 {
		return usagef(cmd, "no FILE is given; - is standard input")
	}
	for i, name := range files {
		if name == "-" {
			if slices.Contains(files[:i], "-") {
				return usagef(cmd, "standard input is given twice")
			}
			continue
		}
		info, err := os.Stat(name)
		switch {
		case err != nil:
			var pathErr *fs.PathError
			if errors.As(err, &pathErr) {
				err = pathErr.Err
			}
			return &usageError{err: fmt.Errorf("%s: %w", name, err)}
		case info.IsDir():
			return &usageError{err: fmt.Errorf("%s is a folder; name the files in it", name)}
		}
	}
	return nil
}

// counts is what an import came to.
type counts struct {
	Read      int     `json:"read"`
	Recorded  int     `json:"recorded"`
	Unchanged int     `json:"unchanged"`
	Late      int     `json:"late"`
	Deleted   int     `json:"deleted"`
	Rejected  int     `json:"rejected"`
	Absent    *uint32 `json:"absent,omitzero"` // with --complete
}

func (c counts) text() string {
	text := fmt.Sprintf("%d read: %d recorded", c.Read, c.Recorded)
	var parts []string
	if c.Late > 0 {
		parts = append(parts, fmt.Sprintf("%d late", c.Late))
	}
	if c.Deleted > 0 {
		parts = append(parts, fmt.Sprintf("%d deletions", c.Deleted))
	}
	if parts != nil {
		text += " (" + strings.Join(parts, ", ") + ")"
	}
	text += fmt.Sprintf(", %d unchanged, %d rejected", c.Unchanged, c.Rejected)
	if c.Absent != nil {
		text += fmt.Sprintf("; %d gone", *c.Absent)
	}
	return text
}

// scopeFlag is --scope account=…,region=…,type=…, each any number of times.
type scopeFlag struct {
	accounts, regions, types []string
}

func (s *scopeFlag) given() bool { return s.accounts != nil || s.regions != nil || s.types != nil }

func (s *scopeFlag) proto() *varvev1.Run_Scope {
	return &varvev1.Run_Scope{Accounts: s.accounts, Regions: s.regions, Types: s.types}
}

func (s *scopeFlag) String() string { return "" }
func (s *scopeFlag) Type() string   { return "SCOPE" }

func (s *scopeFlag) Set(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(part, "=")
		switch {
		case ok && name == "account":
			s.accounts = append(s.accounts, value)
		case ok && name == "region":
			s.regions = append(s.regions, value)
		case ok && name == "type":
			s.types = append(s.types, value)
		default:
			return fmt.Errorf("%q is not account=…, region=… or type=…", terminal.Clean(part))
		}
	}
	return nil
}
