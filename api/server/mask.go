package server

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// mask is the part of an item that is asked for: nil is all of it.
type mask map[protoreflect.Name]mask

var itemFields = (*varvev1.Item)(nil).ProtoReflect().Descriptor().Fields()

// headFields are those that a reader knows without touching content.
var headFields = map[protoreflect.Name]bool{
	"key": true, "version": true, "deleted": true, "captured_at": true, "last_seen_at": true,
	"until": true, "recorded_at": true, "revision": true, "status": true,
}

// maskOf reads a read_mask: paths over Item, down into its messages but not into
// maps, lists and documents. Absent, empty and `*` are all fields.
func maskOf(fm *fieldmaskpb.FieldMask) (mask, error) {
	if len(fm.GetPaths()) == 0 {
		return nil, nil
	}
	whole, m := false, mask{}
	for _, path := range fm.GetPaths() {
		if path == "*" {
			whole = true
			continue
		}
		if !m.add(path) {
			return nil, &history.Error{Kind: history.Invalid, Field: "readMask", Value: strconv.Quote(cut(path)),
				Text: "is no field of an item"}
		}
	}
	if whole {
		return nil, nil
	}
	return m, nil
}

// add takes a path in; a path to a message takes in all of it.
func (m mask) add(path string) bool {
	fields := itemFields
	parts := strings.Split(path, ".")
	for i, part := range parts {
		if fields == nil {
			return false
		}
		fd := fields.ByName(protoreflect.Name(part))
		if fd == nil {
			return false
		}
		if fields = nil; fd.Message() != nil && !fd.IsMap() && !fd.IsList() && fd.Message().FullName().Parent() == "varve.v1" &&
			fd.Message().FullName() != "varve.v1.Json" {
			fields = fd.Message().Fields()
		}
		below, met := m[fd.Name()]
		if met && below == nil { // all of it was taken already: what follows is only checked
			below = mask{}
		} else if i == len(parts)-1 {
			m[fd.Name()] = nil
		} else if !met {
			below = mask{}
			m[fd.Name()] = below
		}
		m = below
	}
	return true
}

// fields says how much a reader has to read.
func (m mask) fields() history.Fields {
	if m == nil {
		return history.FieldsAll
	}
	for name := range m {
		if !headFields[name] {
			return history.FieldsAll
		}
	}
	return history.FieldsHead
}

// prune takes everything out of an item that was not asked for.
func (m mask) prune(item *varvev1.Item) *varvev1.Item {
	if m != nil && item != nil {
		m.clear(item.ProtoReflect())
	}
	return item
}

func (m mask) clear(msg protoreflect.Message) {
	msg.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		below, asked := m[fd.Name()]
		switch {
		case !asked:
			msg.Clear(fd)
		case below != nil:
			below.clear(v.Message())
		}
		return true
	})
}
