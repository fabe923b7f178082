package sigv4_test

import (
	"bufio"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/varvehq/varve/api/awsconfig/sigv4"
)

// FuzzAuthorization: whatever the header holds is read or refused by a code, and
// what is read is what a signature may say.
func FuzzAuthorization(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=host;x-amz-date, Signature=5d67")
	f.Add("AWS4-HMAC-SHA256 Signature=,SignedHeaders=;,Credential=////")
	f.Add("Bearer 0123456789abcdef")
	f.Fuzz(func(t *testing.T, header string) {
		r, err := http.NewRequest(http.MethodPost, "http://127.0.0.1/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", header)
		a, err := sigv4.ReadAuthorization(r)
		switch {
		case err != nil && codeOf(err) != "IncompleteSignatureException":
			t.Error(err)
		case err == nil && (!sigv4.IsRegion(a.Region) || len(a.SignedHeaders) == 0 || a.Signature == "" || strings.Contains(a.KeyID, "/")):
			t.Errorf("%q is read as %+v", header, a)
		}
	})
}

// FuzzVerify changes a signed request anywhere: replaces some bytes of what goes
// over the wire. What then still passes says the same.
func FuzzVerify(f *testing.F) {
	sent := text(f, sign(f, request{body: `{"ConfigRuleNames":["r"],"NextToken":"x"}`, token: "session", headers: map[string]string{"X-Amz-Meta": "a  b"}}))
	v := verifier(noon)
	meant, ok := meaning(sent)
	if _, err := verify(v, sent); err != nil || !ok {
		f.Fatal(err)
	}
	f.Add(uint(5), uint(0), "?a=b")
	f.Add(uint(5), uint(0), "A:")
	f.Add(uint(5), uint(1), "http://127.0.0.1:7421")
	f.Add(uint(len(sent)-3), uint(1), "y")
	f.Add(uint(len(sent)), uint(0), "{}")
	for _, at := range []string{"Host: ", "X-Amz-Date: ", "X-Amz-Target: ", "Content-Type: ", "Signature=", "SignedHeaders=", "Credential=", "X-Amz-Meta: "} {
		i := uint(strings.Index(sent, at))
		f.Add(i, uint(len(at)), "X: ")
		f.Add(i+uint(len(at)), uint(0), " ")
		f.Add(i+uint(len(at)), uint(4), "")
		f.Add(i, uint(0), "X-Amz-Meta: b\r\n")
	}
	f.Fuzz(func(t *testing.T, at, cut uint, with string) {
		at = min(at, uint(len(sent)))
		end := at + min(cut, uint(len(sent))-at)
		changed := sent[:at] + with + sent[end:]
		signer, err := verify(v, changed)
		if err != nil {
			return // refused, or not HTTP
		}
		if now, ok := meaning(changed); !ok || now != meant || signer.Key.ID != keyID || signer.Region != region {
			t.Errorf("passes:\n%s\nmeans\n%s\nwas signed as\n%s", changed, now, meant)
		}
	})
}

// meaning is all of a request that says something to a server: where it goes, what
// for and when, with blanks in headers as AWS counts them.
func meaning(text string) (string, bool) {
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
	if err != nil {
		return "", false
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return "", false
	}
	lines := []string{r.Method, r.URL.EscapedPath(), r.URL.Query().Encode(), r.Host, string(body)}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if strings.HasPrefix(name, "X-Amz-") || name == "Content-Type" {
			lines = append(lines, name+": "+strings.Join(strings.Fields(strings.Join(r.Header[name], ",")), " "))
		}
	}
	return strings.Join(lines, "\n"), true
}
