package awsconfig

import (
	"context"
	"errors"
	"slices"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/recorder/settings"
)

// recorderHandlers answer about configuration recorders.
func (d *Door) recorderHandlers() []handler {
	return []handler{
		on("PutConfigurationRecorder", d.putConfigurationRecorder),
		on("DescribeConfigurationRecorders", d.describeConfigurationRecorders),
		on("DescribeConfigurationRecorderStatus", d.describeConfigurationRecorderStatus),
		on("ListConfigurationRecorders", d.listConfigurationRecorders),
		on("StartConfigurationRecorder", d.startConfigurationRecorder),
		on("StopConfigurationRecorder", d.stopConfigurationRecorder),
		on("DeleteConfigurationRecorder", d.deleteConfigurationRecorder),
		on("AssociateResourceTypes", d.associateResourceTypes),
		on("DisassociateResourceTypes", d.disassociateResourceTypes),
	}
}

// paid is the scope of recorders that an owner puts. Those of the scope INTERNAL are
// linked to services of AWS, which are not here.
const paid = "PAID"

func (d *Door) putConfigurationRecorder(ctx context.Context, c Caller, in *shape.PutConfigurationRecorderInput) (*shape.Empty, error) {
	asked := in.ConfigurationRecorder
	switch {
	case asked.ServicePrincipal != "":
		return nil, settings.Linked.Of("servicePrincipal")
	case asked.ConnectorARN != "":
		return nil, settings.Linked.Of("connectorArn")
	case asked.ScopeConfiguration != nil:
		return nil, settings.Linked.Of("scopeConfiguration")
	case asked.RecordingScope != "" && asked.RecordingScope != paid:
		return nil, settings.Linked.Of("recordingScope")
	}
	group, err := groupOf(asked.RecordingGroup)
	if err != nil {
		return nil, err
	}
	tags, err := tagsOf(in.Tags)
	if err != nil {
		return nil, err
	}
	r := settings.Recorder{Owner: c.owner(), Name: asked.Name, RoleARN: asked.RoleARN, Group: group}
	if mode := asked.RecordingMode; mode != nil {
		r.Frequency = mode.RecordingFrequency
		for _, o := range mode.RecordingModeOverrides {
			r.Overrides = append(r.Overrides, settings.Override{Description: o.Description, Types: o.ResourceTypes, Frequency: o.RecordingFrequency})
		}
	}
	_, err = d.o.Settings.PutRecorder(ctx, r, tags)
	return &shape.Empty{}, err
}

// groupOf reads a recording group, whose parts say the same thing more than once and
// must agree. No group is one of all types, without the global ones of IAM.
func groupOf(in *shape.RecordingGroup) (settings.Group, error) {
	if in == nil {
		return settings.Group{Strategy: settings.AllSupported}, nil
	}
	var strategy settings.Strategy
	if in.RecordingStrategy != nil {
		strategy = settings.Strategy(in.RecordingStrategy.UseOnly)
	}
	var excluded []string
	if in.ExclusionByResourceTypes != nil {
		excluded = in.ExclusionByResourceTypes.ResourceTypes
	}
	if strategy == "" && len(excluded) == 0 {
		switch {
		case in.AllSupported:
			strategy = settings.AllSupported
		case len(in.ResourceTypes) > 0:
			strategy = settings.Inclusion
		}
	}
	g := settings.Group{Strategy: strategy, IncludeGlobal: in.IncludeGlobalResourceTypes}
	agrees := false
	switch strategy {
	case settings.AllSupported:
		agrees = in.AllSupported && len(in.ResourceTypes)+len(excluded) == 0
	case settings.Inclusion:
		g.Types = in.ResourceTypes
		agrees = !in.AllSupported && !in.IncludeGlobalResourceTypes && len(excluded) == 0
	case settings.Exclusion: // for which it does not matter whether global types are included
		g.Types = excluded
		agrees = !in.AllSupported && len(in.ResourceTypes) == 0
	}
	if !agrees {
		return g, settings.BadGroup.Of(string(strategy))
	}
	return g, nil
}

// toldRecorder is a recorder as it is described: with all that a group has.
func toldRecorder(r *settings.Recorder) shape.ConfigurationRecorder {
	group := &shape.RecordingGroup{
		AllSupported:               r.Group.Strategy == settings.AllSupported,
		IncludeGlobalResourceTypes: r.Group.IncludeGlobal,
		ExclusionByResourceTypes:   &shape.ExclusionByResourceTypes{},
		RecordingStrategy:          &shape.RecordingStrategy{UseOnly: string(r.Group.Strategy)},
	}
	switch r.Group.Strategy {
	case settings.Inclusion:
		group.ResourceTypes = r.Group.Types
	case settings.Exclusion:
		group.ExclusionByResourceTypes.ResourceTypes = r.Group.Types
	}
	mode := &shape.RecordingMode{RecordingFrequency: r.Frequency}
	for _, o := range r.Overrides {
		mode.RecordingModeOverrides = append(mode.RecordingModeOverrides,
			shape.RecordingModeOverride{Description: o.Description, ResourceTypes: o.Types, RecordingFrequency: o.Frequency})
	}
	return shape.ConfigurationRecorder{
		ARN: r.ARN(), Name: r.Name, RoleARN: r.RoleARN, RecordingGroup: group, RecordingMode: mode, RecordingScope: paid,
	}
}

func (d *Door) describeConfigurationRecorders(ctx context.Context, c Caller, in *shape.DescribeConfigurationRecordersInput) (*shape.DescribeConfigurationRecordersOutput, error) {
	r, err := d.recorderAsked(ctx, c, in.ConfigurationRecorderNames, in.ARN, in.ServicePrincipal)
	out := &shape.DescribeConfigurationRecordersOutput{}
	if r != nil {
		out.ConfigurationRecorders = []shape.ConfigurationRecorder{toldRecorder(r)}
	}
	return out, err
}

func (d *Door) describeConfigurationRecorderStatus(ctx context.Context, c Caller, in *shape.DescribeConfigurationRecorderStatusInput) (*shape.DescribeConfigurationRecorderStatusOutput, error) {
	r, err := d.recorderAsked(ctx, c, in.ConfigurationRecorderNames, in.ARN, in.ServicePrincipal)
	out := &shape.DescribeConfigurationRecorderStatusOutput{}
	if r != nil {
		out.ConfigurationRecordersStatus = []shape.ConfigurationRecorderStatus{{
			ARN: r.ARN(), Name: r.Name, Recording: r.Recording, LastStatus: r.Status(),
			LastStartTime: r.StartedAt, LastStopTime: r.StoppedAt, LastStatusChangeTime: r.StatusChanged,
		}}
	}
	return out, err
}

// recorderAsked is the caller's recorder, if it is what he asks for, by names, by ARN
// or by nothing. nil: there is none, and none was named.
func (d *Door) recorderAsked(ctx context.Context, c Caller, names []string, arn, principal string) (*settings.Recorder, error) {
	ways := 0
	for _, way := range []bool{len(names) > 0, arn != "", principal != ""} {
		if way {
			ways++
		}
	}
	if ways > 1 {
		return nil, refuse("ValidationException", "You can specify only one of ConfigurationRecorderNames, Arn and ServicePrincipal.")
	}
	r, err := d.o.Settings.Recorder(ctx, c.owner())
	missing := errors.Is(err, settings.UnknownRecorder)
	if err != nil && !missing {
		return nil, err
	}
	switch {
	case principal != "":
		return nil, refuse("NoSuchConfigurationRecorderException", "Cannot find configuration recorder of the service principal '%s'; there are no service-linked configuration recorders.", principal)
	case arn != "" && (missing || r.ARN() != arn):
		return nil, refuse("NoSuchConfigurationRecorderException", "Cannot find configuration recorder with the specified ARN '%s'.", arn)
	}
	if i := slices.IndexFunc(names, func(name string) bool { return missing || name != r.Name }); i >= 0 {
		return nil, settings.UnknownRecorder.Of(names[i])
	}
	if missing {
		return nil, nil
	}
	return &r, nil
}

func (d *Door) listConfigurationRecorders(ctx context.Context, c Caller, in *shape.ListConfigurationRecordersInput) (*shape.ListConfigurationRecordersOutput, error) {
	if in.NextToken != "" { // all fits on the first page
		return nil, refuse("ValidationException", "The nextToken provided in the request is invalid")
	}
	out := &shape.ListConfigurationRecordersOutput{}
	r, err := d.o.Settings.Recorder(ctx, c.owner())
	switch {
	case errors.Is(err, settings.UnknownRecorder):
		return out, nil
	case err != nil:
		return nil, err
	}
	for _, f := range in.Filters {
		if len(f.FilterValue) > 0 && !slices.Contains(f.FilterValue, paid) {
			return out, nil
		}
	}
	out.ConfigurationRecorderSummaries = []shape.ConfigurationRecorderSummary{{ARN: r.ARN(), Name: r.Name, RecordingScope: paid}}
	return out, nil
}

func (d *Door) startConfigurationRecorder(ctx context.Context, c Caller, in *shape.StartConfigurationRecorderInput) (*shape.Empty, error) {
	return &shape.Empty{}, d.o.Settings.StartRecorder(ctx, c.owner(), in.ConfigurationRecorderName)
}

func (d *Door) stopConfigurationRecorder(ctx context.Context, c Caller, in *shape.StopConfigurationRecorderInput) (*shape.Empty, error) {
	return &shape.Empty{}, d.o.Settings.StopRecorder(ctx, c.owner(), in.ConfigurationRecorderName)
}

func (d *Door) deleteConfigurationRecorder(ctx context.Context, c Caller, in *shape.DeleteConfigurationRecorderInput) (*shape.Empty, error) {
	return &shape.Empty{}, d.o.Settings.DeleteRecorder(ctx, c.owner(), in.ConfigurationRecorderName)
}

func (d *Door) associateResourceTypes(ctx context.Context, c Caller, in *shape.AssociateResourceTypesInput) (*shape.AssociateResourceTypesOutput, error) {
	r, err := d.o.Settings.AssociateTypes(ctx, c.owner(), in.ConfigurationRecorderARN, in.ResourceTypes)
	if err != nil {
		return nil, err
	}
	told := toldRecorder(&r)
	return &shape.AssociateResourceTypesOutput{ConfigurationRecorder: &told}, nil
}

func (d *Door) disassociateResourceTypes(ctx context.Context, c Caller, in *shape.DisassociateResourceTypesInput) (*shape.DisassociateResourceTypesOutput, error) {
	r, err := d.o.Settings.DisassociateTypes(ctx, c.owner(), in.ConfigurationRecorderARN, in.ResourceTypes)
	if err != nil {
		return nil, err
	}
	told := toldRecorder(&r)
	return &shape.DisassociateResourceTypesOutput{ConfigurationRecorder: &told}, nil
}
