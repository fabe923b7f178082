package awsconfig

import "github.com/varvehq/varve/api/awsconfig/shape"

// absent says of groups of operations why they are not offered.
var absent = map[string]string{
	"aggregator":   "one store holds all accounts and regions, and the program's own API asks across them",
	"connector":    "clouds of others are recorded by what sends their resources here",
	"organization": "there is no organization; a rule or pack of the whole installation binds all accounts",
	"query":        "list, history and batch operations ask for items; an expression is not evaluated",
	"remediation":  "what is recorded here is not changed from here",

	"recorder-service-linked": "recorders of AWS's own services are none of ours",
}

// whyAbsent tells why an operation without a handler is not offered.
func whyAbsent(o shape.Operation) string {
	if why := absent[o.Group]; why != "" {
		return why
	}
	return "nothing here answers it"
}
