package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history/bolt"
)

// A damaged file can make whoever reads it fault, panic, or never come to an end.
// The verification is built to make findings of all that; if it should miss one,
// it costs a process of its own, which tells what it finds line by line, and
// whose death is a finding too.

// examined is one line of what the examining process tells. The last one has no
// finding.
type examined struct {
	Finding *finding      `json:"finding,omitzero"`
	Sum     *verification `json:"sum,omitzero"`
	Error   string        `json:"error,omitempty"`
}

// examine reads a store and tells what it finds as lines on standard output.
func (a *app) examine(ctx context.Context, dir string) error {
	debug.SetMaxStack(maxStack)
	go watchMemory(fileSize(dir))
	sum, err := bolt.Verify(ctx, dir, graph.Linker{}, func(f bolt.Finding) {
		of := findingOf(f)
		_ = a.writeJSON(examined{Finding: &of})
	})
	if err != nil {
		return a.writeJSON(examined{Error: err.Error()})
	}
	return a.writeJSON(examined{Sum: &verification{
		Resources: sum.Resources, Versions: sum.Versions, Changes: sum.Changes, Sightings: sum.Sightings,
		Runs: sum.Runs, Documents: sum.Documents, LogEntries: sum.LogEntries, FileBytes: sum.FileBytes, LiveBytes: sum.LiveBytes,
	}})
}

// Pages that lead in a circle, were they not found before, are followed for ever,
// by recursion or with a list of pages in memory. Both are bounded: a whole file
// needs a few levels of recursion, and less memory than it has bytes.
const (
	maxStack   = 8 << 20
	leastLimit = 512 << 20
)

// watchMemory ends the process when it holds more than a file of that size can
// need.
func watchMemory(fileBytes int64) {
	limit := leastLimit + 4*uint64(fileBytes)
	held := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	for range time.Tick(50 * time.Millisecond) {
		if metrics.Read(held); held[0].Value.Uint64() > limit {
			panic("its pages lead in a circle")
		}
	}
}

func fileSize(dir string) int64 {
	info, err := os.Stat(filepath.Join(dir, bolt.FileName))
	if err != nil {
		return 0
	}
	return info.Size()
}

// verify has a store examined. The error tells that there is nothing to examine.
func verify(ctx context.Context, dir string) (verification, error) {
	program, err := os.Executable()
	if err != nil {
		return verification{}, err
	}
	var stderr bytes.Buffer
	child := exec.CommandContext(ctx, program, "verify", "--in-process", "--data", dir)
	child.Args[0] = os.Args[0]
	child.Env = append(os.Environ(), "GOTRACEBACK=none")
	child.Stderr = &stderr
	stdout, err := child.StdoutPipe()
	if err != nil {
		return verification{}, err
	}
	if err := child.Start(); err != nil {
		return verification{}, err
	}
	findings, end := readExamined(stdout)
	err = child.Wait()

	first, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n")
	switch {
	case ctx.Err() != nil:
		return verification{}, errors.New("interrupted")
	case diedOfDamage(child.ProcessState):
		return brokenOff(dir, findings, orText(first, child.ProcessState.String())), nil
	case end.Error != "":
		return verification{}, errors.New(end.Error)
	case err != nil || end.Sum == nil:
		return verification{}, fmt.Errorf("the verification ended early: %s", orText(first, child.ProcessState.String()))
	}
	v := *end.Sum
	v.Findings = findings
	return v, nil
}

// readExamined reads the lines to their end. A last one that was cut off is as
// good as none.
func readExamined(r io.Reader) (findings []finding, end examined) {
	findings = []finding{}
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return findings, end
		}
		var e examined
		switch {
		case json.Unmarshal(line, &e) != nil:
		case e.Finding != nil:
			findings = append(findings, *e.Finding)
		default:
			end = e
		}
	}
}

// diedOfDamage tells a process that ended by a panic, a fault or a signal. One
// that ends by itself exits with 0 or 1.
func diedOfDamage(state *os.ProcessState) bool {
	return state.ExitCode() == 2 || !state.Exited()
}

// brokenOff is what is known of a store that cannot be read to the end.
func brokenOff(dir string, findings []finding, detail string) verification {
	detail = strings.TrimPrefix(detail, "panic: ")
	return verification{broken: true, FileBytes: fileSize(dir), Findings: append(findings, finding{
		Bucket: "file", Text: "it is damaged so that it cannot be read to the end: " + detail,
	})}
}

// orText is text, or what to say if it is empty.
func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
