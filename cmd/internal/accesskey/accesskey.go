// Package accesskey keeps the access keys of a file, with which requests in AWS
// Config's protocol are signed.
package accesskey

import (
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"

	"github.com/varvehq/varve/api/awsconfig/sigv4"
	"github.com/varvehq/varve/cmd/internal/secretfile"
)

// MinSecret is how many bytes a secret has at least, which is what keeps it from
// being guessed.
const MinSecret = 16

// isID is what clients can send as an id, and shell and log as well.
var isID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{3,127}$`)

// IsAccount tells whether text may be the id of an AWS account.
var IsAccount = regexp.MustCompile(`^[0-9]{12}$`).MatchString

// File is the keys of a file, as it was last read. It is safe for concurrent use.
type File struct {
	name  string
	known atomic.Pointer[map[string]sigv4.Key]
}

// Open reads the keys of a file, one a line, its parts with blanks between:
//
//	# id             secret                                    account       regions
//	AKIAOPERATIONS   wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY  123456789012
//	AKIAAUDIT        je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY  210987654321  eu-west-1,eu-central-1
//
// Without regions a key may be used in all. Blank lines and those that begin with #
// are skipped. A file that others than its owner may read is refused, unless it is a
// credential of systemd; one without a key as well. Errors name the line and never
// hold a secret.
func Open(name string) (*File, error) {
	f := &File{name: name}
	return f, f.Reload()
}

// Reload reads the file again. If it cannot be used, the error says why and the
// keys stay as they are.
func (f *File) Reload() error {
	lines, err := secretfile.Read(f.name, "access keys")
	if err != nil {
		return err
	}
	known, from := map[string]sigv4.Key{}, map[string]int{}
	for _, line := range lines {
		key, err := parse(line.Text)
		if err == nil && from[key.ID] > 0 {
			err = fmt.Errorf("the id %s stands on line %d already", key.ID, from[key.ID])
		}
		if err != nil {
			return fmt.Errorf("%s line %d: %w", f.name, line.Number, err)
		}
		known[key.ID], from[key.ID] = key, line.Number
	}
	if len(known) == 0 {
		return fmt.Errorf("%s holds no access key; write one a line: ID SECRET ACCOUNT [REGION,…], with a secret such as `openssl rand -base64 30` gives", f.name)
	}
	f.known.Store(&known)
	return nil
}

// Find returns the key of an id; false if there is none.
func (f *File) Find(id string) (sigv4.Key, bool) {
	key, ok := (*f.known.Load())[id]
	return key, ok
}

func parse(line string) (sigv4.Key, error) {
	parts := strings.Fields(line)
	if len(parts) != 3 && len(parts) != 4 {
		return sigv4.Key{}, fmt.Errorf("%d words; a key is ID SECRET ACCOUNT [REGION,…]", len(parts))
	}
	key := sigv4.Key{ID: parts[0], Secret: sigv4.Secret(parts[1]), Account: parts[2]}
	switch {
	case !isID.MatchString(key.ID):
		// It may be the secret, in the wrong place.
		return key, fmt.Errorf("the first word is no id of a key: that has 4 to 128 letters, digits and _.-")
	case len(key.Secret) < MinSecret:
		return key, fmt.Errorf("a secret of %d bytes is too easy to guess; take at least %d, such as `openssl rand -base64 30` gives", len(key.Secret), MinSecret)
	case strings.ContainsFunc(string(key.Secret), func(r rune) bool { return r <= ' ' || r > '~' }):
		return key, fmt.Errorf("a secret is one word of letters, digits and signs of ASCII")
	case !IsAccount(key.Account):
		return key, fmt.Errorf("the third word is no account: that has 12 digits")
	case len(parts) == 3:
		return key, nil
	}
	key.Regions = strings.Split(parts[3], ",")
	for _, region := range key.Regions {
		if !sigv4.IsRegion(region) {
			return key, fmt.Errorf("%q is no region; name them with commas and no blanks between, such as eu-west-1,eu-central-1", region)
		}
	}
	return key, nil
}
