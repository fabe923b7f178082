package expr

import (
	"slices"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/traits"
)

// Sorted is a map with texts as keys that come bytewise, always: an expression that
// goes through them says the same every time it is evaluated.
func Sorted(m traits.Mapper) traits.Mapper { return sorted{m} }

type sorted struct{ traits.Mapper }

// Iterator implements traits.Iterable.
func (s sorted) Iterator() traits.Iterator {
	var keys []string
	for i := s.Mapper.Iterator(); i.HasNext() == types.True; {
		keys = append(keys, string(i.Next().(types.String)))
	}
	slices.Sort(keys)
	return types.NewStringList(types.DefaultTypeAdapter, keys).(traits.Iterable).Iterator()
}
