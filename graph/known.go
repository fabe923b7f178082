package graph

import (
	"bytes"
	"slices"
	"strings"
)

// known applies a shape to a string, and tells whether the shape explains it.
func (x *extractor) known(s *shape, text []byte) bool {
	switch s.form {
	case formOwn:
		if id, ok := x.t.identify(s.prefix + string(text)); ok {
			x.own(id.text)
		}
		return true
	case formOwnARN, formResourceARN:
		return x.ownedARN(s.form, string(text))
	case formUID:
		switch uid := string(text); {
		case len(uid) != 36 || uid[8] != '-':
			x.own(uid)
		case isUID(uid):
			x.own(strings.ToLower(uid))
		}
		return true
	case formLogical:
		return x.logical(s.name, view(text))
	case formTemplate:
		x.template(s.name, text, nil)
		return false // there may be an identifier beside the placeholders
	case formAddress:
		x.address(s.name, view(text))
		return true
	case formDependson:
		if bytes.IndexByte(text, '{') < 0 {
			x.address(s.name, view(text))
		} else {
			x.templates(s.name, view(text))
		}
		return true
	}
	if s.split == "" {
		return x.value(s, view(text), "", "", "")
	}
	explained := false
	for part := range strings.SplitSeq(view(text), s.split) {
		explained = x.value(s, strings.TrimSpace(part), "", "", "") || explained
	}
	return explained
}

// own notes an identifier of the resource itself, which others may use.
func (x *extractor) own(text string) {
	x.bear('g', "", text)
	x.names = append(x.names, text)
}

// value applies a shape to a text that names one resource. typ, account and
// region are what an object said beside it.
func (x *extractor) value(s *shape, text, typ, account, region string) bool {
	if typ == "" {
		typ = s.target
	}
	if text == "" || len(text) > maxIdentifier {
		return false
	}
	if s.begins != "" && !strings.HasPrefix(text, s.begins) {
		return false
	}
	if s.match != nil {
		groups := s.match.FindStringSubmatch(text)
		if groups == nil {
			return false
		}
		for i, group := range s.match.SubexpNames() {
			switch {
			case group == "type":
				typ = groups[i]
			case group == "account":
				account = groups[i]
			case group == "region":
				region = groups[i]
			case group == "id", group == "" && i == 1:
				text = groups[i]
			}
		}
	}
	if s.form == formKube {
		return x.kube(s, typ, x.namespace(), text)
	}
	id := identifier{kind: 'g', before: s.prefix, text: text}
	arn := strings.HasPrefix(text, "arn:")
	var full identifier
	var ok bool
	switch {
	case arn || s.form == formGlobal && s.prefix == "":
		full, ok = x.t.identify(text)
	case s.form == formGlobal:
		full, ok = id, true // a prefix makes a full name of what is none
	}
	switch {
	case arn && !ok:
		return true // it names nothing, or many things
	case s.form == formGlobal && !ok:
		return false
	case arn || s.form == formGlobal:
		id = full
	case s.form == formID:
		id = identifier{kind: 'i', typ: typ, text: text}
	case s.form == formName:
		id = identifier{kind: 'n', typ: typ, text: text}
		id.reach = x.t.reach(typ)
	}
	if !clean(id.text) {
		return false
	}
	if account != "" {
		id.account = account
	}
	if region != "" {
		id.region = region
	}
	if id.kind == 'n' && id.typ == x.key.Type && slices.Contains(x.shortNames(), id.text) && (account == "" || account == x.key.Account) {
		return true
	}
	x.identified(s.name, s.inverse, id)
	return true
}

// whole applies a shape to the object at a position.
func (x *extractor) whole(s *shape, at int) {
	o := s.object
	var value, account, region, kind, group, version, namespace, typ []byte
	hidden := -1
	when := o.whenMember == ""
	var texts []string // of the members that a text mentions
	x.fields(at, func(name []byte, pos int) {
		raw, ok := x.raw(pos)
		if !ok {
			return
		}
		switch {
		case is(name, o.value):
			value, hidden = raw, pos+1
		case is(name, o.account):
			account = raw
		case is(name, o.region):
			region = raw
		case is(name, o.typed):
			typ = raw
		case is(name, o.namespace):
			namespace = raw
		case is(name, o.kind):
			kind = raw
		case s.form == formKube && string(name) == "apiVersion":
			version = raw
		case s.form == formKube && (string(name) == "apiGroup" || string(name) == "group"):
			group = raw
		}
		if is(name, o.whenMember) {
			when = string(raw) == o.whenValue
		}
		if o.text != "" && strings.Contains(o.text, "{"+string(name)+"}") {
			texts, hidden = append(texts, string(name), string(x.plainText(raw))), pos+1
		}
		if slices.ContainsFunc(o.hide, func(h string) bool { return is(name, h) }) {
			x.hidden = append(x.hidden, pos+1)
		}
	})
	if !when {
		return
	}
	text := string(x.plainText(value))
	if o.text != "" {
		var ok bool
		if text, ok = x.fill(o.text, texts); !ok {
			return
		}
	}
	if text == "" {
		return
	}
	if hidden >= 0 {
		x.way = append(x.way, step{from: x.nameBefore(hidden - 1), to: hidden - 3, index: -1})
		defer func() { x.way = x.way[:len(x.way)-1] }()
	}
	explained := false
	if s.form == formKube {
		explained = x.kubeObject(s, text, string(namespace), string(kind), string(group), string(version))
	} else {
		explained = x.value(s, text, string(x.plainText(typ)), string(account), string(region))
	}
	if explained && hidden >= 0 && o.text == "" {
		x.hidden = append(x.hidden, hidden)
	}
}

// nameBefore finds where the name begins of the member whose value is at pos.
func (x *extractor) nameBefore(pos int) int {
	end := pos - 2 // the closing quote, before the colon
	from := end - 1
	for from > 0 && x.doc[from] != '"' {
		from--
	}
	return from + 1
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
