package gateway_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/varvehq/varve/api/internal/apitest"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history/memory"
)

// sse reads an event stream by the letter of its specification, and refuses what
// that allows but nobody writes on purpose.
// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
type sse struct {
	testing.TB
	lines  *bufio.Reader
	lastID string
	retry  string
}

type serverEvent struct{ kind, data, id string }

func (s *sse) next() (serverEvent, bool) {
	s.Helper()
	var e serverEvent
	var data []string
	for {
		line, err := s.lines.ReadString('\n')
		if errors.Is(err, io.EOF) && line == "" {
			return e, false // what was not ended by an empty line is dropped
		}
		if err != nil {
			s.Fatalf("%q: %v", line, err)
		}
		if line = strings.TrimSuffix(line, "\n"); strings.ContainsAny(line, "\r\x00\ufeff") {
			s.Fatalf("%q holds an end of line, or NUL or a byte order mark", line)
		}
		if line == "" {
			if len(data) == 0 {
				e = serverEvent{}
				continue
			}
			e.data, e.id = strings.Join(data, "\n"), s.lastID
			return e, true
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "": // a comment
		case "data":
			data = append(data, value)
		case "event":
			e.kind = value
		case "id":
			s.lastID = value
		case "retry":
			s.retry = value
		default:
			s.Fatalf("%q is no field of an event", line)
		}
	}
}

// eventStream asks for server-sent events.
func eventStream(t *testing.T, d *apitest.Doors, query string, header map[string]string) *sse {
	t.Helper()
	code, kind, body := ask(t, d, query, "text/event-stream", header)
	if code != 200 || kind != "text/event-stream" {
		text, _ := io.ReadAll(body)
		t.Fatalf("%d %s %s", code, kind, text)
	}
	return &sse{TB: t, lines: bufio.NewReader(body)}
}

// ask begins to watch, and returns status, Content-Type and body, which lasts as
// long as the test.
func ask(t *testing.T, d *apitest.Doors, query, accept string, header map[string]string) (code int, kind string, body io.Reader) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+d.HTTP+"/v1/changes:watch?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	for k, v := range header {
		if k == "Host" {
			req.Host = v
		}
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp.StatusCode, resp.Header.Get("Content-Type"), resp.Body
}

const exactDoc = `{"":1e400,"a":1.0,"big":12345678901234567890,"text":"\n\r\u2028é🦀"}`

func TestServerSentEvents(t *testing.T) {
	store := memory.New(memory.Options{Linker: graph.Linker{}, StoreID: [16]byte{1, 2, 3}})
	d := open(t, apitest.Options{Store: store})
	s := eventStream(t, d, "", nil)
	start, ok := s.next()
	if !ok || start.kind != "progress" || s.retry != "1000" || start.data != `{"position":"`+start.id+`"}` {
		t.Fatalf("begins with %+v, retry %q", start, s.retry)
	}
	for i := range 5 {
		d.Record(t, observation(fmt.Sprint("a", i), exactDoc))
	}
	var seen []serverEvent
	for range 5 {
		e, _ := s.next()
		if e.kind != "change" {
			t.Fatalf("%+v", e)
		}
		seen = append(seen, e)
	}
	var change struct {
		Change struct{ Position, Sequence, Kind string }
		After  struct{ Configuration json.RawMessage }
	}
	if err := json.Unmarshal([]byte(seen[4].data), &change); err != nil {
		t.Fatal(err)
	}
	if change.Change.Position != seen[4].id || change.Change.Sequence != "5" || change.Change.Kind != "created" {
		t.Errorf("%+v", change)
	}
	for _, number := range []string{`"":1e400`, `"a":1.0`, `"big":12345678901234567890`, `é🦀`} {
		if !bytes.Contains(change.After.Configuration, []byte(number)) {
			t.Errorf("%s has no %s", change.After.Configuration, number)
		}
	}

	t.Run("LastEventIDResumes", func(t *testing.T) {
		again := eventStream(t, d, "since=1999-01-01T00:00:00Z", map[string]string{"Last-Event-ID": seen[2].id})
		if mark, _ := again.next(); mark.id != seen[2].id || mark.kind != "progress" {
			t.Errorf("goes on at %+v", mark)
		}
		if e, _ := again.next(); e.id != seen[3].id {
			t.Errorf("goes on with %+v", e)
		}
	})
	t.Run("TakesTheQuery", func(t *testing.T) {
		filtered := eventStream(t, d, "view=VIEW_HEAD&since=1999-01-01T00:00:00Z&filter="+url.QueryEscape(`id == "a3"`), nil)
		filtered.next()
		if e, _ := filtered.next(); e.id != seen[3].id || strings.Contains(e.data, "configuration") {
			t.Errorf("%+v", e)
		}
	})
	t.Run("EndsWithAFailureThatSaysWhy", func(t *testing.T) {
		d.Server.Drain()
		for {
			e, ok := s.next()
			if !ok {
				t.Fatal("ends without a word")
			}
			if e.kind == "progress" {
				continue
			}
			if e.kind != "failure" || !strings.Contains(e.data, "UNAVAILABLE") || e.id == "" {
				t.Errorf("%+v", e)
			}
			break
		}
		if e, ok := s.next(); ok {
			t.Errorf("goes on with %+v", e)
		}
		next := open(t, apitest.Options{Store: store}) // the daemon has come back
		next.Record(t, observation("b", `1`))
		again := eventStream(t, next, "", map[string]string{"Last-Event-ID": s.lastID})
		again.next()
		if e, _ := again.next(); !strings.Contains(e.data, `"sequence":"6"`) {
			t.Errorf("goes on with %+v", e)
		}
	})
}

func TestWatchInLines(t *testing.T) {
	d := open(t, apitest.Options{})
	for _, accept := range []string{"*/*", "application/x-ndjson", ""} {
		code, kind, body := ask(t, d, "", accept, nil)
		if code != 200 || kind != "application/x-ndjson" {
			t.Fatalf("%d %s", code, kind)
		}
		lines := bufio.NewScanner(body)
		if !lines.Scan() || !strings.HasPrefix(lines.Text(), `{"result":{"progress":{"position":"`) {
			t.Fatalf("begins with %s", lines.Text())
		}
		d.Record(t, observation("a"+accept, exactDoc))
		if !lines.Scan() || !strings.HasPrefix(lines.Text(), `{"result":{"change":{"change":{"position":"`) || !strings.Contains(lines.Text(), `"":1e400,"a":1.0`) {
			t.Fatalf("goes on with %s", lines.Text())
		}
	}
}

// What keeps strangers out of the other paths does so here, and mistakes get the
// same answers, whatever form was asked for.
func TestWatchIsGuarded(t *testing.T) {
	d := open(t, apitest.Options{})
	for _, accept := range []string{"text/event-stream", "application/json"} {
		for name, c := range map[string]struct {
			query  string
			header map[string]string
			code   int
		}{
			"Host":     {"", map[string]string{"Host": "evil.example"}, 421},
			"Origin":   {"", map[string]string{"Origin": "http://evil.example"}, 403},
			"Site":     {"", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
			"Member":   {"colour=red", nil, 400},
			"View":     {"view=RED", nil, 400},
			"Filter":   {"filter=type+%3D%3D", nil, 400},
			"Position": {"position=x", nil, 400},
			"LastID":   {"position=x", map[string]string{"Last-Event-ID": "x"}, 400},
		} {
			code, kind, stream := ask(t, d, c.query, accept, c.header)
			body, _ := io.ReadAll(stream)
			var line struct{ Error json.RawMessage } // a stream that ends before it begins
			if json.Unmarshal(body, &line) == nil && line.Error != nil && accept != "text/event-stream" {
				body = line.Error
			}
			if code != c.code || kind != "application/json" || apitest.ReadFault(t, body).Message == "" {
				t.Errorf("%s, %s: %d %s %s", accept, name, code, kind, body)
			}
		}
	}
	code, body := d.Post(t, "/v1/changes:watch", "{}")
	if code != http.StatusMethodNotAllowed {
		t.Errorf("%d %s", code, body)
	}
}
