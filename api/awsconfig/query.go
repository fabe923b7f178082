package awsconfig

import (
	"context"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/recorder/settings"
)

// queryHandlers answer about stored queries, which are kept and not run.
func (d *Door) queryHandlers() []handler {
	return []handler{
		on("PutStoredQuery", d.putStoredQuery),
		on("GetStoredQuery", d.getStoredQuery),
		on("ListStoredQueries", d.listStoredQueries),
		on("DeleteStoredQuery", d.deleteStoredQuery),
	}
}

func (d *Door) putStoredQuery(ctx context.Context, c Caller, in *shape.PutStoredQueryInput) (*shape.PutStoredQueryOutput, error) {
	tags, err := tagsOf(in.Tags)
	if err != nil {
		return nil, err
	}
	asked := in.StoredQuery
	q, err := d.o.Settings.PutQuery(ctx, settings.Query{
		Owner: c.owner(), Name: asked.QueryName, Description: asked.Description, Expression: asked.Expression,
	}, tags)
	if err != nil {
		return nil, err
	}
	return &shape.PutStoredQueryOutput{QueryARN: q.ARN()}, nil
}

func (d *Door) getStoredQuery(ctx context.Context, c Caller, in *shape.GetStoredQueryInput) (*shape.GetStoredQueryOutput, error) {
	q, err := d.o.Settings.Query(ctx, c.owner(), in.QueryName)
	if err != nil {
		return nil, err
	}
	return &shape.GetStoredQueryOutput{StoredQuery: &shape.StoredQuery{
		QueryID: q.ID(), QueryARN: q.ARN(), QueryName: q.Name, Description: q.Description, Expression: q.Expression,
	}}, nil
}

func (d *Door) listStoredQueries(ctx context.Context, c Caller, in *shape.ListStoredQueriesInput) (*shape.ListStoredQueriesOutput, error) {
	at, err := resume(c, in, in.NextToken)
	if err != nil {
		return nil, err
	}
	list, more, err := d.o.Settings.Queries(ctx, c.owner(), at.after, pageOf(in.MaxResults, 100))
	if err != nil {
		return nil, err
	}
	out := &shape.ListStoredQueriesOutput{}
	for i := range list {
		q := &list[i]
		out.StoredQueryMetadata = append(out.StoredQueryMetadata, shape.StoredQueryMetadata{
			QueryID: q.ID(), QueryARN: q.ARN(), QueryName: q.Name, Description: q.Description,
		})
	}
	if more {
		out.NextToken = next(c, in, cursor{after: list[len(list)-1].Name})
	}
	return out, nil
}

func (d *Door) deleteStoredQuery(ctx context.Context, c Caller, in *shape.DeleteStoredQueryInput) (*shape.DeleteStoredQueryOutput, error) {
	return &shape.DeleteStoredQueryOutput{}, d.o.Settings.DeleteQuery(ctx, c.owner(), in.QueryName)
}
