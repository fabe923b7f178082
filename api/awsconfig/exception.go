package awsconfig

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/api/awsconfig/sigv4"
	"github.com/varvehq/varve/api/internal/fault"
	"github.com/varvehq/varve/history"
)

// Exception is an error as AWS tells it.
type Exception struct {
	Code    string // NoSuchConfigRuleException
	Message string
	Status  int // of HTTP
}

func (e *Exception) Error() string { return e.Code + ": " + e.Message }

// refuse is an exception for which the request is to blame.
func refuse(code, text string, args ...any) error {
	return &Exception{code, fmt.Sprintf(text, args...), http.StatusBadRequest}
}

// exception is what is told of an error. Handlers give exceptions of their own
// where AWS has one for the case; what the domain says of itself is told by the
// table of package fault.
func exception(err error) *Exception {
	var (
		own        *Exception
		unsigned   *sigv4.Error
		malformed  *shape.Malformed
		violations shape.Violations
		domain     *history.Error
		kind       history.Kind
	)
	if refused := settingRefused(err); refused != nil {
		return refused
	}
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &unsigned):
		return &Exception{unsigned.Code, unsigned.Message, http.StatusBadRequest}
	case errors.As(err, &malformed):
		return &Exception{"SerializationException", malformed.Text, http.StatusBadRequest}
	case errors.As(err, &violations):
		return &Exception{"ValidationException", violations.Error(), http.StatusBadRequest}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &Exception{"ServiceUnavailable", "the request was not answered in time", http.StatusServiceUnavailable}
	case errors.As(err, &domain):
		return told(domain.Kind, domain.Message())
	case errors.As(err, &kind):
		return told(kind, fault.Status(kind).Message())
	}
	return told(history.Internal, "internal error")
}

func told(kind history.Kind, text string) *Exception {
	e := &Exception{Code: fault.AWSException(kind), Message: text, Status: http.StatusBadRequest}
	switch e.Code {
	case "ServiceUnavailable":
		e.Status = http.StatusServiceUnavailable
	case "InternalFailure":
		e.Status, e.Message = http.StatusInternalServerError, "internal error"
	}
	return e
}

func (e *Exception) write(w http.ResponseWriter) {
	w.Header().Set("X-Amzn-Errortype", e.Code)
	w.WriteHeader(e.Status)
	body, err := json.Marshal(struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}{e.Code, e.Message}, jsontext.AllowInvalidUTF8(true))
	if err == nil {
		_, _ = w.Write(body) // who hung up needs no answer
	}
}
