package historytest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
)

// The estate of the benchmarks.
const (
	benchResources = 2000
	benchVersions  = 10
)

// Bench measures a backend on an estate of instances, documents of some 2 kB of
// which each version changes one leaf or two. Everything follows from numbers,
// so that two backends, or two days, see the same bytes. One operation is one
// call; items/s counts observations or items.
func Bench(b *testing.B, backend Backend) {
	for _, batch := range []int{1, 16, 256, 1000} {
		b.Run(fmt.Sprintf("Append/order=captured/batch=%d", batch), func(b *testing.B) {
			benchAppend(b, backend, batch, inOrder)
		})
	}
	b.Run("Append/order=random/batch=256", func(b *testing.B) { benchAppend(b, backend, 256, shuffled) })
	b.Run("Rescan/batch=256", func(b *testing.B) { benchRescan(b, backend, "") })
	b.Run("Rescan/run/batch=256", func(b *testing.B) { benchRescan(b, backend, "rescan") })

	var s history.Store
	loaded := func(b *testing.B, run func(b *testing.B, s history.Store)) func(*testing.B) {
		return func(inner *testing.B) {
			if s == nil {
				s = benchOpen(b, backend)
				benchLoad(b, s, benchVersions)
			}
			run(inner, s)
		}
	}
	b.Run("Get/newest", loaded(b, func(b *testing.B, s history.Store) { benchGet(b, s, 1, false) }))
	b.Run("Get/asof", loaded(b, func(b *testing.B, s history.Store) { benchGet(b, s, 1, true) }))
	b.Run("Get/asof/keys=100", loaded(b, func(b *testing.B, s history.Store) { benchGet(b, s, 100, true) }))
	b.Run("History", loaded(b, benchHistory))
	b.Run("Items/newest/page=1000", loaded(b, func(b *testing.B, s history.Store) { benchItems(b, s, false, history.FieldsAll) }))
	b.Run("Items/asof/page=1000", loaded(b, func(b *testing.B, s history.Store) { benchItems(b, s, true, history.FieldsAll) }))
	b.Run("Items/asof/heads/page=1000", loaded(b, func(b *testing.B, s history.Store) { benchItems(b, s, true, history.FieldsHead) }))
	b.Run("Count/asof", loaded(b, benchCount))
	if s != nil {
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	benchLinks(b, backend)
}

func benchOpen(b *testing.B, backend Backend) history.Store {
	return backend.Open(b, Options{Now: func() time.Time { return epoch.Add(365 * 24 * time.Hour) }, StoreID: testStore})
}

// benchMoment is when version v of the estate's set-th copy was captured.
func benchMoment(set, resource, version int) history.Moment {
	return at((set*benchVersions+version)*benchResources + resource)
}

func benchKey(set, resource int) history.Key {
	return history.Key{
		Account: fmt.Sprintf("%012d", 100000000000+resource%7), Region: []string{"eu-north-1", "us-east-1", "ap-south-1"}[resource%3],
		Type: "AWS::EC2::Instance", ID: fmt.Sprintf("i-%016x%x", mix(uint64(resource)), set),
	}
}

func benchObservation(set, resource, version int) history.Observation {
	return history.Observation{
		Key: benchKey(set, resource), CapturedAt: benchMoment(set, resource, version),
		State: history.State{
			Name: fmt.Sprintf("web-%d", resource), Tags: map[string]string{"Name": fmt.Sprintf("web-%d", resource), "env": []string{"dev", "prod"}[resource%2]},
			Configuration: instanceDocument(resource, version),
		},
		Origin: history.Origin{Provider: "aws", Source: "bench"},
	}
}

// inOrder lists the observations of a copy of the estate as they were captured.
func inOrder(set int) []history.Observation {
	list := make([]history.Observation, 0, benchResources*benchVersions)
	for v := range benchVersions {
		for r := range benchResources {
			list = append(list, benchObservation(set, r, v))
		}
	}
	return list
}

// shuffled lists them in an order of no sense.
func shuffled(set int) []history.Observation {
	list := inOrder(set)
	rand.New(rand.NewPCG(uint64(set), 1)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

func benchBatch(b *testing.B, s history.Store, run history.RunID, list []history.Observation) {
	receipt, err := s.Append(ctx, history.Batch{Run: run, Observations: list})
	if err != nil {
		b.Fatal(err)
	}
	for _, r := range receipt.Results {
		if r.Err != nil {
			b.Fatal(r.Err)
		}
	}
}

func perSecond(b *testing.B, items int) {
	b.ReportMetric(float64(items)/b.Elapsed().Seconds(), "items/s")
}

func benchAppend(b *testing.B, backend Backend, batch int, order func(set int) []history.Observation) {
	s := benchOpen(b, backend)
	defer s.Close()
	var set, items int
	var list []history.Observation
	for b.Loop() {
		if len(list) < batch {
			b.StopTimer()
			list, set = order(set), set+1
			b.StartTimer()
		}
		benchBatch(b, s, "", list[:batch])
		list, items = list[batch:], items+batch
	}
	perSecond(b, items)
}

// benchLoad records versions of the estate.
func benchLoad(b *testing.B, s history.Store, versions int) {
	for list := inOrder(0)[:versions*benchResources]; len(list) > 0; list = list[1000:] {
		benchBatch(b, s, "", list[:1000])
	}
}

// benchRescan finds everything as it was, at a later moment each time; in a run
// when it has a name.
func benchRescan(b *testing.B, backend Backend, run history.RunID) {
	const batch = 256
	s := benchOpen(b, backend)
	defer s.Close()
	benchLoad(b, s, 1)
	if run != "" {
		if _, err := s.OpenRun(ctx, history.Run{ID: run}); err != nil {
			b.Fatal(err)
		}
	}
	known := inOrder(0)[:benchResources]
	list := make([]history.Observation, batch)
	n := 0
	for b.Loop() {
		b.StopTimer()
		for i := range list {
			list[i] = known[n%len(known)]
			list[i].CapturedAt += at(n/len(known)+1) - at(0)
			n++
		}
		b.StartTimer()
		benchBatch(b, s, run, list)
	}
	perSecond(b, n)
}

// benchAt draws moments at which the whole estate is known.
func benchAt(draw *rand.Rand, asOf bool) history.At {
	if !asOf {
		return history.At{}
	}
	return history.At{Captured: benchMoment(0, draw.IntN(benchResources), 1+draw.IntN(benchVersions-1))}
}

func benchGet(b *testing.B, s history.Store, n int, asOf bool) {
	draw := rand.New(rand.NewPCG(1, 1))
	keys := make([]history.Key, benchResources)
	for i := range keys {
		keys[i] = benchKey(0, i)
	}
	items := 0
	for b.Loop() {
		r, err := s.AsOf(ctx, benchAt(draw, asOf))
		if err != nil {
			b.Fatal(err)
		}
		from := draw.IntN(len(keys) - n + 1)
		got, err := r.Get(ctx, keys[from:from+n], history.FieldsAll)
		if err != nil || got[0].Version == 0 {
			b.Fatal(err, got[0])
		}
		items += len(got)
	}
	perSecond(b, items)
}

func benchHistory(b *testing.B, s history.Store) {
	draw := rand.New(rand.NewPCG(2, 1))
	items := 0
	for b.Loop() {
		r, err := s.AsOf(ctx, history.At{})
		if err != nil {
			b.Fatal(err)
		}
		got, _, err := r.History(ctx, benchKey(0, draw.IntN(benchResources)), history.HistoryQuery{})
		if err != nil || len(got) != benchVersions {
			b.Fatal(err, len(got))
		}
		items += len(got)
	}
	perSecond(b, items)
}

func benchItems(b *testing.B, s history.Store, asOf bool, f history.Fields) {
	draw := rand.New(rand.NewPCG(3, 1))
	items := 0
	for b.Loop() {
		r, err := s.AsOf(ctx, benchAt(draw, asOf))
		if err != nil {
			b.Fatal(err)
		}
		q := history.Query{Limit: 1000, Fields: f}
		got, more, err := r.Items(ctx, q)
		if err != nil || len(got) != 1000 || !more {
			b.Fatal(err, len(got), more)
		}
		items += len(got)
	}
	perSecond(b, items)
}

func benchCount(b *testing.B, s history.Store) {
	draw := rand.New(rand.NewPCG(4, 1))
	items := 0
	for b.Loop() {
		r, err := s.AsOf(ctx, benchAt(draw, true))
		if err != nil {
			b.Fatal(err)
		}
		groups, err := r.Count(ctx, history.Query{}, history.ByAccount)
		if err != nil || len(groups) != 7 {
			b.Fatal(err, groups)
		}
		items += benchResources
	}
	perSecond(b, items)
}

// mix scatters a number (the finisher of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// instanceDocument is the canonical configuration of an instance, about 2 kB.
// From one version to the next its state or type changes, and now and then a
// security group.
func instanceDocument(resource, version int) []byte {
	id := func(kind string, n int) string {
		return fmt.Sprintf("%s-%016x", kind, mix(uint64(n)<<8|uint64(len(kind))))
	}
	r, v := resource, version
	size := []string{"large", "xlarge", "2xlarge"}[(r+v/2)%3]
	state := []string{"running", "stopped"}[v%2]
	groups := []string{id("sg", r%97), id("sg", 1000+(r+v/4)%53)}
	slices.Sort(groups)
	launched := epoch.Add(-time.Duration(r%5000) * time.Hour).Format(time.RFC3339)

	b := make([]byte, 0, 2300)
	b = fmt.Appendf(b, `{"AmiLaunchIndex":0,"Architecture":"x86_64","BlockDeviceMappings":[`)
	for i := range 2 {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"DeviceName":"/dev/sd%c","Ebs":{"AttachTime":"%s","DeleteOnTermination":true,"Status":"attached","VolumeId":"%s"}}`,
			'a'+i, launched, id("vol", r*2+i))
	}
	b = fmt.Appendf(b, `],"CapacityReservationSpecification":{"CapacityReservationPreference":"open"},"ClientToken":"%016x-%016x",`,
		mix(uint64(r)), mix(uint64(r)+1))
	b = fmt.Appendf(b, `"CpuOptions":{"CoreCount":2,"ThreadsPerCore":2},"EbsOptimized":true,"EnaSupport":true,"EnclaveOptions":{"Enabled":false},`)
	b = fmt.Appendf(b, `"HibernationOptions":{"Configured":false},"Hypervisor":"xen","IamInstanceProfile":{"Arn":"arn:aws:iam::%012d:instance-profile/web","Id":"AIPA%016X"},`,
		100000000000+r%7, mix(uint64(r%31)))
	b = fmt.Appendf(b, `"ImageId":"%s","InstanceId":"%s","InstanceType":"m5.%s","KeyName":"ops","LaunchTime":"%s",`,
		id("ami", r%11), id("i", r), size, launched)
	b = fmt.Appendf(b, `"MaintenanceOptions":{"AutoRecovery":"default"},"MetadataOptions":{"HttpEndpoint":"enabled","HttpProtocolIpv6":"disabled","HttpPutResponseHopLimit":2,"HttpTokens":"required","InstanceMetadataTags":"disabled","State":"applied"},`)
	b = fmt.Appendf(b, `"Monitoring":{"State":"disabled"},"NetworkInterfaces":[{"Attachment":{"AttachTime":"%s","AttachmentId":"%s","DeleteOnTermination":true,"DeviceIndex":0,"NetworkCardIndex":0,"Status":"attached"},`,
		launched, id("eni-attach", r))
	b = fmt.Appendf(b, `"Description":"","Groups":[{"GroupId":"%s"},{"GroupId":"%s"}],"MacAddress":"06:%02x:%02x:%02x:%02x:%02x","NetworkInterfaceId":"%s","PrivateIpAddress":"10.%d.%d.%d","SourceDestCheck":true,"Status":"in-use","SubnetId":"%s","VpcId":"%s"}],`,
		groups[0], groups[1], r&255, r>>4&255, r>>8&255, r>>2&255, r>>6&255, id("eni", r), r%4, r/256%256, r%256, id("subnet", r%40), id("vpc", r%5))
	b = fmt.Appendf(b, `"Placement":{"AvailabilityZone":"eu-north-1%c","GroupName":"","Tenancy":"default"},"PrivateDnsName":"ip-10-%d-%d-%d.eu-north-1.compute.internal","PrivateIpAddress":"10.%d.%d.%d","ProductCodes":[],"PublicDnsName":"",`,
		'a'+r%3, r%4, r/256%256, r%256, r%4, r/256%256, r%256)
	b = fmt.Appendf(b, `"RootDeviceName":"/dev/sda","RootDeviceType":"ebs","SecurityGroups":[{"GroupId":"%s"},{"GroupId":"%s"}],"SourceDestCheck":true,"State":{"Code":%d,"Name":"%s"},`,
		groups[0], groups[1], 16+64*(v%2), state)
	b = fmt.Appendf(b, `"StateTransitionReason":"","SubnetId":"%s","Tags":[{"Key":"Name","Value":"web-%d"},{"Key":"env","Value":"%s"}],"UsageOperation":"RunInstances","VirtualizationType":"hvm","VpcId":"%s"}`,
		id("subnet", r%40), r, []string{"dev", "prod"}[r%2], id("vpc", r%5))
	return b
}
