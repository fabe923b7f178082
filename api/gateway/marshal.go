package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// marshaler is the gateway's only form of bodies, whatever Content-Type and
// Accept say.
type marshaler struct{}

var _ runtime.Marshaler = marshaler{}

// ContentType implements runtime.Marshaler.
func (marshaler) ContentType(any) string { return "application/json" }

// StreamContentType implements runtime.StreamContentType.
func (marshaler) StreamContentType(any) string { return "application/x-ndjson" }

// Marshal implements runtime.Marshaler, for messages, masked messages, and the
// maps that parts of a stream are wrapped into.
func (marshaler) Marshal(v any) ([]byte, error) {
	e := &encoder{}
	err := e.any(v)
	return e.out, err
}

func (e *encoder) any(v any) error {
	switch v := v.(type) {
	case masked:
		e.onlyIn, e.only = itemName, v.fields
		return e.message(v.ProtoReflect())
	case proto.Message:
		e.out = slices.Grow(e.out, proto.Size(v)*5/4) // about what names and braces add
		return e.message(v.ProtoReflect())
	case map[string]any:
		return e.wrapped(v)
	case map[string]proto.Message:
		parts := make(map[string]any, len(v))
		for name, m := range v {
			parts[name] = m
		}
		return e.wrapped(parts)
	}
	return fmt.Errorf("gateway: %T has no JSON form", v)
}

func (e *encoder) wrapped(parts map[string]any) error {
	e.out = append(e.out, '{')
	for i, name := range slices.Sorted(maps.Keys(parts)) {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		if err := e.string(name); err != nil {
			return err
		}
		e.out = append(e.out, ':')
		if err := e.any(parts[name]); err != nil {
			return err
		}
	}
	e.out = append(e.out, '}')
	return nil
}

// NewEncoder implements runtime.Marshaler.
func (m marshaler) NewEncoder(w io.Writer) runtime.Encoder {
	return runtime.EncoderFunc(func(v any) error {
		b, err := m.Marshal(v)
		if err == nil {
			_, err = w.Write(b)
		}
		return err
	})
}

// Unmarshal implements runtime.Marshaler. v is a message or a pointer to a
// pointer to one, which is how the generated code hands over part of a request.
func (marshaler) Unmarshal(text []byte, v any) error {
	if m, ok := v.(*varvev1.BatchRecordRequest); ok {
		if decodeBatch(text, m) {
			return nil
		}
		proto.Reset(m)
	}
	if m, ok := v.(proto.Message); ok {
		return decode(text, m)
	}
	if at := reflect.ValueOf(v); at.Kind() == reflect.Pointer && at.Elem().Kind() == reflect.Pointer {
		if m, ok := reflect.New(at.Elem().Type().Elem()).Interface().(proto.Message); ok {
			err := decode(text, m)
			if err == nil {
				at.Elem().Set(reflect.ValueOf(m))
			}
			return err
		}
	}
	return fmt.Errorf("gateway: %T has no JSON form", v)
}

// NewDecoder implements runtime.Marshaler. The generated code keeps no more of
// an error than its text, so the body it read remembers the error itself.
func (m marshaler) NewDecoder(r io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(v any) error {
		text, err := readAll(r)
		if err == nil {
			err = m.Unmarshal(text, v)
		}
		if b, ok := r.(*body); ok && !errors.Is(err, io.EOF) { // no body is an empty message
			b.refused = err
		}
		return err
	})
}

// readAll is io.ReadAll for what often comes in one piece of known length. The
// length is not believed beyond a megabyte before the bytes are there.
func readAll(r io.Reader) ([]byte, error) {
	var text bytes.Buffer
	if b, ok := r.(*body); ok {
		text.Grow(bytes.MinRead + int(min(max(b.length, 0), 1<<20)))
	}
	_, err := text.ReadFrom(r)
	return text.Bytes(), err
}

// masked is an answer of which only some fields of items were asked for.
type masked struct {
	proto.Message
	fields map[protoreflect.Name]bool
}

var itemName = (*varvev1.Item)(nil).ProtoReflect().Descriptor().FullName()

type maskKey struct{}

// withMask notes the paths of a read_mask for rewrite.
func withMask(ctx context.Context, paths []string) context.Context {
	fields := map[protoreflect.Name]bool{}
	for _, path := range paths {
		if path == "*" {
			return ctx
		}
		name, _, _ := strings.Cut(path, ".")
		fields[protoreflect.Name(name)] = true
	}
	return context.WithValue(ctx, maskKey{}, fields)
}

// rewrite implements runtime.ForwardResponseRewriter.
func rewrite(ctx context.Context, m proto.Message) (any, error) {
	if fields, ok := ctx.Value(maskKey{}).(map[protoreflect.Name]bool); ok {
		return masked{m, fields}, nil
	}
	return m, nil
}
