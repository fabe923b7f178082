package cel

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// source draws conditions, and resources for them to be about: few names and few
// values, so that most of them meet.
type source struct{ *rand.Rand }

func (s source) one(of ...string) string { return of[s.IntN(len(of))] }

func (s source) name() string  { return s.one("a", "b", "list", "A", "ipPermissions", "tags") }
func (s source) value() string { return s.one("1", "2", "true", `"x"`, `"a"`, "null", "1.5") }

func (s source) path() string {
	p := s.name()
	for s.IntN(2) == 0 {
		p += s.one(".", ".", ".?") + s.one("a", "b", "x")
	}
	return p
}

// document is one of the ways to the configuration, in any case or not.
func (s source) document() string {
	return s.one("config", "config", "resource.config", "resource.configuration", "anycase(resource.configuration)")
}

func (s source) atom() string {
	d, p, v := s.document(), s.path(), s.value()
	optional := d + ".?" + p
	return s.one(
		fmt.Sprintf(`%s.%s == %s`, d, strings.ReplaceAll(p, ".?", "."), v),
		fmt.Sprintf(`has(%s.%s)`, d, strings.ReplaceAll(p, ".?", ".")),
		fmt.Sprintf(`%s.orValue(%s) == %s`, optional, v, s.value()),
		fmt.Sprintf(`%s.optMap(v, v == %s.?%s.orValue(%s)).orValue(true)`, optional, d, s.name(), v),
		fmt.Sprintf(`isTrue(%s)`, optional),
		fmt.Sprintf(`text(%s) == %q`, optional, s.one("x", "a", "")),
		fmt.Sprintf(`listOf(%s).exists(e, e == %s)`, optional, v),
		fmt.Sprintf(`%s.list.all(e, e.a == %s.?b.orValue(%s))`, d, d, v),
		fmt.Sprintf(`%s.list.map(e, e).size() == %d`, d, s.IntN(3)),
		fmt.Sprintf(`%s.list[%d] == %s`, d, s.IntN(2), v),
		fmt.Sprintf(`%s.list[%d].a == %s`, d, s.IntN(2), v),
		fmt.Sprintf(`%s[%q] == %s`, d, s.name(), v),
		fmt.Sprintf(`%s[text(%s.?b)] == %s`, d, d, v),
		fmt.Sprintf(`%q in %s`, s.name(), d),
		fmt.Sprintf(`%q in %s.%s`, s.one("a", "x"), d, s.name()),
		fmt.Sprintf(`size(%s) == %d`, d, s.IntN(5)),
		fmt.Sprintf(`%s.exists(k, k == %q)`, d, s.name()),
		fmt.Sprintf(`%s.exists(k, e, k == %q && e == %s)`, d, s.name(), v),
		fmt.Sprintf(`cel.bind(x, %s.%s, x.a == %s)`, d, s.name(), v),
		fmt.Sprintf(`cel.bind(config, %s, config.a == %s)`, d, v),
		fmt.Sprintf(`[%s].exists(config, has(config.a) && .config.b == %s)`, d, v),
		fmt.Sprintf(`%s == resource.configuration`, d),
		fmt.Sprintf(`type(%s.?%s.orValue(1)) == int`, d, s.name()),
		fmt.Sprintf(`sg.%s(%s).size() == %d`, s.one("ingress", "egress"), d, s.IntN(2)),
		fmt.Sprintf(`sg.ingress(%s).exists(p, sg.world(p))`, d),
		fmt.Sprintf(`tags(%s.?tags).?a.orValue("") == "x"`, d),
		fmt.Sprintf(`resource.tags.?%s.orValue("") == "x"`, s.one("a", "b", "A")),
		fmt.Sprintf(`%q in resource.tags`, s.one("a", "b")),
		fmt.Sprintf(`has(resource.tags.%s)`, s.one("a", "b")),
		fmt.Sprintf(`resource.tags.size() == %d`, s.IntN(3)),
		fmt.Sprintf(`resource.%s == %q`, s.one("name", "id", "arn", "region", "account", "availabilityZone", "status"), s.one("x", "", "OK")),
		`resource.capturedAt < timestamp("1970-01-01T00:00:02Z")`,
		`resource.createdAt == null`,
		fmt.Sprintf(`resource.relationships.exists(r, r.id == %q)`, s.one("x", "a")),
		fmt.Sprintf(`supplement.?%s.a == %s`, s.one("policy", "Policy", "b"), v),
		fmt.Sprintf(`has(resource.supplementary.%s)`, s.one("policy", "Policy")),
		fmt.Sprintf(`resource.supplementary.size() == %d`, s.IntN(3)),
		fmt.Sprintf(`json(text(%s)).a == %s`, optional, v),
	)
}

func (s source) condition(depth int) string {
	if depth == 0 || s.IntN(3) == 0 {
		return s.atom()
	}
	a, b := s.condition(depth-1), s.condition(depth-1)
	switch s.IntN(4) {
	case 0:
		return "(" + a + " && " + b + ")"
	case 1:
		return "(" + a + " || " + b + ")"
	case 2:
		return "!(" + a + ")"
	}
	return "(" + s.atom() + " ? " + a + " : " + b + ")"
}

func (s source) json(depth int) string {
	if depth == 0 || s.IntN(2) == 0 {
		return s.one("1", "2", "true", `"x"`, `"a"`, `""`, "null", "1.5", "1.0", "123456789012345678901", `"{\"a\":1}"`)
	}
	var all []string
	if s.IntN(2) == 0 {
		for range s.IntN(3) {
			all = append(all, s.json(depth-1))
		}
		return "[" + strings.Join(all, ",") + "]"
	}
	return s.object(depth)
}

func (s source) object(depth int) string {
	names := []string{"a", "b", "x", "A", "list", "tags", "ipPermissions", "IpPermissions", "securityGroupEgress", `\u0061b`}
	var all []string
	for _, i := range s.Perm(len(names))[:s.IntN(6)] {
		value := s.json(depth - 1)
		if names[i] == "ipPermissions" && s.IntN(2) == 0 {
			value = `[{"ipProtocol":"tcp","ipRanges":["` + s.one("0.0.0.0/0", "10.0.0.0/8") + `"]}]`
		}
		all = append(all, `"`+names[i]+`":`+value)
	}
	return "{" + strings.Join(all, ",") + "}"
}

func canonical(text string) []byte {
	b, err := jsontext.AppendFormat(nil, []byte(text), jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false), jsontext.ReorderRawObjects(true))
	if err != nil {
		panic(err)
	}
	return b
}

// change draws one part of a resource anew.
func (s source) change(i *history.Item) {
	switch s.IntN(12) {
	case 0:
		i.State.Tags = map[string]string{s.one("a", "b", "A"): s.one("x", "y")}
	case 1:
		i.State.Supplementary = map[string][]byte{s.one("policy", "Policy", "b"): canonical(s.json(2))}
	case 2:
		i.State.Relationships = []history.Relationship{{Name: "n", ID: s.one("x", "a")}}
	case 3:
		for _, of := range []*string{&i.Key.Account, &i.Key.Region, &i.Key.ID, &i.State.Name, &i.State.ARN, &i.State.AvailabilityZone} {
			if s.IntN(3) == 0 {
				*of = s.one("x", "y", "")
			}
		}
	case 4:
		i.CapturedAt, i.State.CreatedAt = history.Moment(1+s.IntN(3))*1_000_000, history.Moment(s.IntN(2))
	case 5:
		i.Status = history.Status(s.one("OK", "ResourceDiscovered"))
	case 6:
		if i.State.Configuration = canonical(s.json(3)); s.IntN(8) == 0 {
			i.State.Configuration = nil
		}
	default:
		i.State.Configuration = s.changed(i.State.Configuration)
	}
}

// changed is a document of which one member is another, or new, or gone.
func (s source) changed(b []byte) []byte {
	var members []string
	if len(b) > 0 && b[0] == '{' {
		d := jsontext.NewDecoder(strings.NewReader(string(b)))
		if _, err := d.ReadToken(); err != nil {
			panic(err)
		}
		for d.PeekKind() != '}' {
			name, _ := d.ReadValue()
			name = name.Clone()
			value, _ := d.ReadValue()
			members = append(members, string(name)+":"+string(value))
		}
	}
	fresh := s.one(`"a"`, `"b"`, `"x"`, `"A"`, `"list"`, `"tags"`, `"ipPermissions"`, `"more"`)
	kept := members[:0]
	for _, m := range members {
		if !strings.HasPrefix(m, fresh+":") {
			kept = append(kept, m)
		}
	}
	if s.IntN(4) > 0 {
		kept = append(kept, fresh+":"+s.json(3))
	}
	return canonical("{" + strings.Join(kept, ",") + "}")
}

// What lies outside the parts that a rule reads never changes what it says, and
// what it said before neither.
func TestPartsTellTheVerdict(t *testing.T) {
	rounds := 3000
	if testing.Short() {
		rounds = 600
	}
	s := source{rand.New(rand.NewPCG(7, 1))}
	alike, kept := 0, 0
	for range rounds {
		r := &rules.Rule{Name: "r", Compliant: s.condition(2)}
		if s.IntN(3) == 0 {
			r.Applicable = s.condition(1)
		}
		if s.IntN(3) == 0 {
			r.Annotation = fmt.Sprintf("text(config.?%s)", s.path())
		}
		compiled, err := Compile(r)
		if err != nil {
			continue // such as 1 == true
		}
		j := compiled.(*judge)
		if j.known == nil {
			continue
		}
		kept++
		item := history.Item{Key: history.Key{Type: "T", ID: "x"}, Version: 1, CapturedAt: 1, State: history.State{Configuration: canonical(s.object(3))}}
		said := map[digest]rules.Verdict{}
		for range 30 {
			s.change(&item)
			d := &rules.Decoded{Item: item}
			v, _, err := j.judge(context.Background(), &rules.Subject{Item: d})
			if err != nil {
				t.Fatal(err)
			}
			if with, err := j.Judge(context.Background(), &rules.Subject{Item: d}); err != nil || with != v {
				t.Fatalf("%q, %q, %q of\n%s\nis %v, but was said to be %v (%v)", r.Applicable, r.Compliant, r.Annotation, item.State.Configuration, v, with, err)
			}
			read, ok := j.parts.digest(d)
			if !ok {
				continue
			}
			if before, found := said[read]; found {
				alike++
				if before != v {
					t.Fatalf("%q, %q, %q of\n%s\nis %v, but %v of what is the same", r.Applicable, r.Compliant, r.Annotation, item.State.Configuration, v, before)
				}
			}
			said[read] = v
		}
	}
	if kept < rounds/4 || alike < 10*kept {
		t.Errorf("of %d rules, %d keep verdicts; they read the same %d times", rounds, kept, alike)
	}
	t.Logf("of %d rules, %d keep verdicts; they read the same %d times", rounds, kept, alike)
}
