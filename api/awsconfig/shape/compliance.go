package shape

import "github.com/varvehq/varve/history"

type DescribeComplianceByConfigRuleInput struct {
	ConfigRuleNames []string `aws:"ConfigRuleNames" check:"items=0..25;each.len=1..128" pattern:".*\\S.*"`
	ComplianceTypes []string `aws:"ComplianceTypes" check:"items=0..3;each.enum=COMPLIANT|NON_COMPLIANT|NOT_APPLICABLE|INSUFFICIENT_DATA"`
	NextToken       string   `aws:"NextToken"`
}

type DescribeComplianceByConfigRuleOutput struct {
	ComplianceByConfigRules []ComplianceByConfigRule `aws:"ComplianceByConfigRules,always"`
	NextToken               string                   `aws:"NextToken"`
}

type ComplianceByConfigRule struct {
	ConfigRuleName string      `aws:"ConfigRuleName"`
	Compliance     *Compliance `aws:"Compliance"`
}

type DescribeComplianceByResourceInput struct {
	ResourceType    string   `aws:"ResourceType" check:"len=1..256"`
	ResourceID      string   `aws:"ResourceId" check:"len=1..768"`
	ComplianceTypes []string `aws:"ComplianceTypes" check:"items=0..3;each.enum=COMPLIANT|NON_COMPLIANT|NOT_APPLICABLE|INSUFFICIENT_DATA"`
	Limit           int32    `aws:"Limit" check:"range=0..100"`
	NextToken       string   `aws:"NextToken"`
}

type DescribeComplianceByResourceOutput struct {
	ComplianceByResources []ComplianceByResource `aws:"ComplianceByResources,always"`
	NextToken             string                 `aws:"NextToken"`
}

type ComplianceByResource struct {
	ResourceType string      `aws:"ResourceType"`
	ResourceID   string      `aws:"ResourceId"`
	Compliance   *Compliance `aws:"Compliance"`
}

type GetComplianceDetailsByConfigRuleInput struct {
	ConfigRuleName  string   `aws:"ConfigRuleName,required" check:"len=1..128"`
	ComplianceTypes []string `aws:"ComplianceTypes" check:"items=0..3;each.enum=COMPLIANT|NON_COMPLIANT|NOT_APPLICABLE|INSUFFICIENT_DATA"`
	Limit           int32    `aws:"Limit" check:"range=0..100"`
	NextToken       string   `aws:"NextToken"`
}

type GetComplianceDetailsByConfigRuleOutput struct {
	EvaluationResults []EvaluationResult `aws:"EvaluationResults,always"`
	NextToken         string             `aws:"NextToken"`
}

type EvaluationResult struct {
	EvaluationResultIdentifier *EvaluationResultIdentifier `aws:"EvaluationResultIdentifier"`
	ComplianceType             string                      `aws:"ComplianceType"`
	ResultRecordedTime         history.Moment              `aws:"ResultRecordedTime"`
	ConfigRuleInvokedTime      history.Moment              `aws:"ConfigRuleInvokedTime"`
	Annotation                 string                      `aws:"Annotation"`
	ResultToken                string                      `aws:"ResultToken"`
}

type GetComplianceDetailsByResourceInput struct {
	ResourceType         string   `aws:"ResourceType" check:"len=1..256"`
	ResourceID           string   `aws:"ResourceId" check:"len=1..768"`
	ComplianceTypes      []string `aws:"ComplianceTypes" check:"items=0..3;each.enum=COMPLIANT|NON_COMPLIANT|NOT_APPLICABLE|INSUFFICIENT_DATA"`
	NextToken            string   `aws:"NextToken"`
	ResourceEvaluationID string   `aws:"ResourceEvaluationId" check:"len=1..128"`
}

type GetComplianceDetailsByResourceOutput struct {
	EvaluationResults []EvaluationResult `aws:"EvaluationResults,always"`
	NextToken         string             `aws:"NextToken"`
}

type GetComplianceSummaryByConfigRuleOutput struct {
	ComplianceSummary *ComplianceSummary `aws:"ComplianceSummary"`
}

type GetComplianceSummaryByResourceTypeInput struct {
	ResourceTypes []string `aws:"ResourceTypes" check:"items=0..20;each.len=1..256"`
}

type GetComplianceSummaryByResourceTypeOutput struct {
	ComplianceSummariesByResourceType []ComplianceSummaryByResourceType `aws:"ComplianceSummariesByResourceType,always"`
}

type ComplianceSummaryByResourceType struct {
	ResourceType      string             `aws:"ResourceType"`
	ComplianceSummary *ComplianceSummary `aws:"ComplianceSummary"`
}
