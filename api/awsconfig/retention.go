package awsconfig

import (
	"context"
	"errors"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/recorder/settings"
)

// retentionHandlers answer about how long history is shown.
func (d *Door) retentionHandlers() []handler {
	return []handler{
		on("PutRetentionConfiguration", d.putRetentionConfiguration),
		on("DescribeRetentionConfigurations", d.describeRetentionConfigurations),
		on("DeleteRetentionConfiguration", d.deleteRetentionConfiguration),
	}
}

func (d *Door) putRetentionConfiguration(ctx context.Context, c Caller, in *shape.PutRetentionConfigurationInput) (*shape.PutRetentionConfigurationOutput, error) {
	if err := d.o.Settings.PutRetention(ctx, c.owner(), int(in.RetentionPeriodInDays)); err != nil {
		return nil, err
	}
	return &shape.PutRetentionConfigurationOutput{
		RetentionConfiguration: &shape.RetentionConfiguration{Name: settings.DefaultName, RetentionPeriodInDays: in.RetentionPeriodInDays},
	}, nil
}

func (d *Door) describeRetentionConfigurations(ctx context.Context, c Caller, in *shape.DescribeRetentionConfigurationsInput) (*shape.DescribeRetentionConfigurationsOutput, error) {
	if in.NextToken != "" { // all fits on the first page
		return nil, refuse("InvalidNextTokenException", "The nextToken provided in the request is invalid")
	}
	for _, name := range in.RetentionConfigurationNames {
		if name != settings.DefaultName {
			return nil, settings.UnknownRetention.Of(name)
		}
	}
	out := &shape.DescribeRetentionConfigurationsOutput{}
	days, err := d.o.Settings.Retention(ctx, c.owner())
	switch {
	case errors.Is(err, settings.UnknownRetention) && len(in.RetentionConfigurationNames) == 0:
		return out, nil
	case err != nil:
		return nil, err
	}
	out.RetentionConfigurations = []shape.RetentionConfiguration{{Name: settings.DefaultName, RetentionPeriodInDays: int32(days)}}
	return out, nil
}

func (d *Door) deleteRetentionConfiguration(ctx context.Context, c Caller, in *shape.DeleteRetentionConfigurationInput) (*shape.Empty, error) {
	if in.RetentionConfigurationName != settings.DefaultName {
		return nil, settings.UnknownRetention.Of(in.RetentionConfigurationName)
	}
	return &shape.Empty{}, d.o.Settings.DeleteRetention(ctx, c.owner())
}
