package gateway

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// deadlines is an answer that notes its deadline and when that is looked at.
type deadlines struct {
	*httptest.ResponseRecorder
	set, flushed time.Time
}

func (d *deadlines) SetWriteDeadline(t time.Time) error { d.set = t; return nil }
func (d *deadlines) FlushError() error                  { d.flushed = d.set; return nil }

// A stream may be silent between its messages, but not stall while one is sent.
func TestSilenceIsNoStall(t *testing.T) {
	d := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	bounded(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("x"))
		if d.set.IsZero() {
			t.Error("a write has no deadline")
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
	})).ServeHTTP(d, httptest.NewRequest(http.MethodGet, "/", nil))
	if d.flushed.IsZero() || !d.set.IsZero() {
		t.Errorf("flushed under the deadline %v, silent under %v", d.flushed, d.set)
	}
}
