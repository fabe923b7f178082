package awsconfig

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/settings"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/conformance"
	"github.com/varvehq/varve/rules/recorded"
)

// Bounds of AWS Config that bind those who come through this door.
const (
	mostPacks     = 50  // of an account in a region
	mostPackRules = 130 // of a pack
)

func (d *Door) putConformancePack(ctx context.Context, c Caller, in *shape.PutConformancePackInput) (*shape.PutConformancePackOutput, error) {
	name := in.ConformancePackName
	if err := rules.CheckName("conformancePackName", name); err != nil {
		return nil, invalidParameter(err)
	}
	r, err := d.reader(ctx, cursor{})
	if err != nil {
		return nil, err
	}
	seen, err := d.packsSeen(ctx, c, r, []string{name})
	if err != nil {
		return nil, err
	}
	is := seen.byName[name]
	if is != nil {
		if err := is.changeable(c); err != nil {
			return nil, err
		}
	}
	arn := rules.ConformancePackARN(c.owner(), name, c.Account, c.Region)
	tags, err := tagsOf(in.Tags)
	if err == nil {
		err = settings.CheckTags(arn, tags)
	}
	if err != nil {
		return nil, err
	}
	if is == nil {
		if err := d.packRoom(ctx, c, r, name); err != nil {
			return nil, err
		}
	}
	put := recorded.PackPut{Owner: c.owner(), Name: name, MostRules: mostPackRules}
	if put.Parameters, err = parametersOf(in.ConformancePackInputParameters); err != nil {
		return nil, err
	}
	if put.AsTold, err = (packDelivery{in.DeliveryS3Bucket, in.DeliveryS3KeyPrefix}).told(); err != nil {
		return nil, err
	}
	if put.Template, err = d.template(ctx, in); err != nil {
		return nil, err
	}
	before, err := d.rulesOfPack(ctx, c, r, is)
	if err != nil {
		return nil, err
	}
	now, _, err := d.o.Rules.Shelf.PutPackAs(ctx, put)
	if err != nil {
		return nil, templateRefused(err)
	}
	gone := slices.DeleteFunc(before, func(r *ruleSeen) bool {
		still := now.Rule(r.Name)
		return still != nil && still.State == conformance.Active
	})
	if err := d.forgetRules(ctx, c, gone); err != nil {
		return nil, err
	}
	if is == nil && len(tags) > 0 { // tags are given with TagResource to what is there
		if err := d.o.Settings.SetTags(ctx, arn, tags); err != nil {
			return nil, err
		}
	}
	return &shape.PutConformancePackOutput{ConformancePackARN: arn}, nil
}

// packRoom refuses one pack too many.
func (d *Door) packRoom(ctx context.Context, c Caller, r history.Reader, name string) error {
	items, err := history.Few(ctx, r, history.Query{
		Type: recorded.TypePack, Account: c.Account, HasAccount: true, Region: c.Region, HasRegion: true, Fields: history.FieldsKey,
	})
	if err == nil && len(items) >= mostPacks {
		err = refuse("MaxNumberOfConformancePacksExceededException", "Failed to put conformance pack '%s' because the maximum number of conformance packs: %d is reached.", name, mostPacks)
	}
	return err
}

func parametersOf(list []shape.ConformancePackInputParameter) (map[string]string, error) {
	given := make(map[string]string, len(list))
	for _, one := range list {
		if _, twice := given[one.ParameterName]; twice {
			return nil, notParameter("The input parameter '%s' is given twice", one.ParameterName)
		}
		given[one.ParameterName] = one.ParameterValue
	}
	return given, nil
}

// templateRefused tells what is wrong with a template, and where; or with what was
// given beside it.
func templateRefused(err error) error {
	var e *history.Error
	switch {
	case !errors.As(err, &e) || e.Kind != history.Invalid && e.Kind != history.TooLarge:
		return err
	case strings.HasPrefix(e.Field, "parameters"): // those of a template begin with Parameters
		return invalidParameter(err)
	}
	return refuse("ConformancePackTemplateValidationException", "Invalid conformance pack template provided. Errors found: [%s]. Fix your template and try again.", e.Message())
}

func (d *Door) deleteConformancePack(ctx context.Context, c Caller, in *shape.DeleteConformancePackInput) (*shape.Empty, error) {
	name := in.ConformancePackName
	r, err := d.reader(ctx, cursor{})
	if err != nil {
		return nil, err
	}
	is, err := d.packNamed(ctx, c, r, name)
	if err != nil {
		return nil, err
	}
	if err := is.changeable(c); err != nil {
		return nil, err
	}
	gone, err := d.rulesOfPack(ctx, c, r, is)
	if err != nil {
		return nil, err
	}
	_, err = d.o.Rules.Shelf.DeletePack(ctx, is.Owner, name)
	switch {
	case errors.Is(err, history.NotFound): // somebody was faster
		_, err = (&packsSeen{}).find(name)
		return nil, err
	case err != nil:
		return nil, err
	}
	if err := d.forgetRules(ctx, c, gone); err != nil {
		return nil, err
	}
	return &shape.Empty{}, d.o.Settings.DropTags(ctx, is.arn(c))
}

// rulesOfPack are the rules of a pack that are judged; of no pack (nil) none.
func (d *Door) rulesOfPack(ctx context.Context, c Caller, r history.Reader, p *packSeen) ([]*ruleSeen, error) {
	if p == nil {
		return nil, nil
	}
	all, err := d.rulesSeen(ctx, c, r)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all.list, func(r *ruleSeen) bool { return r.Owner != p.Owner || r.Pack != p.Name }), nil
}

// forgetRules drops what is known of rules that are deleted, and their tags.
func (d *Door) forgetRules(ctx context.Context, c Caller, list []*ruleSeen) error {
	var writes []history.DocumentWrite
	for _, r := range list {
		writes = append(writes, history.DocumentWrite{Collection: ruleStates, Name: stateName(r.Owner, r.Recorded())})
		tags, err := d.o.Settings.Tags(ctx, r.arn(c))
		if err == nil && len(tags) > 0 {
			err = d.o.Settings.DropTags(ctx, r.arn(c))
		}
		if err != nil {
			return err
		}
	}
	if len(writes) == 0 {
		return nil
	}
	_, err := d.documents().PutDocuments(ctx, writes)
	return err
}
