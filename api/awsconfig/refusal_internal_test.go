package awsconfig

import (
	"testing"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/recorder/settings"
)

// TestRefusalsAreTold holds the table of refusals to be whole, and its codes to be ones
// that some operation has.
func TestRefusalsAreTold(t *testing.T) {
	known := map[string]bool{}
	for _, op := range shape.Operations {
		for _, code := range op.Errors {
			known[code] = true
		}
	}
	for _, r := range settings.Refusals() {
		if code := refusals[r].code; !known[code] {
			t.Errorf("%v is told as %q", r, code)
		}
		if e := settingRefused(r.Of("x")); e.Message == "" || e.Status != 400 {
			t.Errorf("%v is told as %+v", r, e)
		}
	}
	if settingRefused(refuse("X", "x")) != nil {
		t.Error("what is refused elsewhere is no refusal of settings")
	}
}
