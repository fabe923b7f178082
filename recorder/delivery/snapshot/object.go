package snapshot

import (
	"context"
	"errors"
	"io"
)

// ErrTooLarge says that an object is larger than what is read of one.
var ErrTooLarge = errors.New("the object is too large")

// ErrNoPlace says that nothing is known of buckets.
var ErrNoPlace = errors.New("no place for buckets is configured: give the daemon buckets.folder, or buckets.region")

// Object reads an object of at most so many bytes: ErrTooLarge if it has more,
// ErrNoBucket and ErrNoObject if there is none, ErrNoPlace if there are no buckets.
func (d *Deliverer) Object(ctx context.Context, bucket, key string, most int64) (body []byte, err error) {
	if d.o.Place == nil {
		return nil, ErrNoPlace
	}
	from, err := d.o.Place.Get(ctx, bucket, key)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if body, err = io.ReadAll(io.LimitReader(from, most+1)); err != nil {
		return nil, err
	}
	if int64(len(body)) > most {
		return nil, ErrTooLarge
	}
	return body, nil
}
