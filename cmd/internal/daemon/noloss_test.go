package daemon_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/cmd/internal/daemon"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// TestDaemonChild is the daemon of TestNothingIsLost.
func TestDaemonChild(t *testing.T) {
	dir := os.Getenv("VARVE_TEST_DAEMON")
	if dir == "" {
		return // not asked to be one
	}
	d := daemon.New(daemon.Options{Dir: dir, GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0",
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))})
	for start := time.Now(); ; { // its predecessor's lock may outlive it by a moment
		err := d.Start(context.Background())
		if err == nil {
			break
		}
		if !errors.Is(err, history.Locked) || time.Since(start) > time.Minute {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	fmt.Println("ready", d.GRPCAddr())
	select {}
}

// mortal is a daemon in a process of its own that is killed now and then.
type mortal struct {
	*testing.T
	dir   string
	kills int

	mu   sync.Mutex
	conn *grpc.ClientConn
	next chan struct{} // closed when there is another conn
}

// live starts the process, and kills it after a while: counted from its beginning,
// or from when it was ready. 0: not.
func (m *mortal) live(after time.Duration, sinceReady bool) (stop func()) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestDaemonChild$")
	cmd.Env = append(os.Environ(), "VARVE_TEST_DAEMON="+m.dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		m.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		m.Fatal(err)
	}
	kill := func() { _ = cmd.Process.Kill() }
	if after > 0 && !sinceReady {
		time.AfterFunc(after, kill)
	}
	ready := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if addr, ok := strings.CutPrefix(lines.Text(), "ready "); ok {
				m.connect(addr)
				close(ready)
				if after > 0 && sinceReady {
					time.AfterFunc(after, kill)
				}
			}
		}
		err := cmd.Wait()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			m.Errorf("the daemon ended by itself: %v", err)
		}
	}()
	if after > 0 {
		<-ended
		m.kills++
		return nil
	}
	select {
	case <-ready:
	case <-ended:
		m.FailNow()
	}
	return func() { kill(); <-ended }
}

func (m *mortal) connect(addr string) {
	conn, err := grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		m.Error(err)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.conn != nil {
		_ = m.conn.Close()
	}
	m.conn = conn
	close(m.next)
	m.next = make(chan struct{})
}

// call does something with the daemon that lives, and with the next one if that
// dies meanwhile.
func (m *mortal) call(ctx context.Context, do func(*grpc.ClientConn) error) error {
	for {
		m.mu.Lock()
		conn, next := m.conn, m.next
		m.mu.Unlock()
		err := errors.New("there is no daemon yet")
		if conn != nil {
			if err = do(conn); err == nil {
				return nil
			}
		}
		select {
		case <-next:
		case <-ctx.Done():
			return err
		}
	}
}

// records records batches until ctx is done: of forty resources, some captured
// late, some deletions, some equal to what is there. It closes recorded when there are
// at least so many batches.
func (m *mortal) records(ctx context.Context, least int, recorded chan<- struct{}) (batches int) {
	random := rand.New(rand.NewPCG(1, 2))
	captured := time.Now().Add(-24 * time.Hour)
	for ; ctx.Err() == nil; batches++ {
		if batches == least {
			close(recorded)
		}
		req := &varvev1.BatchRecordRequest{RequestId: fmt.Sprintf("00000000-0000-4000-8000-%012d", batches)}
		for range 1 + random.IntN(12) {
			captured = captured.Add(time.Millisecond)
			o := &varvev1.Observation{
				Key:        &varvev1.ResourceKey{Account: "1", Type: []string{"A", "B"}[random.IntN(2)], Id: fmt.Sprint("r", random.IntN(40))},
				CapturedAt: timestamppb.New(captured.Add(-time.Duration(random.IntN(5)/4) * time.Minute)),
			}
			if random.IntN(8) == 0 {
				o.Deleted = true
			} else {
				o.Configuration = &varvev1.Json{Raw: fmt.Appendf(nil, `{"n":%d,"filler":%q}`, random.IntN(50), strings.Repeat("x", random.IntN(2000)))}
			}
			req.Observations = append(req.Observations, o)
		}
		_ = m.call(ctx, func(conn *grpc.ClientConn) error {
			_, err := varvev1.NewRecorderServiceClient(conn).BatchRecord(ctx, req)
			if code := status.Code(err); err != nil && code != codes.Unavailable && code != codes.Canceled {
				m.Error(err)
			}
			return err
		})
	}
	return batches
}

// subscription is one of those that the test looks at.
type subscription struct {
	*varvev1.PutSubscriptionRequest
	hook    *hook  // nil: it goes into the
	file    string // of that name
	matches func(history.Change) bool
}

// TestNothingIsLost: receivers fail in every way they can while the daemon is
// killed, again and again, at random. Every change that the store holds in the end
// has come to every subscription that it matches, in order for each resource, and
// each receiver can prove by itself that it lacks none.
func TestNothingIsLost(t *testing.T) {
	kills := 8
	if n, err := strconv.ParseFloat(os.Getenv("VARVE_SCALE"), 64); err == nil && n > 1 {
		kills = int(float64(kills) * n)
	}
	if testing.Short() {
		kills = 3
	}
	dir := t.TempDir()
	m := &mortal{T: t, dir: filepath.Join(dir, "store"), next: make(chan struct{})}
	all := func(history.Change) bool { return true }
	subscribe := func(name, format, filter string, matches func(history.Change) bool, h *hook) subscription {
		return subscription{hook: h, matches: matches, PutSubscriptionRequest: &varvev1.PutSubscriptionRequest{
			Subscription: &varvev1.Subscription{
				Name: "subscriptions/" + name, Target: "http://" + h.addr + "/", Format: format, Filter: filter, Timeout: durationpb.New(500 * time.Millisecond),
			},
			Since: timestamppb.New(time.Unix(0, 1000)),
		}}
	}
	ofB := func(c history.Change) bool { return c.Key.Type == "B" && c.Kind != history.Deleted }
	forgetful := newHook(t, "forgetful", nil)
	forgetful.refuse = forgetful.forgetful
	restarting := newHook(t, "restarting", nil)
	subs := []subscription{
		subscribe("steady", "cloudevents", "", all, newHook(t, "steady", nil)),
		subscribe("failing", "cloudevents", "", all, newHook(t, "failing", failing)),
		subscribe("hanging", "cloudevents", "", all, newHook(t, "hanging", hanging)),
		subscribe("throttling", "cloudevents", "", all, newHook(t, "throttling", throttling)),
		subscribe("leaving", "cloudevents", "", all, newHook(t, "leaving", leaving)),
		subscribe("redirecting", "cloudevents", "", all, newHook(t, "redirecting", redirecting)),
		subscribe("forgetful", "cloudevents", "", all, forgetful),
		subscribe("restarting", "cloudevents", "", all, restarting),
		subscribe("poisoned", "cloudevents", "", all, newHook(t, "poisoned", poisoned)),
		subscribe("batches", "cloudevents-batch", "", all, newHook(t, "batches", anything)),
		subscribe("poisoned-batches", "cloudevents-batch", "", all, newHook(t, "poisoned-batches", poisoned)),
		subscribe("filtered", "cloudevents", `type == "B" && kind != "deleted"`, ofB, newHook(t, "filtered", anything)),
		{file: filepath.Join(dir, "changes.ndjson"), matches: ofB, PutSubscriptionRequest: &varvev1.PutSubscriptionRequest{
			Subscription: &varvev1.Subscription{
				Name: "subscriptions/file", Target: "file://" + filepath.Join(dir, "changes.ndjson"), Filter: `type == "B" && kind != "deleted"`,
				Rotation: &varvev1.Subscription_Rotation{Bytes: 1 << 20, Keep: 1000},
			},
			Since: timestamppb.New(time.Unix(0, 1000)),
		}},
	}

	stop := m.live(0, false)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, s := range subs {
		if err := m.call(ctx, func(conn *grpc.ClientConn) error {
			_, err := varvev1.NewSubscriptionServiceClient(conn).PutSubscription(ctx, s.PutSubscriptionRequest)
			if err != nil {
				t.Fatal(err)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	stop()

	var others sync.WaitGroup
	batches, recorded := 0, make(chan struct{})
	others.Go(func() { batches = m.records(ctx, 10*kills, recorded) })
	others.Go(func() { restarts(ctx, restarting) })
	others.Go(func() { m.resumes(ctx) })
	for range kills {
		life := 700 * time.Millisecond
		if chance(20) {
			life = 3 * time.Second // in which states are written more than once
		}
		m.live(time.Millisecond+rand.N(life), chance(75))
	}
	stop = m.live(0, false)
	select {
	case <-recorded: // however little time those had who were killed
	case <-time.After(5 * time.Minute):
		t.Error("recording does not go on")
	}
	cancel()
	others.Wait()
	for _, s := range subs {
		if s.hook != nil {
			s.hook.healed.Store(true)
		}
	}
	states := m.drain(t)
	stop()

	changes := changesOf(t, m.dir)
	t.Logf("%d kills; %d batches, %d changes", m.kills, batches, len(changes))
	if len(changes) < 10*kills {
		t.Errorf("%d changes are too few to prove anything", len(changes))
	}
	for _, s := range subs {
		var want, got []arrival
		for _, c := range changes {
			if s.matches(c) {
				want = append(want, arrival{Seq: uint64(c.Seq), ID: c.Key.ID})
			}
		}
		refused := int64(0)
		if s.hook != nil {
			got, refused = s.hook.arrivals, s.hook.refused.Load()
		} else {
			got = arrivalsIn(t, s.file)
		}
		// Two resources of one id are of two types, and have no order between them.
		p := prove(typed(got, changes), typed(want, changes))
		name := strings.TrimPrefix(s.Subscription.Name, "subscriptions/")
		t.Logf("%-17s %6d events, %6d came again, %6d refusals; by its own count %d matched, %d failures", name, p.events, p.again, refused,
			states[s.Subscription.Name].Matched, states[s.Subscription.Name].Failed)
		for _, wrong := range p.wrong {
			t.Errorf("%s: %s", name, wrong)
		}
		if state := states[s.Subscription.Name]; state.DeadLettered != 0 || state.Missed != 0 {
			t.Errorf("%s: %+v", name, state)
		}
	}
}

// typed puts the type into the id.
func typed(list []arrival, changes []history.Change) []arrival {
	list = slices.Clone(list)
	for i := range list {
		if n := list[i].Seq; n >= 1 && n <= uint64(len(changes)) {
			list[i].ID = changes[n-1].Key.Type + "/" + list[i].ID
		}
	}
	return list
}

// restarts takes a receiver down now and then.
func restarts(ctx context.Context, h *hook) {
	wait := func(most time.Duration) bool {
		select {
		case <-time.After(rand.N(most)):
			return true
		case <-ctx.Done():
			return false
		}
	}
	for wait(2 * time.Second) {
		h.down()
		wait(time.Second)
		for h.up() != nil && ctx.Err() == nil {
			wait(10 * time.Millisecond)
		}
	}
	if h.server == nil {
		_ = h.up()
	}
}

// resumes resumes what receivers wanted no more of.
func (m *mortal) resumes(ctx context.Context) {
	for ctx.Err() == nil {
		_ = m.call(ctx, func(conn *grpc.ClientConn) error {
			client := varvev1.NewSubscriptionServiceClient(conn)
			list, err := client.ListSubscriptions(ctx, &varvev1.ListSubscriptionsRequest{})
			if err != nil {
				return err
			}
			for _, s := range list.Subscriptions {
				if s.State == varvev1.Subscription_STATE_DISABLED {
					_, _ = client.ResumeSubscription(ctx, &varvev1.ResumeSubscriptionRequest{Name: s.Name})
				}
			}
			return nil
		})
		select {
		case <-time.After(rand.N(500 * time.Millisecond)):
		case <-ctx.Done():
		}
	}
}

// drain waits until nothing is left to send, and tells how subscriptions stand.
func (m *mortal) drain(t *testing.T) map[string]*varvev1.Subscription {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	client := varvev1.NewSubscriptionServiceClient(m.conn)
	for hurry := true; ; hurry = false {
		list, err := client.ListSubscriptions(ctx, &varvev1.ListSubscriptionsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		states, left := map[string]*varvev1.Subscription{}, uint64(0)
		for _, s := range list.Subscriptions {
			states[s.Name] = s
			left += s.LagEvents
			if hurry || s.State == varvev1.Subscription_STATE_DISABLED { // what was told to wait for minutes does not
				if _, err := client.ResumeSubscription(ctx, &varvev1.ResumeSubscriptionRequest{Name: s.Name}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if left == 0 {
			return states
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("not all is sent: %v", states)
		}
	}
}

func changesOf(t *testing.T, dir string) (all []history.Change) {
	s, err := bolt.Open(dir, bolt.Options{LockTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	for after := history.Position(""); ; {
		list, next, err := s.Changes(t.Context(), after, 1000, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			return all
		}
		all, after = append(all, list...), next
	}
}

// arrivalsIn reads a file, and before it those that were full.
func arrivalsIn(t *testing.T, name string) (list []arrival) {
	full, err := filepath.Glob(name + ".*") // in their order
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range append(full, name) {
		list = append(list, linesOf(t, part)...)
	}
	return list
}

func linesOf(t *testing.T, name string) (list []arrival) {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Buffer(nil, 1<<20); lines.Scan(); {
		var e struct {
			Sequence, Previous uint64 `json:",string"`
			Change             struct{ Key struct{ ID string } }
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%v in %s", err, lines.Text())
		}
		list = append(list, arrival{e.Sequence, e.Previous, e.Change.Key.ID})
	}
	return list
}
