package awsconfig

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/history"
)

// What goes wrong within an operation is for the log; its client learns that it
// was us, and the next request is answered.
func TestWhatGoesWrongInside(t *testing.T) {
	var (
		log      bytes.Buffer
		observed []string
		answers  func(context.Context) error
	)
	d := answering(Options{
		Authenticate: Anyone("123456789012"), Slow: time.Nanosecond,
		Logger:  slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Observe: func(operation, code string, _ time.Duration) { observed = append(observed, operation+" "+code) },
	}, func(ctx context.Context) error { return answers(ctx) })

	for _, tt := range []struct {
		name         string
		answers      func(context.Context) error
		cancelled    bool
		status       int
		body, logged string
	}{
		{"Panic", func(context.Context) error { panic("key 7 of /var/lib") }, false, 500, `{"__type":"InternalFailure","message":"internal error"}`, "serve_internal_test.go"},
		{"Unknown", func(context.Context) error { return errors.New("key 7 of /var/lib") }, false, 500, `{"__type":"InternalFailure","message":"internal error"}`, "key 7 of"},
		{"Damaged", func(context.Context) error { return fmt.Errorf("page 7: %w", history.DataLoss) }, false, 500, `{"__type":"InternalFailure","message":"internal error"}`, "page 7"},
		{"Closed", func(context.Context) error { return history.Unavailable }, false, 503, `{"__type":"ServiceUnavailable"`, "ServiceUnavailable"},
		{"HungUp", func(ctx context.Context) error { return ctx.Err() }, true, 503, `{"__type":"ServiceUnavailable"`, "slow call"},
		{"OK", func(context.Context) error { return nil }, false, 200, `{`, "slow call"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log.Reset()
			answers = tt.answers
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if tt.cancelled {
				cancel()
			}
			r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(`{"NextToken":"confidential"}`))
			r.Header.Set("X-Amz-Target", "StarlingDoveService.DescribeConfigRules")
			w := httptest.NewRecorder()
			d.ServeHTTP(w, r)
			if w.Code != tt.status || !strings.HasPrefix(w.Body.String(), tt.body) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if got := log.String(); !strings.Contains(got, tt.logged) || !strings.Contains(got, "method=DescribeConfigRules") || strings.Contains(got, "confidential") {
				t.Error(got)
			}
			if failed := strings.Contains(log.String(), "level=ERROR"); failed != (tt.status >= 500 && !tt.cancelled) {
				t.Error(log.String())
			}
		})
	}
	want := "DescribeConfigRules InternalFailure,DescribeConfigRules InternalFailure,DescribeConfigRules InternalFailure,DescribeConfigRules ServiceUnavailable,DescribeConfigRules ServiceUnavailable,DescribeConfigRules "
	if got := strings.Join(observed, ","); got != want {
		t.Errorf("observed %s", got)
	}
}

// answering is a door of which one operation answers, whatever it is asked.
func answering(o Options, answer func(context.Context) error) *Door {
	d := New(o)
	op := d.operations["DescribeConfigRules"]
	op.answer = func(ctx context.Context, _ Caller, _ any) (any, error) {
		return &shape.DescribeConfigRulesOutput{}, answer(ctx)
	}
	d.operations[op.Name] = op
	return d
}

// Whatever is wrong with a request as such is told in AWS's shape.
func TestProtocolErrors(t *testing.T) {
	d := answering(Options{Authenticate: Anyone("123456789012")}, func(context.Context) error { return nil })
	const ours = "StarlingDoveService.DescribeConfigRules"
	for name, tt := range map[string]struct {
		target, body, code, text string
	}{
		"NoTarget":          {"", "{}", "UnknownOperationException", "X-Amz-Target names no operation"},
		"TargetOfAnother":   {"DynamoDB_20120810.ListTables", "{}", "UnknownOperationException", "X-Amz-Target names no operation"},
		"UnknownOperation":  {"StarlingDoveService.DescribeEverything", "{}", "UnknownOperationException", "DescribeEverything is no operation of AWS Config"},
		"EmptyOperation":    {"StarlingDoveService.", "{}", "UnknownOperationException", "is no operation"},
		"NotOffered":        {"StarlingDoveService.PutRemediationConfigurations", "{}", "UnknownOperationException", "PutRemediationConfigurations is not offered here: what is recorded here is not changed from here"},
		"NotJSON":           {ours, "Action=DescribeConfigRules", "SerializationException", "not valid JSON"},
		"NotAnObject":       {ours, `["r"]`, "SerializationException", "object"},
		"CutOff":            {ours, `{"ConfigRuleNames":["r`, "SerializationException", "ends within its JSON"},
		"SomethingMore":     {ours, `{}{}`, "SerializationException", "follows the JSON object"},
		"TwiceTheSame":      {ours, `{"NextToken":"a","NextToken":"b"}`, "SerializationException", "duplicate"},
		"OtherType":         {ours, `{"ConfigRuleNames":"r"}`, "SerializationException", ""},
		"NestedDeep":        {ours, `{"x":` + strings.Repeat("[", 1<<20), "SerializationException", "exceeded max depth"},
		"NestedDeepObjects": {ours, strings.Repeat(`{"x":`, 1<<18), "SerializationException", "exceeded max depth"},
		"TooLarge":          {ours, `{"x":"` + strings.Repeat("x", MaxBody) + `"}`, "RequestEntityTooLargeException", "more than 4194304 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(tt.body))
			if tt.target != "" {
				r.Header.Set("X-Amz-Target", tt.target)
			}
			w := httptest.NewRecorder()
			d.ServeHTTP(w, r)
			var told struct {
				Type    string `json:"__type"`
				Message string `json:"message"`
			}
			if err := json.Unmarshal(w.Body.Bytes(), &told); err != nil {
				t.Error(err)
			}
			if w.Code != http.StatusBadRequest || told.Type != tt.code || w.Header().Get("X-Amzn-Errortype") != tt.code || !strings.Contains(told.Message, tt.text) {
				t.Errorf("got  %d %s\nwant %s … %s", w.Code, w.Body, tt.code, tt.text)
			}
			if w.Header().Get("Content-Type") != "application/x-amz-json-1.1" || w.Header().Get("X-Amzn-Requestid") == "" {
				t.Error(w.Header())
			}
		})
	}
}

// A body that breaks off is one that cannot be read.
func TestBodyBreaksOff(t *testing.T) {
	d := answering(Options{Authenticate: Anyone("123456789012")}, func(context.Context) error { return nil })
	r := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(strings.NewReader("{"), iotest.ErrReader(io.ErrUnexpectedEOF)))
	r.Header.Set("X-Amz-Target", "StarlingDoveService.DescribeConfigRules")
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	if want := `{"__type":"SerializationException","message":"the body cannot be read to its end"}`; w.Code != 400 || w.Body.String() != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// Requests may have no body at all, as older clients send them, and any content type.
func TestTolerance(t *testing.T) {
	d := answering(Options{Authenticate: Anyone("123456789012")}, func(context.Context) error { return nil })
	for _, content := range []string{"", "application/json", "text/plain; charset=utf-8"} {
		r := httptest.NewRequest(http.MethodPost, "/", http.NoBody)
		r.Header.Set("X-Amz-Target", "StarlingDoveService.DescribeConfigRules")
		r.Header.Set("Content-Type", content)
		w := httptest.NewRecorder()
		d.ServeHTTP(w, r)
		if w.Code != 200 {
			t.Errorf("%q: %d %s", content, w.Code, w.Body)
		}
	}
}

// Who is kept out before he gets to the door is told so in AWS's shape.
func TestRefuse(t *testing.T) {
	w := httptest.NewRecorder()
	New(Options{}).Refuse(w, "the host is none of ours")
	if want := `{"__type":"AccessDeniedException","message":"the host is none of ours"}`; w.Code != 403 || w.Body.String() != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
