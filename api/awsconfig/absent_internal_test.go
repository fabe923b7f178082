package awsconfig

import (
	"strings"
	"testing"

	"github.com/varvehq/varve/api/awsconfig/shape"
)

// The reference names every operation once, and gives no reason for the absence of
// what is there.
func TestReference(t *testing.T) {
	offered, missing, ok := strings.Cut(Reference(), "\nNot offered")
	if !ok {
		t.Fatal(offered)
	}
	d := New(Options{})
	for _, known := range shape.Operations {
		in, out := offered, missing
		if d.operations[known.Name].answer == nil {
			in, out = missing, offered
			if absent[known.Group] == "" {
				t.Errorf("nothing says why %s is missing", known.Name)
			}
		} else if absent[known.Group] != "" {
			t.Errorf("%s is offered, though its group %s says why not", known.Name, known.Group)
		}
		line := "\n    " + known.Name + "\n"
		if strings.Count(in, line) != 1 || strings.Contains(out, line) {
			t.Errorf("%s is not where it belongs", known.Name)
		}
	}
	for group := range absent {
		if !strings.Contains(missing, "\n  "+group+": "+absent[group]+"\n") {
			t.Errorf("%s has no operations that are missing", group)
		}
	}
}
