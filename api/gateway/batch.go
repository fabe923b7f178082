package gateway

import (
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/api/wire"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/recorder/canonical"
)

// decodeBatch is decode for a batch as programs write it, in a fraction of the
// time: documents are passed over and remain parts of text, which must not
// change. What is out of the ordinary it does not take, and m is of no use then;
// decode says what is wrong, or that nothing is.
func decodeBatch(text []byte, m *varvev1.BatchRecordRequest) bool {
	d := batchDecoder{c: canonical.NewCursor(text), Arena: wire.NewArena(64)}
	defer d.Release()
	defer d.c.Close()
	ok := d.object(func(name string) (uint, bool) {
		switch name {
		case "observations":
			return 1, d.c.Array(func() bool {
				o := d.Observation()
				m.Observations = append(m.Observations, o)
				return d.observation(o)
			})
		case "run":
			return 2, d.text(&m.Run)
		case "requestId":
			return 3, d.text(&m.RequestId)
		}
		return 0, false
	})
	return ok && d.c.AtEnd()
}

// batchDecoder makes the messages of one batch. Its methods report whether what
// they read was ordinary.
type batchDecoder struct {
	*wire.Arena
	c *canonical.Cursor
}

// object calls member with each name to read the value and tell the number of
// the field, which must come once.
func (d *batchDecoder) object(member func(name string) (uint, bool)) bool {
	var seen uint64
	return d.c.Object(func(key []byte) bool {
		name, _ := d.Word(key)
		if d.c.Peek() == 'n' && name != "configuration" && name != "extras" {
			return false // null leaves other fields as they are
		}
		field, ok := member(name)
		before := seen
		seen |= 1 << field
		return ok && seen != before
	})
}

func (d *batchDecoder) observation(o *varvev1.Observation) bool {
	return d.object(func(name string) (uint, bool) {
		switch name {
		case "key":
			o.Key = d.Key()
			return 1, d.key(o.Key)
		case "capturedAt":
			return 2, d.moment(&o.CapturedAt)
		case "deleted":
			return 3, d.boolean(&o.Deleted)
		case "arn":
			return 4, d.text(&o.Arn)
		case "name":
			return 5, d.text(&o.Name)
		case "availabilityZone":
			return 6, d.word(&o.AvailabilityZone)
		case "createdAt":
			return 7, d.moment(&o.CreatedAt)
		case "tags":
			o.Tags = map[string]string{}
			return 8, d.tags(o.Tags)
		case "configuration":
			return 9, d.document(&o.Configuration)
		case "supplementary":
			o.Supplementary = map[string]*varvev1.Json{}
			return 10, d.supplementary(o.Supplementary)
		case "relationships":
			return 11, d.c.Array(func() bool {
				r := d.Relationship()
				o.Relationships = append(o.Relationships, r)
				return d.relationship(r)
			})
		case "status":
			return 12, d.word(&o.Status)
		case "cause":
			o.Cause = &varvev1.Cause{}
			return 13, d.cause(o.Cause)
		case "source":
			return 14, d.word(&o.Source)
		case "provider":
			return 15, d.word(&o.Provider)
		case "extras":
			return 16, d.document(&o.Extras)
		case "expectVersion":
			o.ExpectVersion = new(uint32)
			return 17, d.number(o.ExpectVersion)
		}
		return 0, false
	})
}

func (d *batchDecoder) key(k *varvev1.ResourceKey) bool {
	return d.object(func(name string) (uint, bool) {
		switch name {
		case "account":
			return 1, d.word(&k.Account)
		case "region":
			return 2, d.word(&k.Region)
		case "type":
			return 3, d.word(&k.Type)
		case "id":
			return 4, d.text(&k.Id)
		}
		return 0, false
	})
}

func (d *batchDecoder) relationship(r *varvev1.Relationship) bool {
	return d.object(func(name string) (uint, bool) {
		switch name {
		case "name":
			return 1, d.word(&r.Name)
		case "type":
			return 2, d.word(&r.Type)
		case "id":
			return 3, d.word(&r.Id)
		case "resourceName":
			return 4, d.word(&r.ResourceName)
		case "account":
			return 5, d.word(&r.Account)
		case "region":
			return 6, d.word(&r.Region)
		}
		return 0, false
	})
}

func (d *batchDecoder) cause(c *varvev1.Cause) bool {
	return d.object(func(name string) (uint, bool) {
		switch name {
		case "actor":
			return 1, d.word(&c.Actor)
		case "eventId":
			return 2, d.text(&c.EventId)
		case "sourceIp":
			return 3, d.word(&c.SourceIp)
		}
		return 0, false
	})
}

func (d *batchDecoder) tags(tags map[string]string) bool {
	return d.c.Object(func(key []byte) bool {
		name, _ := d.Word(key)
		var value string
		ok := d.word(&value)
		before := len(tags)
		tags[name] = value
		return ok && len(tags) > before
	})
}

func (d *batchDecoder) supplementary(docs map[string]*varvev1.Json) bool {
	return d.c.Object(func(key []byte) bool {
		name, _ := d.Word(key)
		var doc *varvev1.Json
		ok := d.document(&doc)
		before := len(docs)
		docs[name] = doc
		return ok && len(docs) > before
	})
}

func (d *batchDecoder) document(to **varvev1.Json) (ok bool) {
	*to = d.Document()
	(*to).Raw, ok = d.c.Value()
	return ok
}

func (d *batchDecoder) text(to *string) bool {
	text, ok := d.c.Text()
	*to = string(text)
	return ok
}

func (d *batchDecoder) word(to *string) bool {
	text, ok := d.c.Text()
	if ok {
		*to, ok = d.Word(text)
	}
	return ok
}

func (d *batchDecoder) boolean(to *bool) bool {
	raw, ok := d.c.Value()
	*to = string(raw) == "true"
	return ok && (*to || string(raw) == "false")
}

func (d *batchDecoder) number(to *uint32) bool {
	raw, ok := d.c.Value()
	n, err := strconv.ParseUint(string(raw), 10, 32)
	*to = uint32(n)
	return ok && err == nil
}

// moment reads a time as protojson does, which takes nine digits of a second.
func (d *batchDecoder) moment(to **timestamppb.Timestamp) bool {
	raw, ok := d.c.Text()
	text := string(raw)
	if !ok || strings.LastIndexAny(text, "Z-+")-strings.LastIndexByte(text, '.') > len(".999999999") && strings.Contains(text, ".") {
		return false
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return false
	}
	*to = d.Moment()
	(*to).Seconds, (*to).Nanos = t.Unix(), int32(t.Nanosecond())
	return (*to).IsValid()
}
