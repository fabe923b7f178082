package settings

import "github.com/varvehq/varve/history"

// Place is an account and a region in which resources are.
type Place struct{ Account, Region string }

// Places are those that an owner sees, in the order of their keys: what is of his
// account or of none, and of his region, of "global", as AWS calls the region of
// what has none, or of none.
func (o Owner) Places() []Place {
	accounts, regions := []string{"", o.Account}, []string{"", o.Region}
	if o.Account == "" {
		accounts = accounts[:1]
	}
	switch {
	case o.Region == "":
		regions = []string{"", Global}
	case o.Region < Global:
		regions = append(regions, Global)
	case o.Region > Global:
		regions = []string{"", Global, o.Region}
	}
	places := make([]Place, 0, len(accounts)*len(regions))
	for _, a := range accounts {
		for _, r := range regions {
			places = append(places, Place{a, r})
		}
	}
	return places
}

// Global is what AWS Config calls the region of resources that are in none.
const Global = "global"

// Sees reports whether a resource is in one of the owner's places.
func (o Owner) Sees(k history.Key) bool {
	return (k.Account == "" || k.Account == o.Account) && (k.Region == "" || k.Region == Global || k.Region == o.Region)
}
