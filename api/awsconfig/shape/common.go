package shape

import "github.com/varvehq/varve/history"

type Compliance struct {
	ComplianceType             string                      `aws:"ComplianceType"`
	ComplianceContributorCount *ComplianceContributorCount `aws:"ComplianceContributorCount"`
}

type ComplianceContributorCount struct {
	CappedCount int32 `aws:"CappedCount,always"`
	CapExceeded bool  `aws:"CapExceeded,always"`
}

type EvaluationResultIdentifier struct {
	EvaluationResultQualifier *EvaluationResultQualifier `aws:"EvaluationResultQualifier"`
	OrderingTimestamp         history.Moment             `aws:"OrderingTimestamp"`
	ResourceEvaluationID      string                     `aws:"ResourceEvaluationId"`
}

type EvaluationResultQualifier struct {
	ConfigRuleName string `aws:"ConfigRuleName"`
	ResourceType   string `aws:"ResourceType"`
	ResourceID     string `aws:"ResourceId"`
	EvaluationMode string `aws:"EvaluationMode"`
}

type ComplianceSummary struct {
	CompliantResourceCount     *ComplianceContributorCount `aws:"CompliantResourceCount"`
	NonCompliantResourceCount  *ComplianceContributorCount `aws:"NonCompliantResourceCount"`
	ComplianceSummaryTimestamp history.Moment              `aws:"ComplianceSummaryTimestamp"`
}

type ResourceKey struct {
	ResourceType string `aws:"resourceType,required"`
	ResourceID   string `aws:"resourceId,required" check:"len=1..768"`
}

type BaseConfigurationItem struct {
	Version                       string            `aws:"version"`
	AccountID                     string            `aws:"accountId"`
	ConfigurationItemCaptureTime  history.Moment    `aws:"configurationItemCaptureTime"`
	ConfigurationItemStatus       string            `aws:"configurationItemStatus"`
	ConfigurationStateID          string            `aws:"configurationStateId"`
	ARN                           string            `aws:"arn"`
	ResourceType                  string            `aws:"resourceType"`
	ResourceID                    string            `aws:"resourceId"`
	ResourceName                  string            `aws:"resourceName"`
	AWSRegion                     string            `aws:"awsRegion"`
	AvailabilityZone              string            `aws:"availabilityZone"`
	ResourceCreationTime          history.Moment    `aws:"resourceCreationTime"`
	Configuration                 string            `aws:"configuration"`
	SupplementaryConfiguration    map[string]string `aws:"supplementaryConfiguration,always"`
	RecordingFrequency            string            `aws:"recordingFrequency"`
	ConfigurationItemDeliveryTime history.Moment    `aws:"configurationItemDeliveryTime"`
}

type ConfigurationItem struct {
	Version                       string            `aws:"version"`
	AccountID                     string            `aws:"accountId"`
	ConfigurationItemCaptureTime  history.Moment    `aws:"configurationItemCaptureTime"`
	ConfigurationItemStatus       string            `aws:"configurationItemStatus"`
	ConfigurationStateID          string            `aws:"configurationStateId"`
	ConfigurationItemMD5Hash      string            `aws:"configurationItemMD5Hash,always"`
	ARN                           string            `aws:"arn"`
	ResourceType                  string            `aws:"resourceType"`
	ResourceID                    string            `aws:"resourceId"`
	ResourceName                  string            `aws:"resourceName"`
	AWSRegion                     string            `aws:"awsRegion"`
	AvailabilityZone              string            `aws:"availabilityZone"`
	ResourceCreationTime          history.Moment    `aws:"resourceCreationTime"`
	Tags                          map[string]string `aws:"tags,always"`
	RelatedEvents                 []string          `aws:"relatedEvents,always"`
	Relationships                 []Relationship    `aws:"relationships,always"`
	Configuration                 string            `aws:"configuration"`
	SupplementaryConfiguration    map[string]string `aws:"supplementaryConfiguration,always"`
	RecordingFrequency            string            `aws:"recordingFrequency"`
	ConfigurationItemDeliveryTime history.Moment    `aws:"configurationItemDeliveryTime"`
}

type Relationship struct {
	ResourceType     string `aws:"resourceType"`
	ResourceID       string `aws:"resourceId"`
	ResourceName     string `aws:"resourceName"`
	RelationshipName string `aws:"relationshipName"`
}

type ConformancePackInputParameter struct {
	ParameterName  string `aws:"ParameterName,required" check:"len=0..255"`
	ParameterValue string `aws:"ParameterValue,required" check:"len=0..4096"`
}

type Tag struct {
	Key   string `aws:"Key" check:"len=1..128"`
	Value string `aws:"Value,always" check:"len=0..256"`
}

type QueryInfo struct {
	SelectFields []FieldInfo `aws:"SelectFields"`
}

type FieldInfo struct {
	Name string `aws:"Name"`
}
