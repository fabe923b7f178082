package awsconfig

import (
	"context"
	"errors"
	"strings"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/recorder/delivery/snapshot"
	"github.com/varvehq/varve/rules/conformance"
)

// template is that of the pack that is put, from the one place that is named.
func (d *Door) template(ctx context.Context, in *shape.PutConformancePackInput) ([]byte, error) {
	switch body, uri, ssm := in.TemplateBody != "", in.TemplateS3URI != "", in.TemplateSSMDocumentDetails != nil; {
	case !body && !uri && !ssm:
		return nil, notParameter("No template is given. Provide TemplateBody, or TemplateS3Uri")
	case body && uri, body && ssm, uri && ssm:
		return nil, notParameter("More than one template is given. Provide one of TemplateBody and TemplateS3Uri")
	case ssm:
		return nil, notParameter("TemplateSSMDocumentDetails are not offered here: there are no documents of Systems Manager. Provide the content of '%s' as TemplateBody", in.TemplateSSMDocumentDetails.DocumentName)
	case uri:
		return d.templateOf(ctx, in.TemplateS3URI)
	}
	return []byte(in.TemplateBody), nil
}

// templateOf reads a template from where the daemon has its buckets. What of them may be
// read is the daemon's to know: a caller has no rights of his own there.
func (d *Door) templateOf(ctx context.Context, uri string) ([]byte, error) {
	bucket, key, ok := strings.Cut(strings.TrimPrefix(uri, "s3://"), "/")
	if !ok || bucket == "" || key == "" {
		return nil, notParameter("The TemplateS3Uri '%s' names no object. It is of the form s3://bucketname/prefix/template", uri)
	}
	body, err := []byte(nil), snapshot.ErrNoPlace
	if d.o.Snapshots != nil {
		body, err = d.o.Snapshots.Object(ctx, bucket, key, conformance.MaxTemplate)
	}
	switch {
	case err == nil:
		return body, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, snapshot.ErrNoPlace):
		return nil, notParameter("The TemplateS3Uri '%s' cannot be read: the daemon knows no buckets (buckets.folder or buckets.region in its configuration). Provide the template as TemplateBody", uri)
	case errors.Is(err, snapshot.ErrNoBucket), errors.Is(err, snapshot.ErrNoObject):
		return nil, notParameter("There is no template at TemplateS3Uri '%s'", uri)
	case errors.Is(err, snapshot.ErrTooLarge):
		return nil, notParameter("The template at TemplateS3Uri '%s' has more than %d bytes", uri, conformance.MaxTemplate)
	}
	d.o.Logger.Warn("a template cannot be read", "door", "AWS", "bucket", bucket, "key", key, "err", err)
	return nil, refuse("InsufficientPermissionsException", "The template at TemplateS3Uri '%s' cannot be read with the permissions that the daemon has", uri)
}
