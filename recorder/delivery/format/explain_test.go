package format_test

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"
)

// property is one of the changedProperties.
type property struct {
	Previous   jsontext.Value `json:"previousValue"`
	Updated    jsontext.Value `json:"updatedValue"`
	ChangeType string         `json:"changeType"`
}

// explain fails unless the properties say all that differs between two items, and
// nothing else: lists are the same if they have the same elements, unless the
// list itself is told.
func explain(t rapid.TB, before, after []byte, changed map[string]property, gone bool) {
	t.Helper()
	x := explainer{t: t, changed: changed, used: map[string]bool{}}
	var a, b map[string]jsontext.Value
	decode(t, before, &a)
	decode(t, after, &b)
	if gone {
		b = map[string]jsontext.Value{"tags": []byte("{}"), "relationships": []byte("[]"), "supplementaryConfiguration": []byte("{}")}
	}
	for name, path := range map[string]string{
		"configuration": "Configuration", "supplementaryConfiguration": "SupplementaryConfiguration", "relationships": "Relationships",
		"tags": "Tags", "resourceName": "ResourceName", "ARN": "ARN", "availabilityZone": "AvailabilityZone", "resourceCreationTime": "ResourceCreationTime",
	} {
		x.tags = name == "tags"
		x.place(path, something(a[name]), something(b[name]))
	}
	if len(changed) == 1 {
		if p, ok := changed["ConfigurationItemStatus"]; ok {
			x.value("ConfigurationItemStatus", p, a["configurationItemStatus"], b["configurationItemStatus"])
		}
	}
	for path := range changed {
		if !x.used[path] {
			t.Fatalf("%s is told, but did not change", path)
		}
	}
}

// something is a member of an item, nil if it is null or not there.
func something(v jsontext.Value) jsontext.Value {
	if string(v) == "null" {
		return nil
	}
	return v
}

type explainer struct {
	t       rapid.TB
	changed map[string]property
	used    map[string]bool
	tags    bool
}

func (x *explainer) value(path string, p property, before, after jsontext.Value) {
	x.t.Helper()
	x.used[path] = true
	kind := "UPDATE"
	if before == nil {
		kind, before = "CREATE", jsontext.Value("null")
	}
	if after == nil {
		kind, after = "DELETE", jsontext.Value("null")
	}
	if p.ChangeType != kind || string(p.Previous) != string(before) || string(p.Updated) != string(after) {
		x.t.Fatalf("%s: %s of %s to %s, but it was %s of %s to %s", path, p.ChangeType, p.Previous, p.Updated, kind, before, after)
	}
}

func (x *explainer) place(path string, before, after jsontext.Value) {
	x.t.Helper()
	if string(before) == string(after) && (before == nil) == (after == nil) {
		return
	}
	if p, ok := x.changed[path]; ok && !x.used[path] {
		x.value(path, p, before, after)
		return
	}
	if before == nil || after == nil || before.Kind() != after.Kind() {
		x.t.Fatalf("nothing is told of %s: %s to %s", path, before, after)
	}
	switch before.Kind() {
	case '{':
		var a, b map[string]jsontext.Value
		decode(x.t, before, &a)
		decode(x.t, after, &b)
		names := map[string]bool{}
		for name := range a {
			names[name] = true
		}
		for name := range b {
			names[name] = true
		}
		for name := range names {
			below := name
			if r, n := utf8.DecodeRuneInString(name); !x.tags && unicode.IsLower(r) {
				below = strings.ToUpper(name[:n]) + name[n:]
			}
			x.place(path+"."+below, a[name], b[name])
		}
	case '[':
		x.elements(path, before, after)
	default:
		x.t.Fatalf("nothing is told of %s: %s to %s", path, before, after)
	}
}

// elements carries out what is told of a list.
func (x *explainer) elements(path string, before, after jsontext.Value) {
	x.t.Helper()
	var a, b []jsontext.Value
	decode(x.t, before, &a)
	decode(x.t, after, &b)
	for i := 0; ; i++ {
		at := path + "." + strconv.Itoa(i)
		p, ok := x.changed[at]
		if !ok {
			break
		}
		x.used[at] = true
		switch p.ChangeType {
		case "CREATE":
			a = append(a, p.Updated)
		case "DELETE":
			gone := slices.IndexFunc(a, func(v jsontext.Value) bool { return string(v) == string(p.Previous) })
			if gone < 0 {
				x.t.Fatalf("%s: %s is not in %s", at, p.Previous, before)
			}
			a = slices.Delete(a, gone, gone+1)
		default:
			x.t.Fatalf("%s: %s", at, p.ChangeType)
		}
	}
	compare := func(a, b jsontext.Value) int { return strings.Compare(string(a), string(b)) }
	slices.SortFunc(a, compare)
	slices.SortFunc(b, compare)
	if !slices.EqualFunc(a, b, func(a, b jsontext.Value) bool { return string(a) == string(b) }) {
		x.t.Fatalf("%s: %s becomes %s, not %s", path, before, a, after)
	}
}
