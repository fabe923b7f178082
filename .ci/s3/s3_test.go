package s3_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/varvehq/varve/recorder/delivery/snapshot"
)

const (
	access = "AKIAIOSFODNN7EXAMPLE"
	secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// serve starts the server over a folder, whose folders are its buckets.
func serve(t *testing.T) (endpoint, folder string) {
	t.Helper()
	folder = t.TempDir()
	binary := filepath.Join(t.TempDir(), "versitygw")
	if out, err := exec.Command("go", "build", "-o", binary, "github.com/versity/versitygw/cmd/versitygw").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	free, err := net.Listen("tcp", "127.0.0.2:0") // nobody else takes a port there meanwhile
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	server := exec.Command(binary, "--port", addr, "--region", "eu-west-1", "--access", access, "--secret", secret, "posix", "--sidecar", t.TempDir(), folder)
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Wait()
	}()
	t.Cleanup(func() {
		_ = server.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("the server said:\n%s", log.String())
		}
	})
	for {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			return "http://" + addr, folder
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ended:
			t.Fatalf("no server at %s", addr)
		}
	}
}

// TestPlace delivers to a server that checks signatures and checksums.
func TestPlace(t *testing.T) {
	endpoint, folder := serve(t)
	if err := os.Mkdir(filepath.Join(folder, "audit-bucket"), 0o700); err != nil {
		t.Fatal(err)
	}
	options := snapshot.S3Options{Endpoint: endpoint, Region: "eu-west-1", AccessKey: access, Secret: secret}
	place := snapshot.NewS3(options)
	if err := place.Check(t.Context(), "audit-bucket"); err != nil {
		t.Fatal(err)
	}
	if err := place.Check(t.Context(), "no-such-bucket"); !errors.Is(err, snapshot.ErrNoBucket) {
		t.Error(err)
	}
	const key = "all/AWSLogs/123456789012/Config/eu-west-1/2026/7/4/ConfigHistory/123456789012_Config_eu-west-1_ConfigHistory_AWS::EC2::Instance_20260704T090506Z_20260704T150606Z_1.json.gz"
	for _, body := range [][]byte{[]byte("short"), bytes.Repeat([]byte("0123456789abcdef"), 1<<20), nil} {
		if err := place.Put(t.Context(), "audit-bucket", key, bytes.NewReader(body)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(folder, "audit-bucket", filepath.FromSlash(key)))
		if err != nil || !bytes.Equal(got, body) {
			t.Errorf("%d bytes of %d, %v", len(got), len(body), err)
		}
		back, err := place.Get(t.Context(), "audit-bucket", key)
		if err != nil {
			t.Fatal(err)
		}
		got, err = io.ReadAll(back)
		if err := errors.Join(err, back.Close()); err != nil || !bytes.Equal(got, body) {
			t.Errorf("%d bytes of %d come back, %v", len(got), len(body), err)
		}
	}
	if _, err := place.Get(t.Context(), "audit-bucket", "none"); !errors.Is(err, snapshot.ErrNoObject) {
		t.Error(err)
	}
	if _, err := place.Get(t.Context(), "no-such-bucket", key); !errors.Is(err, snapshot.ErrNoBucket) {
		t.Error(err)
	}
	// An object is put from where its reader stands to its end, again if need be.
	if err := place.Put(t.Context(), "no-such-bucket", key, bytes.NewReader(nil)); !errors.Is(err, snapshot.ErrNoBucket) {
		t.Error(err)
	}
	options.Secret = "another"
	if err := snapshot.NewS3(options).Put(t.Context(), "audit-bucket", key, io.NewSectionReader(strings.NewReader("x"), 0, 1)); err == nil || errors.Is(err, snapshot.ErrNoBucket) {
		t.Errorf("with a wrong secret: %v", err)
	} else {
		t.Log(err)
	}
}
