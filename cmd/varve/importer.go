package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/cmd/internal/client"
	"github.com/varvehq/varve/cmd/internal/ingest"
	"github.com/varvehq/varve/cmd/internal/terminal"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/recorder/source"
	"github.com/varvehq/varve/recorder/source/awsconfig"
	"github.com/varvehq/varve/recorder/source/ndjson"
)

// maxObservation is what the daemon takes in one request, less what else is in
// it. Its own limits on documents are lower and have better words.
const maxObservation = 32<<20 - 1<<10

// importer does the work of one import.
type importer struct {
	app   *app
	conn  *client.Conn
	flags importFlags
	bar   *progressBar

	mu     sync.Mutex // the sender reports from another goroutine
	counts counts
}

// run imports the files. The error is errReported if a part was refused, which
// the counts tell of; with any other the counts mean nothing.
func (im *importer) run(ctx context.Context, files []string) (counts, error) {
	run, err := im.openRun(ctx)
	if err != nil {
		return counts{}, err
	}
	if err := im.record(ctx, files, run); err != nil {
		return counts{}, im.giveUp(run, err)
	}
	if run == "" {
		return im.counts, im.verdict()
	}
	return im.closeRun(ctx, run)
}

// verdict is errReported if any line was rejected.
func (im *importer) verdict() error {
	if im.counts.Rejected > 0 {
		return errReported
	}
	return nil
}

// record reads the files and sends what they hold until all is acknowledged.
func (im *importer) record(ctx context.Context, files []string, run string) error {
	sender := ingest.NewSender(ctx, im.conn, run, im.result)
	done := make(chan error, 1)
	go func() { done <- im.readAll(files, sender) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err() // the reader may wait for its input for ever
	}
}

func (im *importer) readAll(files []string, sender *ingest.Sender) error {
	for _, name := range files {
		if err := im.read(name, sender); err != nil {
			break // it is the sender's
		}
	}
	return sender.Close()
}

// read sends what one file holds. An error is the sender's; the file's own are
// reported.
func (im *importer) read(name string, sender *ingest.Sender) error {
	file, err := source.Open(name)
	if err != nil {
		im.reject(ingest.Line{File: nameOf(name), Line: 1}, strings.TrimPrefix(err.Error(), nameOf(name)+": "))
		return nil
	}
	defer file.Close()
	im.bar.reading(file)
	reader, err := im.reader(file)
	if err != nil {
		im.reject(ingest.Line{File: file.Name, Line: 1}, strings.TrimPrefix(err.Error(), file.Name+": "))
		return nil
	}
	for {
		o, number, err := reader.Next()
		line := ingest.Line{File: file.Name, Line: number}
		var bad *source.LineError
		var broken *source.BrokenError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &bad):
			im.reject(line, bad.Err.Error())
			continue
		case errors.As(err, &broken):
			im.reject(line, broken.Err.Error()+"; the rest cannot be read")
			return nil
		case err != nil:
			im.reject(line, err.Error())
			return nil
		}
		if err := im.send(line, o, sender); err != nil {
			return err
		}
	}
}

func (im *importer) reader(file *source.File) (source.Reader, error) {
	format := source.ParseFormat(im.flags.format)
	if format == source.Unknown {
		var err error
		if format, err = file.Detect(); err != nil {
			return nil, err
		}
	}
	switch format {
	case source.AWSConfig:
		return awsconfig.NewReader(file, awsconfig.Options{}), nil
	case source.NDJSON:
		return ndjson.NewReader(file, ndjson.Options{}), nil
	}
	// JSON, but nothing we know. If it comes in lines, each gets its reason.
	in := bufio.NewReaderSize(file, source.DetectBytes)
	begin, _ := in.Peek(source.DetectBytes)
	if line, _, _ := bytes.Cut(begin, []byte("\n")); jsontext.Value(line).IsValid() {
		return ndjson.NewReader(in, ndjson.Options{}), nil
	}
	return nil, errors.New("holds neither lines of observations nor AWS Config's items; --format says which it should")
}

func (im *importer) send(line ingest.Line, o history.Observation, sender *ingest.Sender) error {
	text := wire.AppendObservation(make([]byte, 0, 512+len(o.State.Configuration)), &o)
	if size := len(text); size > maxObservation {
		im.reject(line, fmt.Sprintf("is %d bytes large, at most %d are taken", size, maxObservation))
		return nil
	}
	return sender.Add(line, text)
}

// result counts what the daemon says of one observation.
func (im *importer) result(line ingest.Line, r *varvev1.RecordResult) {
	if r.GetOutcome() == varvev1.RecordResult_OUTCOME_REFUSED {
		im.reject(line, client.RefusalOf(r.GetError()).Message)
		return
	}
	im.mu.Lock()
	defer im.mu.Unlock()
	im.counts.Read++
	if r.GetOutcome() == varvev1.RecordResult_OUTCOME_UNCHANGED {
		im.counts.Unchanged++
		return
	}
	im.counts.Recorded++
	if r.GetLate() {
		im.counts.Late++
	}
	if r.GetKind() == history.Deleted.String() {
		im.counts.Deleted++
	}
}

func (im *importer) reject(line ingest.Line, reason string) {
	im.mu.Lock()
	im.counts.Read++
	im.counts.Rejected++
	im.mu.Unlock()
	im.bar.log(fmt.Sprintf("%s:%d: %s", terminal.Clean(line.File), line.Line, terminal.Clean(reason)))
}

// nameOf is a file as messages call it.
func nameOf(path string) string {
	if path == "-" {
		return "stdin"
	}
	return path
}

// openRun opens the run that --complete asks for, "" if it does not.
func (im *importer) openRun(ctx context.Context) (string, error) {
	if !im.flags.complete {
		return "", nil
	}
	id := uuid.Must(uuid.NewV7()).String()
	_, err := im.conn.CreateRun(ctx, &varvev1.CreateRunRequest{
		RunId: id,
		Run:   &varvev1.Run{Scope: im.flags.scope.proto(), Moment: im.flags.moment.Timestamp()},
	})
	// Nobody else has that id: our own request got through before its answer was
	// lost, and was made again.
	if err != nil && client.Reason(err) != history.AlreadyExists.Error() {
		return "", err
	}
	return wire.RunName(history.RunID(id)), nil
}

// closeRun completes the run, or aborts it and says so.
func (im *importer) closeRun(ctx context.Context, run string) (counts, error) {
	absent := uint32(0)
	im.counts.Absent = &absent
	if n := im.counts.Rejected; n > 0 && !im.flags.force {
		reason := fmt.Sprintf("%d of %d lines were rejected", n, im.counts.Read)
		return im.counts, im.abort(ctx, run, reason, reason+"; --force completes it nevertheless")
	}
	closed, err := im.conn.CompleteRun(ctx, &varvev1.CompleteRunRequest{Name: run, Force: im.flags.force})
	switch client.Reason(err) {
	case history.RunTooGreedy.Error(), history.RunTainted.Error():
		return im.counts, im.abort(ctx, run, err.Error(), err.Error())
	}
	if err != nil {
		return im.counts, im.giveUp(run, err)
	}
	absent = closed.GetDeleted()
	return im.counts, im.verdict()
}

// abort aborts a run for a reason, tells people what they should know, and
// returns errReported.
func (im *importer) abort(ctx context.Context, run, reason, text string) error {
	if _, err := im.conn.AbortRun(ctx, &varvev1.AbortRunRequest{Name: run, Reason: reason}); err != nil {
		return err
	}
	im.bar.end(errReported)
	im.app.complain("the run is aborted and nothing was deleted: %s", text)
	return errReported
}

// giveUp ends an import that cannot be finished: what is acknowledged is
// durable, and a run deletes nothing.
func (im *importer) giveUp(run string, cause error) error {
	im.bar.end(cause)
	im.mu.Lock()
	done := im.counts.Recorded + im.counts.Unchanged
	im.mu.Unlock()

	if errors.Is(cause, context.Canceled) {
		cause = errors.New("interrupted")
	}
	err := fmt.Errorf("%w\n%d observations are durable; the same import may be run again", cause, done)
	if run == "" {
		return err
	}
	const open = "the run stays open until it times out, and nothing was deleted"
	var gone *client.Unreachable
	if errors.As(cause, &gone) {
		return fmt.Errorf("%w\n%s", err, open)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if _, aborting := im.conn.AbortRun(ctx, &varvev1.AbortRunRequest{Name: run, Reason: cause.Error()}); aborting != nil {
		return fmt.Errorf("%w\n%s", err, open)
	}
	return fmt.Errorf("%w\nthe run is aborted and nothing was deleted", err)
}
