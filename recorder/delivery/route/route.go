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

// Options of what is checked and made; the zero value works.
type Options struct {
	Format    format.Options
	Folder    string           // in or below which files are written; "": anywhere
	NoFiles   bool             // none are
	UserAgent string           // of webhooks
	Logger    *slog.Logger     // told when old files cannot be packed or removed; nil: nobody is
	Now       func() time.Time // nil: time.Now
}

// kind is what is usual and possible for the targets of a scheme.
type kind struct {
	files   bool
	formats []string // that go there, the usual one first
}

var (
	overHTTP = kind{formats: format.Names()}
	inFiles  = kind{files: true, formats: []string{"ndjson", "cloudevents", "cloudevents-batch", "aws-config"}}
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
func (o Options) Check(s *delivery.Subscription) error {
	k, err := kindOf(s.Target)
	if err != nil {
		return err
	}
	to, err := targetURL(s)
	if err != nil {
		return err
	}
	if err := o.checkURL(k, to); err != nil {
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

func (o Options) checkURL(k kind, to string) error {
	switch {
	case !k.files:
		return webhook.CheckURL(to)
	case o.NoFiles:
		return invalid("target", strconv.Quote(to), "is a file of a daemon that others can reach: it writes some only below a folder that its configuration names, delivery.files")
	}
	return file.CheckURL(to, o.Folder)
}

// Open makes format and target of a subscription that was checked.
func (o Options) Open(s delivery.Subscription) (delivery.Format, delivery.Target, error) {
	f, err := format.New(s.Format, o.Format)
	if err != nil {
		return nil, nil, err
	}
	to, err := targetURL(&s)
	if err != nil {
		return nil, nil, err
	}
	t, err := o.target(s, to)
	if err != nil {
		return nil, nil, err
	}
	return f, t, nil
}

func (o Options) target(s delivery.Subscription, to string) (delivery.Target, error) {
	if strings.HasPrefix(to, "file:") {
		if o.NoFiles {
			return nil, o.checkURL(inFiles, to)
		}
		t, err := file.New(file.Options{URL: to, Within: o.Folder, Log: o.Logger})
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
