package server

import (
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // registers the codec that ours stands on
	"google.golang.org/grpc/mem"

	"github.com/varvehq/varve/api/wire"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// codec is gRPC's own, but for batches: those are decoded by wire.UnmarshalBatch,
// whose messages point into the text. The text is therefore no pooled buffer.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2("proto")} }

// Unmarshal implements encoding.CodecV2.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	switch m := v.(type) {
	case *varvev1.RecordRequest:
		return wire.UnmarshalBatch(data.Materialize(), m)
	case *varvev1.BatchRecordRequest:
		return wire.UnmarshalBatch(data.Materialize(), m)
	}
	return c.CodecV2.Unmarshal(data, v)
}
