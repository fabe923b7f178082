package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	// What a .proto file may import beside Varve's own files. A package that
	// is linked here puts its descriptors into the global registry, and the
	// compiler finds them there under their paths.
	_ "google.golang.org/genproto/googleapis/api/annotations"
	_ "google.golang.org/genproto/googleapis/api/httpbody"
	_ "google.golang.org/genproto/googleapis/rpc/errdetails"
	_ "google.golang.org/genproto/googleapis/rpc/status"
)

// ours is the folder below proto/ that holds Varve's own files, as they are
// imported: everything else in an image is somebody else's.
const ours = "varve"

// A sourceMode says whether an image carries comments and positions. Linters
// and generators want them; the committed baseline is smaller without.
type sourceMode = protocompile.SourceInfoMode

const (
	withSource    = protocompile.SourceInfoStandard | protocompile.SourceInfoExtraOptionLocations
	withoutSource = protocompile.SourceInfoNone
)

// writeImage compiles every .proto file of the tree and writes the result with
// all its imports as a FileDescriptorSet, imports before their importers.
func (t tree) writeImage(ctx context.Context, name string, mode sourceMode) error {
	sources, err := t.sources()
	if err != nil {
		return err
	}
	compiler := protocompile.Compiler{
		Resolver: protocompile.CompositeResolver{
			protocompile.ResolverFunc(linked),
			&protocompile.SourceResolver{ImportPaths: []string{t.proto}},
		},
		SourceInfoMode: mode,
	}
	files, err := compiler.Compile(ctx, sources...)
	if err != nil {
		return err
	}

	set := new(descriptorpb.FileDescriptorSet)
	seen := make(map[string]bool)
	for _, file := range files {
		addFile(set, seen, file)
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(set)
	if err != nil {
		return err
	}
	return os.WriteFile(name, b, 0o644)
}

// sources lists the .proto files as import paths, in order.
func (t tree) sources() ([]string, error) {
	var names []string
	err := filepath.WalkDir(filepath.Join(t.proto, ours), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".proto") {
			return err
		}
		rel, err := filepath.Rel(t.proto, name)
		names = append(names, filepath.ToSlash(rel))
		return err
	})
	if err == nil && len(names) == 0 {
		err = fmt.Errorf("%s holds no .proto file", t.proto)
	}
	slices.Sort(names)
	return names, err
}

// linked resolves an import among the descriptors linked into this program.
func linked(path string) (protocompile.SearchResult, error) {
	file, err := protoregistry.GlobalFiles.FindFileByPath(path)
	if err != nil {
		return protocompile.SearchResult{}, fmt.Errorf("%s: neither below proto/ nor linked into protogen (image.go)", path)
	}
	return protocompile.SearchResult{Desc: file}, nil
}

func addFile(set *descriptorpb.FileDescriptorSet, seen map[string]bool, file protoreflect.FileDescriptor) {
	if seen[file.Path()] {
		return
	}
	seen[file.Path()] = true
	imports := file.Imports()
	for i := range imports.Len() {
		addFile(set, seen, imports.Get(i).FileDescriptor)
	}
	set.File = append(set.File, protodesc.ToFileDescriptorProto(file))
}
