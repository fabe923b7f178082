package wire

import (
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// UnmarshalBatch is proto.Unmarshal, in half the time for a RecordRequest or a
// BatchRecordRequest as every program writes it: messages of one kind share
// memory, words that come again and again are kept once, and documents are parts
// of text, which must not change afterwards. What is out of the ordinary (fields
// that are not known, or of another type, messages in several parts, texts that
// are not UTF-8) and every other message is left to proto.Unmarshal.
//
// A message that is kept keeps all of its batch in memory; strings do not.
func UnmarshalBatch(text []byte, m proto.Message) error {
	switch m := m.(type) {
	case *varvev1.RecordRequest:
		if b, ok := decodeBatch(text); ok {
			proto.Reset(m)
			m.Observations, m.Run, m.RequestId = b.observations, b.run, b.requestID
			return nil
		}
	case *varvev1.BatchRecordRequest:
		if b, ok := decodeBatch(text); ok {
			proto.Reset(m)
			m.Observations, m.Run, m.RequestId = b.observations, b.run, b.requestID
			return nil
		}
	}
	return proto.Unmarshal(text, m)
}

type batch struct {
	observations   []*varvev1.Observation
	run, requestID string
}

// decodeBatch reports whether the batch is an ordinary one. Its methods do so
// too, of their part.
func decodeBatch(text []byte) (b batch, ok bool) {
	n := 0
	for rest := text; len(rest) > 0; {
		var f field
		if f, rest, ok = nextField(rest); !ok {
			return b, false
		}
		if f.is(1) {
			n++
		}
	}
	d := decoder{NewArena(n)}
	defer d.Release()
	b.observations = make([]*varvev1.Observation, 0, n)
	ok = d.message(text, func(f field) bool {
		switch {
		case f.is(1):
			o := d.Observation()
			b.observations = append(b.observations, o)
			return d.observation(f.text, o)
		case f.is(2):
			return d.string(f, &b.run)
		case f.is(3):
			return d.string(f, &b.requestID)
		}
		return false
	})
	if n == 0 {
		b.observations = nil
	}
	return b, ok
}

// decoder makes the messages of one batch.
type decoder struct{ *Arena }

func (d *decoder) observation(text []byte, o *varvev1.Observation) bool {
	return d.message(text, func(f field) bool {
		switch f.tag {
		case bytesTag(1):
			return d.key(f, &o.Key)
		case bytesTag(2):
			return d.moment(f, &o.CapturedAt)
		case varintTag(3):
			o.Deleted = protowire.DecodeBool(f.value)
		case bytesTag(4):
			return d.string(f, &o.Arn)
		case bytesTag(5):
			return d.string(f, &o.Name)
		case bytesTag(6):
			return d.word(f, &o.AvailabilityZone)
		case bytesTag(7):
			return d.moment(f, &o.CreatedAt)
		case bytesTag(8):
			if o.Tags == nil {
				o.Tags = map[string]string{}
			}
			return d.tag(f, o.Tags)
		case bytesTag(9):
			return d.document(f, &o.Configuration)
		case bytesTag(10):
			if o.Supplementary == nil {
				o.Supplementary = map[string]*varvev1.Json{}
			}
			return d.supplementary(f, o.Supplementary)
		case bytesTag(11):
			r := d.Relationship()
			o.Relationships = append(o.Relationships, r)
			return d.texts(f, &r.Name, &r.Type, &r.Id, &r.ResourceName, &r.Account, &r.Region)
		case bytesTag(12):
			return d.word(f, &o.Status)
		case bytesTag(13):
			if o.Cause != nil {
				return false
			}
			o.Cause = &varvev1.Cause{}
			return d.texts(f, &o.Cause.Actor, &o.Cause.EventId, &o.Cause.SourceIp)
		case bytesTag(14):
			return d.word(f, &o.Source)
		case bytesTag(15):
			return d.word(f, &o.Provider)
		case bytesTag(16):
			return d.document(f, &o.Extras)
		case varintTag(17):
			o.ExpectVersion = new(uint32)
			*o.ExpectVersion = uint32(f.value)
		default:
			return false
		}
		return true
	})
}

func (d *decoder) key(f field, to **varvev1.ResourceKey) bool {
	if *to != nil {
		return false
	}
	k := d.Key()
	*to = k
	return d.message(f.text, func(f field) bool {
		switch f.tag {
		case bytesTag(1):
			return d.word(f, &k.Account)
		case bytesTag(2):
			return d.word(f, &k.Region)
		case bytesTag(3):
			return d.word(f, &k.Type)
		case bytesTag(4):
			return d.string(f, &k.Id)
		}
		return false
	})
}

func (d *decoder) moment(f field, to **timestamppb.Timestamp) bool {
	if *to != nil {
		return false
	}
	t := d.Moment()
	*to = t
	return d.message(f.text, func(f field) bool {
		switch f.tag {
		case varintTag(1):
			t.Seconds = int64(f.value)
		case varintTag(2):
			t.Nanos = int32(f.value)
		default:
			return false
		}
		return true
	})
}

func (d *decoder) document(f field, to **varvev1.Json) bool {
	if *to != nil {
		return false
	}
	doc := d.Document()
	*to = doc
	return d.message(f.text, func(f field) bool {
		doc.Raw = f.text
		return f.is(1)
	})
}

func (d *decoder) tag(f field, tags map[string]string) bool {
	var key, value string
	ok := d.message(f.text, func(f field) bool {
		switch f.tag {
		case bytesTag(1):
			return d.word(f, &key)
		case bytesTag(2):
			return d.word(f, &value)
		}
		return false
	})
	tags[key] = value
	return ok
}

func (d *decoder) supplementary(f field, docs map[string]*varvev1.Json) bool {
	var (
		name string
		doc  *varvev1.Json
	)
	ok := d.message(f.text, func(f field) bool {
		switch f.tag {
		case bytesTag(1):
			return d.word(f, &name)
		case bytesTag(2):
			return d.document(f, &doc)
		}
		return false
	})
	docs[name] = doc
	return ok && doc != nil
}

// texts reads a message whose fields are all strings, numbered from 1.
func (d *decoder) texts(f field, fields ...*string) bool {
	return d.message(f.text, func(f field) bool {
		for i, to := range fields {
			if f.is(protowire.Number(i + 1)) {
				return d.word(f, to)
			}
		}
		return false
	})
}

// message calls each for every field.
func (d *decoder) message(text []byte, each func(field) bool) bool {
	for len(text) > 0 {
		f, rest, ok := nextField(text)
		if !ok || !each(f) {
			return false
		}
		text = rest
	}
	return true
}

func (d *decoder) string(f field, to *string) bool {
	*to = string(f.text)
	return utf8.Valid(f.text)
}

// word is string for values that few observations differ in.
func (d *decoder) word(f field, to *string) (ok bool) {
	*to, ok = d.Word(f.text)
	return ok
}

// field is one field of a message: its value or its text.
type field struct {
	tag   uint64
	value uint64
	text  []byte
}

func bytesTag(n protowire.Number) uint64  { return protowire.EncodeTag(n, protowire.BytesType) }
func varintTag(n protowire.Number) uint64 { return protowire.EncodeTag(n, protowire.VarintType) }

// is reports whether it has text, and the number n.
func (f field) is(n protowire.Number) bool { return f.tag == bytesTag(n) }

func nextField(text []byte) (f field, rest []byte, ok bool) {
	num, kind, n := protowire.ConsumeTag(text)
	if n < 0 {
		return f, nil, false
	}
	f.tag, text = protowire.EncodeTag(num, kind), text[n:]
	switch kind {
	case protowire.VarintType:
		f.value, n = protowire.ConsumeVarint(text)
	case protowire.BytesType:
		f.text, n = protowire.ConsumeBytes(text)
		f.text = f.text[:len(f.text):len(f.text)]
	default:
		return f, nil, false
	}
	if n < 0 {
		return f, nil, false
	}
	return f, text[n:], true
}
