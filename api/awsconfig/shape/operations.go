package shape

import (
	"reflect"
	"strings"
)

// Operation is one call of AWS Config's API.
type Operation struct {
	Name   string
	Group  string       // of what it is about: recorder, rules, aggregator …
	Input  reflect.Type // a struct of this package
	Output reflect.Type // likewise; Empty where the service answers nothing
	Errors []string     // codes of the errors of its own
}

// Empty is what has no members.
type Empty struct{}

func operation[In, Out any](name, group, errors string) Operation {
	o := Operation{Name: name, Group: group, Input: reflect.TypeFor[In](), Output: reflect.TypeFor[Out]()}
	if errors != "" {
		o.Errors = strings.Split(errors, ",")
	}
	return o
}

// Find returns an operation by its name; false if there is none.
func Find(name string) (Operation, bool) {
	for _, o := range Operations {
		if o.Name == name {
			return o, true
		}
	}
	return Operation{}, false
}

// Operations are all that the service has, by group.
var Operations = []Operation{
	operation[DescribeComplianceByConfigRuleInput, DescribeComplianceByConfigRuleOutput]("DescribeComplianceByConfigRule", "compliance", "InvalidParameterValueException,NoSuchConfigRuleException,InvalidNextTokenException"),
	operation[DescribeComplianceByResourceInput, DescribeComplianceByResourceOutput]("DescribeComplianceByResource", "compliance", "InvalidParameterValueException,InvalidNextTokenException"),
	operation[GetComplianceDetailsByConfigRuleInput, GetComplianceDetailsByConfigRuleOutput]("GetComplianceDetailsByConfigRule", "compliance", "InvalidParameterValueException,InvalidNextTokenException,NoSuchConfigRuleException"),
	operation[GetComplianceDetailsByResourceInput, GetComplianceDetailsByResourceOutput]("GetComplianceDetailsByResource", "compliance", "InvalidParameterValueException"),
	operation[Empty, GetComplianceSummaryByConfigRuleOutput]("GetComplianceSummaryByConfigRule", "compliance", ""),
	operation[GetComplianceSummaryByResourceTypeInput, GetComplianceSummaryByResourceTypeOutput]("GetComplianceSummaryByResourceType", "compliance", "InvalidParameterValueException"),
	operation[DeleteDeliveryChannelInput, Empty]("DeleteDeliveryChannel", "delivery", "NoSuchDeliveryChannelException,LastDeliveryChannelDeleteFailedException"),
	operation[DeliverConfigSnapshotInput, DeliverConfigSnapshotOutput]("DeliverConfigSnapshot", "delivery", "NoSuchDeliveryChannelException,NoAvailableConfigurationRecorderException,NoRunningConfigurationRecorderException"),
	operation[DescribeDeliveryChannelStatusInput, DescribeDeliveryChannelStatusOutput]("DescribeDeliveryChannelStatus", "delivery", "NoSuchDeliveryChannelException"),
	operation[DescribeDeliveryChannelsInput, DescribeDeliveryChannelsOutput]("DescribeDeliveryChannels", "delivery", "NoSuchDeliveryChannelException"),
	operation[PutDeliveryChannelInput, Empty]("PutDeliveryChannel", "delivery", "MaxNumberOfDeliveryChannelsExceededException,NoAvailableConfigurationRecorderException,InvalidDeliveryChannelNameException,NoSuchBucketException,InvalidS3KeyPrefixException,InvalidS3KmsKeyArnException,InvalidSNSTopicARNException,InsufficientDeliveryPolicyException"),
	operation[BatchGetResourceConfigInput, BatchGetResourceConfigOutput]("BatchGetResourceConfig", "items", "ValidationException,NoAvailableConfigurationRecorderException"),
	operation[DeleteResourceConfigInput, Empty]("DeleteResourceConfig", "items", "ValidationException,NoRunningConfigurationRecorderException"),
	operation[GetDiscoveredResourceCountsInput, GetDiscoveredResourceCountsOutput]("GetDiscoveredResourceCounts", "items", "ValidationException,InvalidLimitException,InvalidNextTokenException"),
	operation[GetResourceConfigHistoryInput, GetResourceConfigHistoryOutput]("GetResourceConfigHistory", "items", "ValidationException,InvalidTimeRangeException,InvalidLimitException,InvalidNextTokenException,NoAvailableConfigurationRecorderException,ResourceNotDiscoveredException"),
	operation[ListDiscoveredResourcesInput, ListDiscoveredResourcesOutput]("ListDiscoveredResources", "items", "ValidationException,InvalidLimitException,InvalidNextTokenException,NoAvailableConfigurationRecorderException"),
	operation[PutResourceConfigInput, Empty]("PutResourceConfig", "items", "ValidationException,InsufficientPermissionsException,NoRunningConfigurationRecorderException,MaxActiveResourcesExceededException"),
	operation[DeleteConformancePackInput, Empty]("DeleteConformancePack", "packs", "NoSuchConformancePackException,ResourceInUseException"),
	operation[DescribeConformancePackComplianceInput, DescribeConformancePackComplianceOutput]("DescribeConformancePackCompliance", "packs", "InvalidLimitException,InvalidNextTokenException,InvalidParameterValueException,NoSuchConfigRuleInConformancePackException,NoSuchConformancePackException"),
	operation[DescribeConformancePackStatusInput, DescribeConformancePackStatusOutput]("DescribeConformancePackStatus", "packs", "InvalidLimitException,InvalidNextTokenException,InvalidParameterValueException"),
	operation[DescribeConformancePacksInput, DescribeConformancePacksOutput]("DescribeConformancePacks", "packs", "NoSuchConformancePackException,InvalidLimitException,InvalidNextTokenException,InvalidParameterValueException"),
	operation[GetConformancePackComplianceDetailsInput, GetConformancePackComplianceDetailsOutput]("GetConformancePackComplianceDetails", "packs", "InvalidLimitException,InvalidNextTokenException,NoSuchConformancePackException,NoSuchConfigRuleInConformancePackException,InvalidParameterValueException"),
	operation[GetConformancePackComplianceSummaryInput, GetConformancePackComplianceSummaryOutput]("GetConformancePackComplianceSummary", "packs", "NoSuchConformancePackException,InvalidLimitException,InvalidNextTokenException"),
	operation[ListConformancePackComplianceScoresInput, ListConformancePackComplianceScoresOutput]("ListConformancePackComplianceScores", "packs", "InvalidParameterValueException,InvalidLimitException,InvalidNextTokenException"),
	operation[PutConformancePackInput, PutConformancePackOutput]("PutConformancePack", "packs", "InsufficientPermissionsException,ConformancePackTemplateValidationException,ResourceInUseException,InvalidParameterValueException,MaxNumberOfConformancePacksExceededException"),
	operation[SelectResourceConfigInput, SelectResourceConfigOutput]("SelectResourceConfig", "query", "InvalidExpressionException,InvalidLimitException,InvalidNextTokenException"),
	operation[AssociateResourceTypesInput, AssociateResourceTypesOutput]("AssociateResourceTypes", "recorder", "ValidationException,ConflictException,NoSuchConfigurationRecorderException"),
	operation[DeleteConfigurationRecorderInput, Empty]("DeleteConfigurationRecorder", "recorder", "NoSuchConfigurationRecorderException,UnmodifiableEntityException"),
	operation[DescribeConfigurationRecorderStatusInput, DescribeConfigurationRecorderStatusOutput]("DescribeConfigurationRecorderStatus", "recorder", "NoSuchConfigurationRecorderException,ValidationException"),
	operation[DescribeConfigurationRecordersInput, DescribeConfigurationRecordersOutput]("DescribeConfigurationRecorders", "recorder", "NoSuchConfigurationRecorderException,ValidationException"),
	operation[DisassociateResourceTypesInput, DisassociateResourceTypesOutput]("DisassociateResourceTypes", "recorder", "ValidationException,ConflictException,NoSuchConfigurationRecorderException"),
	operation[ListConfigurationRecordersInput, ListConfigurationRecordersOutput]("ListConfigurationRecorders", "recorder", "ValidationException"),
	operation[PutConfigurationRecorderInput, Empty]("PutConfigurationRecorder", "recorder", "MaxNumberOfConfigurationRecordersExceededException,ValidationException,InvalidConfigurationRecorderNameException,InvalidRoleException,InvalidRecordingGroupException,UnmodifiableEntityException"),
	operation[StartConfigurationRecorderInput, Empty]("StartConfigurationRecorder", "recorder", "NoSuchConfigurationRecorderException,NoAvailableDeliveryChannelException,UnmodifiableEntityException"),
	operation[StopConfigurationRecorderInput, Empty]("StopConfigurationRecorder", "recorder", "NoSuchConfigurationRecorderException,UnmodifiableEntityException"),
	operation[DeleteRetentionConfigurationInput, Empty]("DeleteRetentionConfiguration", "retention", "InvalidParameterValueException,NoSuchRetentionConfigurationException"),
	operation[DescribeRetentionConfigurationsInput, DescribeRetentionConfigurationsOutput]("DescribeRetentionConfigurations", "retention", "InvalidParameterValueException,NoSuchRetentionConfigurationException,InvalidNextTokenException"),
	operation[PutRetentionConfigurationInput, PutRetentionConfigurationOutput]("PutRetentionConfiguration", "retention", "InvalidParameterValueException,MaxNumberOfRetentionConfigurationsExceededException"),
	operation[DeleteConfigRuleInput, Empty]("DeleteConfigRule", "rules", "NoSuchConfigRuleException,ResourceInUseException"),
	operation[DeleteEvaluationResultsInput, DeleteEvaluationResultsOutput]("DeleteEvaluationResults", "rules", "NoSuchConfigRuleException,ResourceInUseException"),
	operation[DescribeConfigRuleEvaluationStatusInput, DescribeConfigRuleEvaluationStatusOutput]("DescribeConfigRuleEvaluationStatus", "rules", "NoSuchConfigRuleException,InvalidParameterValueException,InvalidNextTokenException"),
	operation[DescribeConfigRulesInput, DescribeConfigRulesOutput]("DescribeConfigRules", "rules", "NoSuchConfigRuleException,InvalidNextTokenException,InvalidParameterValueException"),
	operation[GetCustomRulePolicyInput, GetCustomRulePolicyOutput]("GetCustomRulePolicy", "rules", "NoSuchConfigRuleException"),
	operation[PutConfigRuleInput, Empty]("PutConfigRule", "rules", "InvalidParameterValueException,MaxNumberOfConfigRulesExceededException,ResourceInUseException,InsufficientPermissionsException,NoAvailableConfigurationRecorderException"),
	operation[PutEvaluationsInput, PutEvaluationsOutput]("PutEvaluations", "rules", "InvalidParameterValueException,InvalidResultTokenException,NoSuchConfigRuleException"),
	operation[PutExternalEvaluationInput, PutExternalEvaluationOutput]("PutExternalEvaluation", "rules", "NoSuchConfigRuleException,InvalidParameterValueException"),
	operation[StartConfigRulesEvaluationInput, StartConfigRulesEvaluationOutput]("StartConfigRulesEvaluation", "rules", "NoSuchConfigRuleException,LimitExceededException,ResourceInUseException,InvalidParameterValueException"),
	operation[DeleteStoredQueryInput, DeleteStoredQueryOutput]("DeleteStoredQuery", "stored-query", "ValidationException,ResourceNotFoundException"),
	operation[GetStoredQueryInput, GetStoredQueryOutput]("GetStoredQuery", "stored-query", "ValidationException,ResourceNotFoundException"),
	operation[ListStoredQueriesInput, ListStoredQueriesOutput]("ListStoredQueries", "stored-query", "ValidationException,InvalidNextTokenException"),
	operation[PutStoredQueryInput, PutStoredQueryOutput]("PutStoredQuery", "stored-query", "ValidationException,TooManyTagsException,ResourceConcurrentModificationException"),
	operation[ListTagsForResourceInput, ListTagsForResourceOutput]("ListTagsForResource", "tags", "ResourceNotFoundException,ValidationException,InvalidLimitException,InvalidNextTokenException"),
	operation[TagResourceInput, Empty]("TagResource", "tags", "ValidationException,ResourceNotFoundException,TooManyTagsException"),
	operation[UntagResourceInput, Empty]("UntagResource", "tags", "ValidationException,ResourceNotFoundException"),
	operation[BatchGetAggregateResourceConfigInput, BatchGetAggregateResourceConfigOutput]("BatchGetAggregateResourceConfig", "aggregator", "ValidationException,NoSuchConfigurationAggregatorException"),
	operation[DeleteAggregationAuthorizationInput, Empty]("DeleteAggregationAuthorization", "aggregator", "InvalidParameterValueException"),
	operation[DeleteConfigurationAggregatorInput, Empty]("DeleteConfigurationAggregator", "aggregator", "NoSuchConfigurationAggregatorException"),
	operation[DeletePendingAggregationRequestInput, Empty]("DeletePendingAggregationRequest", "aggregator", "InvalidParameterValueException"),
	operation[DescribeAggregateComplianceByConfigRulesInput, DescribeAggregateComplianceByConfigRulesOutput]("DescribeAggregateComplianceByConfigRules", "aggregator", "ValidationException,InvalidLimitException,InvalidNextTokenException,NoSuchConfigurationAggregatorException"),
	operation[DescribeAggregateComplianceByConformancePacksInput, DescribeAggregateComplianceByConformancePacksOutput]("DescribeAggregateComplianceByConformancePacks", "aggregator", "ValidationException,InvalidLimitException,InvalidNextTokenException,NoSuchConfigurationAggregatorException"),
	operation[DescribeAggregationAuthorizationsInput, DescribeAggregationAuthorizationsOutput]("DescribeAggregationAuthorizations", "aggregator", "InvalidParameterValueException,InvalidNextTokenException,InvalidLimitException"),
	operation[DescribeConfigurationAggregatorSourcesStatusInput, DescribeConfigurationAggregatorSourcesStatusOutput]("DescribeConfigurationAggregatorSourcesStatus", "aggregator", "InvalidParameterValueException,NoSuchConfigurationAggregatorException,InvalidNextTokenException,InvalidLimitException"),
	operation[DescribeConfigurationAggregatorsInput, DescribeConfigurationAggregatorsOutput]("DescribeConfigurationAggregators", "aggregator", "InvalidParameterValueException,NoSuchConfigurationAggregatorException,InvalidNextTokenException,InvalidLimitException"),
	operation[DescribePendingAggregationRequestsInput, DescribePendingAggregationRequestsOutput]("DescribePendingAggregationRequests", "aggregator", "InvalidParameterValueException,InvalidNextTokenException,InvalidLimitException"),
	operation[GetAggregateComplianceDetailsByConfigRuleInput, GetAggregateComplianceDetailsByConfigRuleOutput]("GetAggregateComplianceDetailsByConfigRule", "aggregator", "ValidationException,InvalidLimitException,InvalidNextTokenException,NoSuchConfigurationAggregatorException"),
	operation[GetAggregateConfigRuleComplianceSummaryInput, GetAggregateConfigRuleComplianceSummaryOutput]("GetAggregateConfigRuleComplianceSummary", "aggregator", "ValidationException,InvalidLimitException,InvalidNextTokenException,NoSuchConfigurationAggregatorException"),
	operation[GetAggregateConformancePackComplianceSummaryInput, GetAggregateConformancePackComplianceSummaryOutput]("GetAggregateConformancePackComplianceSummary", "aggregator", "ValidationException,InvalidLimitException,InvalidNextTokenException,NoSuchConfigurationAggregatorException"),
	operation[GetAggregateDiscoveredResourceCountsInput, GetAggregateDiscoveredResourceCountsOutput]("GetAggregateDiscoveredResourceCounts", "aggregator", "ValidationException,InvalidLimitException,InvalidNextTokenException,NoSuchConfigurationAggregatorException"),
	operation[GetAggregateResourceConfigInput, GetAggregateResourceConfigOutput]("GetAggregateResourceConfig", "aggregator", "ValidationException,NoSuchConfigurationAggregatorException,OversizedConfigurationItemException,ResourceNotDiscoveredException"),
	operation[ListAggregateDiscoveredResourcesInput, ListAggregateDiscoveredResourcesOutput]("ListAggregateDiscoveredResources", "aggregator", "ValidationException,InvalidLimitException,InvalidNextTokenException,NoSuchConfigurationAggregatorException"),
	operation[PutAggregationAuthorizationInput, PutAggregationAuthorizationOutput]("PutAggregationAuthorization", "aggregator", "InvalidParameterValueException"),
	operation[PutConfigurationAggregatorInput, PutConfigurationAggregatorOutput]("PutConfigurationAggregator", "aggregator", "InvalidParameterValueException,LimitExceededException,InvalidRoleException,OrganizationAccessDeniedException,NoAvailableOrganizationException,OrganizationAllFeaturesNotEnabledException"),
	operation[SelectAggregateResourceConfigInput, SelectAggregateResourceConfigOutput]("SelectAggregateResourceConfig", "aggregator", "InvalidExpressionException,NoSuchConfigurationAggregatorException,InvalidLimitException,InvalidNextTokenException"),
	operation[GetResourceEvaluationSummaryInput, GetResourceEvaluationSummaryOutput]("GetResourceEvaluationSummary", "proactive", "ResourceNotFoundException"),
	operation[ListResourceEvaluationsInput, ListResourceEvaluationsOutput]("ListResourceEvaluations", "proactive", "InvalidNextTokenException,InvalidParameterValueException,InvalidTimeRangeException"),
	operation[StartResourceEvaluationInput, StartResourceEvaluationOutput]("StartResourceEvaluation", "proactive", "InvalidParameterValueException,IdempotentParameterMismatch"),
	operation[DeleteRemediationConfigurationInput, DeleteRemediationConfigurationOutput]("DeleteRemediationConfiguration", "remediation", "NoSuchRemediationConfigurationException,RemediationInProgressException,InsufficientPermissionsException,InvalidParameterValueException"),
	operation[DeleteRemediationExceptionsInput, DeleteRemediationExceptionsOutput]("DeleteRemediationExceptions", "remediation", "NoSuchRemediationExceptionException"),
	operation[DescribeRemediationConfigurationsInput, DescribeRemediationConfigurationsOutput]("DescribeRemediationConfigurations", "remediation", ""),
	operation[DescribeRemediationExceptionsInput, DescribeRemediationExceptionsOutput]("DescribeRemediationExceptions", "remediation", "InvalidNextTokenException,InvalidParameterValueException"),
	operation[DescribeRemediationExecutionStatusInput, DescribeRemediationExecutionStatusOutput]("DescribeRemediationExecutionStatus", "remediation", "NoSuchRemediationConfigurationException,InvalidNextTokenException,InvalidParameterValueException"),
	operation[PutRemediationConfigurationsInput, PutRemediationConfigurationsOutput]("PutRemediationConfigurations", "remediation", "InsufficientPermissionsException,InvalidParameterValueException"),
	operation[PutRemediationExceptionsInput, PutRemediationExceptionsOutput]("PutRemediationExceptions", "remediation", "InvalidParameterValueException,InsufficientPermissionsException"),
	operation[StartRemediationExecutionInput, StartRemediationExecutionOutput]("StartRemediationExecution", "remediation", "InvalidParameterValueException,InsufficientPermissionsException,NoSuchRemediationConfigurationException"),
	operation[DeleteConnectorInput, DeleteConnectorOutput]("DeleteConnector", "connector", ""),
	operation[GetConnectorInput, GetConnectorOutput]("GetConnector", "connector", ""),
	operation[ListConnectorsInput, ListConnectorsOutput]("ListConnectors", "connector", ""),
	operation[PutConnectorInput, PutConnectorOutput]("PutConnector", "connector", ""),
	operation[DeleteOrganizationConfigRuleInput, Empty]("DeleteOrganizationConfigRule", "organization", "NoSuchOrganizationConfigRuleException,ResourceInUseException,OrganizationAccessDeniedException"),
	operation[DeleteOrganizationConformancePackInput, Empty]("DeleteOrganizationConformancePack", "organization", "NoSuchOrganizationConformancePackException,ResourceInUseException,OrganizationAccessDeniedException"),
	operation[DescribeOrganizationConfigRuleStatusesInput, DescribeOrganizationConfigRuleStatusesOutput]("DescribeOrganizationConfigRuleStatuses", "organization", "NoSuchOrganizationConfigRuleException,InvalidLimitException,InvalidNextTokenException,OrganizationAccessDeniedException"),
	operation[DescribeOrganizationConfigRulesInput, DescribeOrganizationConfigRulesOutput]("DescribeOrganizationConfigRules", "organization", "NoSuchOrganizationConfigRuleException,InvalidNextTokenException,InvalidLimitException,OrganizationAccessDeniedException"),
	operation[DescribeOrganizationConformancePackStatusesInput, DescribeOrganizationConformancePackStatusesOutput]("DescribeOrganizationConformancePackStatuses", "organization", "NoSuchOrganizationConformancePackException,InvalidLimitException,InvalidNextTokenException,OrganizationAccessDeniedException"),
	operation[DescribeOrganizationConformancePacksInput, DescribeOrganizationConformancePacksOutput]("DescribeOrganizationConformancePacks", "organization", "NoSuchOrganizationConformancePackException,InvalidNextTokenException,InvalidLimitException,OrganizationAccessDeniedException"),
	operation[GetOrganizationConfigRuleDetailedStatusInput, GetOrganizationConfigRuleDetailedStatusOutput]("GetOrganizationConfigRuleDetailedStatus", "organization", "NoSuchOrganizationConfigRuleException,InvalidLimitException,InvalidNextTokenException,OrganizationAccessDeniedException"),
	operation[GetOrganizationConformancePackDetailedStatusInput, GetOrganizationConformancePackDetailedStatusOutput]("GetOrganizationConformancePackDetailedStatus", "organization", "NoSuchOrganizationConformancePackException,InvalidLimitException,InvalidNextTokenException,OrganizationAccessDeniedException"),
	operation[GetOrganizationCustomRulePolicyInput, GetOrganizationCustomRulePolicyOutput]("GetOrganizationCustomRulePolicy", "organization", "NoSuchOrganizationConfigRuleException,OrganizationAccessDeniedException"),
	operation[PutOrganizationConfigRuleInput, PutOrganizationConfigRuleOutput]("PutOrganizationConfigRule", "organization", "MaxNumberOfOrganizationConfigRulesExceededException,ResourceInUseException,InvalidParameterValueException,ValidationException,OrganizationAccessDeniedException,NoAvailableOrganizationException,OrganizationAllFeaturesNotEnabledException,InsufficientPermissionsException"),
	operation[PutOrganizationConformancePackInput, PutOrganizationConformancePackOutput]("PutOrganizationConformancePack", "organization", "MaxNumberOfOrganizationConformancePacksExceededException,ResourceInUseException,ValidationException,OrganizationAccessDeniedException,InsufficientPermissionsException,OrganizationConformancePackTemplateValidationException,OrganizationAllFeaturesNotEnabledException,NoAvailableOrganizationException"),
	operation[DeleteServiceLinkedConfigurationRecorderInput, DeleteServiceLinkedConfigurationRecorderOutput]("DeleteServiceLinkedConfigurationRecorder", "recorder-service-linked", "NoSuchConfigurationRecorderException,ValidationException,ConflictException"),
	operation[PutServiceLinkedConfigurationRecorderInput, PutServiceLinkedConfigurationRecorderOutput]("PutServiceLinkedConfigurationRecorder", "recorder-service-linked", "ConflictException,InsufficientPermissionsException,LimitExceededException,ValidationException"),
	operation[PutThirdPartyServiceLinkedConfigurationRecorderInput, PutThirdPartyServiceLinkedConfigurationRecorderOutput]("PutThirdPartyServiceLinkedConfigurationRecorder", "recorder-service-linked", ""),
}
