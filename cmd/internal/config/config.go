// Package config is the file that `varve serve --config` reads: one struct a
// section, each of which checks itself. Example documents every key with its
// default; a key that is not in it is refused.
package config

import (
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history/plan"
	"github.com/varvehq/varve/recorder/canonical"
)

// Example is a whole configuration file: every key, explained, with its default.
//
//go:embed varve.yaml
var Example string

// Config is all that may be configured. [Default] gives the defaults.
type Config struct {
	Data     string   `yaml:"data" path:""`
	Listen   Listen   `yaml:"listen"`
	Auth     Auth     `yaml:"auth"`
	AWS      AWS      `yaml:"aws"`
	TLS      TLS      `yaml:"tls"`
	Log      Log      `yaml:"log"`
	Traces   Traces   `yaml:"traces"`
	Debug    Debug    `yaml:"debug"`
	Store    Store    `yaml:"store"`
	Graph    Graph    `yaml:"graph"`
	Delivery Delivery `yaml:"delivery"`
	Buckets  Buckets  `yaml:"buckets"`
	Limits   Limits   `yaml:"limits"`
}

// Listen says where the daemon answers, and by which names.
type Listen struct {
	GRPC  string   `yaml:"grpc"`
	HTTP  string   `yaml:"http"`
	Hosts []string `yaml:"hosts"`
}

// In what follows, path marks the names of files.

// Auth says who may ask.
type Auth struct {
	TokenFile string `yaml:"token_file" path:""`
}

// TLS is the certificate of both doors.
type TLS struct {
	Cert string `yaml:"cert" path:""`
	Key  string `yaml:"key" path:""`
}

// Log says what is logged, and how.
type Log struct {
	Level  Level    `yaml:"level"`
	Format string   `yaml:"format"`
	Slow   Duration `yaml:"slow"`
}

// Traces says where spans are sent.
type Traces struct {
	Endpoint string  `yaml:"endpoint"`
	CA       string  `yaml:"ca" path:""`
	Sample   float64 `yaml:"sample"`
}

// Debug opens what looks into the daemon.
type Debug struct {
	Pprof bool `yaml:"pprof"`
}

// Store tunes the embedded store.
type Store struct {
	MergeRecords int      `yaml:"merge_records"`
	MergeBytes   Size     `yaml:"merge_bytes"`
	MergeIdle    Duration `yaml:"merge_idle"`
}

// Graph tunes answers about relationships.
type Graph struct {
	Cache Size `yaml:"cache"`
}

// Limits bound what is accepted.
type Limits struct {
	Document Size     `yaml:"document"`
	Depth    int      `yaml:"depth"`
	Future   Duration `yaml:"future"`
}

// Delivery is how changes are sent to subscriptions.
type Delivery struct {
	BaseURL string `yaml:"base_url"`
	Files   string `yaml:"files" path:""`
}

// Where a daemon listens unless it is told otherwise.
const (
	GRPCAddr = "127.0.0.1:7420"
	HTTPAddr = "127.0.0.1:7421"
)

// Default is what holds where neither a file nor a flag says otherwise.
func Default() Config {
	return Config{
		Listen: Listen{GRPC: GRPCAddr, HTTP: HTTPAddr},
		AWS:    AWS{Auth: SigV4, Account: "123456789012"},
		Log:    Log{Level: Level(slog.LevelInfo), Format: "text", Slow: Duration(time.Second)},
		Traces: Traces{Sample: 1},
		Store:  Store{MergeRecords: 32 << 10, MergeBytes: 64 << 20, MergeIdle: Duration(time.Second)},
		Graph:  Graph{Cache: graph.DefaultCacheBytes},
		Limits: Limits{Document: canonical.DefaultMaxBytes, Depth: canonical.DefaultMaxDepth, Future: Duration(plan.DefaultFutureSlack)},
	}
}

// Error is what is wrong with one key.
type Error struct {
	Key  string // with its section: tls.cert
	Text string
}

func (e *Error) Error() string { return e.Key + ": " + e.Text }

func errorf(key, text string, args ...any) error {
	return &Error{key, fmt.Sprintf(text, args...)}
}

// Check reports the first key that cannot be followed, as an [*Error].
func (c *Config) Check() error {
	if c.Data == "" {
		return errorf("data", "is needed: the folder of the store")
	}
	return firstOf(
		c.TLS.check(),
		c.AWS.check(c.Listen, c.Auth),
		c.Listen.check(c.Auth, c.TLS),
		c.Log.check(), c.Traces.check(), c.Store.check(), c.Graph.check(), c.Delivery.check(), c.Buckets.check(), c.Limits.check())
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (t TLS) check() error {
	switch {
	case t.Cert == "" && t.Key != "":
		return errorf("tls.cert", "is missing; a key goes with its certificate")
	case t.Cert != "" && t.Key == "":
		return errorf("tls.key", "is missing; a certificate goes with its key")
	}
	return nil
}

func (l Listen) check(a Auth, t TLS) error {
	for _, door := range []struct{ key, addr string }{{"listen.grpc", l.GRPC}, {"listen.http", l.HTTP}} {
		if err := CheckAddr(door.addr, a.TokenFile != "", t.Cert != ""); err != nil {
			return errorf(door.key, "%q %v", door.addr, err)
		}
	}
	for i, host := range l.Hosts {
		if host == "" || strings.ContainsAny(host, "/ *@?#") {
			return errorf(fmt.Sprintf("listen.hosts[%d]", i), "%q is not a name or a name with a port, as a browser's address begins after https://", host)
		}
	}
	return nil
}

// CheckAddr tells why a daemon with or without tokens and TLS must not listen at
// an address: what others can reach needs both.
func CheckAddr(addr string, tokens, tls bool) error {
	host, port, err := splitAddr(addr)
	if err != nil || isLoopback(host) {
		return err
	}
	return BeyondLoopback(tokens, tls, port)
}

func splitAddr(addr string) (host, port string, err error) {
	if host, port, err = net.SplitHostPort(addr); err != nil {
		return "", "", errors.New("is not of the form HOST:PORT")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", "", errors.New("has no port from 0 to 65535")
	}
	return host, port, nil
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// BeyondLoopback tells what is missing before a daemon may be reached from
// elsewhere; nil when nothing is.
func BeyondLoopback(tokens, tls bool, port string) error {
	missing := "--auth-token-file, --tls-cert and --tls-key"
	switch {
	case tokens && tls:
		return nil
	case tokens:
		missing = "--tls-cert and --tls-key as well"
	case tls:
		missing = "--auth-token-file as well"
	}
	return fmt.Errorf("is not a loopback address: others may reach the daemon only with tokens and TLS together; give %s, or use 127.0.0.1:%s", missing, port)
}

func (l Log) check() error {
	if l.Format != "text" && l.Format != "json" {
		return errorf("log.format", "%q is not a format; choose text or json", l.Format)
	}
	if l.Slow < 0 {
		return errorf("log.slow", "%s is negative; 0 calls nothing slow", l.Slow)
	}
	return nil
}

func (t Traces) check() error {
	if t.Sample < 0 || t.Sample > 1 || t.Sample != t.Sample {
		return errorf("traces.sample", "%v is not a share from 0 to 1", t.Sample)
	}
	if t.Endpoint == "" {
		return nil
	}
	u, err := url.Parse(t.Endpoint)
	if err != nil || u.Hostname() == "" || u.User != nil {
		return errorf("traces.endpoint", "%q is not a URL such as grpc://127.0.0.1:4317 or http://127.0.0.1:4318", t.Endpoint)
	}
	switch u.Scheme {
	case "http", "https":
	case "grpc", "grpcs":
		if u.Port() == "" || u.Path != "" {
			return errorf("traces.endpoint", "%q: gRPC takes HOST:PORT and no path", t.Endpoint)
		}
	default:
		return errorf("traces.endpoint", "%q has the scheme %q; choose grpc, grpcs, http or https", t.Endpoint, u.Scheme)
	}
	return nil
}

func (s Store) check() error {
	return firstOf(
		within("store.merge_records", s.MergeRecords, 1<<10, 16<<20),
		within("store.merge_bytes", s.MergeBytes, 1<<20, 4<<30),
		within("store.merge_idle", s.MergeIdle, Duration(10*time.Millisecond), Duration(time.Hour)))
}

func (g Graph) check() error { return within("graph.cache", g.Cache, 1<<20, 16<<30) }

func (d Delivery) check() error {
	if d.BaseURL == "" {
		return nil
	}
	u, err := url.Parse(d.BaseURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(d.BaseURL, "/") {
		return errorf("delivery.base_url", "%q is not a URL such as https://varve.example, without a slash at its end", d.BaseURL)
	}
	return nil
}

func (l Limits) check() error {
	return firstOf(
		within("limits.document", l.Document, 1<<10, 24<<20),
		within("limits.depth", l.Depth, 8, 4096),
		within("limits.future", l.Future, Duration(time.Second), Duration(24*time.Hour)))
}

func within[T int | Size | Duration](key string, v, low, high T) error {
	if v < low || v > high {
		return errorf(key, "%v is out of range: from %v to %v", v, low, high)
	}
	return nil
}
