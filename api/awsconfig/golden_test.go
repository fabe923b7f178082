package awsconfig_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/varvehq/varve/api/awsconfig"
)

var update = flag.Bool("update", false, "write the answers that are given into testdata")

// TestConversations holds requests against a fresh world and compares what is
// answered. A file of testdata is a conversation: sections by turns of a request, named
// by its operation, and of its answer, named by the HTTP status. A section "later"
// holds how much time goes by before the next request; before one after a section
// "evaluated", rules have judged all that is recorded.
func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no conversations", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			is, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			w := open(t)
			changed := false
			for i := 0; i < len(is.Files); i++ {
				request := is.Files[i]
				if request.Name == "later" {
					d, err := time.ParseDuration(strings.TrimSpace(string(request.Data)))
					if err != nil {
						t.Fatal(err)
					}
					w.clock.advance(d)
					continue
				}
				if request.Name == "evaluated" {
					w.settle()
					continue
				}
				if i++; i == len(is.Files) {
					t.Fatalf("%s has no answer", request.Name)
				}
				want := &is.Files[i]
				status, body := w.post(request.Name, request.Data)
				if *update {
					changed = true
					want.Name, want.Data = status, body
					continue
				}
				if status != want.Name || !bytes.Equal(indented(t, body), indented(t, want.Data)) {
					t.Errorf("section %d, %s:\n%s", i, request.Name, body)
				}
			}
			if changed {
				if err := os.WriteFile(file, txtar.Format(is), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// post sends a request as it is, and returns HTTP status and body of the answer.
func (w *world) post(operation string, body []byte) (status string, answer []byte) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "StarlingDoveService."+operation)
	hash := sha256.Sum256(body)
	err = v4.NewSigner().SignHTTP(w.t.Context(), aws.Credentials{AccessKeyID: account, SecretAccessKey: secret}, r,
		hex.EncodeToString(hash[:]), awsconfig.Service, region, w.clock.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	got, err := ownClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	answer, err = io.ReadAll(got.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return strconv.Itoa(got.StatusCode), indented(w.t, answer)
}

// indented is JSON on lines of its own, in its order; nothing stays nothing.
func indented(t *testing.T, text []byte) []byte {
	t.Helper()
	v := jsontext.Value(bytes.TrimSpace(text))
	if len(v) == 0 {
		return nil
	}
	if err := v.Indent(jsontext.WithIndent("  ")); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return append(v, '\n')
}
