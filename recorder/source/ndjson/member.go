package ndjson

// member is a member of the line, in the order in which they are written.
type member uint8

const (
	memberTime member = iota
	memberProvider
	memberAccount
	memberRegion
	memberType
	memberID
	memberName
	memberARN
	memberAvailabilityZone
	memberCreatedAt
	memberStatus
	memberTags
	memberConfiguration
	memberSupplementary
	memberRelationships
	memberDeleted
	memberCause
	memberSource
	memberExtras
)

func memberOf(name string) (member, bool) {
	switch name {
	case "time":
		return memberTime, true
	case "provider":
		return memberProvider, true
	case "account":
		return memberAccount, true
	case "region":
		return memberRegion, true
	case "type":
		return memberType, true
	case "id":
		return memberID, true
	case "name":
		return memberName, true
	case "arn":
		return memberARN, true
	case "availabilityZone":
		return memberAvailabilityZone, true
	case "createdAt":
		return memberCreatedAt, true
	case "status":
		return memberStatus, true
	case "tags":
		return memberTags, true
	case "configuration":
		return memberConfiguration, true
	case "supplementary":
		return memberSupplementary, true
	case "relationships":
		return memberRelationships, true
	case "deleted":
		return memberDeleted, true
	case "cause":
		return memberCause, true
	case "source":
		return memberSource, true
	case "extras":
		return memberExtras, true
	}
	return 0, false
}

// members is a set of them.
type members uint32

// add reports whether m was in the set before.
func (s *members) add(m member) bool {
	before := *s&(1<<m) != 0
	*s |= 1 << m
	return before
}
