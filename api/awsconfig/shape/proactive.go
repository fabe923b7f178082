package shape

import "github.com/varvehq/varve/history"

type GetResourceEvaluationSummaryInput struct {
	ResourceEvaluationID string `aws:"ResourceEvaluationId,required" check:"len=1..128"`
}

type GetResourceEvaluationSummaryOutput struct {
	ResourceEvaluationID     string             `aws:"ResourceEvaluationId"`
	EvaluationMode           string             `aws:"EvaluationMode"`
	EvaluationStatus         *EvaluationStatus  `aws:"EvaluationStatus"`
	EvaluationStartTimestamp history.Moment     `aws:"EvaluationStartTimestamp"`
	Compliance               string             `aws:"Compliance"`
	EvaluationContext        *EvaluationContext `aws:"EvaluationContext"`
	ResourceDetails          *ResourceDetails   `aws:"ResourceDetails"`
}

type EvaluationStatus struct {
	Status        string `aws:"Status"`
	FailureReason string `aws:"FailureReason"`
}

type EvaluationContext struct {
	EvaluationContextIdentifier string `aws:"EvaluationContextIdentifier" check:"len=1..128"`
}

type ResourceDetails struct {
	ResourceID                      string `aws:"ResourceId,required" check:"len=1..768"`
	ResourceType                    string `aws:"ResourceType,required" check:"len=1..256"`
	ResourceConfiguration           string `aws:"ResourceConfiguration,required" check:"len=1..51200"`
	ResourceConfigurationSchemaType string `aws:"ResourceConfigurationSchemaType" check:"enum=CFN_RESOURCE_SCHEMA"`
}

type ListResourceEvaluationsInput struct {
	Filters   *ResourceEvaluationFilters `aws:"Filters"`
	Limit     int32                      `aws:"Limit" check:"range=0..100"`
	NextToken string                     `aws:"NextToken"`
}

type ResourceEvaluationFilters struct {
	EvaluationMode              string      `aws:"EvaluationMode" check:"enum=DETECTIVE|PROACTIVE"`
	TimeWindow                  *TimeWindow `aws:"TimeWindow"`
	EvaluationContextIdentifier string      `aws:"EvaluationContextIdentifier" check:"len=1..128"`
}

type TimeWindow struct {
	StartTime history.Moment `aws:"StartTime"`
	EndTime   history.Moment `aws:"EndTime"`
}

type ListResourceEvaluationsOutput struct {
	ResourceEvaluations []ResourceEvaluation `aws:"ResourceEvaluations,always"`
	NextToken           string               `aws:"NextToken"`
}

type ResourceEvaluation struct {
	ResourceEvaluationID     string         `aws:"ResourceEvaluationId"`
	EvaluationMode           string         `aws:"EvaluationMode"`
	EvaluationStartTimestamp history.Moment `aws:"EvaluationStartTimestamp"`
}

type StartResourceEvaluationInput struct {
	ResourceDetails   *ResourceDetails   `aws:"ResourceDetails,required"`
	EvaluationContext *EvaluationContext `aws:"EvaluationContext"`
	EvaluationMode    string             `aws:"EvaluationMode,required" check:"enum=DETECTIVE|PROACTIVE"`
	EvaluationTimeout int32              `aws:"EvaluationTimeout" check:"range=0..3600"`
	ClientToken       string             `aws:"ClientToken" check:"len=64..256"`
}

type StartResourceEvaluationOutput struct {
	ResourceEvaluationID string `aws:"ResourceEvaluationId"`
}
