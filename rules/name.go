package rules

import "strings"

// A rule that belongs to a conformance pack is recorded as PACK/NAME: each pack has
// names of its own, and neither part of them holds a slash.

// Qualify is the name under which a rule is recorded within its owner; pack is
// empty for a rule of its own.
func Qualify(pack, name string) string {
	if pack == "" {
		return name
	}
	return pack + "/" + name
}

// Unqualify takes a recorded name apart.
func Unqualify(recorded string) (pack, name string) {
	if pack, name, ok := strings.Cut(recorded, "/"); ok {
		return pack, name
	}
	return "", recorded
}

// Means reports whether a rule is meant by a name: by the one it is recorded under,
// or by the one that it has in its pack.
func Means(name, recorded string) bool {
	_, own := Unqualify(recorded)
	return name == recorded || name == own
}

// CheckRecordedName holds a recorded name to its form: see CheckName.
func CheckRecordedName(field, recorded string) error {
	pack, name, ok := strings.Cut(recorded, "/")
	if !ok {
		return CheckName(field, recorded)
	}
	if err := CheckName(field, pack); err != nil {
		return err
	}
	return CheckName(field, name)
}
