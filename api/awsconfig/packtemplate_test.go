package awsconfig_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"github.com/varvehq/varve/api/awsconfig"
	"github.com/varvehq/varve/rules/conformance"
)

// A template may lie in a bucket; larger ones must.
func TestTemplatesOfBuckets(t *testing.T) {
	w := open(t)
	c := w.sdk()
	if err := os.MkdirAll(filepath.Join(w.buckets, "templates", "of"), 0o700); err != nil {
		t.Fatal(err)
	}
	text := packText(sshOf) + strings.Repeat("# so that it is too long for a request\n", 2000)
	if err := os.WriteFile(filepath.Join(w.buckets, "templates", "of", "base.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	from := func(uri string) func(*configservice.PutConformancePackInput) {
		return func(in *configservice.PutConformancePackInput) { in.TemplateS3Uri = aws.String(uri) }
	}
	c.must(c.putPack("base", "", from("s3://templates/of/base.yaml")))
	if list, err := c.describeRules(); err != nil || !strings.HasPrefix(ruleNames(list), "ssh-conformance-pack-") {
		t.Error(ruleNames(list), err)
	}
	if err := os.WriteFile(filepath.Join(w.buckets, "templates", "long"), []byte(strings.Repeat("#", conformance.MaxTemplate+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	var bad *types.InvalidParameterValueException
	if err := c.putPack("base", "", from("s3://templates/long")); !errors.As(err, &bad) || !strings.Contains(*bad.Message, "307200 bytes") {
		t.Error(err)
	}
}

func TestTemplatesThatCannotBeRead(t *testing.T) {
	for name, test := range map[string]struct {
		place awsconfig.Snapshots
		code  string
		text  string
	}{
		"NoBuckets":  {nil, "InvalidParameterValueException", "knows no buckets"},
		"NoRightsTo": {&closed{}, "InsufficientPermissionsException", "'s3://closed/k' cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t)
			w.served(func(o *awsconfig.Options) { o.Snapshots = test.place })
			err := w.sdk().putPack("base", "", func(in *configservice.PutConformancePackInput) { in.TemplateS3Uri = aws.String("s3://closed/k") })
			if codeOf(err) != test.code || !strings.Contains(err.Error(), test.text) || strings.Contains(err.Error(), "it is not to be read") {
				t.Error(err)
			}
		})
	}
}
