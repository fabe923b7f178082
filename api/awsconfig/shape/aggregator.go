package shape

import "github.com/varvehq/varve/history"

type BatchGetAggregateResourceConfigInput struct {
	ConfigurationAggregatorName string                        `aws:"ConfigurationAggregatorName,required" check:"len=1..256" pattern:"[\\w\\-]+"`
	ResourceIdentifiers         []AggregateResourceIdentifier `aws:"ResourceIdentifiers,required" check:"items=1..100"`
}

type AggregateResourceIdentifier struct {
	SourceAccountID string `aws:"SourceAccountId,required" pattern:"\\d{12}"`
	SourceRegion    string `aws:"SourceRegion,required" check:"len=1..64"`
	ResourceID      string `aws:"ResourceId,required" check:"len=1..768"`
	ResourceType    string `aws:"ResourceType,required"`
	ResourceName    string `aws:"ResourceName"`
}

type BatchGetAggregateResourceConfigOutput struct {
	BaseConfigurationItems         []BaseConfigurationItem       `aws:"BaseConfigurationItems,always"`
	UnprocessedResourceIdentifiers []AggregateResourceIdentifier `aws:"UnprocessedResourceIdentifiers,always"`
}

type DeleteAggregationAuthorizationInput struct {
	AuthorizedAccountID string `aws:"AuthorizedAccountId,required" pattern:"\\d{12}"`
	AuthorizedAWSRegion string `aws:"AuthorizedAwsRegion,required" check:"len=1..64"`
}

type DeleteConfigurationAggregatorInput struct {
	ConfigurationAggregatorName string `aws:"ConfigurationAggregatorName,required" check:"len=1..256" pattern:"[\\w\\-]+"`
}

type DeletePendingAggregationRequestInput struct {
	RequesterAccountID string `aws:"RequesterAccountId,required" pattern:"\\d{12}"`
	RequesterAWSRegion string `aws:"RequesterAwsRegion,required" check:"len=1..64"`
}

type DescribeAggregateComplianceByConfigRulesInput struct {
	ConfigurationAggregatorName string                       `aws:"ConfigurationAggregatorName,required" check:"len=1..256" pattern:"[\\w\\-]+"`
	Filters                     *ConfigRuleComplianceFilters `aws:"Filters"`
	Limit                       int32                        `aws:"Limit" check:"range=0..1000"`
	NextToken                   string                       `aws:"NextToken"`
}

type ConfigRuleComplianceFilters struct {
	ConfigRuleName string `aws:"ConfigRuleName" check:"len=1..128" pattern:".*\\S.*"`
	ComplianceType string `aws:"ComplianceType" check:"enum=COMPLIANT|NON_COMPLIANT|NOT_APPLICABLE|INSUFFICIENT_DATA"`
	AccountID      string `aws:"AccountId" pattern:"\\d{12}"`
	AWSRegion      string `aws:"AwsRegion" check:"len=1..64"`
}

type DescribeAggregateComplianceByConfigRulesOutput struct {
	AggregateComplianceByConfigRules []AggregateComplianceByConfigRule `aws:"AggregateComplianceByConfigRules,always"`
	NextToken                        string                            `aws:"NextToken"`
}

type AggregateComplianceByConfigRule struct {
	ConfigRuleName string      `aws:"ConfigRuleName"`
	Compliance     *Compliance `aws:"Compliance"`
	AccountID      string      `aws:"AccountId"`
	AWSRegion      string      `aws:"AwsRegion"`
}

type DescribeAggregateComplianceByConformancePacksInput struct {
	ConfigurationAggregatorName string                                     `aws:"ConfigurationAggregatorName,required" check:"len=1..256" pattern:"[\\w\\-]+"`
	Filters                     *AggregateConformancePackComplianceFilters `aws:"Filters"`
	Limit                       int32                                      `aws:"Limit" check:"range=0..100"`
	NextToken                   string                                     `aws:"NextToken"`
}

type AggregateConformancePackComplianceFilters struct {
	ConformancePackName string `aws:"ConformancePackName" check:"len=1..256" pattern:"[a-zA-Z][-a-zA-Z0-9]*"`
	ComplianceType      string `aws:"ComplianceType" check:"enum=COMPLIANT|NON_COMPLIANT|INSUFFICIENT_DATA"`
	AccountID           string `aws:"AccountId" pattern:"\\d{12}"`
	AWSRegion           string `aws:"AwsRegion" check:"len=1..64"`
}

type DescribeAggregateComplianceByConformancePacksOutput struct {
	AggregateComplianceByConformancePacks []AggregateComplianceByConformancePack `aws:"AggregateComplianceByConformancePacks,always"`
	NextToken                             string                                 `aws:"NextToken"`
}

type AggregateComplianceByConformancePack struct {
	ConformancePackName string                              `aws:"ConformancePackName"`
	Compliance          *AggregateConformancePackCompliance `aws:"Compliance"`
	AccountID           string                              `aws:"AccountId"`
	AWSRegion           string                              `aws:"AwsRegion"`
}

type AggregateConformancePackCompliance struct {
	ComplianceType        string `aws:"ComplianceType"`
	CompliantRuleCount    int32  `aws:"CompliantRuleCount,always"`
	NonCompliantRuleCount int32  `aws:"NonCompliantRuleCount,always"`
	TotalRuleCount        int32  `aws:"TotalRuleCount,always"`
}

type DescribeAggregationAuthorizationsInput struct {
	Limit     int32  `aws:"Limit" check:"range=0..100"`
	NextToken string `aws:"NextToken"`
}

type DescribeAggregationAuthorizationsOutput struct {
	AggregationAuthorizations []AggregationAuthorization `aws:"AggregationAuthorizations,always"`
	NextToken                 string                     `aws:"NextToken"`
}

type AggregationAuthorization struct {
	AggregationAuthorizationARN string         `aws:"AggregationAuthorizationArn"`
	AuthorizedAccountID         string         `aws:"AuthorizedAccountId"`
	AuthorizedAWSRegion         string         `aws:"AuthorizedAwsRegion"`
	CreationTime                history.Moment `aws:"CreationTime"`
}

type DescribeConfigurationAggregatorSourcesStatusInput struct {
	ConfigurationAggregatorName string   `aws:"ConfigurationAggregatorName,required" check:"len=1..256" pattern:"[\\w\\-]+"`
	UpdateStatus                []string `aws:"UpdateStatus" check:"items=1..;each.enum=FAILED|SUCCEEDED|OUTDATED"`
	NextToken                   string   `aws:"NextToken"`
	Limit                       int32    `aws:"Limit" check:"range=0..100"`
}

type DescribeConfigurationAggregatorSourcesStatusOutput struct {
	AggregatedSourceStatusList []AggregatedSourceStatus `aws:"AggregatedSourceStatusList,always"`
	NextToken                  string                   `aws:"NextToken"`
}

type AggregatedSourceStatus struct {
	SourceID         string         `aws:"SourceId"`
	SourceType       string         `aws:"SourceType"`
	AWSRegion        string         `aws:"AwsRegion"`
	LastUpdateStatus string         `aws:"LastUpdateStatus"`
	LastUpdateTime   history.Moment `aws:"LastUpdateTime"`
	LastErrorCode    string         `aws:"LastErrorCode"`
	LastErrorMessage string         `aws:"LastErrorMessage"`
}

type DescribeConfigurationAggregatorsInput struct {
	ConfigurationAggregatorNames []string `aws:"ConfigurationAggregatorNames" check:"items=0..10;each.len=1..256" pattern:"[\\w\\-]+"`
	NextToken                    string   `aws:"NextToken"`
	Limit                        int32    `aws:"Limit" check:"range=0..100"`
}

type DescribeConfigurationAggregatorsOutput struct {
	ConfigurationAggregators []ConfigurationAggregator `aws:"ConfigurationAggregators,always"`
	NextToken                string                    `aws:"NextToken"`
}

type ConfigurationAggregator struct {
	ConfigurationAggregatorName   string                         `aws:"ConfigurationAggregatorName"`
	ConfigurationAggregatorARN    string                         `aws:"ConfigurationAggregatorArn"`
	AccountAggregationSources     []AccountAggregationSource     `aws:"AccountAggregationSources"`
	OrganizationAggregationSource *OrganizationAggregationSource `aws:"OrganizationAggregationSource"`
	CreationTime                  history.Moment                 `aws:"CreationTime"`
	LastUpdatedTime               history.Moment                 `aws:"LastUpdatedTime"`
	CreatedBy                     string                         `aws:"CreatedBy"`
	AggregatorFilters             *AggregatorFilters             `aws:"AggregatorFilters"`
}

type AccountAggregationSource struct {
	AccountIDs    []string `aws:"AccountIds,required" check:"items=1.." pattern:"\\d{12}"`
	AllAWSRegions bool     `aws:"AllAwsRegions,always"`
	AWSRegions    []string `aws:"AwsRegions" check:"items=1.."`
}

type OrganizationAggregationSource struct {
	RoleARN       string   `aws:"RoleArn,required"`
	AWSRegions    []string `aws:"AwsRegions" check:"items=1.."`
	AllAWSRegions bool     `aws:"AllAwsRegions,always"`
}

type AggregatorFilters struct {
	ResourceType     *AggregatorFilterResourceType     `aws:"ResourceType"`
	ServicePrincipal *AggregatorFilterServicePrincipal `aws:"ServicePrincipal"`
}

type AggregatorFilterResourceType struct {
	Type  string   `aws:"Type" check:"enum=INCLUDE"`
	Value []string `aws:"Value" check:"each.len=1..256" pattern:"[a-zA-Z0-9]{2,64}::[a-zA-Z0-9]{2,64}::[a-zA-Z0-9]{2,64}"`
}

type AggregatorFilterServicePrincipal struct {
	Type  string   `aws:"Type" check:"enum=INCLUDE"`
	Value []string `aws:"Value" check:"each.len=1..128" pattern:"[\\w+=,.@-]+"`
}

type DescribePendingAggregationRequestsInput struct {
	Limit     int32  `aws:"Limit" check:"range=0..20"`
	NextToken string `aws:"NextToken"`
}

type DescribePendingAggregationRequestsOutput struct {
	PendingAggregationRequests []PendingAggregationRequest `aws:"PendingAggregationRequests,always"`
	NextToken                  string                      `aws:"NextToken"`
}

type PendingAggregationRequest struct {
	RequesterAccountID string `aws:"RequesterAccountId"`
	RequesterAWSRegion string `aws:"RequesterAwsRegion"`
}

type GetAggregateComplianceDetailsByConfigRuleInput struct {
	ConfigurationAggregatorName string `aws:"ConfigurationAggregatorName,required" check:"len=1..256" pattern:"[\\w\\-]+"`
	ConfigRuleName              string `aws:"ConfigRuleName,required" check:"len=1..128" pattern:".*\\S.*"`
	AccountID                   string `aws:"AccountId,required" pattern:"\\d{12}"`
	AWSRegion                   string `aws:"AwsRegion,required" check:"len=1..64"`
	ComplianceType              string `aws:"ComplianceType" check:"enum=COMPLIANT|NON_COMPLIANT|NOT_APPLICABLE|INSUFFICIENT_DATA"`
	Limit                       int32  `aws:"Limit" check:"range=0..100"`
	NextToken                   string `aws:"NextToken"`
}

type GetAggregateComplianceDetailsByConfigRuleOutput struct {
	AggregateEvaluationResults []AggregateEvaluationResult `aws:"AggregateEvaluationResults,always"`
	NextToken                  string                      `aws:"NextToken"`
}

type AggregateEvaluationResult struct {
	EvaluationResultIdentifier *EvaluationResultIdentifier `aws:"EvaluationResultIdentifier"`
	ComplianceType             string                      `aws:"ComplianceType"`
	ResultRecordedTime         history.Moment              `aws:"ResultRecordedTime"`
	ConfigRuleInvokedTime      history.Moment              `aws:"ConfigRuleInvokedTime"`
	Annotation                 string                      `aws:"Annotation"`
	AccountID                  string                      `aws:"AccountId"`
	AWSRegion                  string                      `aws:"AwsRegion"`
}

type GetAggregateConfigRuleComplianceSummaryInput struct {
	ConfigurationAggregatorName string                              `aws:"ConfigurationAggregatorName,required" check:"len=1..256" pattern:"[\\w\\-]+"`
	Filters                     *ConfigRuleComplianceSummaryFilters `aws:"Filters"`
	GroupByKey                  string                              `aws:"GroupByKey" check:"enum=ACCOUNT_ID|AWS_REGION"`
	Limit                       int32                               `aws:"Limit" check:"range=0..1000"`
	NextToken                   string                              `aws:"NextToken"`
}

type ConfigRuleComplianceSummaryFilters struct {
	AccountID string `aws:"AccountId" pattern:"\\d{12}"`
	AWSRegion string `aws:"AwsRegion" check:"len=1..64"`
}

type GetAggregateConfigRuleComplianceSummaryOutput struct {
	GroupByKey                string                     `aws:"GroupByKey"`
	AggregateComplianceCounts []AggregateComplianceCount `aws:"AggregateComplianceCounts,always"`
	NextToken                 string                     `aws:"NextToken"`
}

type AggregateComplianceCount struct {
	GroupName         string             `aws:"GroupName"`
	ComplianceSummary *ComplianceSummary `aws:"ComplianceSummary"`
}

type GetAggregateConformancePackComplianceSummaryInput struct {
	ConfigurationAggregatorName string                                            `aws:"ConfigurationAggregatorName,required" check:"len=1..256" pattern:"[\\w\\-]+"`
	Filters                     *AggregateConformancePackComplianceSummaryFilters `aws:"Filters"`
	GroupByKey                  string                                            `aws:"GroupByKey" check:"enum=ACCOUNT_ID|AWS_REGION"`
	Limit                       int32                                             `aws:"Limit" check:"range=0..100"`
	NextToken                   string                                            `aws:"NextToken"`
}

type AggregateConformancePackComplianceSummaryFilters struct {
	AccountID string `aws:"AccountId" pattern:"\\d{12}"`
	AWSRegion string `aws:"AwsRegion" check:"len=1..64"`
}

type GetAggregateConformancePackComplianceSummaryOutput struct {
	AggregateConformancePackComplianceSummaries []AggregateConformancePackComplianceSummary `aws:"AggregateConformancePackComplianceSummaries,always"`
	GroupByKey                                  string                                      `aws:"GroupByKey"`
	NextToken                                   string                                      `aws:"NextToken"`
}

type AggregateConformancePackComplianceSummary struct {
	ComplianceSummary *AggregateConformancePackComplianceCount `aws:"ComplianceSummary"`
	GroupName         string                                   `aws:"GroupName"`
}

type AggregateConformancePackComplianceCount struct {
	CompliantConformancePackCount    int32 `aws:"CompliantConformancePackCount,always"`
	NonCompliantConformancePackCount int32 `aws:"NonCompliantConformancePackCount,always"`
}

type GetAggregateDiscoveredResourceCountsInput struct {
	ConfigurationAggregatorName string                `aws:"ConfigurationAggregatorName,required" check:"len=1..256" pattern:"[\\w\\-]+"`
	Filters                     *ResourceCountFilters `aws:"Filters"`
	GroupByKey                  string                `aws:"GroupByKey" check:"enum=RESOURCE_TYPE|ACCOUNT_ID|AWS_REGION"`
	Limit                       int32                 `aws:"Limit" check:"range=0..1000"`
	NextToken                   string                `aws:"NextToken"`
}

type ResourceCountFilters struct {
	ResourceType string `aws:"ResourceType"`
	AccountID    string `aws:"AccountId" pattern:"\\d{12}"`
	Region       string `aws:"Region" check:"len=1..64"`
}

type GetAggregateDiscoveredResourceCountsOutput struct {
	TotalDiscoveredResources int64                  `aws:"TotalDiscoveredResources,always"`
	GroupByKey               string                 `aws:"GroupByKey"`
	GroupedResourceCounts    []GroupedResourceCount `aws:"GroupedResourceCounts,always"`
	NextToken                string                 `aws:"NextToken"`
}

type GroupedResourceCount struct {
	GroupName     string `aws:"GroupName"`
	ResourceCount int64  `aws:"ResourceCount,always"`
}

type GetAggregateResourceConfigInput struct {
	ConfigurationAggregatorName string                       `aws:"ConfigurationAggregatorName,required" check:"len=1..256" pattern:"[\\w\\-]+"`
	ResourceIdentifier          *AggregateResourceIdentifier `aws:"ResourceIdentifier,required"`
}

type GetAggregateResourceConfigOutput struct {
	ConfigurationItem *ConfigurationItem `aws:"ConfigurationItem"`
}

type ListAggregateDiscoveredResourcesInput struct {
	ConfigurationAggregatorName string           `aws:"ConfigurationAggregatorName,required" check:"len=1..256" pattern:"[\\w\\-]+"`
	ResourceType                string           `aws:"ResourceType,required"`
	Filters                     *ResourceFilters `aws:"Filters"`
	Limit                       int32            `aws:"Limit" check:"range=0..100"`
	NextToken                   string           `aws:"NextToken"`
}

type ResourceFilters struct {
	AccountID    string `aws:"AccountId" pattern:"\\d{12}"`
	ResourceID   string `aws:"ResourceId" check:"len=1..768"`
	ResourceName string `aws:"ResourceName"`
	Region       string `aws:"Region" check:"len=1..64"`
}

type ListAggregateDiscoveredResourcesOutput struct {
	ResourceIdentifiers []AggregateResourceIdentifier `aws:"ResourceIdentifiers,always"`
	NextToken           string                        `aws:"NextToken"`
}

type PutAggregationAuthorizationInput struct {
	AuthorizedAccountID string `aws:"AuthorizedAccountId,required" pattern:"\\d{12}"`
	AuthorizedAWSRegion string `aws:"AuthorizedAwsRegion,required" check:"len=1..64"`
	Tags                []Tag  `aws:"Tags" check:"items=0..50"`
}

type PutAggregationAuthorizationOutput struct {
	AggregationAuthorization *AggregationAuthorization `aws:"AggregationAuthorization"`
}

type PutConfigurationAggregatorInput struct {
	ConfigurationAggregatorName   string                         `aws:"ConfigurationAggregatorName,required" check:"len=1..256" pattern:"[\\w\\-]+"`
	AccountAggregationSources     []AccountAggregationSource     `aws:"AccountAggregationSources" check:"items=0..1"`
	OrganizationAggregationSource *OrganizationAggregationSource `aws:"OrganizationAggregationSource"`
	Tags                          []Tag                          `aws:"Tags" check:"items=0..50"`
	AggregatorFilters             *AggregatorFilters             `aws:"AggregatorFilters"`
}

type PutConfigurationAggregatorOutput struct {
	ConfigurationAggregator *ConfigurationAggregator `aws:"ConfigurationAggregator"`
}

type SelectAggregateResourceConfigInput struct {
	Expression                  string `aws:"Expression,required" check:"len=1..4096"`
	ConfigurationAggregatorName string `aws:"ConfigurationAggregatorName,required" check:"len=1..256" pattern:"[\\w\\-]+"`
	Limit                       int32  `aws:"Limit" check:"range=0..100"`
	MaxResults                  int32  `aws:"MaxResults" check:"range=0..100"`
	NextToken                   string `aws:"NextToken"`
}

type SelectAggregateResourceConfigOutput struct {
	Results   []string   `aws:"Results,always"`
	QueryInfo *QueryInfo `aws:"QueryInfo"`
	NextToken string     `aws:"NextToken"`
}
