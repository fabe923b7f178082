package awsconfig_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/smithy-go"

	"github.com/varvehq/varve/api/awsconfig"
	"github.com/varvehq/varve/api/awsconfig/sigv4"
	"github.com/varvehq/varve/history/memory"
	"github.com/varvehq/varve/recorder/settings"
)

// Who is refused is told why by AWS's code, through AWS's client.
func TestWhoIsAsking(t *testing.T) {
	w := open(t)
	codeOf := func(id, secret, token string, at *clock) string {
		client := configservice.New(configservice.Options{
			Region: region, BaseEndpoint: aws.String(w.url), RetryMaxAttempts: 1,
			Credentials:  credentials.NewStaticCredentialsProvider(id, secret, token),
			HTTPSignerV4: signer{v4.NewSigner(), at},
		})
		_, err := client.DescribeRemediationConfigurations(t.Context(), &configservice.DescribeRemediationConfigurationsInput{ConfigRuleNames: []string{"r"}})
		var refused smithy.APIError
		if !errors.As(err, &refused) {
			t.Fatal(err)
		}
		return refused.ErrorCode()
	}
	later := &clock{}
	later.at.Store(w.clock.Now().Add(sigv4.Window + time.Second).UnixMicro())
	const understood = "UnknownOperationException" // the operation is none of those that are offered
	for name, tt := range map[string]struct{ got, want string }{
		"OK":           {codeOf(account, secret, "", w.clock), understood},
		"SessionToken": {codeOf(account, secret, "a-token", w.clock), understood},
		"UnknownKey":   {codeOf("AKIANOBODY", secret, "", w.clock), "UnrecognizedClientException"},
		"OtherSecret":  {codeOf(account, "another-secret", "", w.clock), "InvalidSignatureException"},
		"NotYet":       {codeOf(account, secret, "", later), "InvalidSignatureException"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", name, tt.got, tt.want)
		}
	}
	resp, err := ownClient.Post(w.url, "application/x-amz-json-1.1", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest || resp.Header.Get("X-Amzn-Errortype") != "MissingAuthenticationTokenException" {
		t.Errorf("unsigned: %d %v", resp.StatusCode, resp.Header)
	}
}

// bare is a door with nothing behind it but a store, which believes everybody.
func bare(t *testing.T, change func(*awsconfig.Options)) *httptest.Server {
	t.Helper()
	store := memory.New(memory.Options{})
	o := awsconfig.Options{Store: store, Settings: settings.New(store, time.Now), Authenticate: awsconfig.Anyone(account)}
	change(&o)
	server := httptest.NewServer(awsconfig.New(o))
	t.Cleanup(func() {
		server.Close()
		_ = store.Close()
	})
	return server
}

// Strangers are sent away before anything of what they send is read.
func TestStrangersSendNothing(t *testing.T) {
	server := bare(t, func(o *awsconfig.Options) {
		o.Authenticate = awsconfig.Signed(&sigv4.Verifier{Service: "config", Find: keys, Now: time.Now})
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	// The body that is promised never comes.
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\nX-Amz-Target: StarlingDoveService.PutConfigRule\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 1000)
	n, err := conn.Read(head)
	if got := string(head[:n]); err != nil || !strings.HasPrefix(got, "HTTP/1.1 400") || !strings.Contains(got, "MissingAuthenticationTokenException") {
		t.Errorf("%s %v", got, err)
	}
}

// Without signatures all are of one account; the region is what their signature
// says, whatever it is worth.
func TestAnyone(t *testing.T) {
	prove := func(authorization string) (awsconfig.Caller, error) {
		r := httptest.NewRequest(http.MethodPost, "/", http.NoBody)
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		prove, err := awsconfig.Anyone(account)(r)
		if err != nil {
			return awsconfig.Caller{}, err
		}
		return prove(nil)
	}
	got, err := prove("AWS4-HMAC-SHA256 Credential=test/20260718/eu-west-1/config/aws4_request, SignedHeaders=host, Signature=x")
	if want := (awsconfig.Caller{Account: account, Region: "eu-west-1", AccessKey: "test"}); err != nil || got != want {
		t.Errorf("%+v %v", got, err)
	}
	got, err = prove("")
	if want := (awsconfig.Caller{Account: account, Region: "us-east-1"}); err != nil || got != want {
		t.Errorf("%+v %v", got, err)
	}
	var refused *sigv4.Error
	if _, err = prove("AWS4-HMAC-SHA256 Credential=test"); !errors.As(err, &refused) || refused.Code != "IncompleteSignatureException" {
		t.Error(err)
	}
}
