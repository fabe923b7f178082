package expr

import (
	"strings"

	"cel.dev/cel-go/common/types/ref"
)

// AnyCase is a map that finds members by their names in whatever case; the objects
// that [Decode] makes are.
type AnyCase interface {
	// FindAnyCase returns a member, and how many have such a name.
	FindAnyCase(name string) (v ref.Val, members int)
}

var _ AnyCase = (*object)(nil)

// FindAnyCase goes through all names.
func (o *object) FindAnyCase(name string) (v ref.Val, members int) {
	for _, at := range o.names() {
		if anyCase(o.in.string(at), name) {
			v = o.in.value(at + 1)
			members++
		}
	}
	return v, members
}

func anyCase(a, b string) bool { return len(a) == len(b) && strings.EqualFold(a, b) }
