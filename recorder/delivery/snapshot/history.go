package snapshot

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/settings"
)

// maxItems is how many items one history file has; more go into further ones.
const maxItems = 10_000

// pageChanges is how many changes are read at once.
const pageChanges = 1000

// recordedVersion is a version that goes into a history file.
type recordedVersion struct {
	key    history.Key
	number uint32
}

// history delivers what was recorded since the last time, a file or more for each
// type, and writes down how that went.
func (d *Deliverer) history(ctx context.Context, c *settings.Channel, rec *settings.Recorder, now history.Moment) error {
	through, failed := d.putHistory(ctx, c, rec, now)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if failed != nil {
		d.log("history", c, "", 0, failed)
	}
	return d.settle(ctx, c, func(c *settings.Channel) {
		d.told(&c.History, failed, HistoryPeriod)
		if failed == nil {
			c.History.Through = through
		}
	})
}

// putHistory returns the position up to which all is delivered.
func (d *Deliverer) putHistory(ctx context.Context, c *settings.Channel, rec *settings.Recorder, now history.Moment) (history.Position, error) {
	if d.o.Place == nil {
		return "", ErrNoPlace
	}
	from := max(c.CreatedAt, rec.StartedAt)
	if c.History.SuccessAt != 0 {
		from = c.History.SuccessAt
	}
	after := c.History.Through
	if after == "" {
		var err error
		if after, err = d.o.Store.PositionAt(ctx, from); err != nil {
			return "", err
		}
	}
	versions, through, err := d.recorded(ctx, rec, after)
	if err != nil {
		return "", err
	}
	r, err := d.o.Store.AsOf(ctx, history.At{})
	if err != nil {
		return "", err
	}
	for _, typ := range slices.Sorted(maps.Keys(versions)) {
		n := 0
		for list := range slices.Chunk(versions[typ], maxItems) {
			n++
			key := historyKey(c, typ, from.Time(), now.Time(), n)
			items, err := d.putVersions(ctx, r, c, key, list)
			if err != nil {
				return "", err
			}
			d.log("history", c, key, items, nil)
		}
	}
	return through, nil
}

// recorded are the versions recorded since a position of what a recorder records,
// by type, and the position after them.
func (d *Deliverer) recorded(ctx context.Context, rec *settings.Recorder, after history.Position) (map[string][]recordedVersion, history.Position, error) {
	versions := map[string][]recordedVersion{}
	for {
		changes, through, err := d.o.Store.Changes(ctx, after, pageChanges, 0)
		if errors.Is(err, history.Compacted) { // what is no longer kept is not delivered
			if after, err = d.o.Store.PositionAt(ctx, 0); err == nil {
				continue
			}
		}
		if err != nil {
			return nil, "", err
		}
		for _, c := range changes {
			if typ := c.Key.Type; !history.Reserved(typ) && rec.Owner.Sees(c.Key) && rec.Records(typ) {
				versions[typ] = append(versions[typ], recordedVersion{c.Key, c.Version})
			}
		}
		if after = through; len(changes) < pageChanges {
			return versions, after, nil
		}
	}
}

// putVersions delivers one file. What was pruned or erased meanwhile is left out.
func (d *Deliverer) putVersions(ctx context.Context, r history.Reader, c *settings.Channel, key string, list []recordedVersion) (items int, err error) {
	f, err := newFile(d.o.Temp, "")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.discard()) }()
	for _, v := range list {
		item, err := r.Version(ctx, v.key, v.number)
		if errors.Is(err, history.NotFound) || errors.Is(err, history.Compacted) || err == nil && item.Erased {
			continue
		}
		if err != nil {
			return 0, err
		}
		if err := f.add(&item); err != nil {
			return 0, err
		}
	}
	if f.Items == 0 {
		return 0, nil
	}
	body, err := f.body()
	if err != nil {
		return 0, err
	}
	return f.Items, d.o.Place.Put(ctx, c.Bucket, key, body)
}
