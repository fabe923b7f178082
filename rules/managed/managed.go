package managed

import (
	"cmp"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/words"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/custom/cel"
	"github.com/varvehq/varve/rules/rulefile"
)

//go:embed */*.yaml
var files embed.FS

// Definition is a managed rule. Nobody changes it.
type Definition struct {
	Identifier string
	Rule       rules.Rule // with its judgement and parameters, without the identifier
	File       string     // iam/iam-password-policy.yaml
}

// catalogue is read once: it is part of the program.
var catalogue = sync.OnceValue(func() map[string]*Definition {
	all, err := read(files)
	if err != nil {
		panic(err)
	}
	return all
})

func read(files fs.FS) (map[string]*Definition, error) {
	names, err := fs.Glob(files, "*/*.yaml")
	if err != nil {
		return nil, err
	}
	all := make(map[string]*Definition)
	for _, name := range names {
		if strings.HasSuffix(name, ".cases.yaml") {
			continue
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		documents, err := rulefile.ParseDefinitions(name, text)
		if err != nil {
			return nil, err
		}
		for _, d := range documents {
			identifier := d.Rule.Identifier
			switch {
			case all[identifier] != nil:
				return nil, fmt.Errorf("%s: %s stands in %s too", d.At(), identifier, all[identifier].File)
			case len(d.Rule.Scope.Types) == 0:
				return nil, fmt.Errorf("%s: resourceTypes is required of a managed rule", d.At())
			case d.Rule.Name != strings.TrimSuffix(path.Base(name), ".yaml"):
				return nil, fmt.Errorf("%s: the file of %s has another name", d.At(), d.Rule.Name)
			}
			d.Rule.Identifier = ""
			all[identifier] = &Definition{identifier, d.Rule, name}
		}
	}
	return all, nil
}

// All are the managed rules in the order of their identifiers.
func All() []*Definition {
	return slices.SortedFunc(maps.Values(catalogue()), func(a, b *Definition) int { return cmp.Compare(a.Identifier, b.Identifier) })
}

// Find is the managed rule of an identifier, or nil.
func Find(identifier string) *Definition { return catalogue()[identifier] }

// New is the rule that is recorded when the managed rule is put under a name (empty:
// its own) with arguments, which are checked: its judgement and parameters stay here.
func (d *Definition) New(name string, arguments map[string]string) (*rules.Rule, error) {
	if _, err := rules.Bind(d.Rule.Parameters, arguments); err != nil {
		return nil, err
	}
	r := d.Rule
	r.Name = cmp.Or(name, r.Name)
	r.Identifier, r.Arguments = d.Identifier, maps.Clone(arguments)
	r.Parameters, r.Applicable, r.Compliant, r.Annotation = nil, "", "", ""
	r.Normalize()
	return &r, r.Validate()
}

// Resolve gives a rule that names a managed one the parameters and the judgement of
// that one, and its types where it has none; any other rule it returns as it is.
// The error is history.Invalid about an identifier that is not known.
func Resolve(r *rules.Rule) (*rules.Rule, error) {
	if r.Identifier == "" {
		return r, nil
	}
	d := Find(r.Identifier)
	if d == nil {
		return nil, &history.Error{
			Kind: history.Invalid, Field: "identifier", Value: fmt.Sprintf("%q", r.Identifier),
			Text: "is no managed rule that this version computes" + words.Remedy(r.Identifier, slices.Collect(maps.Keys(catalogue()))),
		}
	}
	resolved := *r
	resolved.Parameters, resolved.Applicable, resolved.Compliant, resolved.Annotation = d.Rule.Parameters, d.Rule.Applicable, d.Rule.Compliant, d.Rule.Annotation
	resolved.Description = cmp.Or(r.Description, d.Rule.Description)
	if len(r.Scope.Types) == 0 {
		resolved.Scope.Types = d.Rule.Scope.Types
	}
	return &resolved, nil
}

// Compile makes a rule ready, managed or not: see cel.Compile. A managed rule is not
// applicable to resources of other types than its own, whatever its scope says.
func Compile(r *rules.Rule) (rules.Judge, error) {
	resolved, err := Resolve(r)
	if err != nil {
		return nil, err
	}
	judge, err := cel.Compile(resolved)
	if err != nil || r.Identifier == "" {
		return judge, err
	}
	return &typed{judge: judge, types: Find(r.Identifier).Rule.Scope.Types}, nil
}

// typed is a judge of some types only.
type typed struct {
	judge rules.Judge
	types []string
}

// Needs are those of the rule.
func (t *typed) Needs() rules.Needs { return t.judge.Needs() }

// Judge gives the verdict.
func (t *typed) Judge(ctx context.Context, s *rules.Subject) (rules.Verdict, error) {
	if !slices.Contains(t.types, s.Item.Key.Type) {
		return rules.Annotate(rules.NotApplicable, "the managed rule is not about resources of this type"), nil
	}
	return t.judge.Judge(ctx, s)
}
