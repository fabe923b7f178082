package sigv4_test

import (
	"strings"
	"testing"
	"time"

	"github.com/varvehq/varve/api/awsconfig/sigv4"
)

// TestKnownSignatures: signatures that AWS has published, in its test suite for
// Signature Version 4 and in the example of its documentation.
func TestKnownSignatures(t *testing.T) {
	const scope = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/"
	for name, tt := range map[string]struct {
		service, request, signed, signature string
	}{
		"get-vanilla": {"service", "GET / HTTP/1.1\nHost: example.amazonaws.com\n", "host;x-amz-date",
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		"post-vanilla": {"service", "POST / HTTP/1.1\nHost: example.amazonaws.com\n", "host;x-amz-date",
			"5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		"get-vanilla-query-order-key-case": {"service", "GET /?Param2=value2&Param1=value1 HTTP/1.1\nHost: example.amazonaws.com\n", "host;x-amz-date",
			"b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		"get-header-key-duplicate": {"service", "GET / HTTP/1.1\nHost: example.amazonaws.com\nMy-Header1: value2\nMy-Header1: value2\nMy-Header1: value1\n", "host;my-header1;x-amz-date",
			"c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
		"get-header-value-trim": {"service", "GET / HTTP/1.1\nHost: example.amazonaws.com\nMy-Header1:  value1\nMy-Header2: \"a   b   c\"\n", "host;my-header1;my-header2;x-amz-date",
			"acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
		"post-header-key-sort": {"service", "POST / HTTP/1.1\nHost: example.amazonaws.com\nMy-Header1: value1\n", "host;my-header1;x-amz-date",
			"c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
		"post-x-www-form-urlencoded": {"service", "POST / HTTP/1.1\nHost: example.amazonaws.com\nContent-Length: 13\nContent-Type: application/x-www-form-urlencoded\n\nParam1=value1", "content-type;host;x-amz-date",
			"ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
		"iam-list-users": {"iam", "GET /?Action=ListUsers&Version=2010-05-08 HTTP/1.1\nHost: iam.amazonaws.com\nContent-Type: application/x-www-form-urlencoded; charset=utf-8\n", "content-type;host;x-amz-date",
			"5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"},
	} {
		t.Run(name, func(t *testing.T) {
			head, body, _ := strings.Cut(tt.request, "\n\n")
			authorization := scope + tt.service + "/aws4_request, SignedHeaders=" + tt.signed + ", Signature=" + tt.signature
			sent := strings.ReplaceAll(strings.TrimSuffix(head, "\n")+"\nX-Amz-Date: 20150830T123600Z\nAuthorization: "+authorization+"\n\n", "\n", "\r\n") + body
			secret := sigv4.Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
			v := &sigv4.Verifier{
				Service: tt.service,
				Now:     func() time.Time { return time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC) },
				Find:    func(id string) (sigv4.Key, bool) { return sigv4.Key{ID: id, Secret: secret}, id == "AKIDEXAMPLE" },
			}
			signer, err := verify(v, sent)
			if err != nil || signer.Region != "us-east-1" {
				t.Fatal(err)
			}
			secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEX"
			if _, err := verify(v, sent); codeOf(err) != "InvalidSignatureException" {
				t.Errorf("with another secret: %v", err)
			}
		})
	}
}

// TestKnownSignatureOfDate: the first test suite dated its requests in the header
// Date, as HTTP does. (That day was a Friday; what is signed is what was sent.)
func TestKnownSignatureOfDate(t *testing.T) {
	v := &sigv4.Verifier{
		Service: "host",
		Now:     func() time.Time { return time.Date(2011, 9, 9, 23, 40, 0, 0, time.UTC) },
		Find: func(id string) (sigv4.Key, bool) {
			return sigv4.Key{ID: id, Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}, true
		},
	}
	_, err := verify(v, "GET / HTTP/1.1\r\nDate: Mon, 09 Sep 2011 23:36:00 GMT\r\nHost: host.foo.com\r\n"+
		"Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20110909/us-east-1/host/aws4_request, SignedHeaders=date;host, "+
		"Signature=b27ccfbfa7df52a200ff74193ca6e32d4b48b8856fab7ebf1c595d0670a7e470\r\n\r\n")
	if err != nil {
		t.Error(err)
	}
}
