package cel

import (
	"fmt"
	"net/url"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// Bounds of a policy document: several times what AWS takes.
const (
	maxPolicy     = 256 << 10 // bytes of text
	maxStatements = 2000
	maxPatterns   = 10_000 // actions, resources, principals and values of all statements together
)

// statement is one of a policy. What is one text or a list of them there is a list.
type statement struct {
	sid, effect                   string
	actions, notActions           []string
	resources, notResources       []string
	principals, notPrincipals     []string
	conditions                    []condition
	hasNotPrincipal, hasNotAction bool
}

type condition struct {
	operator string // as it is written: StringEquals, ForAnyValue:StringLike …
	key      string // in lower case, for its case does not matter
	values   []string
}

// reader reads policies within the bounds.
type policyReader struct {
	statements []*statement
	patterns   int
}

func statementsOf(document ref.Val) ([]*statement, error) {
	r := &policyReader{}
	if err := r.document(document, 0); err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return r.statements, nil
}

func (r *policyReader) document(v ref.Val, depth int) error {
	if depth > 3 {
		return fmt.Errorf("is text within text")
	}
	switch v := unopt(v).(type) {
	case nil:
		return nil // no policy has no statements
	case types.String:
		text, err := policyText(string(v))
		if err != nil {
			return err
		}
		inner := decodeText(text)
		if types.IsError(inner) {
			return fmt.Errorf("is a text that is no JSON")
		}
		return r.document(inner, depth+1)
	case traits.Lister:
		for it := v.Iterator(); it.HasNext() == types.True; {
			if err := r.document(it.Next(), depth+1); err != nil {
				return err
			}
		}
		return nil
	case traits.Mapper:
		found, ok := lenient(v.(ref.Val)).(traits.Mapper).Find(types.String("Statement"))
		if !ok {
			return fmt.Errorf("has no Statement")
		}
		return r.each(found, r.statement)
	default:
		return fmt.Errorf("is a %s", v.Type().TypeName())
	}
}

// policyText is a text of JSON, with percent-encoding undone.
func policyText(text string) (string, error) {
	text = strings.TrimSpace(text)
	if len(text) > maxPolicy {
		return "", fmt.Errorf("has %d bytes; at most %d are read", len(text), maxPolicy)
	}
	if strings.HasPrefix(text, "%") {
		plain, err := url.PathUnescape(text)
		if err != nil {
			return "", fmt.Errorf("is no sound percent-encoding")
		}
		return plain, nil
	}
	return text, nil
}

// each goes through a list, or through one value without a list.
func (r *policyReader) each(v ref.Val, use func(ref.Val) error) error {
	list, ok := v.(traits.Lister)
	if !ok {
		return use(v)
	}
	for it := list.Iterator(); it.HasNext() == types.True; {
		if err := use(it.Next()); err != nil {
			return err
		}
	}
	return nil
}

func (r *policyReader) statement(v ref.Val) error {
	m, ok := lenient(v).(traits.Mapper)
	if !ok {
		return fmt.Errorf("has a statement that is a %s", v.Type().TypeName())
	}
	if r.statements = append(r.statements, &statement{}); len(r.statements) > maxStatements {
		return fmt.Errorf("has more than %d statements", maxStatements)
	}
	s := r.statements[len(r.statements)-1]
	if sid, ok := m.Find(types.String("Sid")); ok {
		s.sid = fmt.Sprint(sid.Value())
	}
	effect, _ := m.Find(types.String("Effect"))
	text, _ := effect.(types.String)
	if s.effect = string(text); s.effect != "Allow" && s.effect != "Deny" {
		return fmt.Errorf("has a statement whose Effect is neither Allow nor Deny")
	}
	_, s.hasNotAction = m.Find(types.String("NotAction"))
	_, s.hasNotPrincipal = m.Find(types.String("NotPrincipal"))
	for _, list := range []struct {
		name string
		to   *[]string
	}{
		{"Action", &s.actions}, {"NotAction", &s.notActions},
		{"Resource", &s.resources}, {"NotResource", &s.notResources},
	} {
		if found, ok := m.Find(types.String(list.name)); ok {
			if err := r.texts(list.name, found, list.to); err != nil {
				return err
			}
		}
	}
	for _, list := range []struct {
		name string
		to   *[]string
	}{{"Principal", &s.principals}, {"NotPrincipal", &s.notPrincipals}} {
		if found, ok := m.Find(types.String(list.name)); ok {
			if err := r.principals(list.name, found, list.to); err != nil {
				return err
			}
		}
	}
	if found, ok := m.Find(types.String("Condition")); ok {
		return r.conditions(found, s)
	}
	return nil
}

func (r *policyReader) texts(name string, v ref.Val, to *[]string) error {
	return r.each(v, func(v ref.Val) error {
		if r.patterns++; r.patterns > maxPatterns {
			return fmt.Errorf("has more than %d actions, resources, principals and values", maxPatterns)
		}
		switch v := v.(type) {
		case types.String:
			*to = append(*to, string(v))
		case types.Bool, types.Int, types.Uint, types.Double:
			*to = append(*to, fmt.Sprint(v.Value()))
		default:
			return fmt.Errorf("has a %s in %s", v.Type().TypeName(), name)
		}
		return nil
	})
}

// principals are "*" for everybody, whichever way that is written, else
// "AWS:123456789012", "Service:ec2.amazonaws.com".
func (r *policyReader) principals(name string, v ref.Val, to *[]string) error {
	m, ok := v.(traits.Mapper)
	if !ok {
		return r.texts(name, v, to)
	}
	for it := m.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		kind, _ := key.(types.String)
		found, ok := m.Find(key)
		if !ok {
			continue
		}
		var ids []string
		if err := r.texts(name, found, &ids); err != nil {
			return err
		}
		for _, id := range ids {
			if id != "*" {
				id = string(kind) + ":" + id
			}
			*to = append(*to, id)
		}
	}
	return nil
}

func (r *policyReader) conditions(v ref.Val, s *statement) error {
	operators, ok := v.(traits.Mapper)
	if !ok {
		return fmt.Errorf("has a Condition that is a %s", v.Type().TypeName())
	}
	for it := operators.Iterator(); it.HasNext() == types.True; {
		operator := it.Next()
		found, _ := operators.Find(operator)
		keys, ok := found.(traits.Mapper)
		if !ok {
			return fmt.Errorf("has a Condition %v that is no object", operator.Value())
		}
		for it := keys.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			c := condition{operator: fmt.Sprint(operator.Value()), key: strings.ToLower(fmt.Sprint(key.Value()))}
			values, ok := keys.Find(key)
			if !ok {
				continue
			}
			if err := r.texts("Condition", values, &c.values); err != nil {
				return err
			}
			s.conditions = append(s.conditions, c)
		}
	}
	return nil
}
