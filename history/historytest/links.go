package historytest

import (
	"errors"
	"testing"

	"github.com/varvehq/varve/history"
)

// keepsNoLinks tells, loudly, that a store answers no question for links: what is
// asked of links is skipped then.
func keepsNoLinks(t testing.TB, s history.Store) bool {
	r, err := s.AsOf(ctx, history.At{})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = r.Links(ctx, history.LinkQuery{})
	if errors.Is(err, history.Unimplemented) {
		t.Logf("LINKS ARE NOT TESTED: %v", err)
		return true
	}
	return false
}
