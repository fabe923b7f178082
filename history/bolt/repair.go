package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/varvehq/varve/history"
)

// LossKind says what a damaged store has lost.
type LossKind uint8

// What can be lost, of a single resource or of the store. Nothing is lost with
// Mended: a bit was put back, and the checksum matches.
const (
	Mended        LossKind = iota
	LostPage               // a page of the file; what it held is reported by itself as far as it is known
	LostContent            // the content of versions, which are tombstones now
	LostOrigin             // where versions came from, of which the content is whole
	LostName               // what a resource was called
	LostSightings          // that resources were seen unchanged
	LostCommit             // what was recorded last and not merged
	LostChanges            // a part of the feed
	LostClock              // when revisions were recorded
	LostRun                // what is known of a run
	LostOperation          // the result of an operation
	LostDocument           // such as a rule, or a subscription
	LostIdentity           // of the store
)

var lossNames = [...]string{"mended", "page", "content", "origin", "name", "sightings", "commit", "changes", "clock", "run", "operation", "document", "identity"}

func (k LossKind) String() string { return lossNames[k] }

// Loss is one thing that a damaged store has lost.
type Loss struct {
	What LossKind
	Key  history.Key // of the resource, if of one
	Text string
}

// Repaired says what a repair came to.
type Repaired struct {
	Restored
	Summary Summary // of its verification
}

// Repair makes a store in a folder, as Restore does, of all that can be read of a
// damaged one, which no process may have open and which stays as it is. What is lost
// is reported; all else is as it was recorded: nothing is believed whose checksum does
// not match, but content whose hash does. The new store was verified.
//
// DataLoss if so little can be read that answers might be wrong. NotFound, Locked and
// AlreadyExists as with Restore and Compact.
func Repair(ctx context.Context, from, into string, report func(Loss), o CopyOptions) (Repaired, error) {
	o.Options.fill()
	path := filepath.Join(from, FileName)
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return Repaired{}, &history.Error{Kind: history.NotFound, Field: "--data", Value: from, Text: "holds no store"}
	}
	if err != nil {
		return Repaired{}, fmt.Errorf("repair: %w", err)
	}
	defer file.Close()
	if err := lockShared(file); err != nil {
		return Repaired{}, inUse(from)
	}
	made, err := makeFolder(into, from)
	if err != nil {
		return Repaired{}, err
	}
	result, err := repair(ctx, file, into, report, &o)
	if err != nil && made {
		_ = os.Remove(into) // if nothing else came into it
	}
	return result, err
}

// makeFolder makes the folder of the new store, unless it is there and empty.
func makeFolder(into, from string) (made bool, err error) {
	if inside, err := filepath.Rel(from, into); err == nil && !strings.HasPrefix(inside, "..") {
		return false, &history.Error{Kind: history.Invalid, Field: "into", Value: into, Text: "lies in the folder of the damaged store; choose another"}
	}
	if _, err := os.Stat(into); err != nil {
		if err := os.MkdirAll(into, 0o700); err != nil {
			return false, fmt.Errorf("repair: %w", err)
		}
		return true, nil
	}
	return false, checkEmpty("into", into)
}

func repair(ctx context.Context, file *os.File, into string, report func(Loss), o *CopyOptions) (Repaired, error) {
	pages, err := newRescue(file, report)
	if err != nil {
		return Repaired{}, err
	}
	s := &salvage{from: pages, report: report, progress: o.progress}
	var lineage history.Lineage
	counts, err := build(into, &lineage, func(to sink) error {
		s.to = to
		if err := s.run(ctx); err != nil {
			return err
		}
		m := s.header.mark
		lineage = s.lineage.Restored(m.revision, m.seq, history.MomentOf(o.Options.Now()))
		return nil
	})
	if err != nil {
		return Repaired{}, err
	}
	result := Repaired{Restored: Restored{
		Lineage: lineage, Revision: s.header.mark.revision, Recorded: s.header.mark.recordedAt,
		Resources: counts.resources, Versions: counts.rows,
	}}
	first, made := "", filepath.Join(into, newFileName)
	result.Summary, err = verifyFile(ctx, made, nil, func(f Finding) {
		if first == "" {
			first = f.String()
		}
	})
	if first != "" {
		err = history.Errorf(history.DataLoss, "what can be read contradicts itself (%s): restore a backup", first)
	}
	if err != nil {
		return Repaired{}, errors.Join(err, os.Remove(made))
	}
	result.FileBytes, err = install(into)
	return result, err
}
