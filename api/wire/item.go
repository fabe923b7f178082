package wire

import (
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// ObservationToProto writes an observation. Its run is not part of it: a batch
// has one.
func ObservationToProto(o history.Observation) *varvev1.Observation {
	return &varvev1.Observation{
		Key:              KeyToProto(o.Key),
		CapturedAt:       MomentToProto(o.CapturedAt),
		Deleted:          o.State.Deleted,
		Arn:              o.State.ARN,
		Name:             o.State.Name,
		AvailabilityZone: o.State.AvailabilityZone,
		CreatedAt:        MomentToProto(o.State.CreatedAt),
		Tags:             o.State.Tags,
		Configuration:    JSONToProto(o.State.Configuration),
		Supplementary:    documentsToProto(o.State.Supplementary),
		Relationships:    relationshipsToProto(o.State.Relationships),
		Status:           string(o.State.Status),
		Cause:            causeToProto(o.Origin.Cause),
		Source:           o.Origin.Source,
		Provider:         o.Origin.Provider,
		Extras:           JSONToProto(o.Origin.Extras),
		ExpectVersion:    o.Expect,
	}
}

// ObservationFromProto reads an observation. Its JSON is as the sender wrote
// it, neither checked nor canonical.
func ObservationFromProto(p *varvev1.Observation) (history.Observation, error) {
	o := history.Observation{
		State: history.State{
			Deleted:          p.GetDeleted(),
			ARN:              p.GetArn(),
			Name:             p.GetName(),
			AvailabilityZone: p.GetAvailabilityZone(),
			Tags:             tagsFromProto(p.GetTags()),
			Relationships:    relationshipsFromProto(p.GetRelationships()),
			Status:           history.Status(p.GetStatus()),
		},
		Origin: history.Origin{
			Provider: p.GetProvider(),
			Source:   p.GetSource(),
			Cause:    causeFromProto(p.GetCause()),
		},
		Expect: p.ExpectVersion, // absent and 0 are not the same
	}
	var err error
	if o.Key, err = KeyFromProto(p.GetKey()); err != nil {
		return o, err
	}
	if o.CapturedAt, err = MomentFromProto("capturedAt", p.GetCapturedAt()); err != nil {
		return o, err
	}
	if o.State.CreatedAt, err = MomentFromProto("createdAt", p.GetCreatedAt()); err != nil {
		return o, err
	}
	if o.State.Configuration, err = JSONFromProto("configuration", p.GetConfiguration()); err != nil {
		return o, err
	}
	if o.State.Supplementary, err = documentsFromProto("supplementary", p.GetSupplementary()); err != nil {
		return o, err
	}
	o.Origin.Extras, err = JSONFromProto("extras", p.GetExtras())
	return o, err
}

// ItemToProto writes an item. Its hash does not cross.
func ItemToProto(i history.Item) *varvev1.Item {
	p := &varvev1.Item{
		Key:              KeyToProto(i.Key),
		Version:          i.Version,
		Status:           string(i.Status),
		SourceStatus:     string(i.State.Status),
		Deleted:          i.State.Deleted,
		CapturedAt:       MomentToProto(i.CapturedAt),
		LastSeenAt:       MomentToProto(i.LastSeenAt),
		Until:            MomentToProto(i.Until),
		RecordedAt:       MomentToProto(i.RecordedAt),
		Revision:         uint64(i.Revision),
		Name:             i.State.Name,
		Arn:              i.State.ARN,
		AvailabilityZone: i.State.AvailabilityZone,
		CreatedAt:        MomentToProto(i.State.CreatedAt),
		Tags:             i.State.Tags,
		Configuration:    JSONToProto(i.State.Configuration),
		Supplementary:    documentsToProto(i.State.Supplementary),
		Relationships:    relationshipsToProto(i.State.Relationships),
		Cause:            causeToProto(i.Origin.Cause),
		Source:           i.Origin.Source,
		Provider:         i.Origin.Provider,
		Extras:           JSONToProto(i.Origin.Extras),
		Erased:           i.Erased,
		Lost:             i.Lost,
	}
	if i.Origin.Run != "" {
		p.Run = RunName(i.Origin.Run)
	}
	return p
}

// ItemFromProto reads an item. An absent `until` is Newest.
func ItemFromProto(p *varvev1.Item) (history.Item, error) {
	i := history.Item{
		Version:  p.GetVersion(),
		Revision: history.Revision(p.GetRevision()),
		Erased:   p.GetErased(),
		Lost:     p.GetLost(),
		Status:   history.Status(p.GetStatus()),
		State: history.State{
			Deleted:          p.GetDeleted(),
			Status:           history.Status(p.GetSourceStatus()),
			ARN:              p.GetArn(),
			Name:             p.GetName(),
			AvailabilityZone: p.GetAvailabilityZone(),
			Tags:             tagsFromProto(p.GetTags()),
			Relationships:    relationshipsFromProto(p.GetRelationships()),
		},
		Origin: history.Origin{
			Provider: p.GetProvider(),
			Source:   p.GetSource(),
			Cause:    causeFromProto(p.GetCause()),
		},
	}
	if err := readMoments(
		momentField{"capturedAt", p.GetCapturedAt(), &i.CapturedAt},
		momentField{"lastSeenAt", p.GetLastSeenAt(), &i.LastSeenAt},
		momentField{"until", p.GetUntil(), &i.Until},
		momentField{"recordedAt", p.GetRecordedAt(), &i.RecordedAt},
		momentField{"createdAt", p.GetCreatedAt(), &i.State.CreatedAt},
	); err != nil {
		return i, err
	}
	if i.Until == 0 {
		i.Until = history.Newest
	}
	var err error
	if p.GetKey() != nil {
		if i.Key, err = KeyFromProto(p.GetKey()); err != nil {
			return i, err
		}
	}
	if p.GetRun() != "" {
		if i.Origin.Run, err = ParseRunName("run", p.GetRun()); err != nil {
			return i, err
		}
	}
	if i.State.Configuration, err = JSONFromProto("configuration", p.GetConfiguration()); err != nil {
		return i, err
	}
	if i.State.Supplementary, err = documentsFromProto("supplementary", p.GetSupplementary()); err != nil {
		return i, err
	}
	i.Origin.Extras, err = JSONFromProto("extras", p.GetExtras())
	return i, err
}

// tagsFromProto makes an absent and an empty map the same.
func tagsFromProto(tags map[string]string) map[string]string {
	if len(tags) == 0 {
		return nil
	}
	return tags
}
