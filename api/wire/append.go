package wire

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/varvehq/varve/history"
)

// AppendObservation appends what proto.Marshal writes of ObservationToProto(o),
// and makes no message of it first. Maps are written in any order.
func AppendObservation(dst []byte, o *history.Observation) []byte {
	s, from := &o.State, &o.Origin
	key := stringSize(o.Key.Account) + stringSize(o.Key.Region) + stringSize(o.Key.Type) + stringSize(o.Key.ID)
	dst = appendSize(dst, 1, key)
	dst = appendString(dst, 1, o.Key.Account)
	dst = appendString(dst, 2, o.Key.Region)
	dst = appendString(dst, 3, o.Key.Type)
	dst = appendString(dst, 4, o.Key.ID)
	dst = appendMoment(dst, 2, o.CapturedAt)
	if s.Deleted {
		dst = append(dst, byte(protowire.EncodeTag(3, protowire.VarintType)), 1)
	}
	dst = appendString(dst, 4, s.ARN)
	dst = appendString(dst, 5, s.Name)
	dst = appendString(dst, 6, s.AvailabilityZone)
	dst = appendMoment(dst, 7, s.CreatedAt)
	for key, value := range s.Tags {
		dst = appendSize(dst, 8, 2+protowire.SizeBytes(len(key))+protowire.SizeBytes(len(value)))
		dst = append(appendSize(dst, 1, len(key)), key...) // in maps empty ones are written
		dst = append(appendSize(dst, 2, len(value)), value...)
	}
	if s.Configuration != nil {
		dst = appendDocument(dst, 9, s.Configuration)
	}
	for name, doc := range s.Supplementary {
		dst = appendSize(dst, 10, 2+protowire.SizeBytes(len(name))+protowire.SizeBytes(stringSize(doc)))
		dst = append(appendSize(dst, 1, len(name)), name...)
		dst = appendDocument(dst, 2, doc)
	}
	for i := range s.Relationships {
		r := &s.Relationships[i]
		dst = appendTexts(dst, 11, [...]string{r.Name, r.Type, r.ID, r.ResourceName, r.Account, r.Region})
	}
	dst = appendString(dst, 12, s.Status)
	if c := from.Cause; c != (history.Cause{}) {
		dst = appendTexts(dst, 13, [...]string{c.Actor, c.EventID, c.SourceIP, "", "", ""})
	}
	dst = appendString(dst, 14, from.Source)
	dst = appendString(dst, 15, from.Provider)
	if from.Extras != nil {
		dst = appendDocument(dst, 16, from.Extras)
	}
	if o.Expect != nil {
		dst = protowire.AppendTag(dst, 17, protowire.VarintType)
		dst = protowire.AppendVarint(dst, uint64(*o.Expect))
	}
	return dst
}

// appendSize begins a message of so many bytes.
func appendSize(dst []byte, field protowire.Number, size int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(dst, field, protowire.BytesType), uint64(size))
}

// appendString writes no empty one, as proto3 does.
func appendString[T ~string | ~[]byte](dst []byte, field protowire.Number, text T) []byte {
	if len(text) == 0 {
		return dst
	}
	return append(appendSize(dst, field, len(text)), text...)
}

// stringSize is what appendString writes for one of the first fields.
func stringSize[T ~string | ~[]byte](text T) int {
	if len(text) == 0 {
		return 0
	}
	return 1 + protowire.SizeBytes(len(text))
}

// appendTexts writes a message whose fields are texts, numbered from 1.
func appendTexts(dst []byte, field protowire.Number, texts [6]string) []byte {
	size := 0
	for _, text := range texts {
		size += stringSize(text)
	}
	dst = appendSize(dst, field, size)
	for i, text := range texts {
		dst = appendString(dst, protowire.Number(i+1), text)
	}
	return dst
}

func appendDocument(dst []byte, field protowire.Number, raw []byte) []byte {
	return appendString(appendSize(dst, field, stringSize(raw)), 1, raw)
}

// appendMoment writes what MomentToProto makes.
func appendMoment(dst []byte, field protowire.Number, m history.Moment) []byte {
	if m == 0 || m == history.Newest {
		return dst
	}
	t := m.Time()
	seconds, nanos := uint64(t.Unix()), uint64(t.Nanosecond())
	size := 0
	if seconds != 0 {
		size += 1 + protowire.SizeVarint(seconds)
	}
	if nanos != 0 {
		size += 1 + protowire.SizeVarint(nanos)
	}
	dst = appendSize(dst, field, size)
	if seconds != 0 {
		dst = protowire.AppendVarint(protowire.AppendTag(dst, 1, protowire.VarintType), seconds)
	}
	if nanos != 0 {
		dst = protowire.AppendVarint(protowire.AppendTag(dst, 2, protowire.VarintType), nanos)
	}
	return dst
}
