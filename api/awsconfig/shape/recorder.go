package shape

import "github.com/varvehq/varve/history"

type AssociateResourceTypesInput struct {
	ConfigurationRecorderARN string   `aws:"ConfigurationRecorderArn,required" check:"len=1..1000"`
	ResourceTypes            []string `aws:"ResourceTypes,required"`
}

type AssociateResourceTypesOutput struct {
	ConfigurationRecorder *ConfigurationRecorder `aws:"ConfigurationRecorder"`
}

type ConfigurationRecorder struct {
	ARN                string              `aws:"arn" check:"len=1..1000"`
	Name               string              `aws:"name" check:"len=1..256"`
	RoleARN            string              `aws:"roleARN"`
	RecordingGroup     *RecordingGroup     `aws:"recordingGroup"`
	RecordingMode      *RecordingMode      `aws:"recordingMode"`
	RecordingScope     string              `aws:"recordingScope" check:"enum=INTERNAL|PAID"`
	ServicePrincipal   string              `aws:"servicePrincipal" check:"len=1..128" pattern:"[\\w+=,.@-]+"`
	ConnectorARN       string              `aws:"connectorArn"`
	ScopeConfiguration *ScopeConfiguration `aws:"scopeConfiguration"`
}

type RecordingGroup struct {
	AllSupported               bool                      `aws:"allSupported,always"`
	IncludeGlobalResourceTypes bool                      `aws:"includeGlobalResourceTypes,always"`
	ResourceTypes              []string                  `aws:"resourceTypes,always"`
	ExclusionByResourceTypes   *ExclusionByResourceTypes `aws:"exclusionByResourceTypes"`
	RecordingStrategy          *RecordingStrategy        `aws:"recordingStrategy"`
}

type ExclusionByResourceTypes struct {
	ResourceTypes []string `aws:"resourceTypes,always"`
}

type RecordingStrategy struct {
	UseOnly string `aws:"useOnly" check:"enum=ALL_SUPPORTED_RESOURCE_TYPES|INCLUSION_BY_RESOURCE_TYPES|EXCLUSION_BY_RESOURCE_TYPES"`
}

type RecordingMode struct {
	RecordingFrequency     string                  `aws:"recordingFrequency,required" check:"enum=CONTINUOUS|DAILY"`
	RecordingModeOverrides []RecordingModeOverride `aws:"recordingModeOverrides,always" check:"items=0..1"`
}

type RecordingModeOverride struct {
	Description        string   `aws:"description" check:"len=1..256"`
	ResourceTypes      []string `aws:"resourceTypes,required"`
	RecordingFrequency string   `aws:"recordingFrequency,required" check:"enum=CONTINUOUS|DAILY"`
}

type DeleteConfigurationRecorderInput struct {
	ConfigurationRecorderName string `aws:"ConfigurationRecorderName,required" check:"len=1..256"`
}

type DescribeConfigurationRecorderStatusInput struct {
	ConfigurationRecorderNames []string `aws:"ConfigurationRecorderNames" check:"each.len=1..256"`
	ServicePrincipal           string   `aws:"ServicePrincipal" check:"len=1..128" pattern:"[\\w+=,.@-]+"`
	ARN                        string   `aws:"Arn" check:"len=1..1000"`
}

type DescribeConfigurationRecorderStatusOutput struct {
	ConfigurationRecordersStatus []ConfigurationRecorderStatus `aws:"ConfigurationRecordersStatus,always"`
}

type ConfigurationRecorderStatus struct {
	ARN                  string         `aws:"arn"`
	Name                 string         `aws:"name"`
	LastStartTime        history.Moment `aws:"lastStartTime"`
	LastStopTime         history.Moment `aws:"lastStopTime"`
	Recording            bool           `aws:"recording,always"`
	LastStatus           string         `aws:"lastStatus"`
	LastErrorCode        string         `aws:"lastErrorCode"`
	LastErrorMessage     string         `aws:"lastErrorMessage"`
	LastStatusChangeTime history.Moment `aws:"lastStatusChangeTime"`
	ServicePrincipal     string         `aws:"servicePrincipal"`
}

type DescribeConfigurationRecordersInput struct {
	ConfigurationRecorderNames []string `aws:"ConfigurationRecorderNames" check:"each.len=1..256"`
	ServicePrincipal           string   `aws:"ServicePrincipal" check:"len=1..128" pattern:"[\\w+=,.@-]+"`
	ARN                        string   `aws:"Arn" check:"len=1..1000"`
}

type DescribeConfigurationRecordersOutput struct {
	ConfigurationRecorders []ConfigurationRecorder `aws:"ConfigurationRecorders,always"`
}

type DisassociateResourceTypesInput struct {
	ConfigurationRecorderARN string   `aws:"ConfigurationRecorderArn,required" check:"len=1..1000"`
	ResourceTypes            []string `aws:"ResourceTypes,required"`
}

type DisassociateResourceTypesOutput struct {
	ConfigurationRecorder *ConfigurationRecorder `aws:"ConfigurationRecorder"`
}

type ListConfigurationRecordersInput struct {
	Filters    []ConfigurationRecorderFilter `aws:"Filters"`
	MaxResults int32                         `aws:"MaxResults" check:"range=0..20"`
	NextToken  string                        `aws:"NextToken"`
}

type ConfigurationRecorderFilter struct {
	FilterName  string   `aws:"filterName" check:"enum=recordingScope"`
	FilterValue []string `aws:"filterValue" pattern:"^[0-9a-zA-Z\\*\\.\\\\/\\?-]*$"`
}

type ListConfigurationRecordersOutput struct {
	ConfigurationRecorderSummaries []ConfigurationRecorderSummary `aws:"ConfigurationRecorderSummaries,always"`
	NextToken                      string                         `aws:"NextToken"`
}

type ConfigurationRecorderSummary struct {
	ARN              string `aws:"arn"`
	Name             string `aws:"name"`
	ServicePrincipal string `aws:"servicePrincipal"`
	RecordingScope   string `aws:"recordingScope"`
	Provider         string `aws:"provider"`
}

type PutConfigurationRecorderInput struct {
	ConfigurationRecorder *ConfigurationRecorder `aws:"ConfigurationRecorder,required"`
	Tags                  []Tag                  `aws:"Tags" check:"items=0..50"`
}

type StartConfigurationRecorderInput struct {
	ConfigurationRecorderName string `aws:"ConfigurationRecorderName,required" check:"len=1..256"`
}

type StopConfigurationRecorderInput struct {
	ConfigurationRecorderName string `aws:"ConfigurationRecorderName,required" check:"len=1..256"`
}
