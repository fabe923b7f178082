package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// webhook takes what webhooks post, or does not.
type webhook struct {
	mu     sync.Mutex
	status int
	taken  []string      // bodies
	signed []string      // their signatures
	more   chan struct{} // closed when one more was taken
}

func (r *webhook) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil && r.status < 300 {
		r.taken, r.signed = append(r.taken, string(body)), append(r.signed, req.Header.Get("Webhook-Signature"))
		close(r.more)
		r.more = make(chan struct{})
	}
	w.WriteHeader(r.status)
}

// wait returns all that was taken once it is so many messages.
func (r *webhook) wait(n int) (taken, signed []string, enough bool) {
	late := time.After(time.Minute)
	for {
		r.mu.Lock()
		taken, signed, more := r.taken, r.signed, r.more
		r.mu.Unlock()
		if len(taken) >= n {
			return taken, signed, true
		}
		select {
		case <-more:
		case <-late:
			return taken, signed, false
		}
	}
}

type receiverKey struct{}

// scriptReceiver is a receiver of webhooks.
func scriptReceiver(ts *testscript.TestScript, neg bool, args []string) {
	r, _ := ts.Value(receiverKey{}).(*webhook)
	switch {
	case !neg && len(args) == 1 && args[0] == "start":
		r.status, r.more = http.StatusNoContent, make(chan struct{})
		server := httptest.NewServer(r)
		ts.Setenv("RECEIVER", server.URL)
		ts.Defer(server.Close)
	case !neg && len(args) == 2 && args[0] == "answers":
		status, err := strconv.Atoi(args[1])
		ts.Check(err)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.status = status
	case !neg && len(args) == 3 && args[0] == "got":
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		taken, signed, enough := r.wait(n)
		if !enough || len(taken) > n {
			ts.Fatalf("%d messages were taken, want %d:\n%s", len(taken), n, strings.Join(taken, "\n"))
		}
		ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(strings.Join(taken, "\n")+"\n"), 0o600))
		ts.Check(os.WriteFile(ts.MkAbs(args[2]+".signed"), []byte(strings.Join(signed, "\n")+"\n"), 0o600))
	default:
		ts.Fatalf("usage: receiver start|answers CODE|got N FILE")
	}
}

// scriptUntil asks again and again until it gets the answer.
func scriptUntil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until REGEXP COMMAND…")
	}
	want, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	for late := time.Now().Add(time.Minute); ; {
		err := ts.Exec(args[1], args[2:]...)
		if err == nil && want.MatchString(ts.ReadFile("stdout")) {
			return
		}
		if time.Now().After(late) {
			ts.Fatalf("no %q in time (%v)", args[0], err)
		}
	}
}
