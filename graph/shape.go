package graph

import (
	"regexp"
	"slices"
	"strings"
)

// form is what a shape makes of the value it finds.
type form uint8

const (
	formID          form = iota + 1 // the id of a resource of the target type, or an ARN
	formName                        // a short name of one, or an ARN
	formGlobal                      // an identifier that stands for itself
	formKube                        // the name of a Kubernetes object
	formLogical                     // the logical id of a resource in the same template, or that and an attribute
	formTemplate                    // text with ${LogicalId.Attribute} in it
	formAddress                     // the address of a Terraform block in the same place
	formDependson                   // Terraform's depends_on: an address or an expression
	formMap                         // an object of labels which select
	formSelector                    // an object of matchLabels and matchExpressions
	formNamespace                   // a namespace selector of the monitoring kinds: {any, matchNames}
	formLabels                      // an object of labels: the resource's own
	formOwn                         // an identifier of the resource itself, which it bears
	formUID                         // likewise, one without a form of its own
	formOwnARN                      // likewise, an ARN
	formResourceARN                 // an ARN of the resource, or of another one
)

var forms = map[string]form{
	"id": formID, "name": formName, "global": formGlobal, "kube": formKube,
	"logical": formLogical, "template": formTemplate, "address": formAddress, "depends_on": formDependson,
	"map": formMap, "selector": formSelector, "namespaces": formNamespace, "labels": formLabels,
	"own": formOwn, "uid": formUID,
}

// shape is one row of a table of known shapes.
type shape struct {
	row     *row
	types   []string // patterns, see matchType
	path    []string
	within  string // name of a supplementary configuration
	name    string // of the relationship; empty where the shape makes none
	target  string // resource type
	form    form
	inverse bool // the resource with the value is the used one

	prefix string         // stands before the value
	begins string         // the value begins with that
	split  string         // the value is a list with that between its parts
	match  *regexp.Regexp // the value must match; its groups id, type, account, region say what of it is what
	object *members       // the value is an object
}

// members tells what the members of an object say.
type members struct {
	value                        string   // the name or id
	text                         string   // instead of value: a text with {member}, {$account} and {$region} in it
	account, region, kind        string   // members which give them
	namespace                    string   // likewise; empty: the owner's own
	kinds                        []string // the object counts only if it is of one of these kinds
	whenMember, whenValue, typed string   // it counts only if the member has the value; the member with the type
	hide                         []string // members which are explained with it
}

// parseShape reads a row of six columns: resource types, path, name of the
// relationship, target type, form with its words, and the user where it is not
// the owner.
func parseShape(r *row) (*shape, error) {
	s := &shape{row: r, name: r.cells[2], target: r.cells[3]}
	s.types = strings.Split(r.cells[0], "|")
	path := r.cells[1]
	if rest, ok := strings.CutPrefix(path, "@"); ok {
		s.within, path, _ = strings.Cut(rest, "/")
		path = "/" + path
	}
	switch {
	case path == "/":
	case strings.HasPrefix(path, "#") && (path == "#id" || path == "#account"):
		s.path = []string{path}
	case !strings.HasPrefix(path, "/") || strings.HasSuffix(path, "/"):
		return nil, r.errorf("path %q does not begin with a slash, or ends with one", path)
	default:
		s.path = strings.Split(path[1:], "/")
	}
	for i, p := range s.path {
		if p == "" || p == "**" && (i != 0 || len(s.path) == 1) {
			return nil, r.errorf("path %q: ** stands only at the beginning, and no step is empty", path)
		}
	}
	switch r.cells[5] {
	case "", "owner":
	case "target":
		s.inverse = true
	default:
		return nil, r.errorf("user %q is neither owner nor target", r.cells[5])
	}
	if err := s.parseForm(r.cells[4]); err != nil {
		return nil, err
	}
	makes := s.form != formLabels && s.form != formNamespace && s.form != formOwn && s.form != formUID
	switch {
	case makes == (s.name == ""):
		return nil, r.errorf("a %q shape and the relationship %q do not go together", r.cells[4], s.name)
	case s.target == "" && (s.form == formID || s.form == formName) && (s.object == nil || s.object.typed == "") && s.match == nil:
		return nil, r.errorf("no target type")
	}
	return s, nil
}

func (s *shape) parseForm(text string) error {
	words := strings.Fields(text)
	if len(words) == 0 {
		return s.row.errorf("no form")
	}
	var ok bool
	if s.form, ok = forms[words[0]]; !ok {
		return s.row.errorf("form %q is unknown", words[0])
	}
	object := func() *members {
		if s.object == nil {
			s.object = &members{}
			if s.form == formKube {
				s.object = &members{value: "name", namespace: "namespace", kind: "kind", hide: []string{"uid"}}
			}
		}
		return s.object
	}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "object":
			object()
		case "value":
			object().value = value
		case "text":
			object().text = value
		case "account":
			object().account = value
		case "region":
			object().region = value
		case "type":
			object().typed = value
		case "namespace":
			object().namespace = value
		case "kinds":
			object().kinds = strings.Split(value, ",")
		case "when":
			object().whenMember, object().whenValue, _ = strings.Cut(value, ":")
		case "prefix":
			s.prefix = value
		case "begins":
			s.begins = value
		case "split":
			s.split = value
		case "re":
			var err error
			if s.match, err = regexp.Compile(value); err != nil {
				return s.row.errorf("%v", err)
			}
		default:
			return s.row.errorf("word %q is unknown", word)
		}
	}
	if o := s.object; o != nil && (o.value == "") == (o.text == "") {
		return s.row.errorf("an object needs value= or text=, and not both")
	}
	return nil
}

// matchType tells whether a resource type falls under a pattern, in which *
// stands for any text.
func matchType(pattern, typ string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == typ
	}
	if !strings.HasPrefix(typ, first) {
		return false
	}
	typ = typ[len(first):]
	for {
		var part string
		part, rest, star = strings.Cut(rest, "*")
		if !star {
			return strings.HasSuffix(typ, part)
		}
		i := strings.Index(typ, part)
		if i < 0 {
			return false
		}
		typ = typ[i+len(part):]
	}
}

// covers tells whether s is about resources of a type in a dialect.
func (s *shape) covers(typ string, d dialect) bool {
	return slices.ContainsFunc(s.types, func(pattern string) bool {
		if mark, ok := strings.CutPrefix(pattern, "@"); ok {
			return mark == d.String()
		}
		return d != dialectTemplate && matchType(pattern, typ)
	})
}
