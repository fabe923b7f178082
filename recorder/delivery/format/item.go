package format

import (
	"github.com/varvehq/varve/history"
)

func (e *encoder) resource(k history.Key) {
	e.member("key")
	e.open('{')
	e.text("account", k.Account)
	e.text("region", k.Region)
	e.text("type", k.Type)
	e.text("id", k.ID)
	e.close('}')
}

// change writes an entry of the feed as GET /v1/changes does.
func (e *encoder) change(c *history.Change) {
	e.member("change")
	e.open('{')
	e.text("position", string(c.Position))
	e.small("partition", uint32(c.Partition))
	e.large("sequence", uint64(c.Seq))
	e.large("revision", uint64(c.Revision))
	e.text("kind", c.Kind.String())
	e.bool("late", c.Late)
	e.resource(c.Key)
	e.small("version", c.Version)
	e.moment("capturedAt", c.CapturedAt)
	e.moment("recordedAt", c.RecordedAt)
	e.close('}')
}

// item writes a version as GET /v1/items:lookup does; null for none.
func (e *encoder) item(name string, i *history.Item) {
	e.member(name)
	if i.Version == 0 {
		e.b = append(e.b, null...)
		return
	}
	s, from := &i.State, &i.Origin
	e.open('{')
	e.resource(i.Key)
	e.small("version", i.Version)
	e.text("status", string(i.Status))
	e.bool("deleted", s.Deleted)
	e.moment("capturedAt", i.CapturedAt)
	e.moment("lastSeenAt", i.LastSeenAt)
	e.moment("until", i.Until)
	e.moment("recordedAt", i.RecordedAt)
	e.large("revision", uint64(i.Revision))
	e.text("name", s.Name)
	e.text("arn", s.ARN)
	e.text("availabilityZone", s.AvailabilityZone)
	e.moment("createdAt", s.CreatedAt)
	e.texts("tags", s.Tags)
	if s.Configuration != nil {
		e.raw("configuration", s.Configuration)
	}
	e.documents("supplementary", s.Supplementary)
	e.relationships(s.Relationships)
	e.cause(from.Cause)
	e.text("source", from.Source)
	e.text("provider", from.Provider)
	run := string(from.Run)
	if run != "" {
		run = "runs/" + run
	}
	e.text("run", run)
	if from.Extras != nil {
		e.raw("extras", from.Extras)
	}
	e.text("sourceStatus", string(s.Status))
	e.bool("erased", i.Erased)
	e.bool("lost", i.Lost)
	e.close('}')
}

func (e *encoder) relationships(list []history.Relationship) {
	e.member("relationships")
	e.open('[')
	for _, r := range list {
		e.element()
		e.open('{')
		e.text("name", r.Name)
		e.text("type", r.Type)
		e.text("id", r.ID)
		e.text("resourceName", r.ResourceName)
		e.text("account", r.Account)
		e.text("region", r.Region)
		e.close('}')
	}
	e.close(']')
}

// cause is left out when the source did not tell.
func (e *encoder) cause(c history.Cause) {
	if c == (history.Cause{}) {
		return
	}
	e.member("cause")
	e.open('{')
	e.text("actor", c.Actor)
	e.text("eventId", c.EventID)
	e.text("sourceIp", c.SourceIP)
	e.close('}')
}
