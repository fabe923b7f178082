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
			if rules.Means(k.ID, other.ID) {
				return &history.Error{Kind: history.NotFound, Field: "name", Value: fmt.Sprintf("%q", k.ID),
					Text: text + "; there is " + other.ID + " of a pack"}
			}
		case other.ID == k.ID:
			text += "; there is one" + whose(ownerOf(other))
		}
	}
	return &history.Error{Kind: history.NotFound, Field: "name", Value: fmt.Sprintf("%q", k.ID), Text: text + Near(k.ID, names)}
}

// whose goes on after a name.
func whose(o rules.Owner) string {
	if o == (rules.Owner{}) {
		return " of the whole installation"
	}
	return fmt.Sprintf(" of account %q, region %q", o.Account, o.Region)
}

// Near ends a sentence about a name that is not known: with the one that was
// probably meant, be it the own name of a pack's rule, else with those that are
// recorded.
func Near(name string, known []string) string {
	all := slices.Clone(known)
	for _, k := range known {
		_, own := rules.Unqualify(k)
		all = append(all, own)
	}
	if words.Nearest(name, all) != "" {
		return words.Remedy(name, all)
	}
	return words.Remedy(name, known)
}
