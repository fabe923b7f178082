package recorded

import (
	"context"
	"fmt"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/words"
	"github.com/varvehq/varve/rules"
)

// unknown says that there is no rule or pack of a name, which there are like it, and
// of whom it is where another owner has one.
func unknown(ctx context.Context, r history.Reader, what string, k history.Key) error {
	text := "is the name of no " + what + whose(ownerOf(k))
	items, _, err := r.Items(ctx, history.Query{Type: k.Type, Fields: history.FieldsKey})
	if err != nil {
		return err
	}
	var names []string
	for i := range items {
		other := items[i].Key
		switch {
		case ownerOf(other) == ownerOf(k):
			names = append(names, other.ID)
			if _, own := rules.Unqualify(other.ID); own != other.ID {
				names = append(names, own)
			}
			if rules.Means(k.ID, other.ID) {
				return &history.Error{Kind: history.NotFound, Field: "name", Value: fmt.Sprintf("%q", k.ID),
					Text: text + "; there is " + other.ID + " of a pack"}
			}
		case other.ID == k.ID:
			text += "; there is one" + whose(ownerOf(other))
		}
	}
	return &history.Error{Kind: history.NotFound, Field: "name", Value: fmt.Sprintf("%q", k.ID), Text: text + words.Remedy(k.ID, names)}
}

// whose goes on after a name.
func whose(o rules.Owner) string {
	if o == (rules.Owner{}) {
		return " of the whole installation"
	}
	return fmt.Sprintf(" of account %q, region %q", o.Account, o.Region)
}

// Near ends a sentence about a name that is not known: with the one that was
// probably meant, else with those that there are.
func Near(name string, known []string) string {
	return words.Remedy(name, slices.Compact(slices.Sorted(slices.Values(known))))
}
