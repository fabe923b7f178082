package shape

import "github.com/varvehq/varve/history"

type DeleteConformancePackInput struct {
	ConformancePackName string `aws:"ConformancePackName,required" check:"len=1..256" pattern:"[a-zA-Z][-a-zA-Z0-9]*"`
}

type DescribeConformancePackComplianceInput struct {
	ConformancePackName string                            `aws:"ConformancePackName,required" check:"len=1..256" pattern:"[a-zA-Z][-a-zA-Z0-9]*"`
	Filters             *ConformancePackComplianceFilters `aws:"Filters"`
	Limit               int32                             `aws:"Limit"`
	NextToken           string                            `aws:"NextToken"`
}

type ConformancePackComplianceFilters struct {
	ConfigRuleNames []string `aws:"ConfigRuleNames" check:"items=0..10;each.len=1..128"`
	ComplianceType  string   `aws:"ComplianceType" check:"enum=COMPLIANT|NON_COMPLIANT|INSUFFICIENT_DATA"`
}

type DescribeConformancePackComplianceOutput struct {
	ConformancePackName               string                          `aws:"ConformancePackName"`
	ConformancePackRuleComplianceList []ConformancePackRuleCompliance `aws:"ConformancePackRuleComplianceList,always"`
	NextToken                         string                          `aws:"NextToken"`
}

type ConformancePackRuleCompliance struct {
	ConfigRuleName string   `aws:"ConfigRuleName"`
	ComplianceType string   `aws:"ComplianceType"`
	Controls       []string `aws:"Controls"`
}

type DescribeConformancePackStatusInput struct {
	ConformancePackNames []string `aws:"ConformancePackNames" check:"items=0..25;each.len=1..256" pattern:"[a-zA-Z][-a-zA-Z0-9]*"`
	Limit                int32    `aws:"Limit"`
	NextToken            string   `aws:"NextToken"`
}

type DescribeConformancePackStatusOutput struct {
	ConformancePackStatusDetails []ConformancePackStatusDetail `aws:"ConformancePackStatusDetails,always"`
	NextToken                    string                        `aws:"NextToken"`
}

type ConformancePackStatusDetail struct {
	ConformancePackName         string         `aws:"ConformancePackName"`
	ConformancePackID           string         `aws:"ConformancePackId"`
	ConformancePackARN          string         `aws:"ConformancePackArn"`
	ConformancePackState        string         `aws:"ConformancePackState"`
	StackARN                    string         `aws:"StackArn"`
	ConformancePackStatusReason string         `aws:"ConformancePackStatusReason"`
	LastUpdateRequestedTime     history.Moment `aws:"LastUpdateRequestedTime"`
	LastUpdateCompletedTime     history.Moment `aws:"LastUpdateCompletedTime"`
}

type DescribeConformancePacksInput struct {
	ConformancePackNames []string `aws:"ConformancePackNames" check:"items=0..25;each.len=1..256" pattern:"[a-zA-Z][-a-zA-Z0-9]*"`
	Limit                int32    `aws:"Limit"`
	NextToken            string   `aws:"NextToken"`
}

type DescribeConformancePacksOutput struct {
	ConformancePackDetails []ConformancePackDetail `aws:"ConformancePackDetails,always"`
	NextToken              string                  `aws:"NextToken"`
}

type ConformancePackDetail struct {
	ConformancePackName            string                          `aws:"ConformancePackName"`
	ConformancePackARN             string                          `aws:"ConformancePackArn"`
	ConformancePackID              string                          `aws:"ConformancePackId"`
	DeliveryS3Bucket               string                          `aws:"DeliveryS3Bucket"`
	DeliveryS3KeyPrefix            string                          `aws:"DeliveryS3KeyPrefix"`
	ConformancePackInputParameters []ConformancePackInputParameter `aws:"ConformancePackInputParameters,always"`
	LastUpdateRequestedTime        history.Moment                  `aws:"LastUpdateRequestedTime"`
	CreatedBy                      string                          `aws:"CreatedBy"`
	TemplateSSMDocumentDetails     *TemplateSSMDocumentDetails     `aws:"TemplateSSMDocumentDetails"`
}

type TemplateSSMDocumentDetails struct {
	DocumentName    string `aws:"DocumentName,required" pattern:"^[a-zA-Z0-9_\\-.:/]{3,200}$"`
	DocumentVersion string `aws:"DocumentVersion" pattern:"([$]LATEST|[$]DEFAULT|^[1-9][0-9]*$)"`
}

type GetConformancePackComplianceDetailsInput struct {
	ConformancePackName string                            `aws:"ConformancePackName,required" check:"len=1..256" pattern:"[a-zA-Z][-a-zA-Z0-9]*"`
	Filters             *ConformancePackEvaluationFilters `aws:"Filters"`
	Limit               int32                             `aws:"Limit"`
	NextToken           string                            `aws:"NextToken"`
}

type ConformancePackEvaluationFilters struct {
	ConfigRuleNames []string `aws:"ConfigRuleNames" check:"items=0..10;each.len=1..128"`
	ComplianceType  string   `aws:"ComplianceType" check:"enum=COMPLIANT|NON_COMPLIANT|INSUFFICIENT_DATA"`
	ResourceType    string   `aws:"ResourceType" check:"len=1..256"`
	ResourceIDs     []string `aws:"ResourceIds" check:"items=0..5;each.len=1..256"`
}

type GetConformancePackComplianceDetailsOutput struct {
	ConformancePackName                  string                            `aws:"ConformancePackName"`
	ConformancePackRuleEvaluationResults []ConformancePackEvaluationResult `aws:"ConformancePackRuleEvaluationResults,always"`
	NextToken                            string                            `aws:"NextToken"`
}

type ConformancePackEvaluationResult struct {
	ComplianceType             string                      `aws:"ComplianceType"`
	EvaluationResultIdentifier *EvaluationResultIdentifier `aws:"EvaluationResultIdentifier"`
	ConfigRuleInvokedTime      history.Moment              `aws:"ConfigRuleInvokedTime"`
	ResultRecordedTime         history.Moment              `aws:"ResultRecordedTime"`
	Annotation                 string                      `aws:"Annotation"`
}

type GetConformancePackComplianceSummaryInput struct {
	ConformancePackNames []string `aws:"ConformancePackNames,required" check:"items=1..5;each.len=1..256" pattern:"[a-zA-Z][-a-zA-Z0-9]*"`
	Limit                int32    `aws:"Limit"`
	NextToken            string   `aws:"NextToken"`
}

type GetConformancePackComplianceSummaryOutput struct {
	ConformancePackComplianceSummaryList []ConformancePackComplianceSummary `aws:"ConformancePackComplianceSummaryList,always"`
	NextToken                            string                             `aws:"NextToken"`
}

type ConformancePackComplianceSummary struct {
	ConformancePackName             string `aws:"ConformancePackName"`
	ConformancePackComplianceStatus string `aws:"ConformancePackComplianceStatus"`
}

type ListConformancePackComplianceScoresInput struct {
	Filters   *ConformancePackComplianceScoresFilters `aws:"Filters"`
	SortOrder string                                  `aws:"SortOrder" check:"enum=ASCENDING|DESCENDING"`
	SortBy    string                                  `aws:"SortBy" check:"enum=SCORE"`
	Limit     int32                                   `aws:"Limit"`
	NextToken string                                  `aws:"NextToken"`
}

type ConformancePackComplianceScoresFilters struct {
	ConformancePackNames []string `aws:"ConformancePackNames,required" check:"items=1..25;each.len=1..256" pattern:"[a-zA-Z][-a-zA-Z0-9]*"`
}

type ListConformancePackComplianceScoresOutput struct {
	NextToken                       string                           `aws:"NextToken"`
	ConformancePackComplianceScores []ConformancePackComplianceScore `aws:"ConformancePackComplianceScores,always"`
}

type ConformancePackComplianceScore struct {
	Score               string         `aws:"Score"`
	ConformancePackName string         `aws:"ConformancePackName"`
	LastUpdatedTime     history.Moment `aws:"LastUpdatedTime"`
}

type PutConformancePackInput struct {
	ConformancePackName            string                          `aws:"ConformancePackName,required" check:"len=1..256" pattern:"[a-zA-Z][-a-zA-Z0-9]*"`
	TemplateS3URI                  string                          `aws:"TemplateS3Uri" check:"len=1..1024" pattern:"s3://.*"`
	TemplateBody                   string                          `aws:"TemplateBody" check:"len=1..51200"`
	DeliveryS3Bucket               string                          `aws:"DeliveryS3Bucket" check:"len=0..63"`
	DeliveryS3KeyPrefix            string                          `aws:"DeliveryS3KeyPrefix" check:"len=0..1024"`
	ConformancePackInputParameters []ConformancePackInputParameter `aws:"ConformancePackInputParameters" check:"items=0..60"`
	TemplateSSMDocumentDetails     *TemplateSSMDocumentDetails     `aws:"TemplateSSMDocumentDetails"`
	Tags                           []Tag                           `aws:"Tags" check:"items=0..50"`
}

type PutConformancePackOutput struct {
	ConformancePackARN string `aws:"ConformancePackArn"`
}
