package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"

	"google.golang.org/grpc/metadata"

	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// backup answers with the bytes of a backup file as they are, which generated
// code would wrap in JSON.
type backup struct {
	g      *gateway
	client varvev1.MaintenanceServiceClient
}

func (b *backup) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.RawQuery != "" {
		b.g.fail(w, r, &history.Error{Kind: history.Invalid, Field: "query", Text: "a backup takes none"})
		return
	}
	stream, err := b.client.Backup(passedOn(r), &varvev1.BackupRequest{})
	for first := true; ; first = false {
		var part *varvev1.BackupResponse
		if err == nil {
			part, err = stream.Recv()
		}
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil && first:
			b.g.fail(w, r, err)
			return
		case err != nil:
			panic(http.ErrAbortHandler) // all that tells the client by now that the file is not whole
		case first:
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Header().Set("Content-Disposition", `attachment; filename="varve.backup"`)
		}
		if _, err := w.Write(part.GetChunk()); err != nil {
			return // the client is gone
		}
	}
}

// passedOn is the context of a call that a request makes without generated code,
// with the headers that this would pass on.
func passedOn(r *http.Request) context.Context {
	ctx := r.Context()
	for _, name := range []string{"x-request-id", "authorization"} {
		if v := r.Header.Get(name); v != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, name, v)
		}
	}
	return ctx
}
