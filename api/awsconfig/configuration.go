package awsconfig

import (
	"maps"
	"strings"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/source/awsconfig"
)

// configurationItem tells a version, read with all its fields, in AWS's shape.
func configurationItem(it *history.Item) shape.ConfigurationItem {
	told := awsconfig.Tell(it)
	base := both(it, &told)
	return shape.ConfigurationItem{
		Version:                       base.Version,
		AccountID:                     base.AccountID,
		ConfigurationItemCaptureTime:  base.ConfigurationItemCaptureTime,
		ConfigurationItemStatus:       base.ConfigurationItemStatus,
		ConfigurationStateID:          base.ConfigurationStateID,
		ConfigurationItemMD5Hash:      told.MD5,
		ARN:                           base.ARN,
		ResourceType:                  base.ResourceType,
		ResourceID:                    base.ResourceID,
		ResourceName:                  base.ResourceName,
		AWSRegion:                     base.AWSRegion,
		AvailabilityZone:              base.AvailabilityZone,
		ResourceCreationTime:          base.ResourceCreationTime,
		Tags:                          it.State.Tags,
		RelatedEvents:                 told.RelatedEvents,
		Relationships:                 relationships(it, &told),
		Configuration:                 base.Configuration,
		SupplementaryConfiguration:    base.SupplementaryConfiguration,
		RecordingFrequency:            base.RecordingFrequency,
		ConfigurationItemDeliveryTime: base.ConfigurationItemDeliveryTime,
	}
}

// baseConfigurationItem tells no tags, not even where they stand in the
// supplementary configuration.
func baseConfigurationItem(it *history.Item) shape.BaseConfigurationItem {
	told := awsconfig.Tell(it)
	base := both(it, &told)
	maps.DeleteFunc(base.SupplementaryConfiguration, func(name, _ string) bool {
		return strings.EqualFold(name, "Tags") || name == "BucketTaggingConfiguration"
	})
	return base
}

// both is what the two shapes of an item have in common.
func both(it *history.Item, told *awsconfig.Told) shape.BaseConfigurationItem {
	s := &it.State
	return shape.BaseConfigurationItem{
		Version:                       told.Version,
		AccountID:                     it.Key.Account,
		ConfigurationItemCaptureTime:  it.CapturedAt,
		ConfigurationItemStatus:       string(told.Status),
		ConfigurationStateID:          told.StateID,
		ARN:                           s.ARN,
		ResourceType:                  it.Key.Type,
		ResourceID:                    it.Key.ID,
		ResourceName:                  s.Name,
		AWSRegion:                     it.Key.Region,
		AvailabilityZone:              s.AvailabilityZone,
		ResourceCreationTime:          s.CreatedAt,
		Configuration:                 configurationText(it),
		SupplementaryConfiguration:    supplementaryTexts(s),
		RecordingFrequency:            told.Frequency,
		ConfigurationItemDeliveryTime: told.DeliveredAt,
	}
}

// configurationText is the configuration as JSON text: "null" of a deletion,
// nothing where there is none that is known.
func configurationText(it *history.Item) string {
	if it.State.Deleted {
		return "null"
	}
	return string(it.State.Configuration)
}

func supplementaryTexts(s *history.State) map[string]string {
	texts := make(map[string]string, len(s.Supplementary))
	for name, doc := range s.Supplementary {
		texts[name] = string(doc)
	}
	return texts
}

// relationships are those that were declared. Where nobody declared any, because
// the item does not come from AWS Config, they are those that AWS Config would
// have declared of its configuration.
func relationships(it *history.Item, told *awsconfig.Told) []shape.Relationship {
	list := told.Relationships
	if len(list) == 0 && !told.Whole && !it.State.Deleted {
		list = graph.AsDeclared(it.Key, &it.State)
	}
	entries := make([]shape.Relationship, len(list))
	for i := range list {
		r := &list[i]
		entries[i] = shape.Relationship{
			ResourceType: r.Type, ResourceID: r.ID, ResourceName: r.ResourceName, RelationshipName: r.Name,
		}
	}
	return entries
}

// sizeOf is about how many bytes an item takes in an answer.
func sizeOf(it *history.Item) int {
	n := 1024 + len(it.State.Configuration)
	for name, doc := range it.State.Supplementary {
		n += len(name) + len(doc)
	}
	return n
}
