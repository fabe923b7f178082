// Package token keeps the bearer tokens of a file, and knows one when it sees it.
package token

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/varvehq/varve/cmd/internal/secretfile"
)

// A token has at least MinBytes, which is what keeps it from being guessed, and
// at most MaxBytes.
const (
	MinBytes = 16
	MaxBytes = 4096
)

// Errors of Know, as the bearer may read them.
var (
	ErrNone    = errors.New("a bearer token is needed")
	ErrForm    = errors.New("the authorization is not of the form Bearer TOKEN")
	ErrUnknown = errors.New("the bearer token is not known")
)

// entry is one line of the file: where it stands, and the digest of what it says.
type entry struct {
	line   int
	digest [sha256.Size]byte
}

// File is the tokens of a file, as it was last read. It is safe for concurrent
// use.
type File struct {
	name  string
	known atomic.Pointer[[]entry]
}

// Open reads the tokens of a file: one a line, without blanks; blank lines and
// those that begin with # are skipped. A file that others than its owner may read
// is refused, unless it is a credential of systemd; one without a token as well.
func Open(name string) (*File, error) {
	f := &File{name: name}
	return f, f.Reload()
}

// Reload reads the file again. If it cannot be used, the error says why and the
// tokens stay as they are.
func (f *File) Reload() error {
	tokens, err := Read(f.name)
	if err != nil {
		return err
	}
	known := make([]entry, len(tokens))
	for i, t := range tokens {
		known[i] = entry{t.Line, sha256.Sum256([]byte(t.Text))}
	}
	f.known.Store(&known)
	return nil
}

// Know returns by what name the bearer of a token goes, from the values of an
// authorization header: the line of his token. How long it takes does not depend
// on how much of a token is right.
func (f *File) Know(authorization []string) (string, error) {
	if len(authorization) == 0 {
		return "", ErrNone
	}
	scheme, text, ok := strings.Cut(authorization[0], " ")
	if len(authorization) > 1 || !ok || !strings.EqualFold(scheme, "bearer") || len(text) > MaxBytes {
		return "", ErrForm
	}
	digest := sha256.Sum256([]byte(text))
	line := 0
	for _, e := range *f.known.Load() {
		if subtle.ConstantTimeCompare(e.digest[:], digest[:]) == 1 {
			line = e.line
		}
	}
	if line == 0 {
		return "", ErrUnknown
	}
	return fmt.Sprintf("token on line %d", line), nil
}

// Token is one token of a file.
type Token struct {
	Line int
	Text string
}

// Read reads the tokens of a file as [Open] does. The errors never hold a token.
func Read(name string) ([]Token, error) {
	bad := func(text string, args ...any) error {
		return fmt.Errorf("%s "+text, append([]any{name}, args...)...)
	}
	lines, err := secretfile.Read(name, "tokens")
	if err != nil {
		return nil, err
	}
	var tokens []Token
	for _, line := range lines {
		switch n := len(line.Text); {
		case n < MinBytes:
			return nil, bad("line %d: a token of %d bytes is too easy to guess; take at least %d, such as `openssl rand -hex 32` gives", line.Number, n, MinBytes)
		case n > MaxBytes:
			return nil, bad("line %d: a token of %d bytes is too long; take at most %d", line.Number, n, MaxBytes)
		case strings.ContainsFunc(line.Text, func(r rune) bool { return r <= ' ' || r > '~' }):
			return nil, bad("line %d: a token is one word of letters, digits and signs of ASCII", line.Number)
		}
		tokens = append(tokens, Token{line.Number, line.Text})
	}
	if len(tokens) == 0 {
		return nil, bad("holds no token; write one a line, such as `openssl rand -hex 32` gives")
	}
	return tokens, nil
}
