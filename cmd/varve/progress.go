package main

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/varvehq/varve/recorder/source"
)

// bar shows how far something is, if standard error is a terminal; else nothing.
type bar struct {
	app     *app
	writer  progress.Writer // nil: no terminal
	tracker *progress.Tracker
	stopped atomic.Bool
	ended   chan struct{}
}

// newBar shows a bar; a total of 0 is not known.
func newBar(a *app, message string, total int64, units progress.Units) *bar {
	b := &bar{app: a}
	if !a.errScreen.Terminal {
		return b
	}
	b.tracker = &progress.Tracker{Message: message, Total: total, Units: units}
	b.writer = progress.NewWriter()
	b.writer.SetOutputWriter(a.stderr)
	b.writer.SetTrackerLength(30)
	b.writer.SetUpdateFrequency(100 * time.Millisecond)
	style := progress.StyleBlocks
	style.Options.DoneString, style.Options.ErrorString = "done", "stopped"
	style.Options.TimeInProgressPrecision = time.Second
	style.Options.TimeDonePrecision = time.Millisecond
	if a.errScreen.Color {
		style.Colors.Tracker = text.Colors{text.FgCyan}
		style.Colors.Stats = text.Colors{text.Faint}
	}
	b.writer.SetStyle(style)
	b.writer.AppendTracker(b.tracker)

	b.ended = make(chan struct{})
	go func() {
		defer close(b.ended)
		b.writer.Render()
	}()
	return b
}

// reached moves the bar.
func (b *bar) reached(done, total uint64) {
	if b.writer != nil {
		b.tracker.UpdateTotal(int64(total))
		b.tracker.SetValue(int64(done))
	}
}

// end leaves the bar as done or, with an error, as stopped: as it was ended
// first, however often it is called.
func (b *bar) end(err error) {
	if b.stopped.Swap(true) || b.writer == nil {
		return
	}
	if err != nil {
		b.tracker.MarkAsErrored()
	} else {
		b.tracker.MarkAsDone()
	}
	b.writer.Stop()
	<-b.ended
}

// progressBar shows how far an import is; without a terminal it only writes
// lines.
type progressBar struct {
	*bar

	mu   sync.Mutex
	done int64 // bytes of the files before this one
	file *source.File
}

func newProgress(a *app, files []string) *progressBar {
	var total int64
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil || !info.Mode().IsRegular() {
			total = 0
			break
		}
		total += info.Size()
	}
	p := &progressBar{bar: newBar(a, "importing", total, progress.UnitsBytes)}
	if p.writer != nil {
		go p.follow()
	}
	return p
}

// follow moves the bar while files are read.
func (p *progressBar) follow() {
	for !p.stopped.Load() {
		p.mu.Lock()
		if p.file != nil {
			p.tracker.SetValue(p.done + p.file.BytesRead())
		}
		p.mu.Unlock()
		time.Sleep(100 * time.Millisecond)
	}
}

// reading says which file is read from now on.
func (p *progressBar) reading(file *source.File) {
	if p.writer == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file != nil {
		p.done += p.file.BytesRead()
	}
	p.file = file
	p.tracker.UpdateMessage(file.Name)
}

// log writes a line to standard error, above the bar.
func (p *progressBar) log(line string) {
	if p.writer == nil || p.stopped.Load() {
		fmt.Fprintln(p.app.stderr, line)
		return
	}
	p.writer.Log("%s", line)
}
