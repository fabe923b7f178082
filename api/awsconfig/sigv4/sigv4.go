// Package sigv4 holds requests against their signature: AWS Signature Version 4 in
// the header Authorization, as AWS's command line and SDKs write it.
//
// The canonical request is built from what came: the headers that the signature
// says it covers, in its order, the name by which the client addressed us with its
// port, and a digest of the body that was received. So nothing that a signature
// covers can be changed on the way, and it has to cover all that says something to
// AWS: the host and every header x-amz-*.
//
// Errors have AWS's codes and, where it has them, its words.
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Window is how far the time of a signature may be from ours, either way.
const Window = 5 * time.Minute

// Format of moments in signatures, which are in UTC.
const (
	momentForm = "20060102T150405Z"
	dayForm    = "20060102"
)

// Key is an access key.
type Key struct {
	ID      string
	Secret  Secret
	Account string   // whose it is
	Regions []string // in which it may be used; none: in all
}

// Secret is what a key signs with. It does not print.
type Secret string

func (Secret) String() string { return "[secret]" }

// GoString keeps a secret out of what %#v prints.
func (Secret) GoString() string { return "[secret]" }

// MarshalText keeps a secret out of logs and of JSON.
func (Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

// Error is why a request is not believed.
type Error struct {
	Code    string // of AWS: InvalidSignatureException
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func refuse(code, text string, args ...any) error {
	return &Error{code, fmt.Sprintf(text, args...)}
}

// Verifier holds requests to one service against their signatures. All fields are
// needed but Unknown. Its methods are safe for concurrent use if Find is.
type Verifier struct {
	Service string // as scopes name it: config
	Find    func(id string) (Key, bool)
	Now     func() time.Time

	// Unknown is what is said of a key that Find does not know; empty: what AWS
	// says.
	Unknown string
}

// Signer is who has signed a request.
type Signer struct {
	Key    Key
	Region string // of the scope
}

// Claim is what a request says of who signed it.
type Claim struct {
	signer    Signer
	moment    string
	scope     string
	canonical string // all but the digest of the body
	signature string
	host      string
}

// Read looks at all of a request but its body: whether it is signed, by a key that
// is known, for this service and not long ago, and covers what it has to.
//
// Errors: MissingAuthenticationTokenException if it is not signed,
// IncompleteSignatureException if its signature cannot be understood,
// UnrecognizedClientException for a key that nobody has, InvalidSignatureException
// for the rest.
func (v *Verifier) Read(r *http.Request) (*Claim, error) {
	a, err := ReadAuthorization(r)
	if err != nil {
		return nil, err
	}
	at, err := momentOf(r)
	if err != nil {
		return nil, err
	}
	key, ok := v.Find(a.KeyID)
	if !ok {
		return nil, v.unknown()
	}
	if err := v.checkScope(a, at); err != nil {
		return nil, err
	}
	if err := v.checkMoment(at); err != nil {
		return nil, err
	}
	canonical, err := canonicalRequest(r, a.SignedHeaders)
	if err != nil {
		return nil, err
	}
	return &Claim{
		signer: Signer{key, a.Region}, moment: at.Format(momentForm), scope: a.scope(),
		canonical: canonical, signature: a.Signature, host: r.Host,
	}, nil
}

func (v *Verifier) unknown() error {
	text := v.Unknown
	if text == "" {
		text = "The security token included in the request is invalid."
	}
	return refuse("UnrecognizedClientException", "%s", text)
}

// checkScope refuses signatures that were made for something else.
func (v *Verifier) checkScope(a Authorization, at time.Time) error {
	switch {
	case a.Service != v.Service:
		return refuse(invalid, "Credential should be scoped to correct service: '%s'.", v.Service)
	case a.Terminator != terminator:
		return refuse(invalid, "Credential should be scoped with a valid terminator: '%s', not '%s'.", terminator, a.Terminator)
	case a.Day != at.Format(dayForm):
		return refuse(invalid, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.",
			a.Day, at.Format(dayForm), at.Format(momentForm))
	}
	return nil
}

func (v *Verifier) checkMoment(at time.Time) error {
	now := v.Now().UTC()
	switch oldest, newest := now.Add(-Window), now.Add(Window); {
	case at.Before(oldest.Truncate(time.Second)):
		return refuse(invalid, "Signature expired: %s is now earlier than %s (%s - 5 min.)",
			at.Format(momentForm), oldest.Format(momentForm), now.Format(momentForm))
	case at.After(newest):
		return refuse(invalid, "Signature not yet current: %s is still later than %s (%s + 5 min.)",
			at.Format(momentForm), newest.Format(momentForm), now.Format(momentForm))
	}
	return nil
}

// Prove returns who has signed the request that came with a body:
// InvalidSignatureException if it is not the one that was signed, or with another
// secret, AccessDeniedException if the key may not be used in its region.
func (c *Claim) Prove(body []byte) (Signer, error) {
	digest := sha256.Sum256(body)
	want := sign(c.signer.Key.Secret, c.moment, c.scope, c.canonical+hex.EncodeToString(digest[:]))
	if subtle.ConstantTimeCompare([]byte(want), []byte(c.signature)) != 1 {
		return Signer{}, refuse(invalid, "The request signature we calculated does not match the signature you provided. "+
			"Check your AWS Secret Access Key and signing method; what is signed must come here unchanged, the name of the host as well, which is %q here.", c.host)
	}
	if allowed := c.signer.Key.Regions; len(allowed) > 0 && !slices.Contains(allowed, c.signer.Region) {
		return Signer{}, refuse("AccessDeniedException", "The access key %s may not be used in region %s; it is for %s.",
			c.signer.Key.ID, c.signer.Region, strings.Join(allowed, ", "))
	}
	return c.signer, nil
}

// sign is the signature of a canonical request. The scope is that of a credential:
// day, region, service and terminator.
func sign(secret Secret, moment, scope, canonical string) string {
	key := []byte("AWS4" + string(secret))
	for part := range strings.SplitSeq(scope, "/") {
		key = authenticated(key, part)
	}
	digest := sha256.Sum256([]byte(canonical))
	return hex.EncodeToString(authenticated(key, Algorithm+"\n"+moment+"\n"+scope+"\n"+hex.EncodeToString(digest[:])))
}

func authenticated(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
