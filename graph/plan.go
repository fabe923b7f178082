package graph

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"
)

// plan is all that the tables say of documents of one resource type.
type plan struct {
	dialect dialect
	root    *node            // of the configuration
	within  map[string]*node // of supplementary configurations, by name
	deep    *node            // members that mean the same at any depth; nil if none
	id      []*shape         // of the resource's id
	account []*shape         // of its account

	lookedUp bool   // shapes look for it by name
	named    bool   // sources may know it by name
	chosenAs string // the kind as which selectors choose it, if they do
}

// plans keeps the plans of the types seen so far. Types are the users' to
// invent, hence the bound: when it is reached all is forgotten.
type plans struct {
	made atomic.Pointer[map[planKey]*plan] // never changed, only replaced
	mu   sync.Mutex
}

const maxPlans = 1024

type planKey struct {
	typ     string
	dialect dialect
}

func (p *plans) of(t *tables, typ, id string) *plan {
	key := planKey{typ, dialectOf(typ, id)}
	if m := p.made.Load(); m != nil {
		if known := (*m)[key]; known != nil {
			return known
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	next := make(map[planKey]*plan)
	if m := p.made.Load(); m != nil && len(*m) < maxPlans {
		maps.Copy(next, *m)
	}
	key.typ = strings.Clone(typ)
	next[key] = t.plan(key)
	p.made.Store(&next)
	return next[key]
}

// plan puts together the shapes that are about a type.
func (t *tables) plan(key planKey) *plan {
	p := &plan{dialect: key.dialect, named: t.named(key.typ, key.dialect)}
	p.lookedUp = t.byName[key.typ] && key.dialect != dialectTemplate
	wrapped := key.dialect == dialectAWS
	root, deep := newBuilder(), newBuilder()
	within := map[string]*builder{}
	for _, q := range t.quiet {
		if q.covers(key.typ, key.dialect) {
			if q.path[0] == "**" {
				deep.add(q.path[1:], nil, false)
				continue
			}
			root.add(q.path, nil, wrapped)
		}
	}
	for _, s := range t.shapes {
		if s.form == formLabels && s.covers(key.typ, key.dialect) {
			p.chosenAs = s.target
		}
		switch {
		case !s.covers(key.typ, key.dialect):
		case s.within != "":
			if within[s.within] == nil {
				within[s.within] = newBuilder()
			}
			within[s.within].add(s.path, s, wrapped)
		case len(s.path) == 0:
			root.hang(s)
		case s.path[0] == "#id":
			p.id = append(p.id, s)
		case s.path[0] == "#account":
			p.account = append(p.account, s)
		case s.path[0] == "**":
			deep.add(s.path[1:], s, false)
		default:
			root.add(s.path, s, wrapped)
		}
	}
	if key.dialect == dialectAWS {
		// {functionArn} of AWS::Lambda::Function, or {arn}.
		last := key.typ[strings.LastIndexByte(key.typ, ':')+1:]
		own := &shape{form: formOwnARN}
		root.add([]string{"arn"}, own, false)
		root.add([]string{last + "arn"}, own, false)
		root.add([]string{"resourceArn"}, &shape{form: formResourceARN}, false)
	}
	p.root = root.finish()
	if deep.names != nil {
		p.deep = deep.finish()
	}
	if len(within) > 0 {
		p.within = make(map[string]*node, len(within))
		for name, b := range within {
			p.within[name] = b.finish()
		}
	}
	return p
}
