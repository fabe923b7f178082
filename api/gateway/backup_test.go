package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/varvehq/varve/api/internal/apitest"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/history/memory"
)

func TestBackup(t *testing.T) {
	t.Run("IsTheFile", func(t *testing.T) {
		s, err := bolt.Open(t.TempDir(), bolt.Options{Linker: graph.Linker{}, NoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		d := open(t, apitest.Options{Store: s})
		d.Record(t, observation("a", `1`))
		code, file := d.Get(t, "/v1/backup")
		if code != http.StatusOK {
			t.Fatalf("%d %s", code, file)
		}
		got, err := bolt.Restore(context.Background(), bytes.NewReader(file), t.TempDir(), bolt.CopyOptions{})
		if err != nil || got.Revision != 1 {
			t.Errorf("restored %+v, %v", got, err)
		}
	})
	t.Run("RefusalIsAnError", func(t *testing.T) {
		d := open(t, apitest.Options{Store: plain{memory.New(memory.Options{})}})
		code, body := d.Get(t, "/v1/backup")
		fault(t, code, body, http.StatusNotImplemented, history.Unimplemented)
		code, body = d.Get(t, "/v1/backup?x=1")
		fault(t, code, body, http.StatusBadRequest, history.Invalid)
		if code, _ := d.Post(t, "/v1/backup", ""); code != http.StatusMethodNotAllowed {
			t.Errorf("POST: %d", code)
		}
	})
	t.Run("BrokenOffIsNotTakenForWhole", func(t *testing.T) {
		d := open(t, apitest.Options{Store: failingBackup{memory.New(memory.Options{})}})
		resp, err := http.Get("http://" + d.HTTP + "/v1/backup")
		if err != nil {
			return // broken off before the first bytes were on their way
		}
		defer resp.Body.Close()
		if b, err := io.ReadAll(resp.Body); err == nil {
			t.Errorf("read %d bytes to their end", len(b))
		}
	})
}

// plain is a store without optional powers.
type plain struct{ history.Store }

// failingBackup breaks off after a chunk.
type failingBackup struct{ history.Store }

func (failingBackup) Backup(_ context.Context, write func([]byte) error) error {
	return errors.Join(write(make([]byte, 1000)), errors.New("a damaged value"))
}
