package format

import "github.com/varvehq/varve/graph"

// references writes what a resource says of others. Each has the relationship's
// name in the user's wording, inverse (the resource itself is the used one),
// account and region where the reference gives them, sources (where it was read)
// and one of
//
//	type, id            the resource of that id
//	type, resourceName  the resource of that short name
//	identifier          whatever bears that ARN, full resource name or UID
//	scope, selector     all with those labels inside the scope
//
// What it has not is there and empty.
func (e *encoder) references(name string, list []graph.Reference) {
	e.member(name)
	e.open('[')
	for i := range list {
		e.element()
		e.reference(&list[i])
	}
	e.close(']')
}

func (e *encoder) reference(r *graph.Reference) {
	to := r.Term.Parts()
	var selector graph.Selector
	if to.Scope != "" {
		selector = r.Selector
	}
	e.open('{')
	e.text("name", r.Name)
	e.bool("inverse", r.Inverse)
	e.text("type", to.Type)
	e.text("id", to.ID)
	e.text("resourceName", to.ResourceName)
	e.text("identifier", to.Identifier)
	e.text("scope", to.Scope)
	e.selector(selector)
	e.text("account", r.Account)
	e.text("region", r.Region)
	e.member("sources")
	e.open('[')
	for _, s := range r.Sources {
		e.element()
		e.string(string(s))
	}
	e.close(']')
	e.close('}')
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
