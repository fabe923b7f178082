package answer

import (
	"maps"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// Item is one version of one resource, all of it.
type Item struct {
	Account          string                    `json:"account"`
	Region           string                    `json:"region"`
	Type             string                    `json:"type"`
	ID               string                    `json:"id"`
	Name             string                    `json:"name"`
	ARN              string                    `json:"arn,omitempty"`
	AvailabilityZone string                    `json:"availabilityZone,omitempty"`
	CreatedAt        string                    `json:"createdAt,omitempty"`
	Tags             map[string]string         `json:"tags"`
	Status           string                    `json:"status"`
	Version          uint32                    `json:"version"`
	CapturedAt       string                    `json:"capturedAt"`
	LastSeenAt       string                    `json:"lastSeenAt"`
	RecordedAt       string                    `json:"recordedAt"`
	Revision         string                    `json:"revision"`
	Configuration    jsontext.Value            `json:"configuration"` // null on deletions
	Supplementary    map[string]jsontext.Value `json:"supplementary,omitzero"`
	Relationships    []Relationship            `json:"relationships,omitempty"`
	Cause            *Cause                    `json:"cause,omitzero"`
	Source           string                    `json:"source,omitempty"`
	Provider         string                    `json:"provider,omitempty"`
	Run              string                    `json:"run,omitempty"`
	Extras           jsontext.Value            `json:"extras,omitzero"`
	Erased           bool                      `json:"erased,omitzero"` // its content was
	Lost             bool                      `json:"lost,omitzero"`   // with erased: to damage
}

// Relationship is a declared edge to another resource.
type Relationship struct {
	Name         string `json:"name"`
	Type         string `json:"type"`
	ID           string `json:"id,omitempty"`
	ResourceName string `json:"resourceName,omitempty"`
	Account      string `json:"account,omitempty"`
	Region       string `json:"region,omitempty"`
}

// Cause is who or what made a change.
type Cause struct {
	Actor    string `json:"actor,omitempty"`
	EventID  string `json:"eventId,omitempty"`
	SourceIP string `json:"sourceIp,omitempty"`
}

// ItemOf reads an item.
func ItemOf(p *varvev1.Item) Item {
	i := Item{
		Account:          p.GetKey().GetAccount(),
		Region:           p.GetKey().GetRegion(),
		Type:             p.GetKey().GetType(),
		ID:               p.GetKey().GetId(),
		Name:             p.GetName(),
		ARN:              p.GetArn(),
		AvailabilityZone: p.GetAvailabilityZone(),
		CreatedAt:        Time(p.GetCreatedAt()),
		Tags:             tags(p),
		Status:           p.GetStatus(),
		Version:          p.GetVersion(),
		CapturedAt:       Time(p.GetCapturedAt()),
		LastSeenAt:       Time(p.GetLastSeenAt()),
		RecordedAt:       Time(p.GetRecordedAt()),
		Revision:         strconv.FormatUint(p.GetRevision(), 10),
		Configuration:    p.GetConfiguration().GetRaw(),
		Cause:            causeOf(p),
		Source:           p.GetSource(),
		Provider:         p.GetProvider(),
		Run:              RunID(p.GetRun()),
		Extras:           p.GetExtras().GetRaw(),
		Erased:           p.GetErased(),
		Lost:             p.GetLost(),
	}
	if len(p.GetSupplementary()) > 0 {
		i.Supplementary = make(map[string]jsontext.Value)
		for name, doc := range p.GetSupplementary() {
			i.Supplementary[name] = doc.GetRaw()
		}
	}
	for _, r := range p.GetRelationships() {
		i.Relationships = append(i.Relationships, Relationship{
			Name: r.GetName(), Type: r.GetType(), ID: r.GetId(),
			ResourceName: r.GetResourceName(), Account: r.GetAccount(), Region: r.GetRegion(),
		})
	}
	return i
}

// tags are never null.
func tags(p *varvev1.Item) map[string]string {
	if t := maps.Clone(p.GetTags()); t != nil {
		return t
	}
	return map[string]string{}
}

func causeOf(p interface{ GetCause() *varvev1.Cause }) *Cause {
	c := Cause{Actor: p.GetCause().GetActor(), EventID: p.GetCause().GetEventId(), SourceIP: p.GetCause().GetSourceIp()}
	if c == (Cause{}) {
		return nil
	}
	return &c
}

// RunID is the id in a run's resource name.
func RunID(name string) string { return strings.TrimPrefix(name, "runs/") }

// Resource is one line of an inventory.
type Resource struct {
	Account    string            `json:"account"`
	Region     string            `json:"region"`
	Type       string            `json:"type"`
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Tags       map[string]string `json:"tags"`
	Status     string            `json:"status"`
	Version    uint32            `json:"version"`
	CapturedAt string            `json:"capturedAt"`
}

// ResourceFields are the fields of an item that a Resource is made of.
var ResourceFields = []string{"key", "name", "tags", "status", "version", "captured_at"}

// ResourceOf reads what an inventory tells of an item.
func ResourceOf(p *varvev1.Item) Resource {
	return Resource{
		Account:    p.GetKey().GetAccount(),
		Region:     p.GetKey().GetRegion(),
		Type:       p.GetKey().GetType(),
		ID:         p.GetKey().GetId(),
		Name:       p.GetName(),
		Tags:       tags(p),
		Status:     p.GetStatus(),
		Version:    p.GetVersion(),
		CapturedAt: Time(p.GetCapturedAt()),
	}
}
