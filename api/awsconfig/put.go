package awsconfig

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/history"
)

// source stands in what was recorded through this door.
const source = "awsconfig"

// maxConfiguration is the largest configuration that can be put, in bytes.
const maxConfiguration = 64 << 10

// notTheirs are the organizations whose resource types nobody may put.
var notTheirs = []string{"amzn", "amazon", "alexa", "custom"}

// putResourceConfig records a state of a resource in the caller's account and
// region, captured now. Its tags are all tags that it has.
func (d *Door) putResourceConfig(ctx context.Context, c Caller, in *shape.PutResourceConfigInput) (*shape.Empty, error) {
	if err := checkPut(in); err != nil {
		return nil, err
	}
	r, err := d.recording(ctx, c)
	if err != nil {
		return nil, err
	}
	o := history.Observation{
		Key:   c.key(in.ResourceType, in.ResourceID),
		State: history.State{Name: in.ResourceName, Tags: in.Tags, Configuration: []byte(in.Configuration)},
		Origin: history.Origin{
			Source: source,
			Extras: []byte(`{"schemaVersionId":` + strconv.Quote(in.SchemaVersionID) + `}`), // letters, digits and dashes
		},
	}
	if !r.Records(in.ResourceType) {
		// All that is known of such a resource is that it is there.
		o.State = history.State{Status: history.StatusNotRecorded}
	}
	return d.record(ctx, o)
}

// checkPut refuses what the shape allows.
func checkPut(in *shape.PutResourceConfigInput) error {
	if err := checkOrganization(in.ResourceType); err != nil {
		return err
	}
	if n := len(in.Configuration); n > maxConfiguration {
		return refuse("ValidationException", "The configuration has %d bytes; it must not exceed %d", n, maxConfiguration)
	}
	if text := jsontext.Value(in.Configuration); !text.IsValid(jsontext.AllowDuplicateNames(true)) || text.Kind() != '{' {
		return refuse("ValidationException", "The configuration is not the text of a JSON object")
	}
	return nil
}

func checkOrganization(typ string) error {
	organization, _, _ := strings.Cut(typ, "::")
	if slices.Contains(notTheirs, strings.ToLower(organization)) {
		return refuse("ValidationException", "The resourceType %s is not valid: the organization name %q cannot be used; take one of your own", typ, organization)
	}
	return nil
}

// deleteResourceConfig records that a resource of the caller's account and region
// is gone, now. What nobody has seen there cannot go.
func (d *Door) deleteResourceConfig(ctx context.Context, c Caller, in *shape.DeleteResourceConfigInput) (*shape.Empty, error) {
	if err := checkOrganization(in.ResourceType); err != nil {
		return nil, err
	}
	r, err := d.recording(ctx, c)
	if err != nil {
		return nil, err
	}
	known, err := d.o.Store.AsOf(ctx, history.At{})
	if err != nil {
		return nil, err
	}
	o := history.Observation{
		Key:    c.key(in.ResourceType, in.ResourceID),
		State:  history.State{Deleted: true},
		Origin: history.Origin{Source: source},
	}
	items, err := known.Get(ctx, []history.Key{o.Key}, history.FieldsKey)
	if err != nil {
		return nil, err
	}
	if items[0].Version == 0 {
		return nil, refuse("ValidationException", "Resource %s of resourceType:%s is unknown or has not been discovered in account %s and region %s",
			in.ResourceID, in.ResourceType, c.Account, c.Region)
	}
	if !r.Records(in.ResourceType) {
		o.State.Status = history.StatusDeletedNotRecorded
	}
	return d.record(ctx, o)
}

// key is that of a resource which a caller records.
func (c Caller) key(typ, id string) history.Key {
	return history.Key{Account: c.Account, Region: c.Region, Type: typ, ID: id}
}

// record answers when the observation is durable. The moment of recording is that
// of its capture.
func (d *Door) record(ctx context.Context, o history.Observation) (*shape.Empty, error) {
	receipt, err := d.o.Recorder.Record(ctx, history.Batch{Observations: []history.Observation{o}})
	if err == nil {
		err = receipt.Results[0].Err
	}
	if err == nil {
		return &shape.Empty{}, nil
	}
	var refused *history.Error
	if errors.As(err, &refused) && (refused.Kind == history.Invalid || refused.Kind == history.TooLarge) {
		return nil, refuse("ValidationException", "%s", refused.Message())
	}
	return nil, err
}
