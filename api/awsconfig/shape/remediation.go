package shape

import "github.com/varvehq/varve/history"

type DeleteRemediationConfigurationInput struct {
	ConfigRuleName string `aws:"ConfigRuleName,required" check:"len=1..128" pattern:".*\\S.*"`
	ResourceType   string `aws:"ResourceType"`
}

type DeleteRemediationConfigurationOutput struct {
}

type DeleteRemediationExceptionsInput struct {
	ConfigRuleName string                            `aws:"ConfigRuleName,required" check:"len=1..128" pattern:".*\\S.*"`
	ResourceKeys   []RemediationExceptionResourceKey `aws:"ResourceKeys,required" check:"items=1..100"`
}

type RemediationExceptionResourceKey struct {
	ResourceType string `aws:"ResourceType" check:"len=1..256"`
	ResourceID   string `aws:"ResourceId" check:"len=1..1024"`
}

type DeleteRemediationExceptionsOutput struct {
	FailedBatches []FailedDeleteRemediationExceptionsBatch `aws:"FailedBatches,always"`
}

type FailedDeleteRemediationExceptionsBatch struct {
	FailureMessage string                            `aws:"FailureMessage"`
	FailedItems    []RemediationExceptionResourceKey `aws:"FailedItems"`
}

type DescribeRemediationConfigurationsInput struct {
	ConfigRuleNames []string `aws:"ConfigRuleNames,required" check:"items=0..25;each.len=1..128" pattern:".*\\S.*"`
}

type DescribeRemediationConfigurationsOutput struct {
	RemediationConfigurations []RemediationConfiguration `aws:"RemediationConfigurations,always"`
}

type RemediationConfiguration struct {
	ConfigRuleName           string                               `aws:"ConfigRuleName,required" check:"len=1..128" pattern:".*\\S.*"`
	TargetType               string                               `aws:"TargetType,required" check:"enum=SSM_DOCUMENT"`
	TargetID                 string                               `aws:"TargetId,required" check:"len=1..256"`
	TargetVersion            string                               `aws:"TargetVersion"`
	Parameters               map[string]RemediationParameterValue `aws:"Parameters" check:"items=0..25;key.len=1..256"`
	ResourceType             string                               `aws:"ResourceType"`
	Automatic                bool                                 `aws:"Automatic,always"`
	ExecutionControls        *ExecutionControls                   `aws:"ExecutionControls"`
	MaximumAutomaticAttempts int32                                `aws:"MaximumAutomaticAttempts" check:"range=1..25"`
	RetryAttemptSeconds      int64                                `aws:"RetryAttemptSeconds" check:"range=1..2678000"`
	ARN                      string                               `aws:"Arn" check:"len=1..1024"`
	CreatedByService         string                               `aws:"CreatedByService" check:"len=1..1024"`
}

type RemediationParameterValue struct {
	ResourceValue *ResourceValue `aws:"ResourceValue"`
	StaticValue   *StaticValue   `aws:"StaticValue"`
}

type ResourceValue struct {
	Value string `aws:"Value,required" check:"enum=RESOURCE_ID"`
}

type StaticValue struct {
	Values []string `aws:"Values,required" check:"items=0..25;each.len=1..256"`
}

type ExecutionControls struct {
	SSMControls *SSMControls `aws:"SsmControls"`
}

type SSMControls struct {
	ConcurrentExecutionRatePercentage int32 `aws:"ConcurrentExecutionRatePercentage" check:"range=1..100"`
	ErrorPercentage                   int32 `aws:"ErrorPercentage" check:"range=1..100"`
}

type DescribeRemediationExceptionsInput struct {
	ConfigRuleName string                            `aws:"ConfigRuleName,required" check:"len=1..128" pattern:".*\\S.*"`
	ResourceKeys   []RemediationExceptionResourceKey `aws:"ResourceKeys" check:"items=1..100"`
	Limit          int32                             `aws:"Limit" check:"range=0..100"`
	NextToken      string                            `aws:"NextToken"`
}

type DescribeRemediationExceptionsOutput struct {
	RemediationExceptions []RemediationException `aws:"RemediationExceptions,always"`
	NextToken             string                 `aws:"NextToken"`
}

type RemediationException struct {
	ConfigRuleName string         `aws:"ConfigRuleName"`
	ResourceType   string         `aws:"ResourceType"`
	ResourceID     string         `aws:"ResourceId"`
	Message        string         `aws:"Message"`
	ExpirationTime history.Moment `aws:"ExpirationTime"`
}

type DescribeRemediationExecutionStatusInput struct {
	ConfigRuleName string        `aws:"ConfigRuleName,required" check:"len=1..128" pattern:".*\\S.*"`
	ResourceKeys   []ResourceKey `aws:"ResourceKeys" check:"items=1..100"`
	Limit          int32         `aws:"Limit" check:"range=0..100"`
	NextToken      string        `aws:"NextToken"`
}

type DescribeRemediationExecutionStatusOutput struct {
	RemediationExecutionStatuses []RemediationExecutionStatus `aws:"RemediationExecutionStatuses,always"`
	NextToken                    string                       `aws:"NextToken"`
}

type RemediationExecutionStatus struct {
	ResourceKey     *ResourceKey               `aws:"ResourceKey"`
	State           string                     `aws:"State"`
	StepDetails     []RemediationExecutionStep `aws:"StepDetails"`
	InvocationTime  history.Moment             `aws:"InvocationTime"`
	LastUpdatedTime history.Moment             `aws:"LastUpdatedTime"`
}

type RemediationExecutionStep struct {
	Name         string         `aws:"Name"`
	State        string         `aws:"State"`
	ErrorMessage string         `aws:"ErrorMessage"`
	StartTime    history.Moment `aws:"StartTime"`
	StopTime     history.Moment `aws:"StopTime"`
}

type PutRemediationConfigurationsInput struct {
	RemediationConfigurations []RemediationConfiguration `aws:"RemediationConfigurations,required" check:"items=0..25"`
}

type PutRemediationConfigurationsOutput struct {
	FailedBatches []FailedRemediationBatch `aws:"FailedBatches,always"`
}

type FailedRemediationBatch struct {
	FailureMessage string                     `aws:"FailureMessage"`
	FailedItems    []RemediationConfiguration `aws:"FailedItems"`
}

type PutRemediationExceptionsInput struct {
	ConfigRuleName string                            `aws:"ConfigRuleName,required" check:"len=1..128" pattern:".*\\S.*"`
	ResourceKeys   []RemediationExceptionResourceKey `aws:"ResourceKeys,required" check:"items=1..100"`
	Message        string                            `aws:"Message" check:"len=1..1024"`
	ExpirationTime history.Moment                    `aws:"ExpirationTime"`
}

type PutRemediationExceptionsOutput struct {
	FailedBatches []FailedRemediationExceptionBatch `aws:"FailedBatches,always"`
}

type FailedRemediationExceptionBatch struct {
	FailureMessage string                 `aws:"FailureMessage"`
	FailedItems    []RemediationException `aws:"FailedItems"`
}

type StartRemediationExecutionInput struct {
	ConfigRuleName string        `aws:"ConfigRuleName,required" check:"len=1..128" pattern:".*\\S.*"`
	ResourceKeys   []ResourceKey `aws:"ResourceKeys,required" check:"items=1..100"`
}

type StartRemediationExecutionOutput struct {
	FailureMessage string        `aws:"FailureMessage"`
	FailedItems    []ResourceKey `aws:"FailedItems,always"`
}
