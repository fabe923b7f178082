package scenario

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// A resource is what a line is taken of: the state left by the edits so far.
type resource struct {
	Provider, Source string
	Account, Region  string
	Type, ID, Name   string
	ARN              string
	AvailabilityZone string
	CreatedAt        string
	Tags             tags
	Configuration    doc
	Supplementary    doc
	Relationships    []relationship
}

// A doc is a JSON object, a list a JSON array.
type (
	doc  = map[string]any
	list = []any
)

func (r *resource) line(now time.Time, by actor) line {
	l := r.lastLine(now, by)
	l.Deleted = false
	l.AvailabilityZone = r.AvailabilityZone
	l.CreatedAt = r.CreatedAt
	l.Tags = maps.Clone(r.Tags)
	l.Configuration = encode(r.Configuration)
	if len(r.Supplementary) > 0 {
		l.Supplementary = encode(r.Supplementary)
	}
	l.Relationships = slices.Clone(r.Relationships)
	return l
}

func (r *resource) lastLine(now time.Time, by actor) line {
	return line{
		Time:          stamp(now),
		Provider:      r.Provider,
		Account:       r.Account,
		Region:        r.Region,
		Type:          r.Type,
		ID:            r.ID,
		Name:          r.Name,
		ARN:           r.ARN,
		Configuration: json.RawMessage("null"),
		Cause:         by.cause(now, r),
		Deleted:       true,
		Source:        r.Source,
	}
}

// to is a declared relationship with another resource.
func to(name string, target *resource) relationship {
	return relationship{Name: name, Type: target.Type, ID: target.ID}
}

// An actor is who made a change and where from. The one without a name is the
// provider itself, whose changes have no cause.
type actor struct {
	name     string
	sourceIP string
}

var (
	itself = actor{}
	onCall = actor{Actor, SourceIP}
	secOps = actor{"arn:aws:sts::" + Account + ":assumed-role/security-response/secops-duty", "203.0.113.18"}

	// The pipeline releases into both worlds; infrastructure changes are
	// its other job.
	release     = actor{"arn:aws:sts::" + Account + ":assumed-role/ci-release/release", "192.0.2.61"}
	terraform   = actor{"arn:aws:sts::" + Account + ":assumed-role/ci-release/terraform-apply", "192.0.2.61"}
	kubeRelease = actor{"system:serviceaccount:platform:ci-release", "10.20.18.44"}
	kubeOnCall  = actor{"oncall-platform", SourceIP}

	kubeTerraform = actor{"system:serviceaccount:platform:terraform-apply", "10.20.18.44"}
)

func (a actor) cause(now time.Time, r *resource) *cause {
	if a == itself {
		return nil
	}
	event := uuid("event", stamp(now), r.Account, r.Type, r.ID)
	return &cause{Actor: a.name, EventID: event, SourceIP: a.sourceIP}
}

// Tags are kept once. A document repeats them in the form of its service, by
// holding the same map under one of the types below.
type (
	tags       map[string]string
	lowerTags  tags // [{"key": …, "value": …}]
	upperTags  tags // [{"Key": …, "Value": …}]
	bucketTags tags // {"tagSets": [{"tags": {…}}]}
)

func (t lowerTags) MarshalJSON() ([]byte, error) { return tagList(t, "key", "value"), nil }
func (t upperTags) MarshalJSON() ([]byte, error) { return tagList(t, "Key", "Value"), nil }
func (t bucketTags) MarshalJSON() ([]byte, error) {
	return encode(doc{"tagSets": list{doc{"tags": tags(t)}}}), nil
}

func tagList(t map[string]string, key, value string) []byte {
	out := list{}
	for _, k := range slices.Sorted(maps.Keys(t)) {
		out = append(out, doc{key: k, value: t[k]})
	}
	return encode(out)
}

// Where a resource lives: each of these fills in what its neighbours share.

func inProduction(r *resource) *resource {
	r.Provider, r.Source = "aws", "aws-config/"+Region
	r.Account, r.Region = Account, Region
	return r
}

func inIdentity(r *resource) *resource {
	r = inProduction(r)
	r.Region = GlobalRegion
	r.AvailabilityZone = "Not Applicable"
	return r
}

func inLogAccount(r *resource) *resource {
	r = inProduction(r)
	r.Account = LogAccount
	return r
}

func inBackupRegion(r *resource) *resource {
	r = inProduction(r)
	r.Region, r.Source = BackupRegion, "aws-config/"+BackupRegion
	return r
}

func inCluster(r *resource) *resource {
	r.Provider, r.Source = "kubernetes", "kubernetes/"+Cluster
	r.Account = Cluster
	return r
}
