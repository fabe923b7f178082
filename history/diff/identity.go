package diff

import (
	"slices"
	"strings"
	"unicode"
)

// identify names the elements of the array at the current path, those of before
// first. The rules for this array are asked in their order, and the first whose
// keys identify wins. Of the usual names the one that recognises the most elements
// wins, the first of several; one that recognises none is no better than likeness.
func (v *viewer) identify(before, after []value) ([]string, bool) {
	all := slices.Concat(before, after)
	for _, e := range all {
		if !e.isObject() {
			return nil, false
		}
	}
	rules, usual := builtin()
	for _, list := range [][]KeyRule{v.opts.Keys, rules} {
		for _, rule := range list {
			if !rule.fits(v.opts.ResourceType, v.keys) {
				continue
			}
			if names, _, ok := rule.identify(all, len(before)); ok {
				return names, true
			}
		}
	}

	var best []string
	most := 0
	for _, rule := range usual {
		names, common, ok := rule.identify(all, len(before))
		if ok && (common > most || len(before) == 0 || len(after) == 0) {
			best, most = names, common
		}
		if best != nil && most == min(len(before), len(after)) {
			break
		}
	}
	return best, best != nil
}

// identify names elements, of which the first n are those of before, if the keys
// of the rule do that. It counts the names that are on both sides.
func (r KeyRule) identify(elements []value, n int) (names []string, common int, ok bool) {
	if names, ok = r.names(elements); !ok {
		return nil, 0, false
	}
	common, ok = recognised(names[:n], names[n:])
	return names, common, ok
}

// recognised counts the names on both sides and tells whether each is unique on
// its own.
func recognised(before, after []string) (common int, unique bool) {
	const inBefore, inAfter = 1, 2
	seen := make(map[string]uint8, len(before))
	for _, name := range before {
		if seen[name] != 0 {
			return 0, false
		}
		seen[name] = inBefore
	}
	for _, name := range after {
		if seen[name]&inAfter != 0 {
			return 0, false
		}
		common += int(seen[name] & inBefore)
		seen[name] |= inAfter
	}
	return common, true
}

// names gives every element a name such as Key=team, if the keys of the rule
// identify it.
func (r KeyRule) names(elements []value) ([]string, bool) {
	type part struct {
		keys     []string // as the elements write them
		label    string
		optional bool
	}
	var parts []part
	for _, key := range r.Keys {
		key, optional := strings.CutSuffix(key, "?")
		keys, ok := spelling(elements, strings.Split(key, "/"), optional)
		switch {
		case ok:
			parts = append(parts, part{keys, strings.Join(keys, "."), optional})
		case !optional:
			return nil, false
		}
	}

	names := make([]string, len(elements))
	var name strings.Builder
	for i, e := range elements {
		name.Reset()
		for _, p := range parts {
			text, ok := scalarAt(e, p.keys)
			if !ok {
				if p.optional && !leads(e, p.keys) {
					continue
				}
				return nil, false
			}
			if name.Len() > 0 {
				name.WriteByte(',')
			}
			name.WriteString(p.label)
			name.WriteByte('=')
			name.WriteString(text)
		}
		if name.Len() == 0 {
			return nil, false
		}
		names[i] = name.String()
	}
	return names, true
}

// spelling finds how elements write the keys of a rule: as the first one does, or
// for an optional key the first that has it.
func spelling(elements []value, keys []string, optional bool) ([]string, bool) {
next:
	for i, at := range elements {
		if i > 0 && !optional {
			break
		}
		var spelled []string
		for _, key := range keys {
			if !at.isObject() {
				continue next
			}
			m, ok := at.memberLike(key)
			if !ok {
				continue next
			}
			spelled = append(spelled, m.key)
			at = m.value
		}
		return spelled, true
	}
	return nil, false
}

// memberLike returns the first member with such a name.
func (v value) memberLike(name string) (member, bool) {
	for _, m := range v.members() {
		if sameName(m.key, name) {
			return m, true
		}
	}
	return member{}, false
}

// leads tells whether an element has something under the keys.
func leads(e value, keys []string) bool {
	_, ok := lookup(e, keys)
	return ok
}

func lookup(at value, keys []string) (value, bool) {
	for _, key := range keys {
		if !at.isObject() {
			return value{}, false
		}
		var ok bool
		if at, ok = at.member(key); !ok {
			return value{}, false
		}
	}
	return at, true
}

// scalarAt returns the value under the keys as it stands in a name: bare if that
// leaves no doubt where it ends. The string 1 and the number 1 look the same on
// purpose: an identity that changed its kind is still the same identity. Null
// identifies nothing.
func scalarAt(e value, keys []string) (string, bool) {
	v, ok := lookup(e, keys)
	if !ok || !v.isScalar() || v.kind() == 'n' {
		return "", false
	}
	if v.kind() != '"' {
		return v.text(), true
	}
	plain := v.unquote()
	awkward := func(r rune) bool { return !unicode.IsPrint(r) || strings.ContainsRune(`",=[]`, r) }
	if plain == "" || strings.ContainsFunc(plain, awkward) {
		return v.text(), true
	}
	return plain, true
}
