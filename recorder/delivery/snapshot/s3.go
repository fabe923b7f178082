package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// S3Options of an endpoint that speaks S3's protocol.
type S3Options struct {
	Endpoint  string // https://storage.example; empty: AWS's own of the region
	Region    string // of signatures
	AccessKey string
	Secret    string
}

// S3 is a place at an endpoint that speaks S3's protocol.
type S3 struct{ client *s3.Client }

// NewS3 makes the place. Nothing is asked of the endpoint yet.
func NewS3(o S3Options) *S3 {
	options := s3.Options{
		Region:      o.Region,
		Credentials: credentials.NewStaticCredentialsProvider(o.AccessKey, o.Secret, ""),
		// Not every server knows the checksums that newer clients send.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	}
	if o.Endpoint != "" {
		options.BaseEndpoint, options.UsePathStyle = aws.String(o.Endpoint), true
	}
	return &S3{s3.New(options)}
}

// Check implements Place.
func (p *S3) Check(ctx context.Context, bucket string) error {
	_, err := p.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: aws.String(bucket)})
	return told(bucket, err)
}

// Put implements Place.
func (p *S3) Put(ctx context.Context, bucket, key string, body io.ReadSeeker) error {
	_, err := p.client.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), Body: body})
	return told(bucket, err)
}

// Get implements Place.
func (p *S3) Get(ctx context.Context, bucket, key string) (io.ReadCloser, error) {
	out, err := p.client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
	if err != nil {
		return nil, told(bucket, err)
	}
	return out.Body, nil
}

// told is what is said of an error: nothing of how the client is built.
func told(bucket string, err error) error {
	if err == nil {
		return nil
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return fmt.Errorf("the bucket %q: %w", bucket, err)
	}
	switch code := api.ErrorCode(); code {
	case "NoSuchKey":
		return fmt.Errorf("in the bucket %q: %w", bucket, ErrNoObject)
	case "NoSuchBucket", "NotFound": // HeadBucket has no body that would name the former
		return fmt.Errorf("%q: %w", bucket, ErrNoBucket)
	default:
		return fmt.Errorf("the bucket %q: %w", bucket, &smithy.GenericAPIError{Code: code, Message: api.ErrorMessage()})
	}
}
