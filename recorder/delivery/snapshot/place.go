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
}

// ErrNoBucket says that there is no bucket of a name.
var ErrNoBucket = errors.New("there is no such bucket")
