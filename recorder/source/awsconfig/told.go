package awsconfig

import (
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/internal/walk"
)

// Told is what AWS Config's API tells of an item beside that for which Varve has
// fields.
type Told struct {
	Version       string // of the schema: 1.3
	StateID       string
	Status        history.Status
	MD5           string
	RelatedEvents []string
	Frequency     string         // of recording; empty where the source gave none
	DeliveredAt   history.Moment // zero where the source gave none

	// Relationships are those of the state, or the list that its source gave
	// where that says more than a set.
	Relationships []history.Relationship

	// Whole reports that the item came from AWS Config itself, so that what it
	// does not declare AWS does not.
	Whole bool
}

// Tell is what an item, read with all its fields, says in the API's dialect: the
// members that came in from AWS Config go out again as they came, and those that
// every item has are derived as [Append] derives them.
func Tell(it *history.Item) Told {
	extras, _ := splitExtras(it)
	head := headOf(it, extras)
	t := Told{
		Version:       plain(head.version),
		StateID:       plain(head.state),
		Status:        head.status,
		MD5:           plain(extras[streamHash]),
		Frequency:     plain(extras["recordingFrequency"]),
		Relationships: it.State.Relationships,
		Whole:         extras[stateID] != nil || extras[streamVersion] != nil,
	}
	for event := range walk.Array(extras["relatedEvents"]) {
		t.RelatedEvents = append(t.RelatedEvents, plain(event))
	}
	if at := extras["configurationItemDeliveryTime"]; at != nil {
		clock := clock{state: head.state}
		if m, err := clock.moment("configurationItemDeliveryTime", at); err == nil {
			t.DeliveredAt = m
		}
	}
	if list := extras["relationships"]; list != nil {
		t.Relationships, _, _ = relationships(list) // it was kept because it can be read
	}
	return t
}

// plain is the text that a member stands for: that of a string, else its JSON.
func plain(raw []byte) string {
	if text, ok := walk.Text(raw); ok {
		return text
	}
	if isNull(raw) {
		return ""
	}
	return string(raw)
}
