package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	"github.com/varvehq/varve/api/internal/fault"
	"github.com/varvehq/varve/history"
)

// answerError implements runtime.ErrorHandlerFunc: the body is a
// google.rpc.Status, the HTTP status that of the fault table.
func (g *gateway) answerError(ctx context.Context, mux *runtime.ServeMux, m runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
	if b, ok := r.Body.(*body); ok && b.refused != nil {
		err = b.reason()
	}
	var own *runtime.HTTPStatusError
	if errors.As(err, &own) { // an escape in the path that is none
		err = errPath
	}
	st := fault.Status(err)
	runtime.DefaultHTTPErrorHandler(withoutMask(ctx), mux, m, challenge{w}, r, &runtime.HTTPStatusError{
		HTTPStatus: fault.HTTPStatus(st, runtime.HTTPStatusFromCode), Err: st.Err(),
	})
}

// challenge tells whom we do not know how to make himself known; the runtime would
// put our words where the name of a scheme belongs.
type challenge struct{ http.ResponseWriter }

func (c challenge) WriteHeader(code int) {
	if code == http.StatusUnauthorized {
		c.Header().Set("WWW-Authenticate", "Bearer")
	}
	c.ResponseWriter.WriteHeader(code)
}

// Unwrap is for http.ResponseController.
func (c challenge) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// answerRouting implements runtime.RoutingErrorHandlerFunc.
func (g *gateway) answerRouting(ctx context.Context, mux *runtime.ServeMux, m runtime.Marshaler, w http.ResponseWriter, r *http.Request, httpStatus int) {
	err := fault.UnknownPath.Because(fmt.Sprintf("%s is not a path of this API; GET /openapi.json lists them", r.URL.Path))
	switch httpStatus {
	case http.StatusMethodNotAllowed:
		err = fault.MethodNotAllowed.Because(fmt.Sprintf("%s does not take %s", r.URL.Path, r.Method))
	case http.StatusBadRequest:
		err = errPath
	}
	g.answerError(ctx, mux, m, w, r, err)
}

// fail answers an error of our own.
func (g *gateway) fail(w http.ResponseWriter, r *http.Request, err error) {
	g.answerError(r.Context(), g.mux, marshaler{}, w, r, err)
}

// withoutMask keeps a mask off errors, which have no items.
func withoutMask(ctx context.Context) context.Context {
	return context.WithValue(ctx, maskKey{}, nil)
}

var (
	errPath         = &history.Error{Kind: history.Invalid, Field: "path", Text: "is malformed"}
	errBodyTooLarge = &history.Error{Kind: history.TooLarge, Field: "body", Text: "is larger than 64 MiB; send less at a time"}
)
