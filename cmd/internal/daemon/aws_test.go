package daemon_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/smithy-go"

	"github.com/varvehq/varve/cmd/internal/daemon"
	"github.com/varvehq/varve/history"
)

const (
	oldKey, newKey = "AKIAOLD", "AKIANEW"
	keySecret      = "a-secret-for-both-of-the-keys"
)

func keyFile(t testing.TB, lines ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(name, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// understood is the answer to an operation that is not offered, from a caller who
// was let in.
const understood = "UnknownOperationException"

// asAWS asks as AWS's tools do, and returns the error's code and its message.
func asAWS(t *testing.T, url string, client *http.Client, key, region string) (code, message string) {
	t.Helper()
	o := configservice.Options{
		Region: region, BaseEndpoint: aws.String(url), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(key, keySecret, ""),
	}
	if client != nil {
		o.HTTPClient = client
	}
	_, err := configservice.New(o).DescribeRemediationConfigurations(t.Context(),
		&configservice.DescribeRemediationConfigurationsInput{ConfigRuleNames: []string{"r"}})
	var refused smithy.APIError
	if !errors.As(err, &refused) {
		t.Fatal(err)
	}
	return refused.ErrorCode(), refused.ErrorMessage()
}

// Keys are for AWS's tools what tokens are for others: neither lets anybody in at
// the other's door. They can be renewed while the daemon runs.
func TestKeysOfAWS(t *testing.T) {
	log := &safeLog{}
	file := keyFile(t, oldKey+" "+keySecret+" 123456789012 eu-west-1")
	d, _ := start(t, daemon.Options{
		Dir: t.TempDir(), TokenFile: tokenFile(t, oldToken), AWS: daemon.AWS{KeysFile: file},
		Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	url := "http://" + d.HTTPAddr()
	for name, tt := range map[string]struct{ key, region, code string }{
		"OK":      {oldKey, "eu-west-1", understood},
		"Region":  {oldKey, "eu-west-2", "AccessDeniedException"},
		"Unknown": {newKey, "eu-west-1", "UnrecognizedClientException"},
	} {
		if code, message := asAWS(t, url, nil, tt.key, tt.region); code != tt.code {
			t.Errorf("%s: %s %s", name, code, message)
		}
	}
	bearing, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	bearing.Header.Set("Authorization", "Bearer "+oldToken)
	resp, err := http.DefaultClient.Do(bearing)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if got := resp.Header.Get("X-Amzn-Errortype"); got != "IncompleteSignatureException" {
		t.Errorf("a token lets in: %s", got)
	}
	if got := ask(t, http.DefaultClient, url+"/v1/status", map[string]string{"Authorization": "AWS4-HMAC-SHA256 Credential=" + oldKey}); got.code != http.StatusUnauthorized {
		t.Errorf("a key lets in: %d", got.code)
	}

	if err := os.WriteFile(file, []byte(newKey+" "+keySecret+" 123456789012"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Reload(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := d.Reload(); err == nil || !strings.Contains(err.Error(), "the file of access keys") || !strings.Contains(err.Error(), "chmod 600") {
		t.Error(err)
	}
	if code, message := asAWS(t, url, nil, newKey, "us-east-1"); code != understood {
		t.Errorf("the new key: %s %s", code, message)
	}
	if code, _ := asAWS(t, url, nil, oldKey, "eu-west-1"); code != "UnrecognizedClientException" {
		t.Errorf("the old key: %s", code)
	}

	if got := log.String(); strings.Contains(got, keySecret) || strings.Contains(got, "Signature=") ||
		!strings.Contains(got, `door=AWS addr=`+d.HTTPAddr()+` asks="everybody for a signature"`) ||
		!strings.Contains(got, `msg="call refused" door=AWS method=DescribeRemediationConfigurations`) || !strings.Contains(got, "access_key="+newKey) {
		t.Error(got)
	}
	metrics := ask(t, http.DefaultClient, url+"/metrics", map[string]string{"Authorization": "Bearer " + oldToken}).body
	for _, want := range []string{
		`varve_aws_request_duration_seconds_count{code="UnrecognizedClientException",operation="DescribeRemediationConfigurations"} 2`,
		`varve_aws_request_duration_seconds_count{code="IncompleteSignatureException",operation="unknown"} 1`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
}

// A signature covers the name and the port by which we are reached, over TLS and
// HTTP/2 as well.
func TestAWSOverTLS(t *testing.T) {
	d, ca := secured(t, daemon.Options{AWS: daemon.AWS{KeysFile: keyFile(t, oldKey+" "+keySecret+" 123456789012")}}, "127.0.0.1:0")
	for _, http2 := range []bool{false, true} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.Pool}, ForceAttemptHTTP2: http2}
		defer transport.CloseIdleConnections()
		url := "https://localhost" + d.HTTPAddr()[strings.LastIndexByte(d.HTTPAddr(), ':'):]
		if code, message := asAWS(t, url, &http.Client{Transport: transport}, oldKey, "eu-west-1"); code != understood {
			t.Errorf("HTTP/2 %v: %s %s", http2, code, message)
		}
	}
}

// Without keys nobody gets in, and is told what is missing.
func TestNoKeysOfAWS(t *testing.T) {
	log := &safeLog{}
	d, _ := start(t, daemon.Options{Dir: t.TempDir(), Logger: slog.New(slog.NewTextHandler(log, nil))})
	code, message := asAWS(t, "http://"+d.HTTPAddr(), nil, oldKey, "eu-west-1")
	if code != "UnrecognizedClientException" || !strings.Contains(message, "--aws-keys-file") || !strings.Contains(message, "--aws-auth=none") {
		t.Errorf("%s %s", code, message)
	}
	if !strings.Contains(log.String(), "no access keys are configured") {
		t.Error(log)
	}
}

// For a trial everybody is let in, but for pages from elsewhere.
func TestAnyoneAsAWS(t *testing.T) {
	d, _ := start(t, daemon.Options{Dir: t.TempDir(), AWS: daemon.AWS{Anyone: true}})
	url := "http://" + d.HTTPAddr()
	if code, message := asAWS(t, url, nil, "whatever", "eu-west-1"); code != understood {
		t.Errorf("%s %s", code, message)
	}
	for name, header := range map[string][2]string{"Host": {"Host", "evil.example"}, "Origin": {"Origin", "https://evil.example"}} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(header[0], header[1])
		if header[0] == "Host" {
			r.Host = header[1]
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusForbidden || !strings.HasPrefix(string(text), `{"__type":"AccessDeniedException","message":"`) {
			t.Errorf("%s: %d %s %v", name, resp.StatusCode, text, err)
		}
	}
}

// Not everybody may come in where others have to show a token, or from elsewhere.
func TestAnyoneAsAWSIsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		o    daemon.Options
		want string
	}{
		"Tokens":         {daemon.Options{TokenFile: tokenFile(t, oldToken)}, "without a token"},
		"BeyondLoopback": {daemon.Options{HTTPAddr: "0.0.0.0:0"}, "not a loopback address"},
	} {
		tt.o.Dir, tt.o.AWS.Anyone, tt.o.GRPCAddr = t.TempDir(), true, "127.0.0.1:0"
		if tt.o.HTTPAddr == "" {
			tt.o.HTTPAddr = "127.0.0.1:0"
		}
		d := daemon.New(tt.o)
		if err := d.Start(t.Context()); !errors.Is(err, history.Invalid) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
			_ = d.Stop(context.Background())
		}
	}
}

// A file that cannot be used is told at the start.
func TestKeysOfAWSAreRefused(t *testing.T) {
	err := daemon.New(daemon.Options{Dir: t.TempDir(), AWS: daemon.AWS{KeysFile: keyFile(t, "AKIAOLD "+keySecret)}}).Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "the file of access keys") || !strings.Contains(err.Error(), "line 1: 2 words") {
		t.Error(err)
	}
}
