package cel

import (
	"slices"
	"strings"
)

// grants reports whether a statement is about an action, or about all actions of a
// pattern. The case of actions does not matter.
func (s *statement) about(action string) bool {
	action = strings.ToLower(action)
	if s.hasNotAction {
		return !slices.ContainsFunc(s.notActions, func(p string) bool { return meet(strings.ToLower(p), action) })
	}
	return slices.ContainsFunc(s.actions, func(p string) bool { return wild(strings.ToLower(p), action) })
}

// covers reports whether a statement is about a resource, or about all of a pattern.
func (s *statement) covers(resource string) bool {
	if len(s.notResources) > 0 {
		return !slices.ContainsFunc(s.notResources, func(p string) bool { return meet(p, resource) })
	}
	return slices.ContainsFunc(s.resources, func(p string) bool { return wild(p, resource) })
}

// wild reports whether a text fits a pattern, in which * is any text and ? any
// character. A * or ? of the text is a character like others, so that a pattern fits
// all that another one does. It takes at most the product of the lengths.
func wild(pattern, text string) bool {
	star, retry := -1, 0 // where the last * is, and from where in text to try it longer
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, retry = p, t
			p++
		case p < len(pattern) && (pattern[p] == text[t] || pattern[p] == '?' && text[t] != '*'):
			p++
			t++
		case star >= 0:
			retry++
			p, t = star+1, retry
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// meet reports whether there is a text that fits both patterns.
func meet(a, b string) bool {
	row := make([]bool, len(b)+1) // whether a[i:] and b[j:] meet, for all j
	next := make([]bool, len(b)+1)
	for i := len(a); i >= 0; i-- {
		for j := len(b); j >= 0; j-- {
			switch {
			case i == len(a) && j == len(b):
				next[j] = true
			case i < len(a) && a[i] == '*':
				next[j] = row[j] || j < len(b) && next[j+1]
			case j < len(b) && b[j] == '*':
				next[j] = next[j+1] || i < len(a) && row[j]
			case i < len(a) && j < len(b):
				next[j] = (a[i] == b[j] || a[i] == '?' || b[j] == '?') && row[j+1]
			default:
				next[j] = false
			}
		}
		row, next = next, row
	}
	return row[0]
}
