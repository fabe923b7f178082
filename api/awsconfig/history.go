package awsconfig

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/api/internal/paging"
	"github.com/varvehq/varve/history"
)

// Lengths of a page of history.
const (
	usualVersions = 10
	mostVersions  = 100
)

// getResourceConfigHistory answers from one revision for all pages, so that what
// is recorded meanwhile moves nothing. The cursor is the version that was told
// last.
func (d *Door) getResourceConfigHistory(ctx context.Context, c Caller, in *shape.GetResourceConfigHistoryInput) (*shape.GetResourceConfigHistoryOutput, error) {
	size, err := entries(in.Limit, usualVersions, mostVersions)
	if err != nil {
		return nil, err
	}
	q, err := d.asked(in)
	if err != nil {
		return nil, err
	}
	at, err := resume(c, in, in.NextToken)
	if err != nil {
		return nil, err
	}
	if after, n := binary.Uvarint([]byte(at.after)); n > 0 {
		q.After = uint32(after)
	}
	r, err := d.readerOf(ctx, c, at, in.ResourceType == typeCompliance)
	if err != nil {
		return nil, err
	}
	key, known, err := c.find(ctx, r, in.ResourceType, in.ResourceID)
	switch {
	case err != nil:
		return nil, err
	case !known:
		if err := d.fresh(ctx, c, r); err != nil {
			return nil, err
		}
		return nil, undiscovered(in.ResourceType, in.ResourceID)
	}
	if err := d.hide(ctx, c, r, key, &q); err != nil {
		return nil, err
	}

	read := newestFirst(ctx, r, key, &q)
	if in.ChronologicalOrder == "Forward" {
		if read, err = oldestFirst(ctx, r, key, &q); err != nil {
			return nil, err
		}
	}
	out := &shape.GetResourceConfigHistoryOutput{}
	more, err := paging.Fill(size, read, func(it history.Item) int {
		out.ConfigurationItems = append(out.ConfigurationItems, configurationItem(&it))
		q.After = it.Version
		return sizeOf(&it)
	})
	if errors.Is(err, history.NotFound) && at.known != 0 {
		return nil, pruned()
	}
	if err != nil {
		return nil, err
	}
	if more {
		out.NextToken = next(c, in, cursor{r.At().Known, string(binary.AppendUvarint(nil, uint64(q.After)))})
	}
	return out, nil
}

// asked is the range of time that is asked about.
func (d *Door) asked(in *shape.GetResourceConfigHistoryInput) (history.HistoryQuery, error) {
	q := history.HistoryQuery{From: in.EarlierTime, To: in.LaterTime}
	later := q.To
	if later == 0 {
		later = history.MomentOf(d.o.Now())
	}
	if q.From > later {
		return q, refuse("InvalidTimeRangeException", "The specified time range is not valid: earlierTime %s is not before laterTime %s", q.From, later)
	}
	return q, nil
}

// undiscovered is AWS's answer about what nobody has seen.
func undiscovered(typ, id string) error {
	return refuse("ResourceNotDiscoveredException", "Resource %s of resourceType:%s is unknown or has not been discovered", id, typ)
}

// versions reads up to so many versions that come next.
type versions func(limit int) ([]history.Item, bool, error)

// newestFirst reads on after q.After, which whoever takes the versions sets.
func newestFirst(ctx context.Context, r history.Reader, k history.Key, q *history.HistoryQuery) versions {
	return func(limit int) ([]history.Item, bool, error) {
		q.Limit = limit
		return r.History(ctx, k, *q)
	}
}

// oldestFirst reads the other way round. Stores tell the newest first, so it
// looks through the numbers of all versions in the range, which touches no
// content, and then reads those of the page.
func oldestFirst(ctx context.Context, r history.Reader, k history.Key, q *history.HistoryQuery) (versions, error) {
	all, _, err := r.History(ctx, k, history.HistoryQuery{From: q.From, To: q.To, Fields: history.FieldsKey})
	if err != nil {
		return nil, err
	}
	slices.Reverse(all)
	if q.After != 0 {
		told := slices.IndexFunc(all, func(it history.Item) bool { return it.Version == q.After })
		all = all[told+1:]
	}
	return func(limit int) ([]history.Item, bool, error) {
		limit = min(limit, len(all))
		if limit == 0 {
			return nil, false, nil
		}
		part := all[:limit]
		all = all[limit:]
		// Versions of one moment may lie on both sides of the part's bounds.
		items, _, err := r.History(ctx, k, history.HistoryQuery{From: part[0].CapturedAt, To: part[limit-1].CapturedAt})
		if err != nil {
			return nil, false, err
		}
		slices.Reverse(items)
		items = slices.DeleteFunc(items, func(it history.Item) bool {
			return !slices.ContainsFunc(part, func(p history.Item) bool { return p.Version == it.Version })
		})
		return items, len(all) > 0, nil
	}, nil
}

// hide narrows a question to what the caller's retention period shows: nothing
// that was over when the period began. What was true at its beginning stays, and
// with it the present state always does.
func (d *Door) hide(ctx context.Context, c Caller, r history.Reader, k history.Key, q *history.HistoryQuery) error {
	edge, err := d.hiddenBefore(ctx, c)
	if err != nil || edge == 0 || q.From >= edge {
		return err
	}
	then, _, err := r.History(ctx, k, history.HistoryQuery{To: edge, Limit: 1, Fields: history.FieldsKey})
	if err != nil {
		return err
	}
	if len(then) > 0 {
		edge = then[0].CapturedAt
	}
	q.From = max(q.From, edge)
	return nil
}
