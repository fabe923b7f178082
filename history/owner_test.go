package history_test

import (
	"slices"
	"testing"

	"github.com/varvehq/varve/history"
)

// TestOwner holds the questions of owners against what they see: each resource is the
// answer to one question at most, and all questions follow the order of keys.
func TestOwner(t *testing.T) {
	accounts, regions := []string{"", "123456789012", "210987654321"}, []string{"", "eu-west-1", "global", "us-east-1"}
	var keys []history.Key
	for _, a := range accounts {
		for _, r := range regions {
			keys = append(keys, history.Key{Account: a, Region: r, Type: "T", ID: "i"})
		}
	}
	for _, o := range keys {
		owner := history.Owner{Account: o.Account, Region: o.Region}
		var asked []history.Key
		for _, q := range owner.Questions(history.Query{Type: "T"}) {
			for _, k := range keys {
				if q.MatchKey(k) {
					asked = append(asked, k)
				}
			}
		}
		if !slices.IsSortedFunc(asked, history.Key.Compare) {
			t.Errorf("%+v: %v", owner, asked)
		}
		for _, k := range keys {
			times := 0
			for _, a := range asked {
				if a == k {
					times++
				}
			}
			if sees := owner.Sees(k); times > 1 || sees && times == 0 || !sees && times == 1 && owner.Account != "" {
				t.Errorf("%+v sees %v: %v, asked for %d times", owner, k, sees, times)
			}
		}
	}
}
