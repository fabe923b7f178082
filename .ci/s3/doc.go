// Package s3 tests delivery to buckets with a server of S3's protocol that is not
// ours: see s3_test.go.
package s3
