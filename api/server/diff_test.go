package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/varvehq/varve/api/internal/apitest"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func TestDiff(t *testing.T) {
	d := open(t, apitest.Options{})
	with := func(o *varvev1.Observation) {
		o.Name, o.Arn, o.AvailabilityZone, o.CreatedAt = "n", "arn:x", "eu-1a", day(1)
		o.Tags = map[string]string{"k": "v"}
		o.Supplementary = map[string]*varvev1.Json{"Policy": {Raw: []byte(`{"x":1.0}`)}}
		o.Relationships = []*varvev1.Relationship{{Name: "Is in", Type: "V", ResourceName: "vpc"}}
	}
	d.Record(t, seen("a", 2, `{"n":12345678901234567890,"l":[1,2]}`),
		seen("a", 4, `{"n":12345678901234567891,"l":[1,null,2]}`, with), gone("a", 6))
	ask := func(from, to string) (*varvev1.DiffItemResponse, error) {
		return d.History.DiffItem(t.Context(), &varvev1.DiffItemRequest{Type: "T", Id: "a", From: from, To: to})
	}
	text := func(list []*varvev1.PatchOperation) string {
		var out []string
		for _, p := range list {
			out = append(out, fmt.Sprintf("%s %s %s", p.GetOp(), p.GetPath(), p.GetValue().GetRaw()))
		}
		return strings.Join(out, "; ")
	}
	const attributes = `add  {"arn":"arn:x","availabilityZone":"eu-1a","createdAt":"2026-03-01T12:00:00Z","name":"n",` +
		`"relationships":[{"name":"Is in","resourceName":"vpc","type":"V"}],"supplementary":{"Policy":{"x":1.0}},"tags":{"k":"v"}}`

	for _, c := range []struct{ name, from, to, patch, attributes, versions string }{
		{"Versions", "v1", "v2", "add /l/1 null; replace /n 12345678901234567891", "", "1 2"},
		{"Moments", "2026-03-02T12:00:00Z", "2026-03-05T00:00:00Z", "add /l/1 null; replace /n 12345678901234567891", "", "1 2"},
		{"Same", "v2", "v2", "", "", "2 2"},
		{"Born", "2026-03-01T00:00:00Z", "v2", `add  {"l":[1,null,2],"n":12345678901234567891}`, attributes, "0 2"},
		{"Gone", "v1", "", "remove  ", "remove  ", "1 3"},
		{"Before", "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z", "", "", "0 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp, err := ask(c.from, c.to)
			if err != nil {
				t.Fatal(err)
			}
			if got := text(resp.GetPatch()); got != c.patch {
				t.Errorf("patch %s", got)
			}
			if got := text(resp.GetAttributes()); c.attributes != "" && got != c.attributes {
				t.Errorf("attributes %s", got)
			}
			if got := fmt.Sprint(resp.GetFrom().GetVersion(), resp.GetTo().GetVersion()); got != c.versions {
				t.Errorf("versions %s", got)
			}
		})
	}
	t.Run("Refused", func(t *testing.T) {
		for from, kind := range map[string]history.Kind{
			"": history.Invalid, "v0": history.Invalid, "v-1": history.Invalid, "vx": history.Invalid, "v4294967296": history.Invalid,
			"yesterday": history.Invalid, "v9": history.NotFound,
		} {
			_, err := ask(from, "")
			if meta := refused(t, err, kind); meta["field"] != "from" {
				t.Errorf("%q: %v", from, err)
			}
		}
		_, err := d.History.DiffItem(t.Context(), &varvev1.DiffItemRequest{Type: "T", Id: "b", From: "v1"})
		refused(t, err, history.NotFound)
		_, err = d.History.DiffItem(t.Context(), &varvev1.DiffItemRequest{Type: "T", Id: "b", Account: ptr(""), Region: ptr(""), From: "2026-03-01T00:00:00Z"})
		refused(t, err, history.NotFound)
	})
}
