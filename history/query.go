package history

import "strings"

// MatchKey reports whether the key passes the filters on it; After and Limit
// are the reader's business. A reserved type passes only where it is asked for.
func (q *Query) MatchKey(k Key) bool {
	return (q.Type == k.Type || q.Type == "" && !Reserved(k.Type)) &&
		(!q.HasAccount && q.Account == "" || q.Account == k.Account) &&
		(!q.HasRegion && q.Region == "" || q.Region == k.Region) &&
		strings.HasPrefix(k.ID, q.IDPrefix)
}

// NeedsContent reports whether filters look into the content.
func (q *Query) NeedsContent() bool { return q.Name != "" || len(q.Tags) > 0 }

// MatchState reports whether the content passes the filters on it.
func (q *Query) MatchState(s *State) bool {
	if q.Name != "" && q.Name != s.Name {
		return false
	}
	for k, v := range q.Tags {
		if got, ok := s.Tags[k]; !ok || got != v {
			return false
		}
	}
	return true
}

// Of is the group a key is counted under.
func (by GroupBy) Of(k Key) string {
	switch by {
	case ByType:
		return k.Type
	case ByAccount:
		return k.Account
	case ByRegion:
		return k.Region
	}
	return ""
}
