package awsconfig

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/history"
)

// Bounds of questions about the inventory.
const (
	mostListed  = 100 // entries of a page, and as many unless asked for fewer
	mostListIDs = 20
)

// listDiscoveredResources answers in the order of keys, from one revision for all
// pages. The cursor is the key that was told last.
func (d *Door) listDiscoveredResources(ctx context.Context, c Caller, in *shape.ListDiscoveredResourcesInput) (*shape.ListDiscoveredResourcesOutput, error) {
	size, err := entries(in.Limit, mostListed, mostListed)
	if err != nil {
		return nil, err
	}
	switch {
	case len(in.ResourceIDs) > 0 && in.ResourceName != "":
		return nil, refuse("ValidationException", "Both resourceIds and resourceName cannot be specified in the request; leave one of them out")
	case len(in.ResourceIDs) > mostListIDs:
		return nil, refuse("ValidationException", "The specified list had more than %d resource ID's. It must have '%d' or less items", mostListIDs, mostListIDs)
	}
	at, err := resume(c, in, in.NextToken)
	if err != nil {
		return nil, err
	}
	r, err := d.readerOf(ctx, c, at, in.ResourceType == typeCompliance)
	if err != nil {
		return nil, err
	}
	after := readKey(at.after, in.ResourceType)

	list := c.inventory
	if len(in.ResourceIDs) > 0 {
		list = c.named
	}
	items, more, err := list(ctx, r, in, after, size)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 && at.known == 0 {
		if err := d.fresh(ctx, c, r); err != nil {
			return nil, err
		}
	}
	out := &shape.ListDiscoveredResourcesOutput{}
	for i := range items {
		out.ResourceIdentifiers = append(out.ResourceIdentifiers, identifier(&items[i]))
	}
	if more {
		out.NextToken = next(c, in, cursor{r.At().Known, keyText(items[len(items)-1].Key)})
	}
	return out, nil
}

func identifier(it *history.Item) shape.ResourceIdentifier {
	entry := shape.ResourceIdentifier{ResourceType: it.Key.Type, ResourceID: it.Key.ID, ResourceName: it.State.Name}
	if it.State.Deleted {
		entry.ResourceDeletionTime = it.CapturedAt
	}
	return entry
}

// inventory reads what a caller sees of a type, place by place.
func (c Caller) inventory(ctx context.Context, r history.Reader, in *shape.ListDiscoveredResourcesInput, after *history.Key, size int) ([]history.Item, bool, error) {
	if err := (history.Key{Type: in.ResourceType, ID: "any"}).Validate(); err != nil || history.Reserved(in.ResourceType) {
		return nil, false, err
	}
	var items []history.Item
	for _, q := range c.owner().Questions(history.Query{
		Type: in.ResourceType, Name: in.ResourceName, Deleted: in.IncludeDeletedResources, After: after,
	}) {
		q.Limit = size - len(items) + 1
		part, _, err := r.Items(ctx, q)
		if err != nil {
			return nil, false, err
		}
		if items = append(items, part...); len(items) > size {
			return items[:size], true, nil
		}
	}
	return items, false, nil
}

// named reads those of the ids that are asked for.
func (c Caller) named(ctx context.Context, r history.Reader, in *shape.ListDiscoveredResourcesInput, after *history.Key, size int) ([]history.Item, bool, error) {
	var keys []history.Key
	for _, id := range in.ResourceIDs {
		if err := (history.Key{Type: in.ResourceType, ID: id}).Validate(); err != nil {
			return nil, false, err
		}
		found, err := r.Find(ctx, in.ResourceType, id)
		if err != nil {
			return nil, false, err
		}
		for _, k := range found {
			if c.sees(k) && (after == nil || k.Compare(*after) > 0) {
				keys = append(keys, k)
			}
		}
	}
	slices.SortFunc(keys, history.Key.Compare)
	items, err := r.Get(ctx, slices.Compact(keys), history.FieldsAll)
	if err != nil {
		return nil, false, err
	}
	items = slices.DeleteFunc(items, func(it history.Item) bool { return !it.Exists() && !in.IncludeDeletedResources })
	more := len(items) > size
	return items[:min(size, len(items))], more, nil
}

// keyText holds a key of a question about one type. No part of a key holds a NUL.
func keyText(k history.Key) string { return k.Account + "\x00" + k.Region + "\x00" + k.ID }

// readKey reads what keyText wrote; nil: the beginning.
func readKey(text, typ string) *history.Key {
	parts := strings.Split(text, "\x00")
	if len(parts) != 3 {
		return nil
	}
	return &history.Key{Account: parts[0], Region: parts[1], Type: typ, ID: parts[2]}
}

// getDiscoveredResourceCounts counts what lives, the largest number first and
// types of one number by name. The cursor is how many types were told.
func (d *Door) getDiscoveredResourceCounts(ctx context.Context, c Caller, in *shape.GetDiscoveredResourceCountsInput) (*shape.GetDiscoveredResourceCountsOutput, error) {
	size, err := entries(in.Limit, mostListed, mostListed)
	if err != nil {
		return nil, err
	}
	at, err := resume(c, in, in.NextToken)
	if err != nil {
		return nil, err
	}
	r, err := d.reader(ctx, at)
	if err != nil {
		return nil, err
	}
	counts, err := c.counts(ctx, r, in.ResourceTypes)
	if err != nil {
		return nil, err
	}
	out := &shape.GetDiscoveredResourceCountsOutput{}
	for _, n := range counts {
		out.TotalDiscoveredResources += n.Count
	}
	told, _ := binary.Uvarint([]byte(at.after))
	from := int(min(told, uint64(len(counts))))
	to := min(from+size, len(counts))
	out.ResourceCounts = counts[from:to]
	if to < len(counts) {
		out.NextToken = next(c, in, cursor{r.At().Known, string(binary.AppendUvarint(nil, uint64(to)))})
	}
	return out, nil
}

// counts counts by type what a caller sees; types: only these, unless empty.
func (c Caller) counts(ctx context.Context, r history.Reader, types []string) ([]shape.ResourceCount, error) {
	byType := map[string]int64{}
	for _, q := range c.owner().Questions(history.Query{}) {
		groups, err := r.Count(ctx, q, history.ByType)
		if err != nil {
			return nil, err
		}
		for _, g := range groups {
			if len(types) == 0 || slices.Contains(types, g.Name) {
				byType[g.Name] += int64(g.Count)
			}
		}
	}
	list := make([]shape.ResourceCount, 0, len(byType))
	for typ, n := range byType {
		list = append(list, shape.ResourceCount{ResourceType: typ, Count: n})
	}
	slices.SortFunc(list, func(a, b shape.ResourceCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.ResourceType, b.ResourceType))
	})
	return list, nil
}
