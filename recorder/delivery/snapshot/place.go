package snapshot

import (
	"context"
	"errors"
	"io"
)

// Place is where buckets are. Its methods are safe for concurrent use.
type Place interface {
	// Check says whether objects can be put into a bucket: ErrNoBucket if there
	// is none of that name.
	Check(ctx context.Context, bucket string) error

	// Put writes an object, and returns when it is durable. One that has the key
	// already is replaced at once; after an error it may be the old or the new one.
	Put(ctx context.Context, bucket, key string, body io.ReadSeeker) error

	// Get reads an object, which the caller closes: ErrNoBucket or ErrNoObject if
	// there is none.
	Get(ctx context.Context, bucket, key string) (io.ReadCloser, error)
}

// What a place has not.
var (
	ErrNoBucket = errors.New("there is no such bucket")
	ErrNoObject = errors.New("there is no such object")
)
