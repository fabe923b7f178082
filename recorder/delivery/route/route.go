// Package route knows which formats and targets there are: it checks what a
// subscription says of them, and makes them.
package route

import (
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/file"
	"github.com/varvehq/varve/recorder/delivery/filter"
	"github.com/varvehq/varve/recorder/delivery/format"
	"github.com/varvehq/varve/recorder/delivery/webhook"
)

// Options of what is made; the zero value works.
type Options struct {
	Format    format.Options
	UserAgent string           // of webhooks
	Logger    *slog.Logger     // told when old files cannot be packed or removed; nil: nobody is
	Now       func() time.Time // nil: time.Now
}

// kind is what is usual and possible for the targets of a scheme.
type kind struct {
	files   bool
	formats []string // that go there, the usual one first
	check   func(url string) error
}

var (
	overHTTP = kind{formats: format.Names(), check: webhook.CheckURL}
	inFiles  = kind{files: true, formats: []string{"ndjson", "cloudevents", "cloudevents-batch", "aws-config"}, check: file.CheckURL}
)

func kindOf(target string) (kind, error) {
	scheme, _, _ := strings.Cut(target, ":")
	switch strings.ToLower(scheme) {
	case "http", "https":
		return overHTTP, nil
	case "file":
		return inFiles, nil
	}
	if target == "" {
		return kind{}, invalid("target", "", "is required: https://host/path, http://host/path or file:///path")
	}
	return kind{}, invalid("target", fmt.Sprintf("%.64q", target), "is no target; write https://host/path, http://host/path or file:///path")
}

// Check fills in the format, where a subscription has none, and refuses what
// cannot be sent: history.Invalid with field, value and remedy. It looks at the
// disk, but asks nobody.
func Check(s *delivery.Subscription) error {
	k, err := kindOf(s.Target)
	if err != nil {
		return err
	}
	to, err := targetURL(s)
	if err != nil {
		return err
	}
	if err := k.check(to); err != nil {
		return err
	}
	if s.Format == "" {
		s.Format = k.formats[0]
	}
	f, err := format.New(s.Format, format.Options{})
	switch {
	case err != nil:
		return err
	case !slices.Contains(k.formats, s.Format):
		return invalid("format", strconv.Quote(s.Format), "does not go into files; choose "+strings.Join(k.formats, ", "))
	case s.Batch > f.Batches() && f.Batches() == 1:
		return invalid("batch", strconv.Itoa(s.Batch), "does not go with format "+s.Format+", which sends one event at a time; leave it out, or choose cloudevents-batch or ndjson")
	case s.Batch > f.Batches():
		return invalid("batch", strconv.Itoa(s.Batch), fmt.Sprintf("is more than format %s packs; at most %d", s.Format, f.Batches()))
	case k.files && len(s.Secrets) > 0:
		return invalid("secret", "", "does not go with a file, which is not signed; leave it out")
	}
	if len(s.Secrets) > webhook.MaxSecrets {
		return invalid("secret", "", fmt.Sprintf("is one too many: %d are in force; wait until the first of them are no longer", webhook.MaxSecrets))
	}
	for _, secret := range s.Secrets {
		if err := webhook.CheckSecret(secret.Value); err != nil {
			return err
		}
	}
	_, err = filter.Compile(s.Filter)
	return err
}

// Open makes format and target of a subscription that was checked.
func Open(s delivery.Subscription, o Options) (delivery.Format, delivery.Target, error) {
	f, err := format.New(s.Format, o.Format)
	if err != nil {
		return nil, nil, err
	}
	to, err := targetURL(&s)
	if err != nil {
		return nil, nil, err
	}
	t, err := open(s, to, o)
	if err != nil {
		return nil, nil, err
	}
	return f, t, nil
}

func open(s delivery.Subscription, to string, o Options) (delivery.Target, error) {
	if strings.HasPrefix(to, "file:") {
		t, err := file.New(file.Options{URL: to, Log: o.Logger})
		if err != nil {
			return nil, err // no *file.Target that is nil in an interface that is not
		}
		return t, nil
	}
	secrets := make([]string, len(s.Secrets))
	for i, secret := range s.Secrets {
		secrets[i] = secret.Value
	}
	t, err := webhook.New(webhook.Options{
		URL: to, Secrets: secrets, Gzip: s.Gzip, Timeout: s.Timeout, UserAgent: o.UserAgent, Now: o.Now,
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// targetURL is the target with the settings that files have in their URL.
func targetURL(s *delivery.Subscription) (string, error) {
	scheme, rest, _ := strings.Cut(s.Target, ":")
	settings := settingsOf(s)
	if strings.ToLower(scheme) != "file" {
		if s.Rotate != (delivery.Rotation{}) {
			return "", invalid("rotation", "", "is of files; leave it out for a webhook")
		}
		return s.Target, nil
	}
	if len(settings) == 0 {
		return "file:" + rest, nil
	}
	if rest == "-" {
		return "", invalid("rotation", "", "and gzip are of files; leave them out for standard output")
	}
	path, raw, _ := strings.Cut(rest, "?")
	given, err := url.ParseQuery(raw)
	if err != nil {
		return s.Target, nil // which says more of what is wrong when it is checked
	}
	for name := range settings {
		if given.Has(name) {
			return "", invalid("target", strconv.Quote(name+"="+given.Get(name)), "is given as an option, too; keep one of both")
		}
		given[name] = settings[name]
	}
	return "file:" + path + "?" + given.Encode(), nil
}

func settingsOf(s *delivery.Subscription) url.Values {
	settings := url.Values{}
	if s.Rotate.Bytes > 0 {
		settings.Set("size", strconv.FormatInt(s.Rotate.Bytes, 10))
	}
	if s.Rotate.Keep > 0 {
		settings.Set("keep", strconv.Itoa(s.Rotate.Keep))
	}
	if s.Gzip {
		settings.Set("gzip", "true")
	}
	return settings
}

func invalid(field, value, text string) *history.Error {
	return &history.Error{Kind: history.Invalid, Field: field, Value: value, Text: text}
}
