package graph

import (
	"slices"
	"strings"
)

// said is what the members of an object tell a shape: contents of strings as
// they stand in the document.
type said struct {
	value, kind, group, version, namespace []byte
	typ, account, region                   []byte

	at    int      // of the content of the member which counts; 0 if none
	when  bool     // the condition holds
	texts []string // members that the shape's text mentions: name, content
}

// whole applies a shape to the object at a position. The member that names the
// target is then explained, and the source of what is found.
func (x *extractor) whole(s *shape, at int) {
	told := x.listen(s, at)
	text, ok := string(x.plainText(told.value)), told.when
	if s.object.text != "" && ok {
		text, ok = x.fill(s.object.text, told.texts)
	}
	if !ok || text == "" || told.at == 0 {
		return
	}
	x.enter(x.memberOf(told.at))
	if s.form == formKube {
		ok = x.kubeObject(s, text, string(told.namespace), string(told.kind), string(told.group), string(told.version))
	} else {
		ok = x.value(s, text, string(x.plainText(told.typ)), string(told.account), string(told.region))
	}
	x.leaveStep()
	if ok && s.object.text == "" {
		x.hidden = append(x.hidden, told.at)
	}
}

// listen goes through the members of the object at a position.
func (x *extractor) listen(s *shape, at int) said {
	o := s.object
	told := said{when: o.whenMember == ""}
	x.fields(at, func(name []byte, pos int) {
		raw, ok := x.raw(pos)
		if !ok {
			return
		}
		switch {
		case is(name, o.value):
			told.value, told.at = raw, pos+1
		case is(name, o.account):
			told.account = raw
		case is(name, o.region):
			told.region = raw
		case is(name, o.typed):
			told.typ = raw
		case is(name, o.namespace):
			told.namespace = raw
		case is(name, o.kind):
			told.kind = raw
		case s.form == formKube && is(name, "apiVersion"):
			told.version = raw
		case s.form == formKube && (is(name, "apiGroup") || is(name, "group")):
			told.group = raw
		}
		if is(name, o.whenMember) {
			told.when = string(raw) == o.whenValue
		}
		if o.text != "" && strings.Contains(o.text, "{"+string(name)+"}") {
			told.texts, told.at = append(told.texts, string(name), string(x.plainText(raw))), pos+1
		}
		if slices.ContainsFunc(o.hide, func(h string) bool { return is(name, h) }) {
			x.hidden = append(x.hidden, pos+1)
		}
	})
	return told
}

// memberOf is the step to the member whose string's content is at a position.
func (x *extractor) memberOf(at int) step {
	to := at - 3 // before are the opening quote, the colon, and the quote that ends the name
	from := to
	for from > 0 && x.doc[from-1] != '"' {
		from--
	}
	return step{from: from, to: to, index: -1}
}

// is compares names of members as the tables and the documents spell them.
func is(name []byte, want string) bool {
	return want != "" && len(name) == len(want) && equalFold(want, name)
}

// fill puts members into a text: {name} a member, {$account} and {$region} the
// resource's own. It fails if one is missing.
func (x *extractor) fill(text string, members []string) (string, bool) {
	var b strings.Builder
	for {
		before, rest, open := strings.Cut(text, "{")
		b.WriteString(before)
		if !open {
			return b.String(), true
		}
		name, after, _ := strings.Cut(rest, "}")
		var value string
		switch name {
		case "$account":
			value = x.key.Account
		case "$region":
			value = x.key.Region
		default:
			for i := 0; i < len(members); i += 2 {
				if members[i] == name {
					value = members[i+1]
				}
			}
		}
		if value == "" {
			return "", false
		}
		b.WriteString(value)
		text = after
	}
}
