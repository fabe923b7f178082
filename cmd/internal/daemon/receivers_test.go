package daemon_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// hook is a receiver of webhooks that takes what it likes, until it is healed. What
// it has answered with success it holds for ever.
type hook struct {
	name string
	addr string

	// refuse answers a request and returns true, or leaves it to be taken.
	refuse func(w http.ResponseWriter, r *http.Request, events []arrival) bool

	healed  atomic.Bool
	refused atomic.Int64

	mu       sync.Mutex
	server   *http.Server // nil: it is down
	arrivals []arrival    // taken, in order
}

// arrival is what a receiver needs of an event to prove that it has them all.
type arrival struct {
	Seq, Previous uint64
	ID            string // of the resource
}

func newHook(t *testing.T, name string, refuse func(http.ResponseWriter, *http.Request, []arrival) bool) *hook {
	t.Helper()
	h := &hook{name: name, addr: "127.0.0.1:0", refuse: refuse}
	if err := h.up(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.down)
	return h
}

// up listens where it did before.
func (h *hook) up() error {
	l, err := net.Listen("tcp", h.addr)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.addr = l.Addr().String()
	h.server = &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func(s *http.Server) { _ = s.Serve(l) }(h.server)
	return nil
}

// down cuts every connection.
func (h *hook) down() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.server != nil {
		_ = h.server.Close()
		h.server = nil
	}
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	events, err := readCloudEvents(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !h.healed.Load() && h.refuse != nil && h.refuse(w, r, events) {
		h.refused.Add(1)
		return
	}
	h.mu.Lock()
	h.arrivals = append(h.arrivals, events...)
	h.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

// readCloudEvents reads one event or a batch of them.
func readCloudEvents(body []byte) (list []arrival, err error) {
	type event struct{ Sequence, Previous, Resourceid string }
	var events []event
	if strings.HasPrefix(string(body), "[") {
		err = json.Unmarshal(body, &events)
	} else {
		events = make([]event, 1)
		err = json.Unmarshal(body, &events[0])
	}
	for _, e := range events {
		seq, err := strconv.ParseUint(e.Sequence, 10, 64)
		if err != nil {
			return nil, err
		}
		previous, err := strconv.ParseUint(e.Previous, 10, 64)
		if err != nil {
			return nil, err
		}
		list = append(list, arrival{seq, previous, e.Resourceid})
	}
	return list, err
}

func chance(percent int) bool { return rand.N(100) < percent }

func answer(w http.ResponseWriter, status int) bool {
	w.WriteHeader(status)
	return true
}

// What receivers do, until they are healed.

func failing(w http.ResponseWriter, _ *http.Request, _ []arrival) bool {
	return chance(30) && answer(w, http.StatusInternalServerError)
}

// hanging lets go when the other side does.
func hanging(_ http.ResponseWriter, r *http.Request, _ []arrival) bool {
	if !chance(3) {
		return false
	}
	<-r.Context().Done()
	return true
}

func throttling(w http.ResponseWriter, _ *http.Request, _ []arrival) bool {
	if !chance(10) {
		return false
	}
	w.Header().Set("Retry-After", "1")
	return answer(w, http.StatusTooManyRequests)
}

func leaving(w http.ResponseWriter, _ *http.Request, _ []arrival) bool {
	return chance(1) && answer(w, http.StatusGone)
}

func redirecting(w http.ResponseWriter, _ *http.Request, _ []arrival) bool {
	if !chance(20) {
		return false
	}
	w.Header().Set("Location", "/elsewhere")
	return answer(w, http.StatusTemporaryRedirect)
}

// forgetful answers with an error what it has taken.
func (h *hook) forgetful(w http.ResponseWriter, _ *http.Request, events []arrival) bool {
	if !chance(20) {
		return false
	}
	h.mu.Lock()
	h.arrivals = append(h.arrivals, events...)
	h.mu.Unlock()
	return answer(w, http.StatusBadGateway)
}

// poisoned never takes what tells of some resources.
func poisoned(w http.ResponseWriter, _ *http.Request, events []arrival) bool {
	for _, e := range events {
		if e.ID == "r3" || e.ID == "r17" {
			return answer(w, http.StatusUnprocessableEntity)
		}
	}
	return false
}

func anything(w http.ResponseWriter, r *http.Request, events []arrival) bool {
	all := []func(http.ResponseWriter, *http.Request, []arrival) bool{failing, hanging, throttling, redirecting}
	return all[rand.N(len(all))](w, r, events)
}

// proof is what became of a subscription: the events that came, how many of them
// again, and what is wrong with that.
type proof struct {
	events, again int
	wrong         []string
}

// prove looks whether what arrived is what was to arrive: all of it, in order for
// each resource, and on one chain.
func prove(arrivals []arrival, want []arrival) (p proof) {
	wrong := func(format string, args ...any) {
		if len(p.wrong) < 5 {
			p.wrong = append(p.wrong, fmt.Sprintf(format, args...))
		}
	}
	held, last := map[uint64]arrival{}, map[string]uint64{}
	for _, a := range arrivals {
		if before, ok := held[a.Seq]; ok {
			p.again++
			if before != a {
				wrong("%d was told as %+v, then as %+v", a.Seq, before, a)
			}
			continue
		}
		held[a.Seq] = a
		if a.Seq < last[a.ID] {
			wrong("%d of %s first came after %d", a.Seq, a.ID, last[a.ID])
		}
		last[a.ID] = a.Seq
	}
	p.events = len(held)

	// The receiver's own proof: back from the newest, without looking at anything else.
	var newest uint64
	for seq := range held {
		newest = max(newest, seq)
	}
	steps := 0
	for seq := newest; seq != 0; seq = held[seq].Previous {
		if _, ok := held[seq]; !ok {
			wrong("the chain leads to %d, which did not come", seq)
			break
		}
		steps++
	}
	if steps != len(held) {
		wrong("the chain has %d events, %d came", steps, len(held))
	}

	// And against the feed.
	for _, a := range want {
		if got, ok := held[a.Seq]; !ok || got.ID != a.ID {
			wrong("%d of %s did not come", a.Seq, a.ID)
		}
	}
	if len(want) != len(held) {
		wrong("%d events came, %d were to", len(held), len(want))
	}
	return p
}
