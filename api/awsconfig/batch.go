package awsconfig

import (
	"context"
	"slices"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/api/internal/paging"
	"github.com/varvehq/varve/history"
)

// mostBytes is about what the configurations of a batch may take. An answer ends
// early rather than growing beyond; keys that it leaves out are unprocessed.
const mostBytes = 16 << 20

// batchGetResourceConfig tells the present state of what lives, in the order
// asked and each resource once; what is unknown or deleted is absent.
func (d *Door) batchGetResourceConfig(ctx context.Context, c Caller, in *shape.BatchGetResourceConfigInput) (*shape.BatchGetResourceConfigOutput, error) {
	r, err := d.readerOf(ctx, c, cursor{}, slices.ContainsFunc(in.ResourceKeys, func(k shape.ResourceKey) bool { return k.ResourceType == typeCompliance }))
	if err != nil {
		return nil, err
	}
	var keys []history.Key
	for _, asked := range in.ResourceKeys {
		k, ok, err := c.find(ctx, r, asked.ResourceType, asked.ResourceID)
		if err != nil {
			return nil, err
		}
		if ok && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		if err := d.fresh(ctx, c, r); err != nil {
			return nil, err
		}
	}
	out := &shape.BatchGetResourceConfigOutput{}
	for bytes, chunk := 0, paging.FirstChunk; len(keys) > 0 && bytes < mostBytes; {
		n := min(chunk, len(keys))
		items, err := r.Get(ctx, keys[:n], history.FieldsAll)
		if err != nil {
			return nil, err
		}
		read := 0
		for i := range items {
			if items[i].Exists() {
				out.BaseConfigurationItems = append(out.BaseConfigurationItems, baseConfigurationItem(&items[i]))
				read += sizeOf(&items[i])
			}
		}
		bytes, chunk, keys = bytes+read, paging.NextChunk(n, read), keys[n:]
	}
	for _, k := range keys {
		out.UnprocessedResourceKeys = append(out.UnprocessedResourceKeys, shape.ResourceKey{ResourceType: k.Type, ResourceID: k.ID})
	}
	return out, nil
}
