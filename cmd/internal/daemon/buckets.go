package daemon

import (
	"context"
	"fmt"
	"strings"

	"github.com/varvehq/varve/cmd/internal/secretfile"
	"github.com/varvehq/varve/recorder/delivery/snapshot"
)

// Buckets are where the delivery channels of AWS Config deliver to: a folder, or an
// endpoint that speaks S3's protocol. The zero Buckets are none.
type Buckets struct {
	Folder   string // in which each bucket is a folder
	Endpoint string // URL; empty: AWS's own of the region
	Region   string // with which requests are signed; set: the buckets are at the endpoint
	KeyFile  string // one line: ID SECRET
}

// openBuckets finds the place of the buckets; nil: there is none.
func (d *Daemon) openBuckets() (snapshot.Place, error) {
	b := d.o.Buckets
	switch {
	case b.Folder != "":
		place, err := snapshot.NewDirectory(b.Folder)
		if err != nil {
			return nil, fmt.Errorf("the folder of buckets: %w", err)
		}
		return place, nil
	case b.Region == "":
		return nil, nil
	}
	lines, err := secretfile.Read(b.KeyFile, "access keys")
	if err != nil {
		return nil, fmt.Errorf("the access key of the buckets %w", err)
	}
	if len(lines) != 1 || len(strings.Fields(lines[0].Text)) != 2 {
		return nil, fmt.Errorf("the access key of the buckets %s does not hold one line of two words: ID SECRET", b.KeyFile)
	}
	key := strings.Fields(lines[0].Text)
	return snapshot.NewS3(snapshot.S3Options{Endpoint: b.Endpoint, Region: b.Region, AccessKey: key[0], Secret: key[1]}), nil
}

// startSnapshots makes what delivers snapshots and histories to buckets, where the
// store can keep channels.
func (d *Daemon) startSnapshots() error {
	if d.settings == nil {
		return nil
	}
	place, err := d.openBuckets()
	if err != nil {
		return err
	}
	d.snapshots = snapshot.New(snapshot.Options{
		Store: d.store, Settings: d.settings, Place: place, Now: d.o.Now, Logger: d.o.Logger.With("part", "buckets"),
	})
	return nil
}

// deliverSnapshots delivers until ctx ends.
func (d *Daemon) deliverSnapshots(ctx context.Context) {
	if err := d.snapshots.Run(ctx); err != nil {
		d.o.Logger.Error("snapshots are no longer delivered", "err", err)
	}
}
