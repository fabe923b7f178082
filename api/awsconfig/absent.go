package awsconfig

import (
	"fmt"
	"slices"
	"strings"

	"github.com/varvehq/varve/api/awsconfig/shape"
)

// absent says of groups of operations why those without a handler are not offered.
var absent = map[string]string{
	"aggregator":   "one store holds all accounts and regions, and the program's own API asks across them",
	"connector":    "what sends resources of other clouds here records them; nothing is fetched",
	"organization": "there is no organization; a rule or pack of the whole installation binds all accounts",
	"query":        "expressions are kept as stored queries, but not evaluated; list, history and batch operations ask for items",
	"remediation":  "what is recorded here is not changed from here",

	"recorder-service-linked": "AWS's own services have no recorders here",
}

// whyAbsent tells why an operation without a handler is not offered.
func whyAbsent(o shape.Operation) string {
	if why := absent[o.Group]; why != "" {
		return why
	}
	return "nothing here answers it"
}

// Reference lists the operations of AWS Config by what they are about: those that are
// offered, and those that are not, with the reason.
func Reference() string {
	offered, missing := map[string][]string{}, map[string][]string{}
	var groups []string
	d := New(Options{})
	for _, known := range shape.Operations {
		if !slices.Contains(groups, known.Group) {
			groups = append(groups, known.Group)
		}
		of := offered
		if d.operations[known.Name].answer == nil {
			of = missing
		}
		of[known.Group] = append(of[known.Group], known.Name)
	}
	slices.Sort(groups)
	var b strings.Builder
	b.WriteString("Offered:\n")
	for _, g := range groups {
		list(&b, g, offered[g])
	}
	b.WriteString("\nNot offered, answered by UnknownOperationException:\n")
	for _, g := range groups {
		if names := missing[g]; len(names) > 0 {
			known, _ := shape.Find(names[0])
			list(&b, g+": "+whyAbsent(known), names)
		}
	}
	return b.String()
}

// list writes names under a heading, if there are any.
func list(b *strings.Builder, heading string, names []string) {
	if len(names) == 0 {
		return
	}
	fmt.Fprintf(b, "\n  %s\n", heading)
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(b, "    %s\n", name)
	}
}
