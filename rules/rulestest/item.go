package rulestest

import (
	"strconv"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/internal/node"
)

var (
	itemKeys = []string{
		"account", "region", "type", "id", "name", "arn", "availabilityZone", "status", "createdAt", "capturedAt",
		"tags", "configuration", "supplementary", "relationships", "uses", "usedBy",
	}
	relationshipKeys = []string{"name", "type", "id", "resourceName", "account", "region"}
)

// builder makes the world of a case.
type builder struct {
	world *world
	typ   string // of the item that is judged, where it does not say
	now   history.Moment
	named int // neighbours that were given an id
}

// build makes the item that is judged, and the world around it.
func (c *Case) build(rule *rules.Rule) (*rules.Decoded, *world, error) {
	b := &builder{world: newWorld(), now: history.MomentOf(c.Now)}
	if len(rule.Scope.Types) == 1 {
		b.typ = rule.Scope.Types[0]
	}
	subject, err := b.item(*c.item, "subject")
	if err != nil {
		return nil, nil, err
	}
	if c.inventory != nil {
		if _, err := b.items(*c.inventory); err != nil {
			return nil, nil, err
		}
	}
	if err := b.world.complete(); err != nil {
		return nil, nil, c.item.Errorf("%v", err)
	}
	return b.world.get(subject), b.world, nil
}

func (b *builder) items(v node.Value) ([]history.Key, error) {
	elements, err := v.Elements()
	if err != nil {
		return nil, err
	}
	keys := make([]history.Key, len(elements))
	for i, e := range elements {
		b.typ = "" // a neighbour says what it is
		b.named++
		if keys[i], err = b.item(e, "other-"+strconv.Itoa(b.named)); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

func (b *builder) item(v node.Value, id string) (history.Key, error) {
	members, err := v.Known(itemKeys...)
	if err != nil {
		return history.Key{}, err
	}
	k := history.Key{Account: "111122223333", Region: "eu-west-1", Type: b.typ, ID: id}
	item := history.Item{Version: 1, CapturedAt: b.now, Status: history.StatusOK}
	for key, to := range map[string]*string{
		"account": &k.Account, "region": &k.Region, "type": &k.Type, "id": &k.ID, "name": &item.State.Name, "arn": &item.State.ARN,
		"availabilityZone": &item.State.AvailabilityZone, "status": (*string)(&item.Status),
	} {
		if m, ok := members[key]; ok {
			if *to, err = m.Text(); err != nil {
				return k, err
			}
		}
	}
	if err := k.Validate(); err != nil {
		return k, v.Place(err)
	}
	if !item.Status.Known() {
		return k, members["status"].Errorf("is no status of AWS Config, such as OK")
	}
	for key, to := range map[string]*history.Moment{"createdAt": &item.State.CreatedAt, "capturedAt": &item.CapturedAt} {
		if m, ok := members[key]; ok {
			t, err := timeOf(m)
			if err != nil {
				return k, err
			}
			*to = history.MomentOf(t)
		}
	}
	item.Key = k
	if err := documents(members, &item.State); err != nil {
		return k, err
	}

	if said := len(members) - count(members, "account", "region", "type", "id", "uses", "usedBy"); said > 0 || b.world.known[k] == nil {
		if !b.world.add(&item, said > 0) {
			return k, v.Errorf("%s is given twice", k)
		}
	}
	return k, b.neighbours(members, k)
}

func count(members map[string]node.Value, keys ...string) int {
	n := 0
	for _, key := range keys {
		if _, ok := members[key]; ok {
			n++
		}
	}
	return n
}

func documents(members map[string]node.Value, s *history.State) (err error) {
	if m, ok := members["tags"]; ok {
		if s.Tags, err = texts(m); err != nil {
			return err
		}
	}
	if m, ok := members["configuration"]; ok {
		if s.Configuration, err = m.JSON(); err != nil {
			return err
		}
	}
	if m, ok := members["supplementary"]; ok {
		parts, err := m.Members()
		if err != nil {
			return err
		}
		s.Supplementary = make(map[string][]byte, len(parts))
		for _, part := range parts {
			if s.Supplementary[part.Key], err = part.JSON(); err != nil {
				return err
			}
		}
	}
	if m, ok := members["relationships"]; ok {
		elements, err := m.Elements()
		if err != nil {
			return err
		}
		for _, e := range elements {
			if err := relationship(e, s); err != nil {
				return err
			}
		}
	}
	s.Normalize()
	return nil
}

func relationship(v node.Value, s *history.State) error {
	members, err := v.Known(relationshipKeys...)
	if err != nil {
		return err
	}
	var r history.Relationship
	for key, to := range map[string]*string{
		"name": &r.Name, "type": &r.Type, "id": &r.ID, "resourceName": &r.ResourceName, "account": &r.Account, "region": &r.Region,
	} {
		if m, ok := members[key]; ok {
			if *to, err = m.Text(); err != nil {
				return err
			}
		}
	}
	s.Relationships = append(s.Relationships, r)
	return nil
}

func (b *builder) neighbours(members map[string]node.Value, k history.Key) error {
	if m, ok := members["uses"]; ok {
		used, err := b.items(m)
		if err != nil {
			return err
		}
		for _, u := range used {
			b.world.link(k, u)
		}
	}
	if m, ok := members["usedBy"]; ok {
		users, err := b.items(m)
		if err != nil {
			return err
		}
		for _, u := range users {
			b.world.link(u, k)
		}
	}
	return nil
}
