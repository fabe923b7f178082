package cel

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/common/types/traits"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/expr"
	"github.com/varvehq/varve/rules"
)

// A verdict depends on nothing but what the expressions read, so what a rule says of
// one version it says of every other that has the same there: most versions differ
// elsewhere, and most values are those of many resources. Which parts those are is
// found out when a rule is compiled. No verdict is kept of a rule that reads the clock
// or other resources, and none that took too long: it may be in time next time.

// knownBytes bounds the verdicts that are kept of one rule.
const knownBytes = 256 << 10

// digest stands for what a rule reads of a version. Nobody can make two that are
// different share one.
type digest [sha256.Size]byte

// parts are what a rule reads of a resource.
type parts struct {
	config        [][]string // ways into the configuration
	object        bool       // it is asked for as config, which it must be an object for
	supplementary []string   // names
	tags          []string   // names
	allOf         struct{ supplementary, tags, relationships bool }
	texts         []func(*rules.Decoded) string
	moments       []func(*rules.Decoded) history.Moment
}

var textMembers = map[string]func(*rules.Decoded) string{
	"account":          func(d *rules.Decoded) string { return d.Key.Account },
	"region":           func(d *rules.Decoded) string { return d.Key.Region },
	"type":             func(d *rules.Decoded) string { return d.Key.Type },
	"id":               func(d *rules.Decoded) string { return d.Key.ID },
	"name":             func(d *rules.Decoded) string { return d.State.Name },
	"arn":              func(d *rules.Decoded) string { return d.State.ARN },
	"availabilityZone": func(d *rules.Decoded) string { return d.State.AvailabilityZone },
	"status":           func(d *rules.Decoded) string { return string(d.Status) },
}

var momentMembers = map[string]func(*rules.Decoded) history.Moment{
	"createdAt":  func(d *rules.Decoded) history.Moment { return d.State.CreatedAt },
	"capturedAt": func(d *rules.Decoded) history.Moment { return d.CapturedAt },
}

// partsOf are the parts of a resource that lie at paths; nil: they cannot be told.
func partsOf(paths []expr.Path) *parts {
	p := &parts{}
	for _, path := range paths {
		member, way := path[0], path[1:]
		switch {
		case member == "params":
			continue // the same for all resources
		case member == "resource" && len(way) > 0:
			member, way = way[0], way[1:]
		case member != "config" && member != "supplement":
			return nil
		}
		if !p.add(member, way) {
			return nil
		}
	}
	return p
}

func (p *parts) add(member string, way []string) bool {
	switch member {
	case "config", "configuration":
		p.config = append(p.config, way)
		p.object = p.object || member == "config"
	case "supplement", "supplementary":
		if len(way) == 0 {
			p.allOf.supplementary = true
		} else {
			p.supplementary = append(p.supplementary, way[0])
		}
	case "tags":
		if len(way) == 0 {
			p.allOf.tags = true
		} else {
			p.tags = append(p.tags, way[0])
		}
	case "relationships":
		p.allOf.relationships = true
	default:
		text, isText := textMembers[member]
		moment, isMoment := momentMembers[member]
		switch {
		case isText:
			p.texts = append(p.texts, text)
		case isMoment:
			p.moments = append(p.moments, moment)
		default:
			return false
		}
	}
	return true
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// digest is that of the parts of a version; false: they are not what the rule takes
// them for.
func (p *parts) digest(d *rules.Decoded) (digest, bool) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	b, ok := p.append((*buf)[:0], d)
	*buf = b
	return sha256.Sum256(b), ok
}

// append writes the parts of a version, so that different ones never look alike.
func (p *parts) append(b []byte, d *rules.Decoded) ([]byte, bool) {
	for _, text := range p.texts {
		b = appendText(b, text(d))
	}
	for _, moment := range p.moments {
		b = binary.AppendVarint(b, int64(moment(d)))
	}
	if len(p.config) > 0 {
		v := documentsOf(d).configuration()
		if _, ok := v.(traits.Mapper); !ok && p.object {
			return b, false // the verdict says of which resource
		}
		for _, way := range p.config {
			var ok bool
			if b, ok = expr.AppendPart(b, v, way); !ok {
				return b, false
			}
		}
	}
	b = appendEntries(b, d.State.Supplementary, p.supplementary, p.allOf.supplementary)
	b = appendEntries(b, d.State.Tags, p.tags, p.allOf.tags)
	if p.allOf.relationships {
		for _, r := range d.State.Relationships {
			for _, v := range [...]string{r.Name, r.Type, r.ID, r.ResourceName, r.Account, r.Region} {
				b = appendText(b, v)
			}
		}
	}
	return b, true
}

// appendEntries writes those of some names, in whatever case, or all.
func appendEntries[V string | []byte](b []byte, m map[string]V, names []string, all bool) []byte {
	if !all && len(names) == 0 {
		return b
	}
	var picked []string
	for name := range m {
		if all || slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
			picked = append(picked, name)
		}
	}
	slices.Sort(picked)
	b = binary.AppendUvarint(b, uint64(len(picked)))
	for _, name := range picked {
		b = appendText(appendText(b, name), m[name])
	}
	return b
}

func appendText[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
