package recorded_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules/recorded"
)

// What is told of a rule that cannot be read does not tell of the machine.
func TestUnreadable(t *testing.T) {
	err := fmt.Errorf("rule: %w", &history.Error{Kind: history.DataLoss, Text: "the store has a damaged page", Err: errors.New("/var/lib/varve/varve.db: index out of range")})
	r := recorded.Unreadable(&history.Item{Version: 3, Key: history.Key{Type: "Varve::Rule", ID: "open"}}, err)
	if r.Name != "open" || r.Version != 3 || !strings.HasSuffix(r.Description, "the store has a damaged page") {
		t.Errorf("got %+v", r)
	}
}
