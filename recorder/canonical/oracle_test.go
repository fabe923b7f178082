package canonical_test

import (
	"bytes"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/recorder/canonical"
)

// highest are the limits under which this package accepts what jsontext does,
// at least for documents of any size that a test can have.
var highest = canonical.Limits{
	MaxBytes: canonical.HighestMaxBytes,
	MaxDepth: canonical.HighestMaxDepth,
}

// appendOracle is what Append is held to.
func appendOracle(dst, src []byte) ([]byte, error) {
	return jsontext.AppendFormat(dst, src,
		jsontext.AllowDuplicateNames(false),
		jsontext.AllowInvalidUTF8(false),
		jsontext.CanonicalizeRawInts(false),
		jsontext.CanonicalizeRawFloats(false),
		jsontext.ReorderRawObjects(true),
	)
}

// fataler is what testing.T and rapid.T have in common here.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

var _ fataler = (*testing.T)(nil)

// checkAgainstOracle fails unless Form agrees with jsontext on src: whether it is
// accepted and, if so, what comes out. It also checks what holds for every form
// and for every refusal. It reports whether src was accepted.
func checkAgainstOracle(t fataler, src []byte) bool {
	t.Helper()
	before := bytes.Clone(src)
	got, err := canonical.Form(src, highest)
	want, wantErr := appendOracle(nil, src)
	if !bytes.Equal(src, before) {
		t.Fatalf("source changed\nfrom %q\n  to %q", before, src)
	}
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%q\n     got %v\njsontext %v", src, err, wantErr)
	}
	if err != nil {
		checkRefusal(t, src, err)
		return false
	}

	if !bytes.Equal(got, want) {
		t.Fatalf("%q\n     got %q\njsontext %q", src, got, want)
	}
	if len(got) > len(src) {
		t.Fatalf("form of %d bytes is longer than its source of %d", len(got), len(src))
	}
	if again, err := canonical.Form(got, highest); err != nil || !bytes.Equal(again, got) {
		t.Fatalf("form of the form differs\n got %q %v\nwant %q", again, err, got)
	}
	if !canonical.IsCanonical(got) {
		t.Fatalf("form is not canonical: %q", got)
	}
	if canonical.IsCanonical(src) != bytes.Equal(src, got) {
		t.Fatalf("source is wrongly canonical or not: %q", src)
	}
	return true
}

func checkRefusal(t fataler, src []byte, err error) {
	t.Helper()
	var e *canonical.Error
	if !errors.As(err, &e) {
		t.Fatalf("%q: got %T, want *canonical.Error", src, err)
	}
	if e.Offset < 0 || e.Offset > len(src) {
		t.Fatalf("%q: %v: offset %d", src, err, e.Offset)
	}
	if !jsontext.Pointer(e.Pointer).IsValid() {
		t.Fatalf("%q: %v: pointer %q is invalid", src, err, e.Pointer)
	}
	if e.Kind == "" || e.Problem == "" || e.Remedy == "" || !utf8.ValidString(e.Error()) {
		t.Fatalf("%q: %#v is not fit to be read", src, e)
	}
	if (e.Kind == canonical.InvalidUTF8) && utf8.Valid(src) {
		t.Fatalf("%q: %v", src, err)
	}
}
