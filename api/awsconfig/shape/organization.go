package shape

import "github.com/varvehq/varve/history"

type DeleteOrganizationConfigRuleInput struct {
	OrganizationConfigRuleName string `aws:"OrganizationConfigRuleName,required" check:"len=1..64" pattern:"[A-Za-z0-9-_]+"`
}

type DeleteOrganizationConformancePackInput struct {
	OrganizationConformancePackName string `aws:"OrganizationConformancePackName,required" check:"len=1..128" pattern:"[a-zA-Z][-a-zA-Z0-9]*"`
}

type DescribeOrganizationConfigRuleStatusesInput struct {
	OrganizationConfigRuleNames []string `aws:"OrganizationConfigRuleNames" check:"items=0..25;each.len=1..64"`
	Limit                       int32    `aws:"Limit" check:"range=0..100"`
	NextToken                   string   `aws:"NextToken"`
}

type DescribeOrganizationConfigRuleStatusesOutput struct {
	OrganizationConfigRuleStatuses []OrganizationConfigRuleStatus `aws:"OrganizationConfigRuleStatuses,always"`
	NextToken                      string                         `aws:"NextToken"`
}

type OrganizationConfigRuleStatus struct {
	OrganizationConfigRuleName string         `aws:"OrganizationConfigRuleName"`
	OrganizationRuleStatus     string         `aws:"OrganizationRuleStatus"`
	ErrorCode                  string         `aws:"ErrorCode"`
	ErrorMessage               string         `aws:"ErrorMessage"`
	LastUpdateTime             history.Moment `aws:"LastUpdateTime"`
}

type DescribeOrganizationConfigRulesInput struct {
	OrganizationConfigRuleNames []string `aws:"OrganizationConfigRuleNames" check:"items=0..25;each.len=1..64"`
	Limit                       int32    `aws:"Limit" check:"range=0..100"`
	NextToken                   string   `aws:"NextToken"`
}

type DescribeOrganizationConfigRulesOutput struct {
	OrganizationConfigRules []OrganizationConfigRule `aws:"OrganizationConfigRules,always"`
	NextToken               string                   `aws:"NextToken"`
}

type OrganizationConfigRule struct {
	OrganizationConfigRuleName           string                                        `aws:"OrganizationConfigRuleName"`
	OrganizationConfigRuleARN            string                                        `aws:"OrganizationConfigRuleArn"`
	OrganizationManagedRuleMetadata      *OrganizationManagedRuleMetadata              `aws:"OrganizationManagedRuleMetadata"`
	OrganizationCustomRuleMetadata       *OrganizationCustomRuleMetadata               `aws:"OrganizationCustomRuleMetadata"`
	ExcludedAccounts                     []string                                      `aws:"ExcludedAccounts"`
	LastUpdateTime                       history.Moment                                `aws:"LastUpdateTime"`
	OrganizationCustomPolicyRuleMetadata *OrganizationCustomPolicyRuleMetadataNoPolicy `aws:"OrganizationCustomPolicyRuleMetadata"`
}

type OrganizationManagedRuleMetadata struct {
	Description               string   `aws:"Description" check:"len=0..256"`
	RuleIdentifier            string   `aws:"RuleIdentifier,required" check:"len=1..256"`
	InputParameters           string   `aws:"InputParameters" check:"len=1..1024"`
	MaximumExecutionFrequency string   `aws:"MaximumExecutionFrequency" check:"enum=One_Hour|Three_Hours|Six_Hours|Twelve_Hours|TwentyFour_Hours"`
	ResourceTypesScope        []string `aws:"ResourceTypesScope" check:"items=0..100;each.len=1..256"`
	ResourceIDScope           string   `aws:"ResourceIdScope" check:"len=1..768"`
	TagKeyScope               string   `aws:"TagKeyScope" check:"len=1..128"`
	TagValueScope             string   `aws:"TagValueScope" check:"len=1..256"`
}

type OrganizationCustomRuleMetadata struct {
	Description                        string   `aws:"Description" check:"len=0..256"`
	LambdaFunctionARN                  string   `aws:"LambdaFunctionArn,required" check:"len=1..256"`
	OrganizationConfigRuleTriggerTypes []string `aws:"OrganizationConfigRuleTriggerTypes,required" check:"each.enum=ConfigurationItemChangeNotification|OversizedConfigurationItemChangeNotification|ScheduledNotification"`
	InputParameters                    string   `aws:"InputParameters" check:"len=1..1024"`
	MaximumExecutionFrequency          string   `aws:"MaximumExecutionFrequency" check:"enum=One_Hour|Three_Hours|Six_Hours|Twelve_Hours|TwentyFour_Hours"`
	ResourceTypesScope                 []string `aws:"ResourceTypesScope" check:"items=0..100;each.len=1..256"`
	ResourceIDScope                    string   `aws:"ResourceIdScope" check:"len=1..768"`
	TagKeyScope                        string   `aws:"TagKeyScope" check:"len=1..128"`
	TagValueScope                      string   `aws:"TagValueScope" check:"len=1..256"`
}

type OrganizationCustomPolicyRuleMetadataNoPolicy struct {
	Description                        string   `aws:"Description"`
	OrganizationConfigRuleTriggerTypes []string `aws:"OrganizationConfigRuleTriggerTypes"`
	InputParameters                    string   `aws:"InputParameters"`
	MaximumExecutionFrequency          string   `aws:"MaximumExecutionFrequency"`
	ResourceTypesScope                 []string `aws:"ResourceTypesScope"`
	ResourceIDScope                    string   `aws:"ResourceIdScope"`
	TagKeyScope                        string   `aws:"TagKeyScope"`
	TagValueScope                      string   `aws:"TagValueScope"`
	PolicyRuntime                      string   `aws:"PolicyRuntime"`
	DebugLogDeliveryAccounts           []string `aws:"DebugLogDeliveryAccounts"`
}

type DescribeOrganizationConformancePackStatusesInput struct {
	OrganizationConformancePackNames []string `aws:"OrganizationConformancePackNames" check:"items=0..25;each.len=1..128" pattern:"[a-zA-Z][-a-zA-Z0-9]*"`
	Limit                            int32    `aws:"Limit" check:"range=0..100"`
	NextToken                        string   `aws:"NextToken"`
}

type DescribeOrganizationConformancePackStatusesOutput struct {
	OrganizationConformancePackStatuses []OrganizationConformancePackStatus `aws:"OrganizationConformancePackStatuses,always"`
	NextToken                           string                              `aws:"NextToken"`
}

type OrganizationConformancePackStatus struct {
	OrganizationConformancePackName string         `aws:"OrganizationConformancePackName"`
	Status                          string         `aws:"Status"`
	ErrorCode                       string         `aws:"ErrorCode"`
	ErrorMessage                    string         `aws:"ErrorMessage"`
	LastUpdateTime                  history.Moment `aws:"LastUpdateTime"`
}

type DescribeOrganizationConformancePacksInput struct {
	OrganizationConformancePackNames []string `aws:"OrganizationConformancePackNames" check:"items=0..25;each.len=1..128" pattern:"[a-zA-Z][-a-zA-Z0-9]*"`
	Limit                            int32    `aws:"Limit" check:"range=0..100"`
	NextToken                        string   `aws:"NextToken"`
}

type DescribeOrganizationConformancePacksOutput struct {
	OrganizationConformancePacks []OrganizationConformancePack `aws:"OrganizationConformancePacks,always"`
	NextToken                    string                        `aws:"NextToken"`
}

type OrganizationConformancePack struct {
	OrganizationConformancePackName string                          `aws:"OrganizationConformancePackName"`
	OrganizationConformancePackARN  string                          `aws:"OrganizationConformancePackArn"`
	DeliveryS3Bucket                string                          `aws:"DeliveryS3Bucket"`
	DeliveryS3KeyPrefix             string                          `aws:"DeliveryS3KeyPrefix"`
	ConformancePackInputParameters  []ConformancePackInputParameter `aws:"ConformancePackInputParameters"`
	ExcludedAccounts                []string                        `aws:"ExcludedAccounts"`
	LastUpdateTime                  history.Moment                  `aws:"LastUpdateTime"`
}

type GetOrganizationConfigRuleDetailedStatusInput struct {
	OrganizationConfigRuleName string               `aws:"OrganizationConfigRuleName,required" check:"len=1..64" pattern:"[A-Za-z0-9-_]+"`
	Filters                    *StatusDetailFilters `aws:"Filters"`
	Limit                      int32                `aws:"Limit" check:"range=0..100"`
	NextToken                  string               `aws:"NextToken"`
}

type StatusDetailFilters struct {
	AccountID               string `aws:"AccountId" pattern:"\\d{12}"`
	MemberAccountRuleStatus string `aws:"MemberAccountRuleStatus" check:"enum=CREATE_SUCCESSFUL|CREATE_IN_PROGRESS|CREATE_FAILED|DELETE_SUCCESSFUL|DELETE_FAILED|DELETE_IN_PROGRESS|UPDATE_SUCCESSFUL|UPDATE_IN_PROGRESS|UPDATE_FAILED"`
}

type GetOrganizationConfigRuleDetailedStatusOutput struct {
	OrganizationConfigRuleDetailedStatus []MemberAccountStatus `aws:"OrganizationConfigRuleDetailedStatus,always"`
	NextToken                            string                `aws:"NextToken"`
}

type MemberAccountStatus struct {
	AccountID               string         `aws:"AccountId"`
	ConfigRuleName          string         `aws:"ConfigRuleName"`
	MemberAccountRuleStatus string         `aws:"MemberAccountRuleStatus"`
	ErrorCode               string         `aws:"ErrorCode"`
	ErrorMessage            string         `aws:"ErrorMessage"`
	LastUpdateTime          history.Moment `aws:"LastUpdateTime"`
}

type GetOrganizationConformancePackDetailedStatusInput struct {
	OrganizationConformancePackName string                                     `aws:"OrganizationConformancePackName,required" check:"len=1..128" pattern:"[a-zA-Z][-a-zA-Z0-9]*"`
	Filters                         *OrganizationResourceDetailedStatusFilters `aws:"Filters"`
	Limit                           int32                                      `aws:"Limit" check:"range=0..100"`
	NextToken                       string                                     `aws:"NextToken"`
}

type OrganizationResourceDetailedStatusFilters struct {
	AccountID string `aws:"AccountId" pattern:"\\d{12}"`
	Status    string `aws:"Status" check:"enum=CREATE_SUCCESSFUL|CREATE_IN_PROGRESS|CREATE_FAILED|DELETE_SUCCESSFUL|DELETE_FAILED|DELETE_IN_PROGRESS|UPDATE_SUCCESSFUL|UPDATE_IN_PROGRESS|UPDATE_FAILED"`
}

type GetOrganizationConformancePackDetailedStatusOutput struct {
	OrganizationConformancePackDetailedStatuses []OrganizationConformancePackDetailedStatus `aws:"OrganizationConformancePackDetailedStatuses,always"`
	NextToken                                   string                                      `aws:"NextToken"`
}

type OrganizationConformancePackDetailedStatus struct {
	AccountID           string         `aws:"AccountId"`
	ConformancePackName string         `aws:"ConformancePackName"`
	Status              string         `aws:"Status"`
	ErrorCode           string         `aws:"ErrorCode"`
	ErrorMessage        string         `aws:"ErrorMessage"`
	LastUpdateTime      history.Moment `aws:"LastUpdateTime"`
}

type GetOrganizationCustomRulePolicyInput struct {
	OrganizationConfigRuleName string `aws:"OrganizationConfigRuleName,required" check:"len=1..64" pattern:"[A-Za-z0-9-_]+"`
}

type GetOrganizationCustomRulePolicyOutput struct {
	PolicyText string `aws:"PolicyText"`
}

type PutOrganizationConfigRuleInput struct {
	OrganizationConfigRuleName           string                                `aws:"OrganizationConfigRuleName,required" check:"len=1..64" pattern:"[A-Za-z0-9-_]+"`
	OrganizationManagedRuleMetadata      *OrganizationManagedRuleMetadata      `aws:"OrganizationManagedRuleMetadata"`
	OrganizationCustomRuleMetadata       *OrganizationCustomRuleMetadata       `aws:"OrganizationCustomRuleMetadata"`
	ExcludedAccounts                     []string                              `aws:"ExcludedAccounts" check:"items=0..1000" pattern:"\\d{12}"`
	OrganizationCustomPolicyRuleMetadata *OrganizationCustomPolicyRuleMetadata `aws:"OrganizationCustomPolicyRuleMetadata"`
	Tags                                 []Tag                                 `aws:"Tags" check:"items=0..50"`
}

type OrganizationCustomPolicyRuleMetadata struct {
	Description                        string   `aws:"Description" check:"len=0..256"`
	OrganizationConfigRuleTriggerTypes []string `aws:"OrganizationConfigRuleTriggerTypes" check:"each.enum=ConfigurationItemChangeNotification|OversizedConfigurationItemChangeNotification"`
	InputParameters                    string   `aws:"InputParameters" check:"len=1..1024"`
	MaximumExecutionFrequency          string   `aws:"MaximumExecutionFrequency" check:"enum=One_Hour|Three_Hours|Six_Hours|Twelve_Hours|TwentyFour_Hours"`
	ResourceTypesScope                 []string `aws:"ResourceTypesScope" check:"items=0..100;each.len=1..256"`
	ResourceIDScope                    string   `aws:"ResourceIdScope" check:"len=1..768"`
	TagKeyScope                        string   `aws:"TagKeyScope" check:"len=1..128"`
	TagValueScope                      string   `aws:"TagValueScope" check:"len=1..256"`
	PolicyRuntime                      string   `aws:"PolicyRuntime,required" check:"len=1..64" pattern:"guard\\-2\\.x\\.x"`
	PolicyText                         string   `aws:"PolicyText,required" check:"len=0..10000"`
	DebugLogDeliveryAccounts           []string `aws:"DebugLogDeliveryAccounts" check:"items=0..1000" pattern:"\\d{12}"`
}

type PutOrganizationConfigRuleOutput struct {
	OrganizationConfigRuleARN string `aws:"OrganizationConfigRuleArn"`
}

type PutOrganizationConformancePackInput struct {
	OrganizationConformancePackName string                          `aws:"OrganizationConformancePackName,required" check:"len=1..128" pattern:"[a-zA-Z][-a-zA-Z0-9]*"`
	TemplateS3URI                   string                          `aws:"TemplateS3Uri" check:"len=1..1024" pattern:"s3://.*"`
	TemplateBody                    string                          `aws:"TemplateBody" check:"len=1..51200"`
	DeliveryS3Bucket                string                          `aws:"DeliveryS3Bucket" check:"len=0..63"`
	DeliveryS3KeyPrefix             string                          `aws:"DeliveryS3KeyPrefix" check:"len=0..1024"`
	ConformancePackInputParameters  []ConformancePackInputParameter `aws:"ConformancePackInputParameters" check:"items=0..60"`
	ExcludedAccounts                []string                        `aws:"ExcludedAccounts" check:"items=0..1000" pattern:"\\d{12}"`
	Tags                            []Tag                           `aws:"Tags" check:"items=0..50"`
}

type PutOrganizationConformancePackOutput struct {
	OrganizationConformancePackARN string `aws:"OrganizationConformancePackArn"`
}
