package format

import (
	"strings"

	"github.com/varvehq/varve/graph"
)

// references writes what a resource says of others. Each has the relationship's
// name in the user's wording, inverse (the resource itself is the used one),
// account and region where the reference gives them, sources (where it was read)
// and one of
//
//	type, id            the resource of that id
//	type, resourceName  the resource of that short name
//	identifier          whatever bears that ARN, full resource name or UID
//	scope, selector     all with those labels inside the scope
func (e *encoder) references(name string, list []graph.Reference) {
	e.member(name)
	e.open('[')
	for i := range list {
		r := &list[i]
		e.element()
		e.open('{')
		e.text("name", r.Name)
		e.bool("inverse", r.Inverse)
		e.target(r)
		e.given("account", r.Account)
		e.given("region", r.Region)
		e.member("sources")
		e.open('[')
		for _, s := range r.Sources {
			e.element()
			e.string(string(s))
		}
		e.close(']')
		e.close('}')
	}
	e.close(']')
}

func (e *encoder) target(r *graph.Reference) {
	if r.Term == "" {
		return
	}
	first, rest, _ := strings.Cut(string(r.Term[1:]), "\x00")
	switch r.Term[0] {
	case 'i':
		e.text("type", first)
		e.text("id", rest)
	case 'n':
		e.text("type", first)
		e.text("resourceName", rest)
	case 'g':
		e.text("identifier", string(r.Term[1:]))
	case 'l':
		e.text("scope", first)
		e.selector(r.Selector)
	}
}

var operators = map[graph.Operator]string{
	graph.In: "In", graph.NotIn: "NotIn", graph.Exists: "Exists", graph.DoesNotExist: "DoesNotExist",
}

func (e *encoder) selector(s graph.Selector) {
	e.member("selector")
	e.open('[')
	for _, r := range s {
		e.element()
		e.open('{')
		e.text("key", r.Key)
		e.text("operator", operators[r.Op])
		e.list("values", r.Values)
		e.close('}')
	}
	e.close(']')
}
