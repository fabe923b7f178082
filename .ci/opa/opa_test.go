package opa

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/rego"
	"golang.org/x/sync/errgroup"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/managed"
)

// ssh is INCOMING_SSH_DISABLED as the managed rule has it.
const ssh = `package ssh

import rego.v1

default compliant := false

compliant if not open

open if {
	some p in input.ipPermissions
	covers(p)
	world(p)
}

covers(p) if p.ipProtocol == "-1"

covers(p) if {
	p.ipProtocol == "tcp"
	p.fromPort <= 22
	p.toPort >= 22
}

world(p) if "0.0.0.0/0" in p.ipRanges

world(p) if {
	some r in p.ipv4Ranges
	r.cidrIp == "0.0.0.0/0"
}

world(p) if {
	some r in p.ipv6Ranges
	r.cidrIpv6 == "::/0"
}
`

const versionsEach = 50

var (
	begin = history.Moment(1_700_000_000_000_000)
	typ   = "AWS::EC2::SecurityGroup"
)

// estate is a store of security groups, a version of each a second. In so many of a
// hundred the permissions are others than before, in the rest something else is.
func estate(b *testing.B, changing int) (*bolt.Store, []history.Key) {
	b.Helper()
	total := 100_000
	if text := os.Getenv("OPA_VERSIONS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < versionsEach {
			b.Fatalf("OPA_VERSIONS %q is not a number of versions, %d at least", text, versionsEach)
		}
		total = n
	}
	s, err := bolt.Open(b.TempDir(), bolt.Options{NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	keys := make([]history.Key, total/versionsEach)
	for i := range keys {
		keys[i] = history.Key{Account: "111122223333", Region: "eu-west-1", Type: typ, ID: fmt.Sprintf("sg-%08d", i)}
	}
	random := rand.New(rand.NewPCG(1, uint64(changing)))
	changes := make([]int, len(keys)) // of the permissions of each
	for v := range versionsEach {
		for from := 0; from < len(keys); from += 1000 {
			var batch history.Batch
			for i, k := range keys[from:min(from+1000, len(keys))] {
				if i += from; random.IntN(100) < changing {
					changes[i]++
				}
				batch.Observations = append(batch.Observations, history.Observation{
					Key: k, CapturedAt: begin + history.Moment(v)*1_000_000, State: history.State{Configuration: group(i, v, changes[i])},
				})
			}
			if _, err := s.Append(context.Background(), batch); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := s.Merge(); err != nil {
		b.Fatal(err)
	}
	return s, keys
}

// group is a security group of which every version differs, and whose permissions
// nobody else has, nor had itself before; some let everybody in by SSH for a while.
func group(i, v, change int) []byte {
	port := 8000 + change
	if i%10 == 3 && v >= 20 && v < 25 {
		port = 22
	}
	office := fmt.Sprintf("10.%d.%d.%d/32", i>>8&255, i&255, change)
	return fmt.Appendf(nil, `{"description":"web tier","groupId":"sg-%08d","groupName":"web","ipPermissions":[`+
		`{"fromPort":443,"ipProtocol":"tcp","ipRanges":["%s"],"ipv4Ranges":[{"cidrIp":"%[2]s"}],"ipv6Ranges":[],"prefixListIds":[],"toPort":443,"userIdGroupPairs":[]},`+
		`{"fromPort":%d,"ipProtocol":"tcp","ipRanges":["0.0.0.0/0"],"ipv4Ranges":[{"cidrIp":"0.0.0.0/0"}],"ipv6Ranges":[],"prefixListIds":[],"toPort":%[3]d,"userIdGroupPairs":[]}],`+
		`"ipPermissionsEgress":[{"ipProtocol":"-1","ipRanges":["0.0.0.0/0"],"ipv4Ranges":[{"cidrIp":"0.0.0.0/0"}],"ipv6Ranges":[],"prefixListIds":[],"userIdGroupPairs":[]}],`+
		`"ownerId":"%012[4]d","tags":[{"key":"release","value":"%[5]d"}],"vpcId":"vpc-0a1b2c3d"}`, i, office, port, i>>16, v)
}

// failure is what both must find: a span in which a resource did not comply.
type failure struct {
	id       string
	from, to history.Moment
}

func (f failure) compare(o failure) int {
	return cmp.Or(cmp.Compare(f.id, o.id), cmp.Compare(f.from, o.from))
}

// shares are how many versions of a hundred differ from the one before in their
// permissions: see the package comment.
var shares = []int{13, 81, 100}

// BenchmarkBacktest tells versions judged in a second.
func BenchmarkBacktest(b *testing.B) {
	end := begin + versionsEach*1_000_000
	for _, changing := range shares {
		var s *bolt.Store
		var keys []history.Key
		var found [2][]failure
		for i, by := range []struct {
			name string
			run  func(*testing.B, *bolt.Store, []history.Key, history.Moment) []failure
		}{{"Varve", byVarve}, {"Rego", byRego}} {
			b.Run(fmt.Sprintf("%s/changing=%d%%", by.name, changing), func(in *testing.B) {
				if s == nil {
					s, keys = estate(b, changing)
				}
				total := len(keys) * versionsEach
				began := processor(in)
				for in.Loop() {
					found[i] = by.run(in, s, keys, end)
				}
				in.ReportMetric(float64((processor(in)-began).Nanoseconds())/float64(in.N*total), "cpu-ns/version")
				in.ReportMetric(float64(in.N*total)/in.Elapsed().Seconds(), "versions/s")
				in.ReportMetric(float64(total), "versions")
			})
		}
		if found[0] == nil || found[1] == nil {
			continue // one of them was not asked for
		}
		for _, list := range found {
			slices.SortFunc(list, failure.compare)
		}
		if !slices.Equal(found[0], found[1]) || len(found[0]) == 0 {
			b.Errorf("of %d%% they found %d and %d failures, which are not the same", changing, len(found[0]), len(found[1]))
		}
	}
}

// processor is the processor time that this program took so far: others may use the
// machine too.
func processor(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func byVarve(b *testing.B, s *bolt.Store, _ []history.Key, end history.Moment) (found []failure) {
	rule := rules.Rule{Name: "ssh", Identifier: "INCOMING_SSH_DISABLED"}
	judge, err := managed.Compile(&rule)
	if err != nil {
		b.Fatal(err)
	}
	session, err := engine.NewSession(context.Background(), s, nil, nil, 0, end)
	if err != nil {
		b.Fatal(err)
	}
	ruling := engine.Proposed(rules.Owner{}, rule, judge)
	_, err = session.Backtest(context.Background(), ruling, begin, end, runtime.GOMAXPROCS(0), func(e *engine.Exposure) error {
		for _, i := range e.Intervals {
			if i.Compliance == rules.NonCompliant {
				found = append(found, failure{e.Key.ID, i.From, i.To})
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return found
}

func byRego(b *testing.B, s *bolt.Store, keys []history.Key, end history.Moment) (found []failure) {
	ctx := context.Background()
	query, err := rego.New(rego.Query("data.ssh.compliant"), rego.Module("ssh.rego", ssh)).PrepareForEval(ctx)
	if err != nil {
		b.Fatal(err)
	}
	var mu sync.Mutex
	var work errgroup.Group
	for some := range slices.Chunk(keys, (len(keys)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0)) {
		work.Go(func() error {
			var own []failure
			for _, k := range some {
				list, err := regoHistory(ctx, s, k, end, &query)
				if err != nil {
					return err
				}
				own = append(own, list...)
			}
			mu.Lock()
			defer mu.Unlock()
			found = append(found, own...)
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		b.Fatal(err)
	}
	return found
}

// regoHistory judges the versions of one resource.
func regoHistory(ctx context.Context, s *bolt.Store, k history.Key, end history.Moment, query *rego.PreparedEvalQuery) (found []failure, err error) {
	r, err := s.AsOf(ctx, history.At{})
	if err != nil {
		return nil, err
	}
	items, _, err := r.History(ctx, k, history.HistoryQuery{})
	if err != nil {
		return nil, err
	}
	slices.Reverse(items)
	for i := range items {
		decoder := json.NewDecoder(bytes.NewReader(items[i].State.Configuration))
		decoder.UseNumber()
		var input any
		if err := decoder.Decode(&input); err != nil {
			return nil, err
		}
		result, err := query.Eval(ctx, rego.EvalInput(input))
		if err != nil {
			return nil, err
		}
		if result.Allowed() {
			continue
		}
		to := min(items[i].Until, end)
		if n := len(found); n > 0 && found[n-1].to == items[i].CapturedAt {
			found[n-1].to = to
		} else {
			found = append(found, failure{k.ID, items[i].CapturedAt, to})
		}
	}
	return found, nil
}
