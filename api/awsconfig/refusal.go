package awsconfig

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/varvehq/varve/recorder/settings"
)

// refusals are what AWS Config says of settings that cannot be as asked: its code, and
// its words, which may name what is refused. Without words the domain's are told.
var refusals = map[settings.Refusal]struct{ code, text string }{
	settings.UnknownRecorder:  {"NoSuchConfigurationRecorderException", "Cannot find configuration recorder with the specified name '%s'."},
	settings.BadRecorderName:  {"InvalidConfigurationRecorderNameException", ""},
	settings.SecondRecorder:   {"MaxNumberOfConfigurationRecordersExceededException", "Failed to put configuration recorder '%s' because the maximum number of configuration recorders: 1 is reached."},
	settings.NoRole:           {"InvalidRoleException", ""},
	settings.BadGroup:         {"InvalidRecordingGroupException", "The recording group provided is not valid"},
	settings.Linked:           {"UnmodifiableEntityException", "The requested operation is not valid: %s is of a service-linked configuration recorder."},
	settings.FixedGroup:       {"ValidationException", ""},
	settings.TypeThere:        {"ValidationException", ""},
	settings.TypeNotThere:     {"ValidationException", ""},
	settings.LastType:         {"ValidationException", ""},
	settings.BadType:          {"ValidationException", ""},
	settings.NoChannel:        {"NoAvailableDeliveryChannelException", "Delivery channel is not available to start configuration recorder."},
	settings.NoRecorder:       {"NoAvailableConfigurationRecorderException", "Configuration recorder is not available to put delivery channel."},
	settings.UnknownChannel:   {"NoSuchDeliveryChannelException", "Cannot find delivery channel with specified name '%s'."},
	settings.BadChannelName:   {"InvalidDeliveryChannelNameException", ""},
	settings.SecondChannel:    {"MaxNumberOfDeliveryChannelsExceededException", "Failed to put delivery channel '%s' because the maximum number of delivery channels: 1 is reached."},
	settings.ChannelInUse:     {"LastDeliveryChannelDeleteFailedException", "Failed to delete last specified delivery channel with name '%s', because there is a running configuration recorder."},
	settings.NoBucket:         {"NoSuchBucketException", "Cannot find a S3 bucket with name '%s'."},
	settings.BadKeyPrefix:     {"InvalidS3KeyPrefixException", ""},
	settings.BadKMSKey:        {"InvalidS3KmsKeyArnException", "The s3 kms key arn '%s' is not valid."},
	settings.BadTopic:         {"InvalidSNSTopicARNException", "The sns topic arn '%s' is not valid."},
	settings.UnknownRetention: {"NoSuchRetentionConfigurationException", "Cannot find retention configuration with the specified name '%s'."},
	settings.BadRetention:     {"InvalidParameterValueException", ""},
	settings.UnknownQuery:     {"ResourceNotFoundException", "The query '%s' does not exist. Check the query name and try again."},
	settings.BadQuery:         {"ValidationException", ""},
	settings.TooManyQueries:   {"ValidationException", ""},
	settings.BadTag:           {"ValidationException", ""},
	settings.TooManyTags:      {"TooManyTagsException", ""},
}

// settingRefused is the exception of settings that cannot be as asked; nil: err is none.
func settingRefused(err error) *Exception {
	var refused *settings.Error
	if !errors.As(err, &refused) {
		return nil
	}
	is := refusals[refused.Refusal]
	e := &Exception{Code: is.code, Message: is.text, Status: http.StatusBadRequest}
	switch {
	case is.text == "":
		e.Message = refused.Error()
	case named(is.text):
		e.Message = fmt.Sprintf(is.text, refused.What)
	}
	return e
}

func named(text string) bool { return strings.Contains(text, "%s") }
