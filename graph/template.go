package graph

import (
	"bytes"
	"slices"
	"strings"
)

// logicalResource is the type under which resources of a CloudFormation template
// go by TEMPLATE#LOGICALID: who refers to one does not know its real type.
const logicalResource = "AWS::CloudFormation::LogicalResource"

// logical notes a reference to a resource of the same template by its logical
// id, with or without .Attribute. Pseudo parameters are none.
func (x *extractor) logical(name, text string) bool {
	text, _, _ = strings.Cut(text, ".")
	if !isWord(text) {
		return false
	}
	x.identified(name, false, identifier{kind: 'n', typ: logicalResource, before: x.base, text: text, reach: SameAccount})
	return true
}

// logicalList is {"Fn::GetAtt": [LOGICALID, ATTRIBUTE]}.
func (x *extractor) logicalList(s *shape, at int) {
	if raw, ok := x.raw(at + 1); ok && x.doc[at] == '[' {
		x.enter(step{})
		x.logical(s.name, view(x.plainText(raw)))
		x.leaveStep()
	}
}

// templateList is {"Fn::Sub": [TEXT, {VARIABLE: …}]}: variables hide logical ids.
func (x *extractor) templateList(s *shape, at int) {
	raw, ok := x.raw(at + 1)
	if !ok || x.doc[at] != '[' {
		return
	}
	var variables []string
	if next := x.skip(at+1) + 1; next < len(x.doc) {
		x.fields(next, func(name []byte, _ int) { variables = append(variables, string(name)) })
	}
	x.enter(step{})
	x.template(s.name, x.plainText(raw), variables)
	x.leaveStep()
}

// template notes a reference for every ${LogicalId.Attribute} in a text, but
// for ${!Literal} and variables.
func (x *extractor) template(name string, text []byte, variables []string) {
	for {
		i := bytes.Index(text, []byte("${"))
		if i < 0 {
			return
		}
		text = text[i+2:]
		end := bytes.IndexByte(text, '}')
		if end < 0 {
			return
		}
		if inner := strings.TrimSpace(view(text[:end])); !slices.Contains(variables, inner) {
			x.logical(name, inner)
		}
		text = text[end+1:]
	}
}
