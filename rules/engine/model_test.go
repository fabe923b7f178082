package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/historytest"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/custom/cel"
	"github.com/varvehq/varve/rules/engine"
)

// definition is a rule as these tests record it.
type definition struct {
	Rule rules.Rule
	From history.Moment
}

func (d definition) state() history.State {
	b, err := json.Marshal(d)
	if err != nil {
		panic(err)
	}
	return history.State{Configuration: b}
}

// language judges in Go: Rule.Compliant names the judge. Those of conditions judge by
// their rule in CEL, and the brute force by what that says in Go.
type language struct{}

func (language) Read(i *history.Item) (rules.Rule, history.Moment, error) {
	var d definition
	err := json.Unmarshal(i.State.Configuration, &d)
	return d.Rule, d.From, err
}

func (language) Compile(r *rules.Rule) (rules.Judge, error) {
	if c, ok := conditions[r.Compliant]; ok {
		c.Name, c.Description = r.Name, r.Compliant
		return cel.Compile(&c)
	}
	j, ok := judges[r.Compliant]
	if !ok {
		return nil, fmt.Errorf("no judge %q", r.Compliant)
	}
	return j, nil
}

// judge is a function with what it needs.
type judge struct {
	needs rules.Needs
	f     func(ctx context.Context, s *rules.Subject) (rules.Verdict, error)
}

func (j judge) Needs() rules.Needs { return j.needs }
func (j judge) Judge(ctx context.Context, s *rules.Subject) (rules.Verdict, error) {
	return j.f(ctx, s)
}

// Annotations tell all that was seen, so that nothing can be missed unseen.
var judges = map[string]judge{
	"self": {rules.Needs{}, func(_ context.Context, s *rules.Subject) (rules.Verdict, error) {
		return verdictOn(value(s.Item)), nil
	}},
	"fine": {rules.Needs{}, func(_ context.Context, s *rules.Subject) (rules.Verdict, error) {
		if value(s.Item) == "" {
			return rules.Verdict{Compliance: rules.NonCompliant}, nil
		}
		return rules.Verdict{Compliance: rules.Compliant}, nil
	}},
	"clock": {rules.Needs{Clock: true}, func(_ context.Context, s *rules.Subject) (rules.Verdict, error) {
		age := s.Now.Sub(s.Item.CapturedAt.Time()) / (3 * period)
		return verdictOn(value(s.Item) + strings.Repeat("x", int(age))), nil
	}},
	"now": {rules.Needs{Clock: true}, func(_ context.Context, s *rules.Subject) (rules.Verdict, error) {
		return verdictOn(fmt.Sprint(value(s.Item), s.Now.Unix())), nil
	}},
	"related": {rules.Needs{Others: true}, func(ctx context.Context, s *rules.Subject) (rules.Verdict, error) {
		list, err := s.Others.Related(ctx, s.Item.Key, "")
		return verdictOn(values(list)), err
	}},
	"referrers": {rules.Needs{Others: true}, func(ctx context.Context, s *rules.Subject) (rules.Verdict, error) {
		list, err := s.Others.Referrers(ctx, s.Item.Key, "T")
		return verdictOn(values(list)), err
	}},
	"second": {rules.Needs{Others: true}, func(ctx context.Context, s *rules.Subject) (rules.Verdict, error) {
		var text string
		list, err := s.Others.Related(ctx, s.Item.Key, "")
		for _, d := range list {
			var more []*rules.Decoded
			if more, err = s.Others.Referrers(ctx, d.Key, ""); err != nil {
				break
			}
			text += values(more) + ";"
		}
		return verdictOn(text), err
	}},
	"inventory": {rules.Needs{Others: true}, func(ctx context.Context, s *rules.Subject) (rules.Verdict, error) {
		list, err := s.Others.Inventory(ctx, "U")
		return verdictOn(values(list)), err
	}},
	"everything": {rules.Needs{Clock: true, Others: true}, func(ctx context.Context, s *rules.Subject) (rules.Verdict, error) {
		list, err := s.Others.Related(ctx, s.Item.Key, "")
		if len(list) > 0 && err == nil {
			list, err = s.Others.Inventory(ctx, "U")
		}
		return verdictOn(fmt.Sprint(values(list), s.Now.Unix())), err
	}},
	"wrong question": {rules.Needs{Others: true}, func(ctx context.Context, s *rules.Subject) (rules.Verdict, error) {
		_, err := s.Others.Inventory(ctx, "")
		return rules.Verdict{}, err
	}},
}

// conditions are rules in CEL that read some members of a resource and not others.
var conditions = map[string]rules.Rule{
	"cel v":      {Compliant: `config.v.size() % 2 == 0`, Annotation: `string(config.v)`},
	"cel w":      {Applicable: `has(config.w)`, Compliant: `config.W == "x"`, Annotation: `resource.tags.v + " " + string(config.w)`},
	"cel gone":   {Compliant: `config.w != "x" || resource.tags.v == "A"`},
	"cel all":    {Compliant: `config.exists(name, config[name] == "y")`},
	"cel clock":  {Compliant: `config.w == "x" || now < resource.capturedAt + duration("9s")`},
	"cel others": {Compliant: `config.?w.orValue("") == "x" || inventory("U").size() > 1`},
}

func init() {
	said := func(complies bool, why string) rules.Verdict {
		if complies {
			return rules.Verdict{Compliance: rules.Compliant}
		}
		return rules.Verdict{Compliance: rules.NonCompliant, Annotation: why}
	}
	missing := rules.Verdict{Compliance: rules.Error, Annotation: "compliant: line 1, column 7: no such key: w"}
	on := func(needs rules.Needs, f func(s *rules.Subject, c content) rules.Verdict) judge {
		return judge{needs, func(_ context.Context, s *rules.Subject) (rules.Verdict, error) { return f(s, contentOf(s.Item)), nil }}
	}
	judges["cel v"] = on(rules.Needs{}, func(_ *rules.Subject, c content) rules.Verdict { return said(len(c.V)%2 == 0, c.V) })
	judges["cel w"] = on(rules.Needs{}, func(s *rules.Subject, c content) rules.Verdict {
		if c.W == "" {
			return rules.Verdict{Compliance: rules.NotApplicable}
		}
		return said(c.W == "x", s.Item.State.Tags["v"]+" "+c.W)
	})
	judges["cel gone"] = on(rules.Needs{}, func(s *rules.Subject, c content) rules.Verdict {
		switch {
		case s.Item.State.Tags["v"] == "A" || c.W != "" && c.W != "x":
			return said(true, "")
		case c.W == "":
			return missing
		}
		return said(false, "does not comply: cel gone")
	})
	judges["cel all"] = on(rules.Needs{}, func(_ *rules.Subject, c content) rules.Verdict {
		return said(c.W == "y", "does not comply: cel all")
	})
	judges["cel clock"] = on(rules.Needs{Clock: true}, func(s *rules.Subject, c content) rules.Verdict {
		switch young := s.Now.Before(s.Item.CapturedAt.Time().Add(9 * time.Second)); {
		case c.W == "x" || young:
			return said(true, "")
		case c.W == "":
			return missing
		}
		return said(false, "does not comply: cel clock")
	})
	judges["cel others"] = judge{rules.Needs{Others: true}, func(ctx context.Context, s *rules.Subject) (rules.Verdict, error) {
		if contentOf(s.Item).W == "x" {
			return said(true, ""), nil
		}
		list, err := s.Others.Inventory(ctx, "U")
		return said(len(list) > 1, "does not comply: cel others"), err
	}}
}

func verdictOn(text string) rules.Verdict {
	v := rules.Verdict{Compliance: rules.Compliant, Annotation: text}
	if len(text)%2 == 1 {
		v.Compliance = rules.NonCompliant
	}
	return v
}

type content struct {
	Bears  []string    `json:"bears,omitempty"`
	Refers [][2]string `json:"refers,omitempty"`
	V      string      `json:"v"`
	W      string      `json:"w,omitempty"`
}

// state says what the content says in the words of the graph as well: what it bears
// as an ARN, what it refers to as relationships.
func (c content) state() history.State {
	b, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	s := history.State{Configuration: b, Tags: map[string]string{"v": c.V}}
	for _, term := range c.Bears {
		s.ARN = "arn:aws:sns:eu:1:" + term
	}
	for _, r := range c.Refers {
		s.Relationships = append(s.Relationships, history.Relationship{Name: "Is associated with T", Type: "T", ID: map[string]string{"p": "x", "q": "y"}[r[0]]})
		if len(c.V)%2 == 0 {
			s.Relationships = append(s.Relationships, history.Relationship{Name: "Contains U", Type: "U", ID: "arn:aws:sns:eu:1:" + r[0]})
		}
	}
	s.Normalize()
	return s
}

func value(d *rules.Decoded) string { return contentOf(d).V }

func contentOf(d *rules.Decoded) content {
	var c content
	if err := json.Unmarshal(d.State.Configuration, &c); err != nil {
		panic(err)
	}
	return c
}

func values(list []*rules.Decoded) string {
	var b strings.Builder
	for _, d := range list {
		fmt.Fprint(&b, d.Key.ID, "=", value(d), " ")
	}
	return b.String()
}

// links is a graph over the links of historytest: a resource uses those that bear
// what it refers to.
type links struct{}

var linker = historytest.Linker("engine")

func (links) Related(ctx context.Context, r history.Reader, k history.Key) (engine.Neighbours, error) {
	return follow(ctx, r, k, false, "bears ")
}

func (links) Referrers(ctx context.Context, r history.Reader, k history.Key) (engine.Neighbours, error) {
	return follow(ctx, r, k, true, "refers ")
}

// follow goes from the terms that a resource refers to, or bears, to those that
// bear them, or refer to them.
func follow(ctx context.Context, r history.Reader, k history.Key, bears bool, side string) (engine.Neighbours, error) {
	n := engine.Neighbours{Until: history.Newest}
	items, err := r.Get(ctx, []history.Key{k}, history.FieldsAll)
	if err != nil || !items[0].Exists() {
		return n, err
	}
	q := history.LinkQuery{Bears: !bears, Refers: bears, Ever: true}
	for _, l := range linker.Links(k, &items[0].State) {
		if l.Bears == bears {
			q.Terms = append(q.Terms, l.Term)
			n.Places = append(n.Places, side+l.Term)
		}
	}
	if len(q.Terms) == 0 {
		return n, nil
	}
	found, _, err := r.Links(ctx, q)
	at := r.At().Captured
	for _, l := range found {
		switch {
		case l.From > at:
			n.Until = min(n.Until, l.From)
		case l.To > at:
			n.Until = min(n.Until, l.To)
			if l.Key != k {
				n.Keys = append(n.Keys, l.Key)
			}
		}
	}
	slices.SortFunc(n.Keys, history.Key.Compare)
	n.Keys = slices.Compact(n.Keys)
	return n, err
}

func (links) Touched(k history.Key, before, after *history.State) []string {
	var of [2][]history.Link
	for i, s := range [2]*history.State{before, after} {
		if s != nil {
			of[i] = linker.Links(k, s)
		}
	}
	var places []string
	for i := range of {
		for _, l := range of[i] {
			if slices.Contains(of[1-i], l) {
				continue
			}
			side := "refers "
			if l.Bears {
				side = "bears "
			}
			places = append(places, side+l.Term)
		}
	}
	return places
}

// period is that of the rules of these tests, in which time is told in seconds.
const period = 7 * time.Second

// brute works out, from the definitions and a second at a time, what every rule
// says of every resource, as known at a revision.
type brute struct {
	ctx     context.Context
	graph   engine.Graph
	store   history.Store
	known   history.Revision
	now     history.Moment
	indexed map[history.Moment]history.Reader
}

func (b *brute) at(m history.Moment) history.Reader {
	if r := b.indexed[m]; r != nil {
		return r
	}
	r, err := b.store.AsOf(b.ctx, history.At{Captured: m, Known: b.known})
	if err != nil {
		panic(err)
	}
	b.indexed[m] = r
	return r
}

func (b *brute) get(k history.Key, m history.Moment) history.Item {
	items, err := b.at(m).Get(b.ctx, []history.Key{k}, history.FieldsAll)
	if err != nil {
		panic(err)
	}
	return items[0]
}

// inForce is the version of a rule at a moment.
func (b *brute) inForce(rule history.Key, m history.Moment) (uint32, *rules.Rule) {
	puts, _, err := b.at(history.Newest).History(b.ctx, rule, history.HistoryQuery{})
	if err != nil {
		panic(err)
	}
	slices.SortFunc(puts, func(a, b history.Item) int { return int(a.Revision) - int(b.Revision) })
	var number uint32
	var in *rules.Rule
	for i := range puts {
		if puts[i].State.Deleted {
			if puts[i].CapturedAt <= m {
				in = nil
			}
			continue
		}
		r, from, err := language{}.Read(&puts[i])
		if err != nil {
			panic(err)
		}
		if from <= m {
			number, in = puts[i].Version, &r
		}
	}
	return number, in
}

func (b *brute) intervals(rule, k history.Key) []engine.Interval {
	var list []engine.Interval
	var of struct {
		item, rule uint32
		trace      string
		verdict    rules.Verdict
	}
	owner := rules.Owner{Account: rule.Account, Region: rule.Region}
	for m := at(0); m <= b.now; m += second {
		item := b.get(k, m)
		number, r := b.inForce(rule, m)
		if !item.Exists() || r == nil || !inScope(r, owner, &item) {
			of.item = 0
			continue
		}
		var verdict rules.Verdict
		var trace string
		if j, ok := judges[r.Compliant]; ok {
			o := &around{b: b, m: m, owner: owner}
			s := &rules.Subject{Item: &rules.Decoded{Item: item}, Now: m.Time(), Moment: m, Owner: owner, Others: o}
			v, err := j.f(b.ctx, s)
			if err != nil {
				v = rules.Verdict{Compliance: rules.Error, Annotation: err.Error()}
			}
			verdict, trace = v, o.trace.String()
			if tick := m%history.Moment(period.Microseconds()) == 0; of.item == item.Version && of.rule == number && of.trace == trace && !(tick && j.needs.Clock) {
				verdict = of.verdict
			}
		} else {
			verdict = rules.Verdict{Compliance: rules.Error, Annotation: fmt.Sprintf("no judge %q", r.Compliant)}
		}
		of.item, of.rule, of.trace, of.verdict = item.Version, number, trace, verdict
		next := engine.Interval{From: m, To: m + second, Version: number, Severity: rules.SeverityMedium, Verdict: verdict}
		if n := len(list) - 1; n >= 0 && list[n].To == m && list[n].Version == number && list[n].Verdict == verdict {
			list[n].To = next.To
			continue
		}
		list = append(list, next)
	}
	if n := len(list) - 1; n >= 0 && list[n].To > b.now {
		list[n].To = history.Newest
	}
	return list
}

func inScope(r *rules.Rule, o rules.Owner, i *history.Item) bool {
	s := &r.Scope
	return isOf(o, i.Key) &&
		(s.Types == nil || slices.Contains(s.Types, i.Key.Type)) &&
		(s.IDs == nil || slices.Contains(s.IDs, i.Key.ID)) &&
		(s.Accounts == nil || slices.Contains(s.Accounts, i.Key.Account)) &&
		(s.TagKey == "" || s.TagValue == "" && i.State.Tags[s.TagKey] != "" || i.State.Tags[s.TagKey] == s.TagValue && s.TagValue != "")
}

// isOf reports whether a resource is an owner's, by a table of what is whose.
func isOf(o rules.Owner, k history.Key) bool {
	accounts, regions := []string{"", o.Account}, []string{"", "global", o.Region}
	return (o.Account == "" || slices.Contains(accounts, k.Account)) && (o.Region == "" || slices.Contains(regions, k.Region))
}

// around answers what a rule asks, with no memory and no bound.
type around struct {
	b     *brute
	m     history.Moment
	owner rules.Owner
	trace strings.Builder
}

func (o *around) list(keys []history.Key, typ string) []*rules.Decoded {
	var list []*rules.Decoded
	for _, k := range keys {
		i := o.b.get(k, o.m)
		if !i.Exists() || typ != "" && typ != k.Type || !isOf(o.owner, k) {
			continue
		}
		fmt.Fprint(&o.trace, k, i.Version, " ")
		list = append(list, &rules.Decoded{Item: i})
	}
	o.trace.WriteString(". ")
	return list
}

func (o *around) Related(ctx context.Context, k history.Key, typ string) ([]*rules.Decoded, error) {
	n, err := o.b.graph.Related(ctx, o.b.at(o.m), k)
	return o.list(n.Keys, typ), err
}

func (o *around) Referrers(ctx context.Context, k history.Key, typ string) ([]*rules.Decoded, error) {
	n, err := o.b.graph.Referrers(ctx, o.b.at(o.m), k)
	return o.list(n.Keys, typ), err
}

func (o *around) Inventory(ctx context.Context, typ string) ([]*rules.Decoded, error) {
	if typ == "" {
		return nil, &history.Error{Kind: history.Invalid, Field: "type", Value: typ, Text: "has no inventory that a rule may ask for; name a type of resources"}
	}
	items, _, err := o.b.at(o.m).Items(ctx, history.Query{Type: typ, Fields: history.FieldsKey})
	var keys []history.Key
	for i := range items {
		keys = append(keys, items[i].Key)
	}
	return o.list(keys, typ), err
}
