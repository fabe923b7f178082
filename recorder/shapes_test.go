package recorder_test

import (
	"errors"
	"io"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder"
	"github.com/varvehq/varve/recorder/internal/realdata"
	"github.com/varvehq/varve/recorder/source"
	"github.com/varvehq/varve/recorder/source/ndjson"
)

type tags = map[string]string

func TestShapes(t *testing.T) {
	for name, c := range map[string]struct {
		typ, configuration string
		name               string
		tags               tags
	}{
		"AWSList":           {"AWS::EC2::VPC", `{"tags":[{"key":"Name","value":"n"},{"key":"a","value":""}]}`, "n", tags{"Name": "n", "a": ""}},
		"AWSCapitals":       {"AWS::EC2::VPC", `{"Tags":[{"Key":"a","Value":"b"}]}`, "", tags{"a": "b"}},
		"AWSMap":            {"AWS::EKS::Cluster", `{"Name":"c","Tags":{"a":"b"}}`, "c", tags{"a": "b"}},
		"AWSTagKey":         {"AWS::KMS::Key", `{"Tags":[{"TagKey":"a","TagValue":"b"}]}`, "", tags{"a": "b"}},
		"AWStagKey":         {"AWS::KMS::Key", `{"tags":[{"tagKey":"a","tagValue":"b"}]}`, "", tags{"a": "b"}},
		"AWSKeyOnly":        {"AWS::EC2::VPC", `{"tags":[{"key":"a"},{"key":"b","value":null}]}`, "", tags{"a": "", "b": ""}},
		"AWSTagSet":         {"AWS::EC2::VPC", `{"tagSet":{"items":[{"key":"a","value":"b"}]}}`, "", tags{"a": "b"}},
		"AWSEmptyThenFull":  {"AWS::EC2::VPC", `{"tags":[],"Tags":[{"Key":"a","Value":"b"}]}`, "", tags{"a": "b"}},
		"AWSTypeName":       {"AWS::Lambda::Function", `{"functionName":"f","tags":[{"key":"Name","value":"n"}]}`, "f", tags{"Name": "n"}},
		"AWSTypeNameUpper":  {"AWS::IAM::Role", `{"RoleName":"r"}`, "r", nil},
		"AWSOwnName":        {"AWS::EC2::SecurityGroup", `{"groupName":"g","tags":[{"key":"Name","value":"n"}]}`, "g", tags{"Name": "n"}},
		"AWSIdentifier":     {"AWS::RDS::DBInstance", `{"dBInstanceIdentifier":"db"}`, "db", nil},
		"AWSPlainName":      {"AWS::S3::Bucket", `{"name":"b","owner":{"name":"me"}}`, "b", nil},
		"AWSNameNoString":   {"AWS::S3::Bucket", `{"name":{"a":1},"Name":"b"}`, "b", nil},
		"CloudFormation":    {"AWS::S3::Bucket", `{"Properties":{"BucketName":"b","Tags":[{"Key":"a","Value":"b"},{"Key":"c","Value":{"Ref":"d"}}]}}`, "b", tags{"a": "b"}},
		"Kubernetes":        {"Kubernetes::apps::Deployment", `{"metadata":{"labels":{"app":"x","on":true},"name":"d"}}`, "d", tags{"app": "x"}},
		"KubernetesNoLabel": {"Kubernetes::core::Pod", `{"labels":{"a":"b"},"metadata":{"name":"p"},"name":"q"}`, "p", nil},
		"Google":            {"storage.googleapis.com/Bucket", `{"labels":{"a":"b"},"name":"n"}`, "n", tags{"a": "b"}},
		"GooglePath":        {"pubsub.googleapis.com/Topic", `{"name":"projects/p/topics/t"}`, "t", nil},
		"GoogleDisplay":     {"iam.googleapis.com/ServiceAccount", `{"displayName":"a / b","name":"projects/p/serviceAccounts/x"}`, "a / b", nil},
		"GoogleExport":      {"compute.googleapis.com/Disk", `{"name":"//compute/x","resource":{"data":{"labels":{"a":"b"}}}}`, "x", tags{"a": "b"}},
		"Terraform":         {"aws_instance", `{"tags":{"Name":"n","Owner":"${var.owner}","Size":2}}`, "n", tags{"Name": "n"}},
		"TerraformList":     {"aws_instance", `{"tags":[{"Name":"x-${var.n}","a":"b"}]}`, "", tags{"a": "b"}},
		"TerraformText":     {"aws_instance", `{"tags":"${var.tags}","name":"${var.name}"}`, "", nil},
		"TerraformState":    {"aws_lb", `{"name":"label","values":{"name":"real","tags":null,"tags_all":{"a":"b"}}}`, "real", tags{"a": "b"}},
		"TerraformData":     {"data.aws_ami", `{"tags":{"a":"%{if true}b%{endif}","c":"d"}}`, "", tags{"c": "d"}},
		"UnknownType":       {"Acme::Widget", `{"name":"n","tags":{"a":"b"}}`, "", nil},
		"NoObject":          {"AWS::EC2::VPC", `["tags"]`, "", nil},
		"Text":              {"Kubernetes::core::Pod", `"metadata"`, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			o := bucket("id", c.configuration)
			o.Key.Type, o.State.Name = c.typ, ""
			prepareTwice(t, &o)
			if o.State.Name != c.name {
				t.Errorf("name %q, want %q", o.State.Name, c.name)
			}
			if diff := cmp.Diff(c.tags, o.State.Tags); diff != "" {
				t.Error(diff)
			}
		})
	}

	t.Run("Supplementary", func(t *testing.T) {
		o := bucket("id", `{}`)
		o.State.Supplementary = map[string][]byte{"BucketTaggingConfiguration": []byte(`{"tagSets":[{"tags":{"a":"b"}},{"tags":{"c":"d"}}]}`)}
		prepareTwice(t, &o)
		if diff := cmp.Diff(tags{"a": "b"}, o.State.Tags); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("GivenStays", func(t *testing.T) {
		o := bucket("given", `{"name":"other","tags":{"a":"b"}}`)
		o.State.Tags = tags{"mine": ""}
		prepareTwice(t, &o)
		if o.State.Name != "given" || len(o.State.Tags) != 1 {
			t.Errorf("%+v", o.State)
		}
	})

	t.Run("DeletionHasNone", func(t *testing.T) {
		o := bucket("", ``)
		o.Key.ID, o.State.Deleted = "x", true
		prepareTwice(t, &o)
		if o.State.Name != "" || o.State.Tags != nil {
			t.Errorf("%+v", o.State)
		}
	})
}

// prepareTwice prepares an observation and sees that doing so again changes
// nothing, as when an item is exported and imported.
func prepareTwice(t *testing.T, o *history.Observation) {
	t.Helper()
	r := recorder.New(nil, recorder.Options{})
	if err := r.Prepare(o); err != nil {
		t.Fatal(err)
	}
	again := *o
	if err := r.Prepare(&again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*o, again); diff != "" {
		t.Errorf("prepared again it differs: %s", diff)
	}
}

// Who collected these sets knew the same shapes: where they give no tags and no
// name there are none to find, so that nothing that differs for them becomes
// equal here.
func TestShapesOfRealData(t *testing.T) {
	for _, path := range realdata.Glob(t, "*.ndjson.gz") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			f, err := source.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			reader, r := ndjson.NewReader(f, ndjson.Options{}), recorder.New(nil, recorder.Options{})
			lines, named := 0, 0
			for {
				o, line, err := reader.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				lines++
				given := o.State
				if err := r.Prepare(&o); err != nil {
					t.Fatalf("line %d: %v", line, err)
				}
				if diff := cmp.Diff(given.Tags, o.State.Tags); diff != "" {
					t.Errorf("line %d: %s %s", line, o.Key, diff)
				}
				if given.Name != o.State.Name {
					named++
					t.Logf("line %d: %s is named %q", line, o.Key, o.State.Name)
				}
			}
			if named > 2 {
				t.Errorf("%d of %d lines got a name", named, lines)
			}
		})
	}
}
