package awsconfig

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/varvehq/varve/recorder/settings"
)

// refusals are what AWS Config says of settings that cannot be as asked: its code, and
// its words, or such as name the members of its shapes. They may name what is refused.
var refusals = map[settings.Refusal]struct{ code, text string }{
	settings.UnknownRecorder:  {"NoSuchConfigurationRecorderException", "Cannot find configuration recorder with the specified name '%s'."},
	settings.BadRecorderName:  {"InvalidConfigurationRecorderNameException", "The configuration recorder name '%s' is not valid; give printable ASCII that does not begin with AWSConfigurationRecorderFor."},
	settings.SecondRecorder:   {"MaxNumberOfConfigurationRecordersExceededException", "Failed to put configuration recorder '%s' because the maximum number of configuration recorders: 1 is reached."},
	settings.NoRole:           {"InvalidRoleException", "The roleARN '%s' is not valid; give the ARN of an IAM role."},
	settings.BadGroup:         {"InvalidRecordingGroupException", "The recording group provided is not valid"},
	settings.Linked:           {"UnmodifiableEntityException", "The requested operation is not valid: %s is of a service-linked configuration recorder."},
	settings.FixedGroup:       {"ValidationException", "The recordingGroup of strategy %s names no resource types; put the recorder with resource types to include or to exclude first."},
	settings.TypeThere:        {"ValidationException", "The resource type '%s' in resourceTypes is recorded already; leave it out."},
	settings.TypeNotThere:     {"ValidationException", "The resource type '%s' in resourceTypes is not recorded; leave it out."},
	settings.LastType:         {"ValidationException", "Without the resource type '%s' in resourceTypes the recordingGroup would name none; put the recorder with all resource types, or delete it."},
	settings.BadType:          {"ValidationException", "The resource type '%s' in resourceTypes is not valid; give up to 2000 with 1 to 196 characters each."},
	settings.NoChannel:        {"NoAvailableDeliveryChannelException", "Delivery channel is not available to start configuration recorder."},
	settings.NoRecorder:       {"NoAvailableConfigurationRecorderException", "Configuration recorder is not available to put delivery channel."},
	settings.UnknownChannel:   {"NoSuchDeliveryChannelException", "Cannot find delivery channel with specified name '%s'."},
	settings.BadChannelName:   {"InvalidDeliveryChannelNameException", "The delivery channel name '%s' is not valid; give printable ASCII."},
	settings.SecondChannel:    {"MaxNumberOfDeliveryChannelsExceededException", "Failed to put delivery channel '%s' because the maximum number of delivery channels: 1 is reached."},
	settings.ChannelInUse:     {"LastDeliveryChannelDeleteFailedException", "Failed to delete last specified delivery channel with name '%s', because there is a running configuration recorder."},
	settings.NoBucket:         {"NoSuchBucketException", "Cannot find a S3 bucket with name '%s'."},
	settings.BadKeyPrefix:     {"InvalidS3KeyPrefixException", "The s3KeyPrefix '%s' is not valid; give segments with one slash between them, up to 512 bytes, and none that is . or .."},
	settings.BadKMSKey:        {"InvalidS3KmsKeyArnException", "The s3 kms key arn '%s' is not valid."},
	settings.BadTopic:         {"InvalidSNSTopicARNException", "The sns topic arn '%s' is not valid."},
	settings.UnknownRetention: {"NoSuchRetentionConfigurationException", "Cannot find retention configuration with the specified name '%s'."},
	settings.BadRetention:     {"InvalidParameterValueException", "The retentionPeriodInDays %s is not valid; give 30 to 2557."},
	settings.UnknownQuery:     {"ResourceNotFoundException", "The query '%s' does not exist. Check the query name and try again."},
	settings.BadQuery:         {"ValidationException", "The storedQuery is not valid at '%s'; give a queryName, and an expression that begins with SELECT."},
	settings.TooManyQueries:   {"ValidationException", "The storedQuery '%s' would be one too many; delete another of the 300 first."},
	settings.BadTag:           {"ValidationException", "The tag '%s' is not valid; give keys of 1 to 128 characters that do not begin with aws: and values of up to 256, of letters, digits, blanks and _.:/=+-@"},
	settings.TooManyTags:      {"TooManyTagsException", "The resource '%s' would have more than 50 tags; take some away with UntagResource."},
}

// settingRefused is the exception of settings that cannot be as asked; nil: err is none.
func settingRefused(err error) *Exception {
	var refused *settings.Error
	if !errors.As(err, &refused) {
		return nil
	}
	is := refusals[refused.Refusal]
	e := &Exception{Code: is.code, Message: is.text, Status: http.StatusBadRequest}
	if strings.Contains(is.text, "%s") {
		e.Message = fmt.Sprintf(is.text, refused.What)
	}
	return e
}
