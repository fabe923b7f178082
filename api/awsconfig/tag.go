package awsconfig

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/settings"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/recorded"
)

// tagHandlers answer about the tags of recorders, stored queries, rules and packs.
func (d *Door) tagHandlers() []handler {
	return []handler{
		on("TagResource", d.tagResource),
		on("UntagResource", d.untagResource),
		on("ListTagsForResource", d.listTagsForResource),
	}
}

// tagsOf reads a list of tags, in which no key may come twice.
func tagsOf(list []shape.Tag) (map[string]string, error) {
	tags := make(map[string]string, len(list))
	folded := make(map[string]bool, len(list))
	for _, t := range list {
		low := strings.ToLower(t.Key)
		if folded[low] {
			return nil, refuse("ValidationException", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		folded[low] = true
		tags[t.Key] = t.Value
	}
	return tags, nil
}

func (d *Door) tagResource(ctx context.Context, c Caller, in *shape.TagResourceInput) (*shape.Empty, error) {
	tags, err := tagsOf(in.Tags)
	if err != nil {
		return nil, err
	}
	if err := d.taggable(ctx, c, in.ResourceARN); err != nil {
		return nil, err
	}
	return &shape.Empty{}, d.o.Settings.Tag(ctx, in.ResourceARN, tags)
}

func (d *Door) untagResource(ctx context.Context, c Caller, in *shape.UntagResourceInput) (*shape.Empty, error) {
	if err := d.taggable(ctx, c, in.ResourceARN); err != nil {
		return nil, err
	}
	return &shape.Empty{}, d.o.Settings.Untag(ctx, in.ResourceARN, in.TagKeys)
}

func (d *Door) listTagsForResource(ctx context.Context, c Caller, in *shape.ListTagsForResourceInput) (*shape.ListTagsForResourceOutput, error) {
	most, err := entries(in.Limit, 100, 100)
	if err != nil {
		return nil, err
	}
	at, err := resume(c, in, in.NextToken)
	if err != nil {
		return nil, err
	}
	if err := d.taggable(ctx, c, in.ResourceARN); err != nil {
		return nil, err
	}
	tags, err := d.o.Settings.Tags(ctx, in.ResourceARN)
	if err != nil {
		return nil, err
	}
	out := &shape.ListTagsForResourceOutput{}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		if key <= at.after {
			continue
		}
		if len(out.Tags) == most {
			out.NextToken = next(c, in, cursor{after: out.Tags[most-1].Key})
			break
		}
		out.Tags = append(out.Tags, shape.Tag{Key: key, Value: tags[key]})
	}
	return out, nil
}

// taggable refuses the ARN of what is not there, or not to be seen by the caller.
func (d *Door) taggable(ctx context.Context, c Caller, arn string) error {
	is, err := d.exists(ctx, c, arn)
	if err == nil && !is {
		err = refuse("ResourceNotFoundException", "ResourceArn '%s' does not exist", arn)
	}
	return err
}

func (d *Door) exists(ctx context.Context, c Caller, arn string) (bool, error) {
	what, ours := strings.CutPrefix(arn, "arn:aws:config:"+c.Region+":"+c.Account+":")
	kind, name, ok := strings.Cut(what, "/")
	if !ours || !ok {
		return false, nil
	}
	switch kind {
	case "configuration-recorder":
		r, err := d.o.Settings.Recorder(ctx, c.owner())
		return err == nil && r.ARN() == arn, but(err, settings.UnknownRecorder)
	case "stored-query":
		name, _, _ = strings.Cut(name, "/")
		q, err := d.o.Settings.Query(ctx, c.owner(), name)
		return err == nil && q.ARN() == arn, but(err, settings.UnknownQuery)
	case "config-rule":
		return d.recordedAs(ctx, c, arn, rules.TypeRule, "", rules.ConfigRuleARN)
	case "conformance-pack":
		name, _, _ = strings.Cut(name, "/")
		return d.recordedAs(ctx, c, arn, recorded.TypePack, name, rules.ConformancePackARN)
	}
	return false, nil
}

// but is err, unless it is what is expected.
func but(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}

// recordedAs looks among the rules or packs that the caller sees for one that has an
// ARN. What its name begins with, if that is known, makes them fewer.
func (d *Door) recordedAs(ctx context.Context, c Caller, arn, resourceType, prefix string, arnOf func(o rules.Owner, name, account, region string) string) (bool, error) {
	r, err := d.o.Store.AsOf(ctx, history.At{})
	if err != nil {
		return false, err
	}
	for _, q := range c.owner().Questions(history.Query{Type: resourceType, IDPrefix: prefix, Fields: history.FieldsKey}) {
		list, _, err := r.Items(ctx, q)
		if err != nil {
			return false, err
		}
		for i := range list {
			if arnOf(rules.Owner{Account: q.Account, Region: q.Region}, list[i].Key.ID, c.Account, c.Region) == arn {
				return true, nil
			}
		}
	}
	return false, nil
}
