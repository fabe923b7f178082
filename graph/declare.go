package graph

import (
	"strings"

	"github.com/varvehq/varve/history"
)

// declared notes the relationships that the source itself declares.
func (x *extractor) declared() {
	for i := range x.state.Relationships {
		x.declaredOne(&x.state.Relationships[i])
	}
}

func (x *extractor) declaredOne(r *history.Relationship) {
	edge := x.t.meaning(x.key.Type, r.Name, r.Type)
	id := identifier{kind: 'i', typ: r.Type, text: r.ID, account: r.Account, region: r.Region}
	if r.ID == "" {
		id.kind, id.text = 'n', r.ResourceName
	}
	// The ids of types that go by their names are no more than names.
	if id.kind == 'n' || x.t.byName[r.Type] && !strings.HasPrefix(r.ID, "arn:") {
		id.reach = x.t.reach(r.Type)
	}
	if id.text == "" || len(id.text) > maxIdentifier || r.Type == "" {
		return
	}
	if id.kind == 'i' && id.text == x.key.ID && id.typ == x.key.Type && agrees(id.account, x.key.Account) && agrees(id.region, x.key.Region) {
		return
	}
	x.found = append(x.found, finding{
		name: edge.name, inverse: edge.inverse, reach: id.reach, source: x.put(string(Declared)),
		term: x.term(id.kind, id.typ, "", id.text), account: x.put(id.account), region: x.put(id.region),
	})
}
