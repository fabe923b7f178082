// Command protogen is the one door to Varve's protocol files: it generates the
// code that is committed beside them and checks them before a change lands.
//
//	protogen generate   write Go, gRPC, gateway and OpenAPI files beside the .proto files
//	protogen fresh      fail if what generate would write differs from what is there
//	protogen lint       fail where buf's lint rules (proto/buf.yaml) are broken
//	protogen breaking   fail where a change breaks clients of the baseline
//	protogen baseline   make the present state the baseline; done once per release
//
// It runs in its own module, from the top of the repository:
//
//	go run -C .ci/tools ./protogen generate
//
// Nothing but the Go module cache is needed. The .proto files are compiled
// here, with the imports they share with the rest of the world (google/api,
// google/rpc, google/protobuf) taken from the descriptors that the Go packages
// of those names carry; buf and the protoc plugins then work on the compiled
// image and never look for a source file.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

func main() {
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: protogen [-root DIR] generate|fresh|lint|breaking|baseline")
		flag.PrintDefaults()
	}
	root := flag.String("root", filepath.Join("..", ".."), "top of the repository")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(context.Background(), *root, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "protogen:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root, verb string) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "protogen")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)

	t := tree{
		proto:    filepath.Join(root, "proto"),
		baseline: filepath.Join(root, ".ci", "proto-baseline.binpb"),
		tools:    filepath.Join(root, ".ci", "tools", "go.mod"),
		work:     work,
	}
	switch verb {
	case "generate":
		return t.generate(ctx)
	case "fresh":
		return t.fresh(ctx)
	case "lint":
		return t.lint(ctx)
	case "breaking":
		return t.breaking(ctx)
	case "baseline":
		return t.writeImage(ctx, t.baseline, withoutSource)
	default:
		return fmt.Errorf("unknown verb %q", verb)
	}
}

// A tree is the part of a checkout that protogen reads and writes.
type tree struct {
	proto    string // root of the .proto files; buf.yaml and buf.gen.yaml stand there
	baseline string // image of the last release
	tools    string // go.mod that pins the tools
	work     string // scratch space, gone when the program ends
}

// tool returns a command that runs a pinned tool in the folder of the .proto
// files, so that the paths in buf.gen.yaml mean the same for everybody.
func (t tree) tool(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", append([]string{"tool", "-modfile=" + t.tools, name}, args...)...)
	cmd.Dir = t.proto
	cmd.Stderr = os.Stderr
	return cmd
}

// buf runs one buf command on the image of the present .proto files.
func (t tree) buf(ctx context.Context, verb string, args ...string) error {
	image := filepath.Join(t.work, "image.binpb")
	if err := t.writeImage(ctx, image, withSource); err != nil {
		return err
	}
	cmd := t.tool(ctx, "buf", append([]string{verb, image, "--path", ours}, args...)...)
	cmd.Stdout = os.Stdout
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("buf %s: %w", verb, err)
	}
	return nil
}

func (t tree) lint(ctx context.Context) error {
	return t.buf(ctx, "lint", "--config", "buf.yaml")
}

func (t tree) breaking(ctx context.Context) error {
	if _, err := os.Stat(t.baseline); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is missing: protogen baseline writes it", t.baseline)
	}
	return t.buf(ctx, "breaking", "--against", t.baseline, "--config", "buf.yaml", "--against-config", "buf.yaml")
}
