package format

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/internal/walk"
)

// property is one of the changedProperties. What is not there is nil.
type property struct {
	path          string
	before, after []byte
}

// itemDiff writes configurationItemDiff, from the items as they stand in
// notifications (nil: none). Names in paths begin with a capital, as AWS has them.
// Objects are compared member by member. Of a list, elements that only one side
// has are told whole, first those that went, then those that came, numbered
// together: an element that changed is both. A list in which elements only changed
// places is told whole, and so is an object that has two names which would come to
// the same path. Tags go by their keys (AWS numbers them, and tells of each the
// value alone). Nothing is told of a resource that appears: the item says it all.
func (e *encoder) itemDiff(n *delivery.Notice, before, after []byte) {
	e.member("configurationItemDiff")
	e.open('{')
	e.member("changedProperties")
	e.open('{')
	if n.Before.Exists() && !n.Compacted {
		e.properties(before, after, !n.After.Exists())
	}
	e.close('}')
	e.text("changeType", changeType(n))
	e.close('}')
}

// roots are the members of an item that are compared, with their names in paths.
var roots = []struct {
	member, path string
	verbatim     bool // the names below are the user's, not AWS's
}{
	{"configuration", "Configuration", false},
	{"supplementaryConfiguration", "SupplementaryConfiguration", false},
	{"relationships", "Relationships", false},
	{"tags", "Tags", true},
	{"resourceName", "ResourceName", false},
	{"ARN", "ARN", false},
	{"availabilityZone", "AvailabilityZone", false},
	{"resourceCreationTime", "ResourceCreationTime", false},
}

func (e *encoder) properties(before, after []byte, gone bool) {
	a, b := members(before), members(after)
	if gone {
		b = map[string][]byte{"supplementaryConfiguration": []byte("{}"), "relationships": []byte("[]"), "tags": []byte("{}")}
	}
	any := false
	for _, root := range roots {
		c := comparison{verbatim: root.verbatim}
		c.compare(root.path, a[root.member], b[root.member])
		for _, p := range c.found {
			e.property(p)
			any = true
		}
	}
	if !any { // the status alone makes the version
		e.property(property{"ConfigurationItemStatus", a["configurationItemStatus"], b["configurationItemStatus"]})
	}
}

// members are those of an item by name, without those that are null.
func members(item []byte) map[string][]byte {
	m := map[string][]byte{}
	for name, value := range walk.Object(item) {
		if !bytes.Equal(value, null) {
			m[string(name)] = value
		}
	}
	return m
}

func (e *encoder) property(p property) {
	change := "UPDATE"
	switch {
	case p.before == nil:
		change = "CREATE"
	case p.after == nil:
		change = "DELETE"
	}
	e.key(p.path)
	e.open('{')
	e.rawOrNull("previousValue", p.before)
	e.rawOrNull("updatedValue", p.after)
	e.text("changeType", change)
	e.close('}')
}

// comparison collects what differs below one root.
type comparison struct {
	verbatim bool
	found    []property
}

func (c *comparison) add(path string, before, after []byte) {
	c.found = append(c.found, property{path, before, after})
}

func (c *comparison) compare(path string, before, after []byte) {
	switch {
	case before == nil && after == nil || bytes.Equal(before, after):
	case before == nil || after == nil:
		c.add(path, before, after)
	case before[0] == '{' && after[0] == '{':
		c.objects(path, before, after)
	case before[0] == '[' && after[0] == '[':
		c.lists(path, before, after)
	default:
		c.add(path, before, after)
	}
}

func (c *comparison) objects(path string, before, after []byte) {
	b := map[string][]byte{}
	for name, value := range walk.Object(after) {
		b[string(name)] = value
	}
	if c.ambiguous(before, b) {
		c.add(path, before, after)
		return
	}
	for name, value := range walk.Object(before) {
		c.compare(path+"."+c.segment(string(name)), value, b[string(name)])
		delete(b, string(name))
	}
	for name := range walk.Object(after) {
		if value, ok := b[string(name)]; ok {
			c.add(path+"."+c.segment(string(name)), nil, value)
		}
	}
}

// segment is a name as it stands in paths.
func (c *comparison) segment(name string) string {
	if r, n := utf8.DecodeRuneInString(name); !c.verbatim && unicode.IsLower(r) {
		return string(unicode.ToUpper(r)) + name[n:]
	}
	return name
}

// ambiguous reports whether paths below two names of the same object might be
// the same, as those of a and A are, or of a.b and of b within a. Such an object
// is told whole.
func (c *comparison) ambiguous(before []byte, after map[string][]byte) bool {
	names := make(map[string]string, len(after))
	dotted := false
	taken := func(name string) bool {
		segment := c.segment(name)
		same, ok := names[segment]
		names[segment] = name
		dotted = dotted || strings.Contains(name, ".")
		return ok && same != name
	}
	for name := range walk.Object(before) {
		if taken(string(name)) {
			return true
		}
	}
	for name := range after {
		if taken(name) {
			return true
		}
	}
	if !dotted {
		return false
	}
	for segment := range names {
		for i := range len(segment) {
			if _, ok := names[segment[:i]]; ok && segment[i] == '.' {
				return true
			}
		}
	}
	return false
}

func (c *comparison) lists(path string, before, after []byte) {
	went, came := without(before, after), without(after, before)
	if len(went)+len(came) == 0 {
		c.add(path, before, after)
		return
	}
	for i, element := range went {
		c.add(path+"."+strconv.Itoa(i), element, nil)
	}
	for i, element := range came {
		c.add(path+"."+strconv.Itoa(len(went)+i), nil, element)
	}
}

// without are the elements of a list that another has not, each as often as the
// other lacks it.
func without(list, other []byte) (rest [][]byte) {
	has := map[string]int{}
	for element := range walk.Array(other) {
		has[string(element)]++
	}
	for element := range walk.Array(list) {
		if has[string(element)] > 0 {
			has[string(element)]--
			continue
		}
		rest = append(rest, element)
	}
	return rest
}
