package history

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Key identifies a resource. Account and Region are empty where the provider
// has none; Type and ID never are. Keys compare as bytes, in the order of the
// fields, on every backend.
type Key struct {
	Account string // AWS account, Google Cloud project, Kubernetes cluster, Terraform state
	Region  string
	Type    string // AWS::EC2::Instance, Kubernetes::apps::Deployment, aws_instance …
	ID      string // may hold any character but NUL, and may begin with '-'
}

// Longest parts of a key, in bytes.
const (
	MaxAccount = 512
	MaxRegion  = 128
	MaxType    = 512
	MaxID      = 2048
)

// Reserved reports whether a type is one of the program's own, under which it
// records what it keeps beside the inventory. Such resources have versions, a
// place in the feed and a past like all others, but no inventory, count or
// collection run of all types has them: they are found by their keys and where
// their very type is asked for.
func Reserved(typ string) bool { return strings.HasPrefix(typ, "Varve::") }

// Compare orders keys by account, region, type and id, bytewise.
func (k Key) Compare(o Key) int {
	return cmp.Or(
		strings.Compare(k.Account, o.Account),
		strings.Compare(k.Region, o.Region),
		strings.Compare(k.Type, o.Type),
		strings.Compare(k.ID, o.ID),
	)
}

// String is for people: type and id, and in brackets what sets it apart.
func (k Key) String() string {
	switch where := strings.Trim(k.Account+"/"+k.Region, "/"); where {
	case "":
		return k.Type + " " + k.ID
	default:
		return k.Type + " " + k.ID + " [" + where + "]"
	}
}

// Validate says which part of the key cannot be stored, and why.
func (k Key) Validate() error {
	parts := []struct {
		field, value string
		max          int
		required     bool
	}{
		{"type", k.Type, MaxType, true},
		{"id", k.ID, MaxID, true},
		{"account", k.Account, MaxAccount, false},
		{"region", k.Region, MaxRegion, false},
	}
	for _, p := range parts {
		switch {
		case p.required && p.value == "":
			return &Error{Kind: Invalid, Field: p.field, Text: "is required"}
		case len(p.value) > p.max:
			return &Error{Kind: TooLarge, Field: p.field, Value: shorten(p.value),
				Text: fmt.Sprintf("is %d bytes long, at most %d are stored", len(p.value), p.max)}
		case !utf8.ValidString(p.value):
			return &Error{Kind: Invalid, Field: p.field, Value: fmt.Sprintf("%q", p.value), Text: "is not valid UTF-8"}
		case strings.IndexByte(p.value, 0) >= 0:
			return &Error{Kind: Invalid, Field: p.field, Value: fmt.Sprintf("%q", p.value), Text: "holds a NUL character"}
		}
	}
	return nil
}
