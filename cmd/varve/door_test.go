//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/cmd/internal/client"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/recorder"
	"github.com/varvehq/varve/recorder/source"
	"github.com/varvehq/varve/recorder/source/ndjson"
)

// BenchmarkDoor records the same observations through every door of a daemon in
// a process of its own and, in turns with it, by calls of the recorder on a
// store in this process, in batches of the same size.
//
//	go test -run '^$' -bench Door -benchtime 3x ./cmd/varve
//
// An operation is the whole set into an empty store. Times are those from the
// first batch to the last acknowledgement; processor time is that of a process
// from its start to its end (here: from before the first batch to when the
// store is closed), in µs for each observation:
//
//	×library          observations a second, by those of the library: the
//	                  median of the turns
//	client-µs/item    of who sends: this process, or `varve import`
//	daemon-µs/item    of `varve serve`
//	library-µs/item   of the library, which has no client
//
// DOOR_DATA=FILE takes the observations of an NDJSON file instead of made ones,
// and DOOR_PROFILES=FOLDER leaves profiles of the other processes there. A
// `/n=4` has four requests under way, which a stream always has.
func BenchmarkDoor(b *testing.B) {
	set := doorSet(b)
	for _, door := range []struct {
		name   string
		record func(*testing.B, *served, []doorBatch)
	}{
		{"stream", throughStream},
		{"unary/n=1", throughUnary(1)},
		{"unary/n=4", throughUnary(4)},
		{"http/n=1", throughHTTP(1)},
		{"http/n=4", throughHTTP(4)},
	} {
		b.Run(door.name, func(b *testing.B) {
			benchDoor(b, set, func(d *served) time.Duration {
				before := cpuOf(syscall.RUSAGE_SELF)
				door.record(b, d, set.batches)
				return cpuOf(syscall.RUSAGE_SELF) - before
			})
		})
	}
	b.Run("import", func(b *testing.B) {
		benchDoor(b, set, func(d *served) time.Duration {
			cmd := exec.Command("varve", "import", set.file)
			cmd.Env = append(os.Environ(), "VARVE_ADDR="+d.addr)
			if out, err := cmd.CombinedOutput(); err != nil {
				b.Fatalf("%v\n%s", err, out)
			}
			return cpuOfChild(cmd)
		})
	})
}

// benchDoor takes turns between the library and a door. through returns the
// processor time of the client.
func benchDoor(b *testing.B, set *doorData, through func(*served) time.Duration) {
	var library, door struct{ took, client, daemon time.Duration }
	var ratios []float64
	for range b.N {
		runtime.GC()
		before := cpuOf(syscall.RUSAGE_SELF)
		alone := throughLibrary(b, set.batches)
		library.client += cpuOf(syscall.RUSAGE_SELF) - before

		d, err := serve(filepath.Join(b.TempDir(), "store"), "127.0.0.1:0", os.Environ())
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = d.cmd.Process.Kill() })
		runtime.GC()
		began := time.Now()
		door.client += through(d)
		took := time.Since(began)
		door.took += took
		ratios = append(ratios, alone.Seconds()/took.Seconds())
		if err := d.stop(syscall.SIGTERM); err != nil {
			b.Fatal(err)
		}
		door.daemon += cpuOfChild(d.cmd)
	}
	items := float64(set.items * b.N)
	perItem := func(d time.Duration) float64 { return float64(d.Microseconds()) / items }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(items/door.took.Seconds(), "items/s")
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "×library")
	b.ReportMetric(perItem(door.client), "client-µs/item")
	b.ReportMetric(perItem(door.daemon), "daemon-µs/item")
	b.ReportMetric(perItem(library.client), "library-µs/item")
}

func cpuOf(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func cpuOfChild(cmd *exec.Cmd) time.Duration {
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// doorBatch is one batch as each door takes it, made before time runs.
type doorBatch struct {
	observations []history.Observation
	request      *varvev1.RecordRequest
	body         []byte // of POST /v1/items:batchRecord
}

type doorData struct {
	items   int
	batches []doorBatch
	file    string // the same as NDJSON
}

const doorBatchSize = 256

// doorSet makes the requests.
func doorSet(b *testing.B) *doorData {
	list := doorObservations(b)
	set := &doorData{items: len(list), file: filepath.Join(b.TempDir(), "set.ndjson")}
	var lines []byte
	for some := range slices.Chunk(list, doorBatchSize) {
		batch := doorBatch{observations: some, request: &varvev1.RecordRequest{}, body: []byte(`{"observations":[`)}
		for i := range some {
			var err error
			if lines, err = ndjson.AppendObservation(lines, &some[i]); err != nil {
				b.Fatal(err)
			}
			o := wire.ObservationToProto(some[i])
			batch.request.Observations = append(batch.request.Observations, o)
			batch.body = appendObservation(b, batch.body, o)
		}
		batch.body = append(batch.body[:len(batch.body)-1], "]}"...)
		set.batches = append(set.batches, batch)
	}
	if err := os.WriteFile(set.file, lines, 0o600); err != nil {
		b.Fatal(err)
	}
	return set
}

// doorObservations are those of DOOR_DATA, or ten versions of each of 2,000
// instances in order of time, 2 KB each, a leaf changed from one to the next.
func doorObservations(b *testing.B) []history.Observation {
	var list []history.Observation
	name := os.Getenv("DOOR_DATA")
	if name == "" {
		rnd := rand.New(rand.NewPCG(1, 2))
		for version := range 10 {
			for n := range 2000 {
				list = append(list, doorInstance(rnd, n, version))
			}
		}
		return list
	}
	file, err := source.Open(name)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	var refused *source.LineError
	for r := ndjson.NewReader(file, ndjson.Options{}); ; {
		o, _, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return list
		case errors.As(err, &refused):
			continue
		case err != nil:
			b.Fatal(err)
		}
		list = append(list, o)
	}
}

// doorInstance is a version of an instance.
func doorInstance(rnd *rand.Rand, n, version int) history.Observation {
	name, id := fmt.Sprintf("web-%d", n), fmt.Sprintf("i-%017x", uint64(n+1)*0x9E3779B97F4A7C15>>4)
	address := fmt.Sprintf("10.0.%d.%d", n%250, n/250)
	host := fmt.Sprintf("ip-10-0-%d-%d.eu-west-1.compute.internal", n%250, n/250)
	seed := rand.New(rand.NewPCG(uint64(n), 3)) // the same for all versions
	doc := fmt.Appendf(nil, `{"amiLaunchIndex":0,"architecture":"x86_64",`+
		`"blockDeviceMappings":[{"deviceName":"/dev/xvda","ebs":{"attachTime":"2024-01-01T00:00:00.000Z","deleteOnTermination":true,"status":"attached","volumeId":"vol-%016x"}}],`+
		`"capacityReservationSpecification":{"capacityReservationPreference":"open"},"clientToken":"%016x",`+
		`"cpuOptions":{"coreCount":2,"threadsPerCore":2},"ebsOptimized":true,"enaSupport":true,"enclaveOptions":{"enabled":false},`+
		`"hibernationOptions":{"configured":false},"hypervisor":"xen","iamInstanceProfile":{"arn":"arn:aws:iam::111122223333:instance-profile/web","id":"AIPA%016X"},`+
		`"imageId":"ami-%08x","instanceId":%q,"instanceType":"m6i.large","keyName":"ops","launchTime":"2024-01-01T00:00:00.000Z",`,
		seed.Uint64(), seed.Uint64(), seed.Uint64(), version/4, id)
	doc = fmt.Appendf(doc, `"metadataOptions":{"httpEndpoint":"enabled","httpPutResponseHopLimit":1,"httpTokens":"required","state":"applied"},"monitoring":{"state":"disabled"},`+
		`"networkInterfaces":[{"attachment":{"attachTime":"2024-01-01T00:00:00.000Z","attachmentId":"eni-attach-%08x","deleteOnTermination":true,"deviceIndex":0,"status":"attached"},`+
		`"description":"","groups":[{"groupId":"sg-%08x","groupName":"web"},{"groupId":"sg-%08x","groupName":"base"}],"interfaceType":"interface","macAddress":"06:%02x:%02x:1a:2b:3c",`+
		`"networkInterfaceId":"eni-%016x","ownerId":"111122223333","privateDnsName":%q,"privateIpAddress":%q,"sourceDestCheck":true,"status":"in-use","subnetId":"subnet-%08x","vpcId":"vpc-0a1b2c3d"}],`,
		seed.Uint32(), n%40, n%7, n%256, n/256, seed.Uint64(), host, address, n%9)
	doc = fmt.Appendf(doc, `"placement":{"availabilityZone":"eu-west-1a","groupName":"","tenancy":"default"},"privateDnsName":%q,"privateIpAddress":%q,"productCodes":[],`+
		`"rootDeviceName":"/dev/xvda","rootDeviceType":"ebs","securityGroups":[{"groupId":"sg-%08x","groupName":"web"},{"groupId":"sg-%08x","groupName":"base"}],`+
		`"sourceDestCheck":true,"state":{"code":16,"name":"running"},"stateTransitionReason":"","subnetId":"subnet-%08x",`+
		`"tags":[{"key":"Name","value":%q},{"key":"release","value":"%d.%d"},{"key":"team","value":"shop"}],"virtualizationType":"hvm","vpcId":"vpc-0a1b2c3d"}`,
		host, address, n%40, n%7, n%9, name, version, rnd.IntN(10))
	return history.Observation{
		Key:        history.Key{Account: "111122223333", Region: "eu-west-1", Type: "AWS::EC2::Instance", ID: id},
		CapturedAt: history.Moment(1_700_000_000_000_000 + int64(version*100_000+n)*1_000_000),
		State: history.State{
			ARN: "arn:aws:ec2:eu-west-1:111122223333:instance/" + id, Name: name,
			Tags: map[string]string{"Name": name, "team": "shop"}, Configuration: doc,
		},
		Origin: history.Origin{Provider: "aws", Source: "inventory"},
	}
}

// appendObservation appends an observation as a body of HTTP has it, and a
// comma.
func appendObservation(b *testing.B, dst []byte, o *varvev1.Observation) []byte {
	b.Helper()
	docs := map[string]json.RawMessage{}
	for name, doc := range o.GetSupplementary() {
		docs[name] = doc.GetRaw()
	}
	moment := func(t *timestamppb.Timestamp) string {
		if t == nil {
			return ""
		}
		return t.AsTime().Format(time.RFC3339Nano)
	}
	text, err := json.Marshal(struct {
		Key              *varvev1.ResourceKey       `json:"key"`
		CapturedAt       string                     `json:"capturedAt,omitempty"`
		Deleted          bool                       `json:"deleted,omitempty"`
		ARN              string                     `json:"arn,omitempty"`
		Name             string                     `json:"name,omitempty"`
		AvailabilityZone string                     `json:"availabilityZone,omitempty"`
		CreatedAt        string                     `json:"createdAt,omitempty"`
		Tags             map[string]string          `json:"tags,omitempty"`
		Configuration    json.RawMessage            `json:"configuration,omitempty"`
		Supplementary    map[string]json.RawMessage `json:"supplementary,omitempty"`
		Relationships    []*varvev1.Relationship    `json:"relationships,omitempty"`
		Status           string                     `json:"status,omitempty"`
		Source           string                     `json:"source,omitempty"`
		Provider         string                     `json:"provider,omitempty"`
		Extras           json.RawMessage            `json:"extras,omitempty"`
	}{
		o.GetKey(), moment(o.GetCapturedAt()), o.GetDeleted(), o.GetArn(), o.GetName(), o.GetAvailabilityZone(),
		moment(o.GetCreatedAt()), o.GetTags(), o.GetConfiguration().GetRaw(), docs, o.GetRelationships(),
		o.GetStatus(), o.GetSource(), o.GetProvider(), o.GetExtras().GetRaw(),
	})
	if err != nil {
		b.Fatal(err)
	}
	return append(append(dst, text...), ',')
}

// throughLibrary records a set by calls and returns how long the batches took.
func throughLibrary(b *testing.B, batches []doorBatch) time.Duration {
	store, err := bolt.Open(filepath.Join(b.TempDir(), "library"), bolt.Options{Linker: graph.NewLinker()})
	if err != nil {
		b.Fatal(err)
	}
	r := recorder.New(store, recorder.Options{})
	began := time.Now()
	for _, batch := range batches {
		if _, err := r.Record(b.Context(), history.Batch{Observations: batch.observations}); err != nil {
			b.Fatal(err)
		}
	}
	took := time.Since(began)
	if err := store.Close(); err != nil {
		b.Fatal(err)
	}
	return took
}

func dialDoor(b *testing.B, d *served) *client.Conn {
	conn, err := client.Dial(d.addr)
	if err != nil {
		b.Fatal(err)
	}
	return conn
}

// throughStream keeps four requests under way, as `varve import` does.
func throughStream(b *testing.B, d *served, batches []doorBatch) {
	conn := dialDoor(b, d)
	defer conn.Close()
	stream, err := conn.Record(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	underWay := make(chan struct{}, 4)
	go func() {
		for _, batch := range batches {
			underWay <- struct{}{}
			if stream.Send(batch.request) != nil {
				return // the receiver learns why
			}
		}
	}()
	for range batches {
		if _, err := stream.Recv(); err != nil {
			b.Error(err)
			return
		}
		<-underWay
	}
}

// inTurn has n callers record the batches, each the next one that is left.
func inTurn(b *testing.B, n int, batches []doorBatch, record func(context.Context, doorBatch) error) {
	next := make(chan doorBatch)
	group, ctx := errgroup.WithContext(b.Context())
	for range n {
		group.Go(func() error {
			for batch := range next {
				if err := record(ctx, batch); err != nil {
					return err
				}
			}
			return nil
		})
	}
	group.Go(func() error {
		defer close(next)
		for _, batch := range batches {
			select {
			case next <- batch:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		b.Error(err)
	}
}

func throughUnary(n int) func(*testing.B, *served, []doorBatch) {
	return func(b *testing.B, d *served, batches []doorBatch) {
		conn := dialDoor(b, d)
		defer conn.Close()
		inTurn(b, n, batches, func(ctx context.Context, batch doorBatch) error {
			_, err := conn.BatchRecord(ctx, &varvev1.BatchRecordRequest{Observations: batch.request.GetObservations()})
			return err
		})
	}
}

func throughHTTP(n int) func(*testing.B, *served, []doorBatch) {
	return func(b *testing.B, d *served, batches []doorBatch) {
		transport := &http.Transport{MaxIdleConnsPerHost: n}
		defer transport.CloseIdleConnections()
		inTurn(b, n, batches, func(ctx context.Context, batch doorBatch) error {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+d.http+"/v1/items:batchRecord", bytes.NewReader(batch.body))
			if err != nil {
				return err
			}
			resp, err := transport.RoundTrip(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			answer, err := io.ReadAll(resp.Body)
			if err == nil && resp.StatusCode != http.StatusOK {
				err = fmt.Errorf("%s: %s", resp.Status, answer)
			}
			return err
		})
	}
}
