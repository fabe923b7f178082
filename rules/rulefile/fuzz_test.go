package rulefile_test

import (
	"errors"
	"testing"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/rulefile"
)

// Whatever a file holds, it is refused as invalid or gives rules that can be recorded.
func FuzzParse(f *testing.F) {
	f.Add([]byte("name: a\ncompliant: x\n---\nname: b\nidentifier: B\ninputParameters: {n: 1}\n"))
	f.Add([]byte("name: a\nscope: &s {resourceTypes: [A, B]}\nparameters:\n  n: {type: int, default: 3}\ncompliant: |\n  x == 1\n"))
	f.Add([]byte("name: a\nexternal: true\nperiod: One_Hour\ntrigger: both\nmode: proactive\nseverity: low\nframeworks: x\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		documents, err := rulefile.Parse("f.yaml", text)
		if err != nil {
			if !errors.Is(err, history.Invalid) && !errors.Is(err, history.TooLarge) {
				t.Errorf("%v", err)
			}
			return
		}
		for _, d := range documents {
			put, err := d.Rule.Observation(rules.Owner{}, 0)
			if err != nil {
				t.Fatalf("%+v: %v", d.Rule, err)
			}
			if _, _, _, err := rules.Read(&history.Item{Key: put.Key, State: put.State}); err != nil {
				t.Fatalf("%+v: %v", d.Rule, err)
			}
		}
	})
}
