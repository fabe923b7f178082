package shape

import "github.com/varvehq/varve/history"

type BatchGetResourceConfigInput struct {
	ResourceKeys []ResourceKey `aws:"resourceKeys,required" check:"items=1..100"`
}

type BatchGetResourceConfigOutput struct {
	BaseConfigurationItems  []BaseConfigurationItem `aws:"baseConfigurationItems,always"`
	UnprocessedResourceKeys []ResourceKey           `aws:"unprocessedResourceKeys,always"`
}

type DeleteResourceConfigInput struct {
	ResourceType string `aws:"ResourceType,required" check:"len=1..196"`
	ResourceID   string `aws:"ResourceId,required" check:"len=1..768"`
}

type GetDiscoveredResourceCountsInput struct {
	ResourceTypes []string `aws:"resourceTypes" check:"items=0..20;each.len=1..256"`
	Limit         int32    `aws:"limit"`
	NextToken     string   `aws:"nextToken"`
}

type GetDiscoveredResourceCountsOutput struct {
	TotalDiscoveredResources int64           `aws:"totalDiscoveredResources,always"`
	ResourceCounts           []ResourceCount `aws:"resourceCounts,always"`
	NextToken                string          `aws:"nextToken"`
}

type ResourceCount struct {
	ResourceType string `aws:"resourceType"`
	Count        int64  `aws:"count,always"`
}

type GetResourceConfigHistoryInput struct {
	ResourceType       string         `aws:"resourceType,required"`
	ResourceID         string         `aws:"resourceId,required" check:"len=1..768"`
	LaterTime          history.Moment `aws:"laterTime"`
	EarlierTime        history.Moment `aws:"earlierTime"`
	ChronologicalOrder string         `aws:"chronologicalOrder" check:"enum=Reverse|Forward"`
	Limit              int32          `aws:"limit"`
	NextToken          string         `aws:"nextToken"`
}

type GetResourceConfigHistoryOutput struct {
	ConfigurationItems []ConfigurationItem `aws:"configurationItems,always"`
	NextToken          string              `aws:"nextToken"`
}

type ListDiscoveredResourcesInput struct {
	ResourceType            string   `aws:"resourceType,required"`
	ResourceIDs             []string `aws:"resourceIds" check:"each.len=1..768"`
	ResourceName            string   `aws:"resourceName"`
	Limit                   int32    `aws:"limit"`
	IncludeDeletedResources bool     `aws:"includeDeletedResources"`
	NextToken               string   `aws:"nextToken"`
}

type ListDiscoveredResourcesOutput struct {
	ResourceIdentifiers []ResourceIdentifier `aws:"resourceIdentifiers,always"`
	NextToken           string               `aws:"nextToken"`
}

type ResourceIdentifier struct {
	ResourceType         string         `aws:"resourceType"`
	ResourceID           string         `aws:"resourceId"`
	ResourceName         string         `aws:"resourceName"`
	ResourceDeletionTime history.Moment `aws:"resourceDeletionTime"`
}

type PutResourceConfigInput struct {
	ResourceType    string            `aws:"ResourceType,required" check:"len=1..196"`
	SchemaVersionID string            `aws:"SchemaVersionId,required" check:"len=1..128" pattern:"[A-Za-z0-9-]+"`
	ResourceID      string            `aws:"ResourceId,required" check:"len=1..768"`
	ResourceName    string            `aws:"ResourceName"`
	Configuration   string            `aws:"Configuration,required"`
	Tags            map[string]string `aws:"Tags"`
}
