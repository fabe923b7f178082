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
			case group == "id", group == "" && i == 1:
				text = groups[i]
			}
		}
	}
	if s.form == formKube {
		return x.kube(s, typ, x.namespace(), text)
	}
	var id identifier
	switch {
	case strings.HasPrefix(text, "arn:"):
		var ok bool
		if id, ok = x.t.arn(text); !ok {
			return true // it names nothing, or many things
		}
	case s.form == formGlobal && s.prefix != "":
		id = identifier{kind: 'g', before: s.prefix, text: text}
	case s.form == formGlobal:
		var ok bool
		if id, ok = x.t.identify(text); !ok {
			return false
		}
	case s.form == formID:
		id = identifier{kind: 'i', typ: typ, text: text}
	case s.form == formName:
		id = identifier{kind: 'n', typ: typ, text: text, reach: x.t.reach(typ)}
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
