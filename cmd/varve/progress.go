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

// progressBar shows how far an import is, if standard error is a terminal; else
// it only writes lines there.
type progressBar struct {
	app *app

	mu      sync.Mutex
	writer  progress.Writer
	tracker *progress.Tracker
	done    int64 // bytes of the files before this one
	file    *source.File
	stopped atomic.Bool
	ended   chan struct{}
}

func newProgress(a *app, files []string) *progressBar {
	p := &progressBar{app: a}
	if !a.errScreen.Terminal {
		return p
	}
	var total int64 // 0 = not known
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil || !info.Mode().IsRegular() {
			total = 0
			break
		}
		total += info.Size()
	}
	p.tracker = &progress.Tracker{Message: "importing", Total: total, Units: progress.UnitsBytes}
	p.writer = progress.NewWriter()
	p.writer.SetOutputWriter(a.stderr)
	p.writer.SetTrackerLength(30)
	p.writer.SetUpdateFrequency(100 * time.Millisecond)
	style := progress.StyleBlocks
	style.Options.DoneString = "done"
	style.Options.TimeInProgressPrecision = time.Second
	style.Options.TimeDonePrecision = time.Millisecond
	if a.errScreen.Color {
		style.Colors.Tracker = text.Colors{text.FgCyan}
		style.Colors.Stats = text.Colors{text.Faint}
	}
	p.writer.SetStyle(style)
	p.writer.AppendTracker(p.tracker)

	p.ended = make(chan struct{})
	go func() {
		defer close(p.ended)
		p.writer.Render()
	}()
	go p.follow()
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

// stop takes the bar away, however often it is called.
func (p *progressBar) stop() {
	if p.writer == nil || p.stopped.Swap(true) {
		return
	}
	p.tracker.MarkAsDone()
	p.writer.Stop()
	<-p.ended
}
