package recorder

import (
	"strconv"
	"strings"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/internal/walk"
)

// complete fills in name and tags from known shapes where the source gave none.
// The JSON values are canonical.
func complete(o *history.Observation) {
	s := &o.State
	if s.Configuration == nil || (s.Name != "" && len(s.Tags) > 0) {
		return
	}
	known := shapeOf(o.Key.Type)
	if known == nil {
		return
	}
	literal := known.pattern == terraform
	d := document{State: s, typ: o.Key.Type}
	var room [64]member
	d.top = room[:0]
	for name, value := range walk.Object(s.Configuration) {
		d.top = append(d.top, member{name, value})
	}

	if len(s.Tags) == 0 {
		for _, place := range known.tags {
			if tags := tagsOf(d.find(place), literal); len(tags) > 0 {
				s.Tags = tags
				break
			}
		}
	}
	if s.Name == "" {
		for _, place := range known.names {
			if name := d.name(place, literal); name != "" {
				s.Name = name
				break
			}
		}
	}
}

const terraform = "terraform"

func shapeOf(typ string) *shape {
	for i := range shapes {
		if matches(shapes[i].pattern, typ) {
			return &shapes[i]
		}
	}
	return nil
}

// matches reports whether a resource type is of a shape's pattern.
func matches(pattern, typ string) bool {
	if pattern == terraform {
		return isTerraform(typ)
	}
	before, after, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == typ
	}
	if !strings.HasPrefix(typ, before) {
		return false
	}
	after = strings.TrimSuffix(after, "*")
	return strings.Contains(typ[len(before):], after)
}

// isTerraform knows Terraform's types by their spelling: aws_instance, module,
// data.aws_ami.
func isTerraform(typ string) bool {
	typ = strings.TrimPrefix(typ, "data.")
	for _, c := range []byte(typ) {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return typ != ""
}

// document is a state that is searched for a name and tags. The members of its
// configuration are stepped through once, not for each place.
type document struct {
	*history.State
	typ string
	top []member
}

type member struct{ name, value []byte }

// find returns the value at a place, nil if there is none.
func (d *document) find(place string) []byte {
	doc, top := d.Configuration, d.top
	if name, ok := strings.CutPrefix(place, "@"); ok {
		name, place, _ = strings.Cut(name, ".")
		doc, top = d.Supplementary[name], nil
	}
	for place != "" && doc != nil {
		var step string
		step, place, _ = strings.Cut(place, ".")
		switch {
		case step[0] == '%':
			doc = eitherCase(doc, top, d.typ[strings.LastIndexByte(d.typ, ':')+1:]+step[1:])
		case len(doc) > 0 && doc[0] == '[':
			doc = element(doc, step)
		default:
			doc = memberOf(doc, top, step)
		}
		top = nil
	}
	return doc
}

// memberOf looks a member of an object up, among those given if there are any.
func memberOf(doc []byte, members []member, name string) []byte {
	if members == nil {
		return walk.Member(doc, name)
	}
	for i := range members {
		if string(members[i].name) == name {
			return members[i].value
		}
	}
	return nil
}

// eitherCase looks for a member whose name begins with a capital, or not.
func eitherCase(doc []byte, members []member, name string) []byte {
	if name[0] >= 0x80 {
		return nil
	}
	if found := memberOf(doc, members, name); found != nil {
		return found
	}
	return memberOf(doc, members, strings.ToLower(name[:1])+name[1:])
}

func element(doc []byte, index string) []byte {
	n, err := strconv.Atoi(index)
	if err != nil {
		return nil
	}
	for v := range walk.Array(doc) {
		if n == 0 {
			return v
		}
		n--
	}
	return nil
}

// name is the name that stands at a place, "" if there is none.
func (d *document) name(place string, literal bool) string {
	if tag, ok := strings.CutPrefix(place, "#"); ok {
		return d.Tags[tag]
	}
	place, last := strings.CutSuffix(place, "/")
	name, _ := text(d.find(place), literal)
	if last {
		name = name[strings.LastIndexByte(name, '/')+1:]
	}
	return name
}

// tagsOf reads tags in any of their spellings.
func tagsOf(doc []byte, literal bool) map[string]string {
	tags := map[string]string{}
	add := func(key string, value []byte) {
		if v, ok := text(value, literal); ok && key != "" {
			tags[key] = v
		}
	}
	addMap := func(object []byte) {
		for key, value := range walk.Object(object) {
			add(string(key), value)
		}
	}

	addMap(doc)
	for entry := range walk.Array(doc) {
		key, value := pair(entry)
		if key == nil {
			addMap(entry)
			continue
		}
		if k, ok := text(key, literal); ok {
			add(k, value)
		}
	}
	return tags
}

// pair reads {key, value} in AWS's spellings; key is nil if it is none of them.
// An entry without a value has an empty one.
func pair(entry []byte) (key, value []byte) {
	var keys, values [len(spellings)][]byte
	for name, v := range walk.Object(entry) {
		for i := range spellings {
			switch string(name) {
			case spellings[i].key:
				keys[i] = v
			case spellings[i].value:
				values[i] = v
			}
		}
	}
	for i := range keys {
		if keys[i] == nil {
			continue
		}
		if values[i] == nil || isNull(values[i]) {
			values[i] = []byte(`""`)
		}
		return keys[i], values[i]
	}
	return nil, nil
}

var spellings = [...]struct{ key, value string }{
	{"Key", "Value"}, {"key", "value"}, {"TagKey", "TagValue"}, {"tagKey", "tagValue"},
}

// text is the string that doc holds; where only literals count, not one that an
// interpolation makes up.
func text(doc []byte, literal bool) (string, bool) {
	s, ok := walk.Text(doc)
	if literal && (strings.Contains(s, "${") || strings.Contains(s, "%{")) {
		return "", false
	}
	return s, ok
}
