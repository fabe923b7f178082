package opa

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"

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

// estate is a store of security groups, a version of each a second.
func estate(b *testing.B) (*bolt.Store, []history.Key) {
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
	for v := range versionsEach {
		for from := 0; from < len(keys); from += 1000 {
			var batch history.Batch
			for i, k := range keys[from:min(from+1000, len(keys))] {
				batch.Observations = append(batch.Observations, history.Observation{
					Key: k, CapturedAt: begin + history.Moment(v)*1_000_000, State: history.State{Configuration: group(from+i, v)},
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

// group is a security group of which every version differs; some let everybody in
// by SSH for a while.
func group(i, v int) []byte {
	port := 8000 + v
	if i%10 == 3 && v >= 20 && v < 25 {
		port = 22
	}
	return fmt.Appendf(nil, `{"description":"web tier","groupId":"sg-%08d","groupName":"web","ipPermissions":[`+
		`{"fromPort":443,"ipProtocol":"tcp","ipRanges":["10.0.0.0/8"],"ipv4Ranges":[{"cidrIp":"10.0.0.0/8"}],"ipv6Ranges":[],"prefixListIds":[],"toPort":443,"userIdGroupPairs":[]},`+
		`{"fromPort":%d,"ipProtocol":"tcp","ipRanges":["0.0.0.0/0"],"ipv4Ranges":[{"cidrIp":"0.0.0.0/0"}],"ipv6Ranges":[],"prefixListIds":[],"toPort":%d,"userIdGroupPairs":[]}],`+
		`"ipPermissionsEgress":[{"ipProtocol":"-1","ipRanges":["0.0.0.0/0"],"ipv4Ranges":[{"cidrIp":"0.0.0.0/0"}],"ipv6Ranges":[],"prefixListIds":[],"userIdGroupPairs":[]}],`+
		`"ownerId":"111122223333","tags":[{"key":"release","value":"%d"}],"vpcId":"vpc-0a1b2c3d"}`, i, port, port, v)
}

// failure is what both must find: a span in which a resource did not comply.
type failure struct {
	id       string
	from, to history.Moment
}

func (f failure) compare(o failure) int {
	return cmp.Or(cmp.Compare(f.id, o.id), cmp.Compare(f.from, o.from))
}

// BenchmarkBacktest tells versions judged in a second.
func BenchmarkBacktest(b *testing.B) {
	s, keys := estate(b)
	total := len(keys) * versionsEach
	end := begin + versionsEach*1_000_000
	var found [2][]failure
	for i, by := range []struct {
		name string
		run  func(*testing.B, *bolt.Store, []history.Key, history.Moment) []failure
	}{{"Varve", byVarve}, {"Rego", byRego}} {
		b.Run(by.name, func(b *testing.B) {
			for b.Loop() {
				found[i] = by.run(b, s, keys, end)
			}
			b.ReportMetric(float64(b.N*total)/b.Elapsed().Seconds(), "versions/s")
			b.ReportMetric(float64(total), "versions")
		})
	}
	if found[0] == nil || found[1] == nil {
		return // one of them was not asked for
	}
	for _, list := range found {
		slices.SortFunc(list, failure.compare)
	}
	if !slices.Equal(found[0], found[1]) || len(found[0]) == 0 {
		b.Errorf("they found %d and %d failures, which are not the same", len(found[0]), len(found[1]))
	}
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
