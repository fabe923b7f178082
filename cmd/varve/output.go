package main

import (
	"bufio"
	"bytes"
	"io"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/terminal"
)

// writeJSON writes a value on a line of standard output.
func (a *app) writeJSON(v any) error {
	text, err := a.marshal(v)
	if err != nil {
		return err
	}
	_, err = a.stdout.Write(append(text, '\n'))
	return err
}

// marshal writes a value as JSON, in escapes where a terminal would act on it.
func (a *app) marshal(v any) ([]byte, error) {
	text, err := answer.Marshal(v)
	if err == nil && a.screen.Terminal {
		text = terminal.CleanJSON(text)
	}
	return text, err
}

// page collects what is written for people, so that it appears at once or not
// at all.
func (a *app) page(write func(w io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	_, err := b.WriteTo(a.stdout)
	return err
}

// array starts an object whose only member is an array, written as it comes.
// Nothing is written before its first element or its end.
func (a *app) array(name string) *arrayWriter {
	return &arrayWriter{app: a, out: bufio.NewWriter(a.stdout), before: `{"` + name + `":[`}
}

type arrayWriter struct {
	app    *app
	out    *bufio.Writer
	before string // what stands before the next element
}

func (w *arrayWriter) add(v any) error {
	text, err := w.app.marshal(v)
	if err != nil {
		return err
	}
	_, _ = w.out.WriteString(w.before) // the writer keeps its error
	w.before = ","
	_, err = w.out.Write(text)
	return err
}

func (w *arrayWriter) close() error {
	if w.before != "," {
		_, _ = w.out.WriteString(w.before)
	}
	_, _ = w.out.WriteString("]}\n")
	return w.out.Flush()
}

// closeWith ends the array and adds the members of another object.
func (w *arrayWriter) closeWith(members any) error {
	text, err := w.app.marshal(members)
	if err != nil {
		return err
	}
	if w.before != "," {
		_, _ = w.out.WriteString(w.before)
	}
	_, _ = w.out.WriteString("]," + string(text[1:]) + "\n") // the writer keeps its error
	return w.out.Flush()
}
