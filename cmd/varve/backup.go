package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/client"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func newBackup(a *app) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "backup FILE|-",
		Short: "Copy the store while it is in use",
		Long: `Copy the store of the running daemon, as it stands when the copy begins, into FILE,
or with - to standard output. Recording and questions go on meanwhile.

The file is written here, not by the daemon: as .FILE.NUMBER.part beside FILE first,
and it gets its own name when it is whole and on the disk. What a backup that was
killed left there, the next one of the same FILE removes. A file that is there already
is replaced with --force only. "varve restore" makes a store of it, and refuses one
that is damaged or was cut short.`,
		Example: `  varve backup /backups/varve-$(date +%F)
  varve backup - | ssh vault 'cat > varve-backup'`,
		Args: oneFile,
	}
	cmd.Flags().BoolVar(&force, "force", false, "replace FILE if it is there")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		name := args[0]
		if name == "-" && a.screen.Terminal {
			return usagef(cmd, "a backup is nothing for a terminal; name a FILE, or pipe it somewhere")
		}
		if info, err := os.Stat(name); err == nil && name != "-" {
			switch {
			case info.IsDir():
				return fmt.Errorf("%s is a folder; name a file in it", name)
			case !force:
				return fmt.Errorf("%s is there already; --force replaces it", name)
			}
		}
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		ctx, stop := interruptible(cmd.Context())
		defer stop()

		if name == "-" {
			_, err := a.backup(ctx, conn, a.stdout)
			return err
		}
		written, err := a.backupFile(ctx, conn, name)
		if err != nil {
			return err
		}
		if a.output == asJSON {
			return a.writeJSON(struct {
				File  string `json:"file"`
				Bytes int64  `json:"bytes"`
			}{name, written})
		}
		_, err = fmt.Fprintf(a.stdout, "%s: %s\n", name, size(written))
		return err
	}
	return cmd
}

// oneFile takes FILE, or - for standard input or output.
func oneFile(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) != 1:
		return usagef(cmd, "one FILE is needed, or -; %d are given", len(args))
	case args[0] == "":
		return usagef(cmd, "FILE is empty: name a file, or - for standard input or output")
	}
	return nil
}

// backupFile writes a backup that is there under its name only when it is whole.
func (a *app) backupFile(ctx context.Context, conn *client.Conn, name string) (size int64, err error) {
	sweepParts(name)
	f, err := newPart(name)
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			_ = errors.Join(f.Close(), os.Remove(f.Name()))
		}
	}()
	if size, err = a.backup(ctx, conn, f); err != nil {
		return 0, err
	}
	if err = f.Sync(); err != nil {
		return 0, err
	}
	if err = os.Rename(f.Name(), name); err != nil { // while it is held: else another may take it for left
		return 0, err
	}
	if err = f.Close(); err != nil {
		return 0, err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return 0, err
	}
	return size, errors.Join(dir.Sync(), dir.Close())
}

// newPart makes the file that is to become FILE, held as one that is being written.
// Another backup may take it for left, and remove it, until it is: then it is made
// anew.
func newPart(name string) (*os.File, error) {
	for {
		f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*.part")
		if err != nil {
			if path := (*os.PathError)(nil); errors.As(err, &path) {
				err = path.Err // its name is one that nobody gave
			}
			return nil, fmt.Errorf("%s cannot be written: %w", name, err)
		}
		if holdPart(f) {
			return f, nil
		}
		_ = errors.Join(f.Close(), os.Remove(f.Name())) // mostly it is gone
	}
}

// sweepParts removes what backups of the same file left that were killed: each may be
// as large as the store. One that is still written stays.
func sweepParts(name string) {
	dir, base := filepath.Split(name)
	entries, _ := os.ReadDir(filepath.Clean(dir)) // if it cannot be read, nothing is written there
	for _, e := range entries {
		number, ours := strings.CutPrefix(e.Name(), "."+base+".")
		number, part := strings.CutSuffix(number, ".part")
		if _, err := strconv.ParseUint(number, 10, 64); ours && part && err == nil {
			removeLeft(filepath.Join(dir, e.Name()))
		}
	}
}

// backup writes a backup and returns how many bytes it has.
func (a *app) backup(ctx context.Context, conn *client.Conn, w io.Writer) (size int64, err error) {
	bar := newBar(a, "backing up", 0, progress.UnitsBytes)
	defer func() { bar.end(err) }()
	err = conn.Once(ctx, func() error {
		stream, err := conn.Backup(ctx, &varvev1.BackupRequest{})
		for err == nil {
			var part *varvev1.BackupResponse
			if part, err = stream.Recv(); err != nil {
				break
			}
			if _, err := w.Write(part.GetChunk()); err != nil {
				return fmt.Errorf("write the backup: %w", err)
			}
			size += int64(len(part.GetChunk()))
			bar.reached(uint64(size), 0)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	})
	return size, err
}
