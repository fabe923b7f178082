// Package arbitrary makes observations for property tests: everything a store
// takes, and preferably what is hard to keep.
package arbitrary

import (
	"strconv"
	"strings"

	"pgregory.net/rapid"

	"github.com/varvehq/varve/history"
)

// Observation is any observation that can be recorded, with JSON in no form in
// particular.
func Observation(t *rapid.T) history.Observation {
	o := history.Observation{
		Key: history.Key{
			Account: word.Draw(t, "account"),
			Region:  word.Draw(t, "region"),
			Type: rapid.OneOf(
				rapid.SampledFrom([]string{"AWS::EC2::SecurityGroup", "AWS::S3::Bucket", "Kubernetes::apps::Deployment", "aws_instance", "pubsub.googleapis.com/Topic"}),
				identifier,
			).Draw(t, "type"),
			ID: identifier.Draw(t, "id"),
		},
		CapturedAt: Moment(t, "capturedAt"),
		Origin: history.Origin{
			Provider: rapid.SampledFrom([]string{"aws", "", "kubernetes", "\"\n"}).Draw(t, "provider"),
			Source:   sometimes(t, "source", text),
			Cause: history.Cause{
				Actor:    sometimes(t, "actor", text),
				EventID:  sometimes(t, "eventId", text),
				SourceIP: sometimes(t, "sourceIp", text),
			},
		},
	}
	s := &o.State
	s.ARN = sometimes(t, "arn", text)
	s.Name = sometimes(t, "name", text)
	s.AvailabilityZone = sometimes(t, "availabilityZone", text)
	if rapid.Bool().Draw(t, "created") {
		s.CreatedAt = Moment(t, "createdAt")
	}
	if rapid.Bool().Draw(t, "tagged") {
		s.Tags = rapid.MapOfN(text, text, 0, 4).Draw(t, "tags")
	}
	s.Relationships = rapid.SliceOfN(rapid.Custom(relationship), 0, 4).Draw(t, "relationships")
	if rapid.Bool().Draw(t, "supplemented") {
		s.Supplementary = map[string][]byte{}
		for _, name := range rapid.SliceOfNDistinct(text, 0, 3, rapid.ID[string]).Draw(t, "supplementary") {
			s.Supplementary[name] = []byte(JSON(t, 2))
		}
	}
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		s.Deleted = true
		s.Status = rapid.SampledFrom([]history.Status{"", history.StatusDeleted, history.StatusDeletedNotRecorded}).Draw(t, "status")
	case 1:
		s.Status = history.StatusNotRecorded
	default:
		s.Status = rapid.SampledFrom([]history.Status{"", history.StatusOK, history.StatusDiscovered, history.StatusNotRecorded}).Draw(t, "status")
		for s.Configuration == nil || strings.TrimSpace(string(s.Configuration)) == "null" {
			s.Configuration = []byte(JSON(t, 4))
		}
	}
	if rapid.Bool().Draw(t, "extended") {
		o.Origin.Extras = extras(t)
	}
	return o
}

// Moment is any moment that a source may give, often a round one.
func Moment(t *rapid.T, label string) history.Moment {
	m := history.Moment(rapid.Int64Range(int64(history.FirstMoment), int64(history.LastMoment)).Draw(t, label))
	unit := rapid.SampledFrom([]history.Moment{1, 10, 1000, 1_000_000}).Draw(t, label+" unit")
	return max(m-m%unit, history.FirstMoment)
}

var (
	// Texts with everything that escaping gets wrong, and that looks like JSON.
	text = rapid.OneOf(
		rapid.SampledFrom([]string{
			"", " ", "null", "true", "0", "01", "1.0", `"`, `\`, `"x"`, `{}`, `[1,`, `{"a":{"b":"c"}}`, `{"a":1,"a":2}`, "\x00", "\u001f", "\u007f",
			"\u2028", "\ufffd", "\ufeff", "\U0001f600", "\U0010ffff", "ä", "a\u0308", "</script>", "${x}", "Name", "varve", "-", "a/b~c",
		}),
		rapid.String(),
	)
	word       = rapid.SampledFrom([]string{"", "123456789012", "eu-west-1", "-", "ä \"/\\"})
	identifier = rapid.Custom(func(t *rapid.T) string {
		s := strings.ReplaceAll(text.Draw(t, "text"), "\x00", "")
		if s == "" {
			return "-/x"
		}
		return s
	})

	number = rapid.SampledFrom([]string{
		"0", "-0", "1", "1.0", "1e0", "1E+0", "0.1e-7", "12345678901234567890", "-9007199254740993", "1e400", "-1E-400", "0.30000000000000004",
	})
)

// sometimes is the empty text, or any.
func sometimes(t *rapid.T, label string, g *rapid.Generator[string]) string {
	if rapid.Bool().Draw(t, label+"?") {
		return g.Draw(t, label)
	}
	return ""
}

func relationship(t *rapid.T) history.Relationship {
	r := history.Relationship{
		Name:    rapid.SampledFrom([]string{"Is contained in Vpc", "Is associated with ", "\""}).Draw(t, "name"),
		Type:    rapid.SampledFrom([]string{"AWS::EC2::VPC", "t"}).Draw(t, "type"),
		ID:      sometimes(t, "id", text),
		Account: sometimes(t, "account", text),
		Region:  sometimes(t, "region", text),
	}
	if r.ID == "" || rapid.Bool().Draw(t, "named") {
		r.ResourceName = identifier.Draw(t, "resourceName")
	}
	return r
}

// JSON is any JSON document of that depth, with blanks and escapes here and
// there.
func JSON(t *rapid.T, depth int) string {
	highest := 5
	if depth == 0 {
		highest = 3
	}
	blank := rapid.SampledFrom([]string{"", "", "", " ", "\n\t"}).Draw(t, "blank")
	switch rapid.IntRange(0, highest).Draw(t, "kind") {
	case 0:
		return blank + rapid.SampledFrom([]string{"null", "true", "false"}).Draw(t, "literal")
	case 1:
		return blank + number.Draw(t, "number") + blank
	case 2, 3:
		return blank + quoted(t)
	case 4:
		var parts []string
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			parts = append(parts, JSON(t, depth-1))
		}
		return "[" + strings.Join(parts, ",") + blank + "]"
	}
	var parts []string
	for _, key := range rapid.SliceOfNDistinct(text, 0, 4, rapid.ID[string]).Draw(t, "keys") {
		parts = append(parts, escape(key)+":"+blank+JSON(t, depth-1))
	}
	return blank + "{" + strings.Join(parts, ",") + "}"
}

func quoted(t *rapid.T) string { return escape(text.Draw(t, "string")) }

// escape writes more escapes than there need be.
func escape(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r < ' ' || r == '"' || r == '\\' || r == 'a':
			b.WriteString(`\u00` + string("0123456789abcdef"[r>>4]) + string("0123456789abcdef"[r&15]))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// extras are such as come from AWS Config, and some that clash with them.
func extras(t *rapid.T) []byte {
	names := rapid.SliceOfNDistinct(rapid.OneOf(rapid.SampledFrom([]string{
		"configurationItemVersion", "version", "configurationStateId", "configurationStateMd5Hash", "configurationItemMD5Hash",
		"relatedEvents", "relationships", "tags", "varve", "arn", "ARN", "accountId", "resourceTransitionStatus", "configurationItems",
		"recordingFrequency", "configurationItemStatus", "",
	}), text), 0, 6, rapid.ID[string]).Draw(t, "extras")
	var parts []string
	for _, name := range names {
		value := JSON(t, 2)
		switch {
		case name == "configurationStateId" && rapid.Bool().Draw(t, "plain"):
			value = strconv.Quote(strconv.Itoa(rapid.IntRange(0, 1<<40).Draw(t, "state")))
		case name == "relationships" && rapid.Bool().Draw(t, "related"):
			value = `[{"resourceType":"t","resourceId":"i","name":"n","more":1}]`
		}
		parts = append(parts, escape(name)+":"+value)
	}
	return []byte("{" + strings.Join(parts, ",") + "}")
}
