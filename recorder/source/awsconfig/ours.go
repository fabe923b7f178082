package awsconfig

import (
	"fmt"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/internal/walk"
)

// ourMember is the member of an item for what has no place in the dialect; see
// the package comment.
const ourMember = "varve"

// readOurs applies the member of our own.
func (it *item) readOurs(o *history.Observation) error {
	if it.ours == nil {
		return nil
	}
	if it.ours[0] != '{' {
		return wrongKind(ourMember, it.ours, "an object")
	}
	for key, value := range walk.Object(it.ours) {
		var err error
		switch field := ourMember + "/" + string(key); string(key) {
		case "derived":
			err = it.dropDerived(o, field, value)
		case "provider":
			err = setText(&o.Origin.Provider, field, value)
		case "source":
			err = setText(&o.Origin.Source, field, value)
		case "cause":
			err = readCause(&o.Origin.Cause, field, value)
		case "extras":
			err = it.addExtras(field, value)
		default:
			err = &history.Error{Kind: history.Invalid, Field: "member", Value: fmt.Sprintf("%q", field),
				Text: "is not known; " + ourMember + " is for what Varve itself writes"}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// dropDerived forgets what the source never said.
func (it *item) dropDerived(o *history.Observation, field string, list []byte) error {
	if list[0] != '[' {
		return wrongKind(field, list, "a list")
	}
	for entry := range walk.Array(list) {
		name, _ := walk.Text(entry)
		switch name {
		case "configurationItemStatus":
			o.State.Status = ""
		case streamVersion, stateID:
			it.extras = it.extras.without(name)
		default:
			return &history.Error{Kind: history.Invalid, Field: field, Value: shorten(string(entry)), Text: "is never derived"}
		}
	}
	return nil
}

func readCause(c *history.Cause, field string, value []byte) error {
	if value[0] != '{' {
		return wrongKind(field, value, "an object")
	}
	for key, value := range walk.Object(value) {
		var to *string
		switch string(key) {
		case "actor":
			to = &c.Actor
		case "eventId":
			to = &c.EventID
		case "sourceIp":
			to = &c.SourceIP
		default:
			return &history.Error{Kind: history.Invalid, Field: "member", Value: fmt.Sprintf("%q", field+"/"+string(key)), Text: "is not known"}
		}
		if err := setText(to, field+"/"+string(key), value); err != nil {
			return err
		}
	}
	return nil
}

func (it *item) addExtras(field string, value []byte) error {
	if value[0] != '{' {
		return wrongKind(field, value, "an object")
	}
	for key, value := range walk.Object(value) {
		name := string(key)
		if slices.ContainsFunc(it.extras, func(m member) bool { return m.name == name }) {
			return &history.Error{Kind: history.Invalid, Field: field, Value: fmt.Sprintf("%q", name), Text: "is a member of the item as well"}
		}
		it.extras = append(it.extras, member{name, value})
	}
	return nil
}

func setText(to *string, field string, value []byte) error {
	text, ok := walk.Text(value)
	if !ok {
		return wrongKind(field, value, "a string")
	}
	*to = text
	return nil
}
