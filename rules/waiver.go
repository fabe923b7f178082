package rules

import (
	"slices"

	"github.com/varvehq/varve/history"
)

// Waiver excuses resources from rules for a time: their verdicts stay what they
// are, and are shown as waived. It is named within its owner as a rule is, excuses
// that owner's rules only, and begins when it is put.
type Waiver struct {
	Name    string
	Rules   []string // names, as Means takes them; empty: all rules
	Scope   Scope    // of the resources that are excused
	Reason  string
	Author  string
	Expires history.Moment // the first moment at which it does not hold; zero: never
}

// Normalize puts a waiver in the form that is recorded.
func (w *Waiver) Normalize() {
	sortSet(&w.Rules)
	w.Scope.normalize()
}

// Validate says what of the waiver cannot be accepted: history.Invalid about a field.
func (w *Waiver) Validate() error {
	if err := CheckName("name", w.Name); err != nil {
		return err
	}
	if err := checkList("rules", w.Rules, maxScoped, 2*maxName+1); err != nil {
		return err
	}
	for _, name := range w.Rules {
		if err := CheckRecordedName("rules", name); err != nil {
			return err
		}
	}
	if err := w.Scope.validate(); err != nil {
		return err
	}
	for _, said := range []struct{ field, text string }{{"reason", w.Reason}, {"author", w.Author}} {
		if said.text == "" {
			return invalid(said.field, "", requiredRemedy)
		}
		if err := checkText(said.field, said.text, maxText); err != nil {
			return err
		}
	}
	if w.Expires != 0 && !w.Expires.Valid() {
		return invalid("expires", w.Expires.String(), "is no moment from 1970 to 9999")
	}
	return nil
}

// Covers reports whether the waiver excuses a resource from a rule at a moment.
func (w *Waiver) Covers(rule string, k history.Key, tags map[string]string, at history.Moment) bool {
	return (w.Expires == 0 || at < w.Expires) &&
		w.Excuses(rule) && w.Scope.Selects(k, tags)
}

// Excuses reports whether the waiver is about a rule, by its recorded name.
func (w *Waiver) Excuses(rule string) bool {
	return len(w.Rules) == 0 || slices.ContainsFunc(w.Rules, func(name string) bool { return Means(name, rule) })
}

// Selects reports whether a resource with these tags is in the scope.
func (s *Scope) Selects(k history.Key, tags map[string]string) bool {
	in := func(list []string, v string) bool { return len(list) == 0 || slices.Contains(list, v) }
	if !in(s.Types, k.Type) || !in(s.IDs, k.ID) || !in(s.Accounts, k.Account) || !in(s.Regions, k.Region) {
		return false
	}
	if s.TagKey == "" {
		return true
	}
	value, tagged := tags[s.TagKey]
	return tagged && (s.TagValue == "" || s.TagValue == value)
}
