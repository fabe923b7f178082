package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/managed"
)

// herd are n resources that refer to a term, in batches; each generation is of
// another state.
func herd(n, generation int, moment history.Moment) []history.Batch {
	var list []history.Batch
	for i := range n {
		if i%500 == 0 {
			list = append(list, history.Batch{})
		}
		b := &list[len(list)-1]
		b.Observations = append(b.Observations, history.Observation{
			Key:        history.Key{Account: "1", Type: "T", ID: fmt.Sprint("t-", i)},
			CapturedAt: moment,
			State:      content{V: fmt.Sprint(generation, "-", i%7), Refers: [][2]string{{"hub", ""}}}.state(),
		})
	}
	return list
}

func (w *world) append(list []history.Batch) {
	w.Helper()
	for _, b := range list {
		if _, err := w.store.Append(w.ctx, b); err != nil {
			w.Fatal(err)
		}
	}
}

// benchWorld is a world on bolt with so many rules of a judge.
func benchWorld(b *testing.B, n int, judge string) *world {
	return benchWorldOn(boltWorld(b), n, judge)
}

func benchWorldOn(w *world, n int, judge string) *world {
	w.clock.Advance(time.Hour)
	for i := range n {
		w.put(history.Key{Type: rules.TypeRule, ID: fmt.Sprint("r", i)}, definition{From: at(0), Rule: rules.Rule{Compliant: judge}})
	}
	return w
}

// processor is the processor time that all of this program took so far: the machine
// may have other work.
func processor(b *testing.B) time.Duration {
	b.Helper()
	f, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(f[bytes.LastIndexByte(f, ')')+1:]))
	ticks := 0
	for _, n := range []int{11, 12} { // utime and stime, in hundredths of a second
		t, err := strconv.Atoi(fields[n])
		if err != nil {
			b.Fatal(err)
		}
		ticks += t
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// perSecond reports how many there are to a second of one core.
func perSecond(b *testing.B, n int, took time.Duration, what string) {
	b.Helper()
	if took > 0 {
		b.ReportMetric(float64(n)/took.Seconds(), what+"/s/core")
	}
}

// BenchmarkEvaluate measures verdicts from the feed to the store, all of which are
// new ones.
func BenchmarkEvaluate(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		b.Run(fmt.Sprint("rules=", n), func(b *testing.B) {
			w := benchWorld(b, n, "self")
			w.start()
			defer func() { w.stop() }()
			w.settle()
			const resources = 1000
			generation, began := 0, processor(b)
			for b.Loop() {
				generation++
				w.append(herd(resources, generation, at(generation)))
				w.settle()
			}
			perSecond(b, resources*n*generation, processor(b)-began, "verdicts")
		})
	}
}

// BenchmarkSame is BenchmarkEvaluate where no verdict changes: the judging alone.
func BenchmarkSame(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		b.Run(fmt.Sprint("rules=", n), func(b *testing.B) {
			w := benchWorld(b, n, "fine")
			w.start()
			defer func() { w.stop() }()
			const resources = 1000
			w.append(herd(resources, 0, at(0)))
			w.settle()
			generation, began := 0, processor(b)
			for b.Loop() {
				generation++
				w.append(herd(resources, generation, at(generation)))
				w.settle()
			}
			perSecond(b, resources*n*generation, processor(b)-began, "evaluations")
		})
	}
}

// BenchmarkRecording measures what recording takes while verdicts are worked out
// beside it, and in how many times that they are there.
func BenchmarkRecording(b *testing.B) {
	for _, n := range []int{0, 100} {
		b.Run(fmt.Sprint("rules=", n), func(b *testing.B) {
			w := benchWorldOn(boltWorldWith(b, bolt.Options{}), n, "fine")
			w.start()
			defer func() { w.stop() }()
			w.append(herd(2000, 0, at(0)))
			w.settle()
			generation, rest := 0, time.Duration(0)
			for b.Loop() {
				generation++
				w.append(herd(2000, generation, at(generation)))
				b.StopTimer()
				began := time.Now()
				w.settle()
				rest += time.Since(began)
				b.StartTimer()
			}
			b.ReportMetric(float64(2000*generation)/b.Elapsed().Seconds(), "recorded/s")
			b.ReportMetric(rest.Seconds()/float64(generation), "s-behind")
		})
	}
}

// BenchmarkBacktest judges 100,000 versions of 2,000 security groups, by a function
// that does nothing, which leaves what it takes to read them, and by a managed rule, of
// which every version has another part than all others have.
func BenchmarkBacktest(b *testing.B) {
	w := benchWorld(b, 0, "")
	const resources, versions = 2000, 50
	for generation := range versions {
		list := herd(resources, generation, at(generation))
		for _, batch := range list {
			for i := range batch.Observations {
				o := &batch.Observations[i]
				o.Key.Type = "AWS::EC2::SecurityGroup"
				o.State.Configuration = fmt.Appendf(nil, `{"groupId":"sg-%d","groupName":"web","ipPermissions":[{"fromPort":443,"ipProtocol":"tcp","ipRanges":["10.%d.%d.0/24"],"toPort":443},`+
					`{"fromPort":%d,"ipProtocol":"tcp","ipRanges":["0.0.0.0/0"],"toPort":%d}],"vpcId":"vpc-1"}`, i, i>>8, i&255, generation, generation)
			}
		}
		w.append(list)
	}
	ssh, err := managed.Compile(&rules.Rule{Name: "ssh", Identifier: "INCOMING_SSH_DISABLED"})
	if err != nil {
		b.Fatal(err)
	}
	nothing := judge{f: func(context.Context, *rules.Subject) (rules.Verdict, error) {
		return rules.Verdict{Compliance: rules.Compliant}, nil
	}}
	for name, j := range map[string]rules.Judge{"Nothing": nothing, "INCOMING_SSH_DISABLED": ssh} {
		b.Run(name, func(b *testing.B) {
			ruling := engine.Proposed(rules.Owner{}, rules.Rule{Name: "r"}, j)
			judged, bad, began := 0, 0, processor(b)
			for b.Loop() {
				n, err := w.session().Backtest(w.ctx, ruling, at(0), at(3600), runtime.GOMAXPROCS(0), func(e *engine.Exposure) error {
					if e.First != nil {
						bad++
					}
					return nil
				})
				if err != nil || n != resources*versions || (bad > 0) != (j == ssh) {
					b.Fatal(n, bad, err)
				}
				judged += n
			}
			b.ReportMetric(float64(judged)/b.Elapsed().Seconds(), "versions/s")
			perSecond(b, judged, processor(b)-began, "versions")
		})
	}
}

// BenchmarkHub changes what 10,000 verdicts looked at: how long recording takes
// meanwhile, another verdict, and all of them.
func BenchmarkHub(b *testing.B) {
	w := benchWorld(b, 1, "related")
	w.start()
	defer func() { w.stop() }()
	hub := history.Observation{Key: history.Key{Account: "1", Type: "Hub", ID: "hub"}}
	w.append(herd(10_000, 0, at(0)))
	other := history.Observation{Key: history.Key{Account: "1", Type: "T", ID: "other"}}
	change := func(o history.Observation, c content, n int) history.Position {
		o.CapturedAt, o.State = at(n), c.state()
		receipt, err := w.store.Append(w.ctx, history.Batch{Observations: []history.Observation{o}})
		if err != nil {
			b.Fatal(err)
		}
		return receipt.Position
	}
	change(hub, content{Bears: []string{"hub"}, V: "0"}, 1)
	w.settle()
	n, recording, verdict := 1, time.Duration(0), time.Duration(0)
	for b.Loop() {
		n++
		change(hub, content{Bears: []string{"hub"}, V: fmt.Sprint(n)}, n)
		began := time.Now()
		position := change(other, content{V: fmt.Sprint(n)}, n)
		recording = max(recording, time.Since(began))
		for found := false; !found; {
			changes, next, err := w.store.Changes(w.ctx, position, 1000, time.Minute)
			if err != nil {
				b.Fatal(err)
			}
			position = next
			for _, c := range changes {
				if found = found || c.Key == engine.VerdictKey(rules.Owner{}, "r0", other.Key); found {
					break
				}
			}
		}
		verdict = max(verdict, time.Since(began))
		w.settle()
		other.Key.ID = fmt.Sprint("other-", n)
	}
	b.ReportMetric(recording.Seconds()*1e3, "ms-recording")
	b.ReportMetric(verdict.Seconds()*1e3, "ms-other-verdict")
}
