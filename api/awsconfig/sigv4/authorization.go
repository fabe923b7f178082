package sigv4

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Algorithm is how signatures are made, and what the header of one begins with.
const Algorithm = "AWS4-HMAC-SHA256"

// terminator ends every scope.
const terminator = "aws4_request"

// Codes of refusals.
const (
	// CodeMissing is that of a request without any signature.
	CodeMissing = "MissingAuthenticationTokenException"

	incomplete = "IncompleteSignatureException"
	invalid    = "InvalidSignatureException"
)

// Authorization is what the header of that name says.
type Authorization struct {
	KeyID                            string
	Day, Region, Service, Terminator string // the scope
	SignedHeaders                    []string
	Signature                        string
}

func (a *Authorization) scope() string {
	return a.Day + "/" + a.Region + "/" + a.Service + "/" + a.Terminator
}

// ReadAuthorization reads what a request says of its signature, without holding it
// against anything. MissingAuthenticationTokenException if it says nothing,
// IncompleteSignatureException if it cannot be understood.
func ReadAuthorization(r *http.Request) (Authorization, error) {
	if isPresigned(r.URL) {
		return Authorization{}, refuse(incomplete, "Signatures in the query string (presigned requests) are not taken; sign in the header Authorization.")
	}
	values := r.Header.Values("Authorization")
	switch len(values) {
	case 0:
		return Authorization{}, refuse(CodeMissing, "Missing Authentication Token")
	case 1:
		return parse(values[0])
	}
	return Authorization{}, refuse(incomplete, "The header Authorization is there %d times; one signature is expected.", len(values))
}

func isPresigned(u *url.URL) bool {
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		if strings.HasPrefix(strings.ToLower(name), "x-amz-") {
			return true
		}
	}
	return false
}

// parse reads ALGORITHM Credential=…, SignedHeaders=…, Signature=…; the three come
// in any order, once each.
func parse(text string) (Authorization, error) {
	var a Authorization
	algorithm, rest, _ := strings.Cut(text, " ")
	if algorithm != Algorithm {
		return a, refuse(incomplete, "Unsupported AWS 'algorithm': '%s'; sign with %s.", shorten(algorithm), Algorithm)
	}
	given := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, ok := strings.Cut(strings.Trim(part, " "), "=")
		switch _, twice := given[name]; {
		case !ok:
			return a, refuse(incomplete, "'%s' not a valid key=value pair (missing equal-sign) in Authorization header.", shorten(part))
		case twice:
			return a, refuse(incomplete, "Authorization header has '%s' twice.", shorten(name))
		}
		given[name] = value
	}
	var missing []string
	for _, name := range []string{"Credential", "SignedHeaders", "Signature"} {
		if given[name] == "" {
			missing = append(missing, "Authorization header requires '"+name+"' parameter.")
		}
	}
	switch {
	case missing != nil:
		return a, refuse(incomplete, "%s", strings.Join(missing, " "))
	case len(given) > 3:
		return a, refuse(incomplete, "Authorization header has parameters besides Credential, SignedHeaders and Signature.")
	}
	a.Signature = given["Signature"]
	if err := a.readCredential(given["Credential"]); err != nil {
		return a, err
	}
	return a, a.readSignedHeaders(given["SignedHeaders"])
}

func (a *Authorization) readCredential(text string) error {
	parts := strings.Split(text, "/")
	if len(parts) != 5 {
		return refuse(incomplete, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'", shorten(text))
	}
	a.KeyID, a.Day, a.Region, a.Service, a.Terminator = parts[0], parts[1], parts[2], parts[3], parts[4]
	if !IsRegion(a.Region) {
		return refuse(incomplete, "The region '%s' of the credential is none: one has letters, digits and hyphens, such as eu-west-1.", shorten(a.Region))
	}
	return nil
}

// IsRegion tells whether text may be the name of a region: up to 63 lower-case
// letters, digits and hyphens, not one of these at either end.
func IsRegion(text string) bool {
	if text == "" || len(text) > 63 || text[0] == '-' || text[len(text)-1] == '-' {
		return false
	}
	for _, c := range []byte(text) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

func (a *Authorization) readSignedHeaders(text string) error {
	a.SignedHeaders = strings.Split(text, ";")
	seen := make(map[string]bool, len(a.SignedHeaders))
	for _, name := range a.SignedHeaders {
		if name == "" || name != strings.ToLower(name) || seen[name] {
			return refuse(incomplete, "SignedHeaders must be names in lower case, once each, with a semicolon between them; got '%s'", shorten(text))
		}
		seen[name] = true
	}
	return nil
}

// momentOf is when a request says that it was signed.
func momentOf(r *http.Request) (time.Time, error) {
	for _, header := range []string{"X-Amz-Date", "Date"} {
		values := r.Header.Values(header)
		if len(values) == 0 {
			continue
		}
		at, err := time.Parse(momentForm, values[0])
		if err != nil && header == "Date" {
			at, err = http.ParseTime(values[0])
		}
		if err != nil || len(values) > 1 {
			return time.Time{}, refuse(incomplete, "Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601", shorten(strings.Join(values, ", ")))
		}
		return at.UTC(), nil
	}
	return time.Time{}, refuse(incomplete, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
}

// shorten bounds what a refusal repeats.
func shorten(text string) string {
	const most = 200
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
