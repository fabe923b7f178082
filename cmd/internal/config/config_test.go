package config_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/varvehq/varve/cmd/internal/config"
)

func load(t *testing.T, text string) (*config.File, error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "varve.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Load(name)
}

// TestExample: the documented file parses, holds the defaults, and explains
// every key there is.
func TestExample(t *testing.T) {
	f, err := load(t, config.Example)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Listen.Hosts = f.Listen.Hosts // empty or none
	if diff := cmp.Diff(want, f.Config); diff != "" || len(f.Listen.Hosts) != 0 {
		t.Errorf("the example does not hold the defaults (-default +example):\n%s", diff)
	}
	f.Data = "somewhere"
	if err := f.Check(); err != nil {
		t.Error(err)
	}

	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(config.Example), &doc); err != nil {
		t.Fatal(err)
	}
	documented(t, "", doc.Content[0], reflect.TypeFor[config.Config]())
}

func documented(t *testing.T, path string, n *yaml.Node, section reflect.Type) {
	t.Helper()
	comments, values := map[string]string{}, map[string]*yaml.Node{}
	for i := 0; i < len(n.Content); i += 2 {
		comments[n.Content[i].Value] = n.Content[i].HeadComment
		values[n.Content[i].Value] = n.Content[i+1]
	}
	for field := range section.Fields() {
		key := field.Tag.Get("yaml")
		switch {
		case key == "":
			t.Errorf("%s%s has no key", path, field.Name)
		case values[key] == nil:
			t.Errorf("%s%s is not in the example", path, key)
		case len(comments[key]) < 10:
			t.Errorf("%s%s is not explained", path, key)
		case field.Type.Kind() == reflect.Struct:
			documented(t, path+key+".", values[key], field.Type)
		}
	}
}

func TestLoad(t *testing.T) {
	f, err := load(t, `
data: store            # beside the file
listen: {http: "localhost:0", hosts: [varve.example, "b:443"]}
auth: {token_file: /etc/tokens}
log: {level: debug, format: json, slow: 250ms}
traces:
store: {merge_bytes: 8MiB, merge_records: 2048}
limits: {document: 4096}
`)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Data = filepath.Join(filepath.Dir(strings.SplitN(f.Where("data"), ":", 2)[0]), "store")
	want.Listen.HTTP, want.Listen.Hosts = "localhost:0", []string{"varve.example", "b:443"}
	want.Auth.TokenFile = "/etc/tokens"
	want.Log = config.Log{Level: -4, Format: "json", Slow: config.Duration(250 * time.Millisecond)}
	want.Store.MergeBytes, want.Store.MergeRecords = 8<<20, 2048
	want.Limits.Document = 4096
	if diff := cmp.Diff(want, f.Config); diff != "" {
		t.Error(diff)
	}
	if err := f.Check(); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"", "# nothing\n", "---\n", "~\n", "{}\n", "tls:\ndata: ~\n"} {
		if empty, err := load(t, text); err != nil || !cmp.Equal(empty.Config, config.Default()) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestRefusals: file, line, key, and what would be right.
func TestRefusals(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"UnknownKey":         {"log:\n  levels: info\n", "varve.yaml:2: log.levels: is not a key; did you mean log.level?"},
		"UnknownSection":     {"limit: {}\n", "varve.yaml:1: limit: is not a key; did you mean limits?"},
		"KeyOfAnother":       {"data: x\ntoken_file: t\n", "varve.yaml:2: token_file: is not a key; did you mean auth.token_file?"},
		"KeyThatIsNone":      {"? [a]\n: b\n", "varve.yaml:1: is not a key; `varve help config` lists them"},
		"Merge":              {"<<: {data: x}\n", "varve.yaml:1: <<: is not a key"},
		"Scalar":             {"data\n", "varve.yaml:1: a section"},
		"KeyLikeNone":        {"zookeeper: 1\n", "varve.yaml:1: zookeeper: is not a key; `varve help config` lists them"},
		"Twice":              {"tls:\n  cert: a\n  key: b\n  cert: c\n", "varve.yaml:4: tls.cert: stands on line 2 already"},
		"SectionTwice":       {"tls: {}\ndata: a\ntls: {}\n", "varve.yaml:3: tls: stands on line 1 already"},
		"NoSection":          {"tls: on\n", "varve.yaml:1: tls: a section with keys of its own is expected"},
		"NotAValue":          {"tls: {cert: [a]}\n", "varve.yaml:1: tls.cert: a plain value is expected"},
		"NotAList":           {"listen: {hosts: a}\n", "varve.yaml:1: listen.hosts: a list is expected"},
		"NotABool":           {"debug: {pprof: yes}\n", `varve.yaml:1: debug.pprof: "yes": true or false is expected`},
		"NotANumber":         {"store:\n  merge_records: many\n", `varve.yaml:2: store.merge_records: "many": a whole number is expected`},
		"NotADuration":       {"log: {slow: 5}\n", `varve.yaml:1: log.slow: "5": a duration with its unit is expected`},
		"NotASize":           {"limits: {document: 1.5MiB}\n", `varve.yaml:1: limits.document: "1.5MiB": a size is expected`},
		"NotALevel":          {"log: {level: loud}\n", `varve.yaml:1: log.level: "loud": a level is expected: debug, info, warn or error`},
		"Alias":              {"tls: &a {cert: x}\nauth: *a\n", "varve.yaml:2: auth: a section"},
		"TwoDocuments":       {"data: a\n---\ndata: b\n", "varve.yaml: a second document"},
		"NoYAMLFromTheStart": {"\tdata: a\n", "varve.yaml: found character"},
		"NoYAML":             {"data: a\n\tlog: b\n", "varve.yaml:2: "},
		"NoFile":             {"", "no such file or directory"},
		"ATopLevelThatLists": {"- a\n", "varve.yaml:1: a section"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, tt.text)
			if name == "NoFile" {
				_, err = config.Load(filepath.Join(t.TempDir(), "none.yaml"))
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

// TestCheck: each section names the key, and the file its line.
func TestCheck(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "data: is needed",
		"data: a\ntls: {cert: c}":          "tls.key: is missing",
		"data: a\ntls: {key: c}":           "tls.cert: is missing",
		"data: a\nlisten: {grpc: ':7420'}": "listen.grpc: \":7420\" is not a loopback address: others may reach the daemon only with tokens and TLS together; give --auth-token-file, --tls-cert and --tls-key, or use 127.0.0.1:7420",
		"data: a\nlisten: {http: 'h:1'}\nauth: {token_file: t}":                                           "give --tls-cert and --tls-key as well",
		"data: a\nlisten: {http: 'h:1'}\ntls: {cert: c, key: k}":                                          "give --auth-token-file as well",
		"data: a\nlisten: {http: 7421}":                                                                   "listen.http: \"7421\" is not of the form HOST:PORT",
		"data: a\nlisten: {http: '127.0.0.1:x'}":                                                          "has no port from 0 to 65535",
		"data: a\naws: {auth: basic}":                                                                     "aws.auth: \"basic\" is not a way to know callers; choose sigv4 or none",
		"data: a\naws: {account: 12345678901}":                                                            "aws.account: \"12345678901\" is not an account: that has 12 digits",
		"data: a\naws: {auth: none}\nauth: {token_file: t}":                                               "aws.auth: none would let everybody in without a token",
		"data: a\naws: {auth: none}\nauth: {token_file: t}\ntls: {cert: c, key: k}\nlisten: {http: ':1'}": "aws.auth: none is for trials on this machine",
		"data: a\naws: {auth: none, account: 000000000012}":                                               "",
		"data: a\nbuckets: {folder: b, region: eu-west-1}":                                                "buckets.folder: stands beside",
		"data: a\nbuckets: {endpoint: http://s3.example}":                                                 "buckets.region: is missing",
		"data: a\nbuckets: {region: eu-west-1}":                                                           "buckets.key_file: is missing",
		"data: a\nbuckets: {region: eu-west-1, key_file: k, endpoint: s3.example}":                        "buckets.endpoint: \"s3.example\" is not a URL such as https://storage.example",
		"data: a\ndelivery: {base_url: varve.example}":                                                    "delivery.base_url: \"varve.example\" is not a URL such as https://varve.example",
		"data: a\nlisten: {hosts: [a, 'https://b']}":                                                      "listen.hosts[1]: \"https://b\" is not a name",
		"data: a\nlog: {format: xml}":                                                                     "log.format: \"xml\" is not a format; choose text or json",
		"data: a\nlog: {slow: -1s}":                                                                       "log.slow: -1s is negative",
		"data: a\ntraces: {sample: 2}":                                                                    "traces.sample: 2 is not a share",
		"data: a\ntraces: {sample: NaN}":                                                                  "traces.sample: NaN is not a share",
		"data: a\ntraces: {endpoint: '127.0.0.1:4317'}":                                                   "traces.endpoint: ",
		"data: a\ntraces: {endpoint: 'udp://127.0.0.1:4317'}":                                             "choose grpc, grpcs, http or https",
		"data: a\ntraces: {endpoint: 'grpc://127.0.0.1'}":                                                 "gRPC takes HOST:PORT",
		"data: a\nstore: {merge_bytes: 5GiB}":                                                             "store.merge_bytes: 5GiB is out of range: from 1MiB to 4GiB",
		"data: a\nlimits: {depth: 0}":                                                                     "limits.depth: 0 is out of range",
		"data: a\nlimits: {future: 48h}":                                                                  "limits.future: 48h0m0s is out of range",
		"data: a\nlisten: {grpc: '[::1]:0', http: 'localhost:7421'}":                                      "",
		"data: a\nlisten: {grpc: ':1'}\nauth: {token_file: t}\ntls: {cert: c, key: k}":                    "",
		"data: a\ntraces: {endpoint: 'http://otel:4318/x'}":                                               "",
	} {
		f, err := load(t, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		switch err := f.Check(); {
		case want == "" && err == nil:
		case err == nil || want == "" || !strings.Contains(err.Error(), want):
			t.Errorf("%s\ngot  %v\nwant %s", text, err, want)
		}
	}

	f, err := load(t, "data: a\ntls:\n  key: k\nlisten:\n  hosts:\n  - a b\n")
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"tls.key": ":3: tls.key", "listen.hosts[0]": ":5: listen.hosts[0]", "tls.cert": "varve.yaml: tls.cert"} {
		if got := f.Where(key); !strings.HasSuffix(got, want) {
			t.Errorf("%s stands at %s", key, got)
		}
	}
}
