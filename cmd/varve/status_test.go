package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// Damage is told of where there is some, with what to do.
func TestStatusOfDamage(t *testing.T) {
	for apart, want := range map[uint64]string{0: "", 2: "damaged    2 resources, of which what comes stays unmerged: run varve verify\n"} {
		s := answer.StatusOf(&varvev1.GetStatusResponse{Lag: &varvev1.GetStatusResponse_Lag{Records: 3, ResourcesApart: apart}})
		var b bytes.Buffer
		table.Fields(&b, terminal.Screen{}, statusFields(s))
		if got := b.String(); !strings.Contains(got, want) || strings.Contains(got, "damaged") != (want != "") {
			t.Errorf("%d: %s", apart, got)
		}
	}
}
