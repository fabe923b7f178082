package shape

import "github.com/varvehq/varve/history"

type DeleteConfigRuleInput struct {
	ConfigRuleName string `aws:"ConfigRuleName,required" check:"len=1..128" pattern:".*\\S.*"`
}

type DeleteEvaluationResultsInput struct {
	ConfigRuleName string `aws:"ConfigRuleName,required" check:"len=1..128"`
}

type DeleteEvaluationResultsOutput struct {
}

type DescribeConfigRuleEvaluationStatusInput struct {
	ConfigRuleNames []string `aws:"ConfigRuleNames" check:"items=0..25;each.len=1..128" pattern:".*\\S.*"`
	NextToken       string   `aws:"NextToken"`
	Limit           int32    `aws:"Limit" check:"range=0..50"`
}

type DescribeConfigRuleEvaluationStatusOutput struct {
	ConfigRulesEvaluationStatus []ConfigRuleEvaluationStatus `aws:"ConfigRulesEvaluationStatus,always"`
	NextToken                   string                       `aws:"NextToken"`
}

type ConfigRuleEvaluationStatus struct {
	ConfigRuleName                   string         `aws:"ConfigRuleName"`
	ConfigRuleARN                    string         `aws:"ConfigRuleArn"`
	ConfigRuleID                     string         `aws:"ConfigRuleId"`
	LastSuccessfulInvocationTime     history.Moment `aws:"LastSuccessfulInvocationTime"`
	LastFailedInvocationTime         history.Moment `aws:"LastFailedInvocationTime"`
	LastSuccessfulEvaluationTime     history.Moment `aws:"LastSuccessfulEvaluationTime"`
	LastFailedEvaluationTime         history.Moment `aws:"LastFailedEvaluationTime"`
	FirstActivatedTime               history.Moment `aws:"FirstActivatedTime"`
	LastDeactivatedTime              history.Moment `aws:"LastDeactivatedTime"`
	LastErrorCode                    string         `aws:"LastErrorCode"`
	LastErrorMessage                 string         `aws:"LastErrorMessage"`
	FirstEvaluationStarted           bool           `aws:"FirstEvaluationStarted,always"`
	LastDebugLogDeliveryStatus       string         `aws:"LastDebugLogDeliveryStatus"`
	LastDebugLogDeliveryStatusReason string         `aws:"LastDebugLogDeliveryStatusReason"`
	LastDebugLogDeliveryTime         history.Moment `aws:"LastDebugLogDeliveryTime"`
}

type DescribeConfigRulesInput struct {
	ConfigRuleNames []string                    `aws:"ConfigRuleNames" check:"items=0..25;each.len=1..128" pattern:".*\\S.*"`
	NextToken       string                      `aws:"NextToken"`
	Filters         *DescribeConfigRulesFilters `aws:"Filters"`
}

type DescribeConfigRulesFilters struct {
	EvaluationMode           string `aws:"EvaluationMode" check:"enum=DETECTIVE|PROACTIVE"`
	RuleEvaluationVisibility string `aws:"RuleEvaluationVisibility"`
}

type DescribeConfigRulesOutput struct {
	ConfigRules []ConfigRule `aws:"ConfigRules,always"`
	NextToken   string       `aws:"NextToken"`
}

type ConfigRule struct {
	ConfigRuleName            string                        `aws:"ConfigRuleName" check:"len=1..128" pattern:".*\\S.*"`
	ConfigRuleARN             string                        `aws:"ConfigRuleArn" check:"len=1..256"`
	ConfigRuleID              string                        `aws:"ConfigRuleId" check:"len=1..64"`
	Description               string                        `aws:"Description" check:"len=0..256"`
	Scope                     *Scope                        `aws:"Scope"`
	Source                    *Source                       `aws:"Source,required"`
	InputParameters           string                        `aws:"InputParameters" check:"len=1..1024"`
	MaximumExecutionFrequency string                        `aws:"MaximumExecutionFrequency" check:"enum=One_Hour|Three_Hours|Six_Hours|Twelve_Hours|TwentyFour_Hours"`
	ConfigRuleState           string                        `aws:"ConfigRuleState" check:"enum=ACTIVE|DELETING|DELETING_RESULTS|EVALUATING"`
	CreatedBy                 string                        `aws:"CreatedBy" check:"len=1..256"`
	EvaluationModes           []EvaluationModeConfiguration `aws:"EvaluationModes"`
	RuleEvaluationVisibility  string                        `aws:"RuleEvaluationVisibility"`
}

type Scope struct {
	ComplianceResourceTypes []string `aws:"ComplianceResourceTypes" check:"items=0..100;each.len=1..256"`
	TagKey                  string   `aws:"TagKey" check:"len=1..128"`
	TagValue                string   `aws:"TagValue" check:"len=1..256"`
	ComplianceResourceID    string   `aws:"ComplianceResourceId" check:"len=1..768"`
	ServicePrincipals       []string `aws:"ServicePrincipals"`
}

type Source struct {
	Owner               string               `aws:"Owner,required" check:"enum=CUSTOM_LAMBDA|AWS|CUSTOM_POLICY"`
	SourceIdentifier    string               `aws:"SourceIdentifier" check:"len=1..256"`
	SourceDetails       []SourceDetail       `aws:"SourceDetails" check:"items=0..25"`
	CustomPolicyDetails *CustomPolicyDetails `aws:"CustomPolicyDetails"`
}

type SourceDetail struct {
	EventSource               string `aws:"EventSource" check:"enum=aws.config"`
	MessageType               string `aws:"MessageType" check:"enum=ConfigurationItemChangeNotification|ConfigurationSnapshotDeliveryCompleted|ScheduledNotification|OversizedConfigurationItemChangeNotification"`
	MaximumExecutionFrequency string `aws:"MaximumExecutionFrequency" check:"enum=One_Hour|Three_Hours|Six_Hours|Twelve_Hours|TwentyFour_Hours"`
}

type CustomPolicyDetails struct {
	PolicyRuntime          string `aws:"PolicyRuntime,required" check:"len=1..64" pattern:"guard\\-2\\.x\\.x|cel"`
	PolicyText             string `aws:"PolicyText,required" check:"len=0..10000"`
	EnableDebugLogDelivery bool   `aws:"EnableDebugLogDelivery,always"`
}

type EvaluationModeConfiguration struct {
	Mode string `aws:"Mode" check:"enum=DETECTIVE|PROACTIVE"`
}

type GetCustomRulePolicyInput struct {
	ConfigRuleName string `aws:"ConfigRuleName" check:"len=1..128" pattern:".*\\S.*"`
}

type GetCustomRulePolicyOutput struct {
	PolicyText string `aws:"PolicyText"`
}

type PutConfigRuleInput struct {
	ConfigRule *ConfigRule `aws:"ConfigRule,required"`
	Tags       []Tag       `aws:"Tags" check:"items=0..50"`
}

type PutEvaluationsInput struct {
	Evaluations []Evaluation `aws:"Evaluations" check:"items=0..100"`
	ResultToken string       `aws:"ResultToken,required"`
	TestMode    bool         `aws:"TestMode"`
}

type Evaluation struct {
	ComplianceResourceType string         `aws:"ComplianceResourceType,required" check:"len=1..256"`
	ComplianceResourceID   string         `aws:"ComplianceResourceId,required" check:"len=1..768"`
	ComplianceType         string         `aws:"ComplianceType,required" check:"enum=COMPLIANT|NON_COMPLIANT|NOT_APPLICABLE|INSUFFICIENT_DATA"`
	Annotation             string         `aws:"Annotation" check:"len=1..256"`
	OrderingTimestamp      history.Moment `aws:"OrderingTimestamp,required"`
}

type PutEvaluationsOutput struct {
	FailedEvaluations []Evaluation `aws:"FailedEvaluations,always"`
}

type PutExternalEvaluationInput struct {
	ConfigRuleName     string              `aws:"ConfigRuleName,required" check:"len=1..128" pattern:".*\\S.*"`
	ExternalEvaluation *ExternalEvaluation `aws:"ExternalEvaluation,required"`
}

type ExternalEvaluation struct {
	ComplianceResourceType string         `aws:"ComplianceResourceType,required" check:"len=1..256"`
	ComplianceResourceID   string         `aws:"ComplianceResourceId,required" check:"len=1..768"`
	ComplianceType         string         `aws:"ComplianceType,required" check:"enum=COMPLIANT|NON_COMPLIANT|NOT_APPLICABLE|INSUFFICIENT_DATA"`
	Annotation             string         `aws:"Annotation" check:"len=1..256"`
	OrderingTimestamp      history.Moment `aws:"OrderingTimestamp,required"`
}

type PutExternalEvaluationOutput struct {
}

type StartConfigRulesEvaluationInput struct {
	ConfigRuleNames []string `aws:"ConfigRuleNames" check:"items=1..25;each.len=1..128" pattern:".*\\S.*"`
}

type StartConfigRulesEvaluationOutput struct {
}
