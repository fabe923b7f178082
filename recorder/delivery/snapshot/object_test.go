package snapshot_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/varvehq/varve/recorder/delivery/snapshot"
)

func TestObject(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "secret"), []byte("s"), 0o600); err != nil {
		t.Fatal(err)
	}
	below := filepath.Join(folder, "buckets")
	if err := os.MkdirAll(filepath.Join(below, "b", "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(folder, "secret"), filepath.Join(below, "b", "link")); err != nil {
		t.Fatal(err)
	}
	directory, err := snapshot.NewDirectory(below)
	if err != nil {
		t.Fatal(err)
	}
	if err := directory.Put(t.Context(), "b", "a/key", strings.NewReader("body")); err != nil {
		t.Fatal(err)
	}
	// An endpoint of S3's protocol answers in codes; what a client makes of a true
	// one is held against a server of its own, see .ci/s3.
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answers := map[string]string{"/b/a/key": "", "/none/a/key": "NoSuchBucket"}
		code, ok := answers[r.URL.Path]
		switch {
		case !ok:
			code = "NoSuchKey"
		case code == "":
			_, _ = io.WriteString(w, "body")
			return
		}
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code><Message>m</Message></Error>")
	}))
	defer endpoint.Close()
	s3 := snapshot.NewS3(snapshot.S3Options{Endpoint: endpoint.URL, Region: "eu-west-1", AccessKey: "k", Secret: "s"})

	for name, place := range map[string]snapshot.Place{"Directory": directory, "S3": s3} {
		t.Run(name, func(t *testing.T) {
			d := snapshot.New(snapshot.Options{Place: place})
			if body, err := d.Object(t.Context(), "b", "a/key", 4); err != nil || string(body) != "body" {
				t.Errorf("%q, %v", body, err)
			}
			if _, err := d.Object(t.Context(), "b", "a/key", 3); !errors.Is(err, snapshot.ErrTooLarge) {
				t.Error(err)
			}
			if _, err := d.Object(t.Context(), "b", "a/none", 4); !errors.Is(err, snapshot.ErrNoObject) {
				t.Error(err)
			}
			if _, err := d.Object(t.Context(), "none", "a/key", 4); !errors.Is(err, snapshot.ErrNoBucket) {
				t.Error(err)
			}
		})
	}
	t.Run("OnlyFilesOfTheBucket", func(t *testing.T) {
		d := snapshot.New(snapshot.Options{Place: directory})
		for _, key := range []string{"folder", "", "../../secret", "/secret"} {
			if _, err := d.Object(t.Context(), "b", key, 4); !errors.Is(err, snapshot.ErrNoObject) {
				t.Errorf("%q: %v", key, err)
			}
		}
		if body, err := d.Object(t.Context(), "b", "link", 4); err == nil {
			t.Errorf("a link led out of the place, to %q", body)
		}
		if _, err := d.Object(t.Context(), "..", "secret", 4); !errors.Is(err, snapshot.ErrNoBucket) {
			t.Error(err)
		}
	})
	t.Run("NoPlace", func(t *testing.T) {
		if _, err := snapshot.New(snapshot.Options{}).Object(t.Context(), "b", "a/key", 4); !errors.Is(err, snapshot.ErrNoPlace) {
			t.Error(err)
		}
	})
}
