package awsconfig

import (
	"cmp"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const bucketType = "AWS::S3::Bucket"

// bucketProperties are those of a bucket in CloudFormation that AWS Config has in its
// supplementary configuration, where rules look for them.
type bucketProperties struct {
	BucketName              string
	VersioningConfiguration struct{ Status string }
	LoggingConfiguration    *struct{ DestinationBucketName, LogFilePrefix string }
	BucketEncryption        *struct {
		ServerSideEncryptionConfiguration []struct {
			ServerSideEncryptionByDefault struct{ SSEAlgorithm, KMSMasterKeyID string }
		}
	}
	PublicAccessBlockConfiguration *struct {
		BlockPublicAcls, BlockPublicPolicy, IgnorePublicAcls, RestrictPublicBuckets jsontext.Value
	}
}

// What AWS Config says of a bucket.
type (
	bucketVersioning struct {
		Status string `json:"status"`
	}
	bucketLogging struct {
		Destination *string `json:"destinationBucketName"`
		Prefix      *string `json:"logFilePrefix"`
	}
	bucketEncryption struct {
		Rules []bucketEncryptionRule `json:"rules"`
	}
	bucketEncryptionRule struct {
		Default struct {
			Algorithm string `json:"sseAlgorithm"`
			Key       string `json:"kmsMasterKeyID,omitzero"`
		} `json:"applyServerSideEncryptionByDefault"`
	}
	bucketAccessBlock struct {
		BlockACLs    jsontext.Value `json:"blockPublicAcls,omitzero"`
		BlockPolicy  jsontext.Value `json:"blockPublicPolicy,omitzero"`
		IgnoreACLs   jsontext.Value `json:"ignorePublicAcls,omitzero"`
		RestrictOpen jsontext.Value `json:"restrictPublicBuckets,omitzero"`
	}
)

// supplementOfBucket is the supplementary configuration of a bucket of such properties:
// what they leave out is as S3 makes it, not versioned, not logged, encrypted with a
// key of its own. Policies and lists of access are no properties of a bucket; nothing
// is known of them.
func supplementOfBucket(id string, properties jsontext.Value) (map[string][]byte, error) {
	var p bucketProperties
	if err := json.Unmarshal(properties, &p); err != nil {
		return nil, notParameter("The resourceConfiguration is not one of %s: %v", bucketType, err)
	}
	says := map[string]any{
		"BucketVersioningConfiguration": bucketVersioning{cmp.Or(p.VersioningConfiguration.Status, "Off")},
	}
	logging := bucketLogging{}
	if l := p.LoggingConfiguration; l != nil {
		to := cmp.Or(l.DestinationBucketName, p.BucketName, id) // into itself
		logging = bucketLogging{&to, &l.LogFilePrefix}
	}
	says["BucketLoggingConfiguration"] = logging
	encryption := bucketEncryption{}
	if e := p.BucketEncryption; e != nil {
		for i := range e.ServerSideEncryptionConfiguration {
			by := &e.ServerSideEncryptionConfiguration[i].ServerSideEncryptionByDefault
			var r bucketEncryptionRule
			r.Default.Algorithm, r.Default.Key = by.SSEAlgorithm, by.KMSMasterKeyID
			encryption.Rules = append(encryption.Rules, r)
		}
	}
	if len(encryption.Rules) == 0 {
		var r bucketEncryptionRule
		r.Default.Algorithm = "AES256"
		encryption.Rules = []bucketEncryptionRule{r}
	}
	says["ServerSideEncryptionConfiguration"] = encryption
	if b := p.PublicAccessBlockConfiguration; b != nil {
		says["PublicAccessBlockConfiguration"] = bucketAccessBlock{b.BlockPublicAcls, b.BlockPublicPolicy, b.IgnorePublicAcls, b.RestrictPublicBuckets}
	}
	supplement := make(map[string][]byte, len(says))
	for name, one := range says {
		text, err := json.Marshal(one)
		if err != nil {
			return nil, err
		}
		supplement[name] = text
	}
	return supplement, nil
}
