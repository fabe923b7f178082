package sigv4_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/varvehq/varve/api/awsconfig/sigv4"
)

const (
	keyID  = "AKIAEXAMPLE"
	secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	region = "eu-west-1"
)

var noon = time.Date(2026, 7, 18, 12, 0, 0, 0, time.UTC)

// verifier knows two keys, of which the second is for some regions only.
func verifier(now time.Time) *sigv4.Verifier {
	keys := map[string]sigv4.Key{
		keyID:         {ID: keyID, Secret: secret, Account: "123456789012"},
		"AKIAREGIONS": {ID: "AKIAREGIONS", Secret: secret + "2", Account: "210987654321", Regions: []string{"eu-west-1", "eu-central-1"}},
	}
	return &sigv4.Verifier{
		Service: "config", Now: func() time.Time { return now },
		Find: func(id string) (sigv4.Key, bool) { k, ok := keys[id]; return k, ok },
	}
}

// request is one to be signed; what is empty has a usual value.
type request struct {
	url, body, key, secret, region, service, token string
	at                                             time.Time
	headers                                        map[string]string // besides those of every request
}

// sign makes a request as AWS's own signer signs it.
func sign(t testing.TB, q request) *http.Request {
	t.Helper()
	usual := func(value *string, otherwise string) {
		if *value == "" {
			*value = otherwise
		}
	}
	usual(&q.url, "http://127.0.0.1:7421/")
	usual(&q.body, `{"ConfigRuleNames":["r"]}`)
	usual(&q.key, keyID)
	usual(&q.secret, secret)
	usual(&q.region, region)
	usual(&q.service, "config")
	if q.at.IsZero() {
		q.at = noon
	}
	r, err := http.NewRequest(http.MethodPost, q.url, strings.NewReader(q.body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "StarlingDoveService.DescribeConfigRules")
	for name, value := range q.headers {
		r.Header.Set(name, value)
	}
	digest := sha256.Sum256([]byte(q.body))
	credentials := aws.Credentials{AccessKeyID: q.key, SecretAccessKey: q.secret, SessionToken: q.token}
	if err := v4.NewSigner().SignHTTP(context.Background(), credentials, r, hex.EncodeToString(digest[:]), q.service, q.region, q.at); err != nil {
		t.Fatal(err)
	}
	return r
}

// text is a request as it goes over the wire.
func text(t testing.TB, r *http.Request) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// verify holds a request, as it comes over the wire, against its signature.
func verify(v *sigv4.Verifier, text string) (sigv4.Signer, error) {
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
	if err != nil {
		return sigv4.Signer{}, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return sigv4.Signer{}, err
	}
	claim, err := v.Read(r)
	if err != nil {
		return sigv4.Signer{}, err
	}
	return claim.Prove(body)
}

func codeOf(err error) string {
	var refused *sigv4.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refused):
		return refused.Code
	}
	return "not HTTP: " + err.Error()
}

// What AWS's signer signs is believed, whatever it covers.
func TestSigned(t *testing.T) {
	for name, q := range map[string]request{
		"Usual":         {},
		"OtherRegion":   {region: "us-gov-west-1"},
		"KeyOfRegions":  {key: "AKIAREGIONS", secret: secret + "2"},
		"NoBody":        {body: "{}"},
		"Name":          {url: "https://varve.example/"},
		"NameAndPort":   {url: "https://varve.example:8443/"},
		"IPv6":          {url: "http://[::1]:7421/"},
		"SessionToken":  {token: "a-token-of-a-session=="},
		"OldestOfAll":   {at: noon.Add(-sigv4.Window)},
		"NewestOfAll":   {at: noon.Add(sigv4.Window)},
		"Blanks":        {headers: map[string]string{"X-Amz-Meta": "  a   b  c "}},
		"Query":         {url: "http://127.0.0.1:7421/?b=2&a=1&a=%20%2F+x&a-b=&A="},
		"Path":          {url: "http://127.0.0.1:7421/a%20b/c~d/%2F"},
		"HeadersOfSDKs": {headers: map[string]string{"Amz-Sdk-Invocation-Id": "1", "Amz-Sdk-Request": "attempt=1; max=3", "Accept-Encoding": "gzip"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := verify(verifier(noon), text(t, sign(t, q)))
			if err != nil {
				t.Fatal(err)
			}
			want := sigv4.Signer{Region: region, Key: sigv4.Key{ID: keyID, Account: "123456789012"}}
			if q.region != "" {
				want.Region = q.region
			}
			if q.key != "" {
				want.Key.ID, want.Key.Account = q.key, "210987654321"
			}
			if got.Region != want.Region || got.Key.ID != want.Key.ID || got.Key.Account != want.Key.Account {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// Signatures have whole seconds, the clock here does not.
func TestFractionsOfSeconds(t *testing.T) {
	sent := text(t, sign(t, request{at: noon.Add(-sigv4.Window)}))
	if _, err := verify(verifier(noon.Add(999*time.Millisecond)), sent); err != nil {
		t.Error(err)
	}
	if _, err := verify(verifier(noon.Add(time.Second)), sent); codeOf(err) != "InvalidSignatureException" {
		t.Error(err)
	}
}

// Whatever is changed on the way, or was signed for something else, is refused by
// AWS's code, in words that tell what is wrong.
func TestRefused(t *testing.T) {
	const (
		missing    = "MissingAuthenticationTokenException"
		incomplete = "IncompleteSignatureException"
		unknown    = "UnrecognizedClientException"
		invalid    = "InvalidSignatureException"
		mismatch   = "The request signature we calculated does not match the signature you provided."
	)
	replaced := func(old, with string) func(string) string {
		return func(text string) string {
			if !strings.Contains(text, old) {
				t.Errorf("nothing to replace: %q in\n%s", old, text)
			}
			return strings.Replace(text, old, with, 1)
		}
	}
	without := func(header string) func(string) string {
		return func(text string) string {
			head, rest, ok := strings.Cut(text, "\r\n"+header+": ")
			_, rest, more := strings.Cut(rest, "\r\n")
			if !ok || !more {
				t.Errorf("no %s in\n%s", header, text)
			}
			return head + "\r\n" + rest
		}
	}
	const added = "\r\nContent-Type: "
	for name, tt := range map[string]struct {
		q      request
		change func(text string) string
		code   string
		text   string
	}{
		"Unsigned":            {change: without("Authorization"), code: missing, text: "Missing Authentication Token"},
		"BodyChanged":         {change: replaced(`"r"`, `"s"`), code: invalid, text: mismatch},
		"HostChanged":         {change: replaced("Host: 127.0.0.1:7421", "Host: localhost:7421"), code: invalid, text: `is "localhost:7421" here`},
		"PortDropped":         {change: replaced("Host: 127.0.0.1:7421", "Host: 127.0.0.1"), code: invalid, text: mismatch},
		"TargetChanged":       {change: replaced("DescribeConfigRules", "DeleteConfigRules00"), code: invalid, text: mismatch},
		"TargetDropped":       {change: without("X-Amz-Target"), code: invalid, text: "covers the header 'x-amz-target', which the request has not"},
		"ContentTypeDropped":  {change: without("Content-Type"), code: invalid, text: "covers the header 'content-type'"},
		"HeaderTwice":         {change: replaced(added, "\r\nX-Amz-Target: StarlingDoveService.DeleteConfigRule"+added), code: invalid, text: mismatch},
		"AmzHeaderAdded":      {change: replaced(added, "\r\nX-Amz-Meta: x"+added), code: invalid, text: "'X-Amz-Meta' must be a 'SignedHeader' in the AWS Authorization."},
		"SessionTokenAdded":   {change: replaced(added, "\r\nX-Amz-Security-Token: x"+added), code: invalid, text: "must be a 'SignedHeader'"},
		"MethodChanged":       {change: replaced("POST", "PUT"), code: invalid, text: mismatch},
		"PathChanged":         {change: replaced("POST / ", "POST /x "), code: invalid, text: mismatch},
		"NoPath":              {change: replaced("POST / ", "POST http://127.0.0.1:7421 "), code: invalid, text: "The target 'http://127.0.0.1:7421' of the request has no path; send to /."},
		"OpaqueTarget":        {change: replaced("POST / ", "POST A:\xff/ "), code: invalid, text: "has no path"},
		"Asterisk":            {change: replaced("POST / ", "POST * "), code: invalid, text: "The target '*' of the request has no path"},
		"QueryAdded":          {change: replaced("POST / ", "POST /?a=b "), code: invalid, text: mismatch},
		"QueryMalformed":      {change: replaced("POST / ", "POST /?a=%zz "), code: invalid, text: "query string cannot be read"},
		"Presigned":           {change: replaced("POST / ", "POST /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0 "), code: incomplete, text: "presigned requests) are not taken"},
		"PresignedInDisguise": {change: replaced("POST / ", "POST /?a=1&x%2dAmz-Signature=0 "), code: incomplete, text: "presigned"},
		"RegionInScope":       {change: replaced("/eu-west-1/", "/eu-west-2/"), code: invalid, text: mismatch},
		"DayInScope":          {change: replaced("/20260718/", "/20260717/"), code: invalid, text: "'20260717' != '20260718', from '20260718T120000Z'."},
		"ServiceInScope":      {change: replaced("/config/", "/s3/"), code: invalid, text: "Credential should be scoped to correct service: 'config'."},
		"TerminatorInScope":   {change: replaced("aws4_request", "aws5_request"), code: invalid, text: "valid terminator: 'aws4_request'"},
		"OtherService":        {q: request{service: "ec2"}, code: invalid, text: "correct service"},
		"UnknownKey":          {q: request{key: "AKIAOTHER"}, code: unknown, text: "The security token included in the request is invalid."},
		"OtherKey":            {change: replaced(keyID, "AKIAREGIONS"), code: invalid, text: mismatch},
		"OtherSecret":         {q: request{secret: "x"}, code: invalid, text: mismatch},
		"RegionOfOthers":      {q: request{key: "AKIAREGIONS", secret: secret + "2", region: "us-east-1"}, code: "AccessDeniedException", text: "AKIAREGIONS may not be used in region us-east-1; it is for eu-west-1, eu-central-1."},
		"RegionUnproved":      {q: request{key: "AKIAREGIONS", secret: "x", region: "us-east-1"}, code: invalid, text: mismatch},
		"Expired": {q: request{at: noon.Add(-sigv4.Window - time.Second)}, code: invalid,
			text: "Signature expired: 20260718T115459Z is now earlier than 20260718T115500Z (20260718T120000Z - 5 min.)"},
		"Future": {q: request{at: noon.Add(sigv4.Window + time.Second)}, code: invalid,
			text: "Signature not yet current: 20260718T120501Z is still later than 20260718T120500Z (20260718T120000Z + 5 min.)"},
		"DateShifted":       {change: replaced("X-Amz-Date: 20260718T120000Z", "X-Amz-Date: 20260718T120001Z"), code: invalid, text: mismatch},
		"DateDropped":       {change: without("X-Amz-Date"), code: incomplete, text: "'X-Amz-Date' or a 'Date' header"},
		"DateElsewhere":     {change: replaced("X-Amz-Date", "Date"), code: invalid, text: "x-amz-date"},
		"DateTwice":         {change: replaced(added, "\r\nX-Amz-Date: 20260718T120000Z"+added), code: incomplete, text: "ISO-8601"},
		"DateOfAnotherForm": {change: replaced("X-Amz-Date: 20260718T120000Z", "X-Amz-Date: 2026-07-18T12:00:00Z"), code: incomplete, text: "ISO-8601"},

		"Bearer":          {change: replaced("AWS4-HMAC-SHA256", "Bearer"), code: incomplete, text: "Unsupported AWS 'algorithm': 'Bearer'"},
		"Asymmetric":      {change: replaced("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), code: incomplete, text: "sign with AWS4-HMAC-SHA256"},
		"Authorizations":  {change: replaced(added, "\r\nAuthorization: AWS4-HMAC-SHA256 x"+added), code: incomplete, text: "2 times"},
		"NoCredential":    {change: replaced("Credential=", "Credentials="), code: incomplete, text: "requires 'Credential' parameter."},
		"NoSignedHeaders": {change: replaced("SignedHeaders=", "Signed="), code: incomplete, text: "requires 'SignedHeaders' parameter."},
		"NoSignature":     {change: replaced("Signature=", "Signature= "), code: invalid, text: mismatch},
		"EmptySignature": {change: func(s string) string {
			return s[:strings.Index(s, "Signature=")+10] + s[strings.Index(s, "Signature=")+74:]
		}, code: incomplete, text: "requires 'Signature' parameter."},
		"SignatureInCapitals": {change: func(s string) string {
			i := strings.Index(s, "Signature=") + 10
			return s[:i] + strings.ToUpper(s[i:i+64]) + s[i+64:]
		}, code: invalid, text: mismatch},
		"ParameterTwice":     {change: replaced("SignedHeaders=", "Signature=0, SignedHeaders="), code: incomplete, text: "'Signature' twice"},
		"ParameterMore":      {change: replaced("SignedHeaders=", "Expires=1, SignedHeaders="), code: incomplete, text: "besides Credential"},
		"NotAPair":           {change: replaced("SignedHeaders=", "x, SignedHeaders="), code: incomplete, text: "missing equal-sign"},
		"CredentialTooShort": {change: replaced("/aws4_request", ""), code: incomplete, text: "exactly 5 slash-delimited elements"},
		"CredentialTooLong":  {change: replaced(keyID, keyID+"/x"), code: incomplete, text: "exactly 5 slash-delimited elements"},
		"NoRegion":           {change: replaced("/eu-west-1/", "//"), code: incomplete, text: "region '' of the credential is none"},
		"RegionWithSigns":    {change: replaced("/eu-west-1/", "/eu*/"), code: incomplete, text: "region 'eu*'"},
		"HeaderUncovered":    {change: replaced("host;", ""), code: invalid, text: "'Host' must be a 'SignedHeader'"},
		"TargetUncovered":    {change: replaced(";x-amz-target", ""), code: invalid, text: "'X-Amz-Target' must be a 'SignedHeader'"},
		"HeaderCoveredTwice": {change: replaced("host;", "host;host;"), code: incomplete, text: "SignedHeaders must be"},
		"HeaderInCapitals":   {change: replaced("host;", "Host;"), code: incomplete, text: "SignedHeaders must be"},
		"HeadersInDisorder":  {change: replaced("content-type;host;", "host;content-type;"), code: invalid, text: mismatch},
	} {
		t.Run(name, func(t *testing.T) {
			sent := text(t, sign(t, tt.q))
			if tt.change != nil {
				sent = tt.change(sent)
			}
			_, err := verify(verifier(noon), sent)
			if codeOf(err) != tt.code || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got  %v\nwant %s: … %s", err, tt.code, tt.text)
			}
		})
	}
}

// A door without keys says what to do.
func TestUnknownInOwnWords(t *testing.T) {
	v := verifier(noon)
	v.Find = func(string) (sigv4.Key, bool) { return sigv4.Key{}, false }
	v.Unknown = "there are no keys"
	_, err := verify(v, text(t, sign(t, request{})))
	if codeOf(err) != "UnrecognizedClientException" || !strings.Contains(err.Error(), "there are no keys") {
		t.Error(err)
	}
}

// No way of printing a key tells its secret.
func TestSecretsDoNotPrint(t *testing.T) {
	key := sigv4.Key{ID: keyID, Secret: secret}
	asJSON, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(key), fmt.Sprintf("%+v", key), fmt.Sprintf("%#v", key), string(asJSON)} {
		if strings.Contains(text, "wJalr") || !strings.Contains(text, keyID) {
			t.Error(text)
		}
	}
}
