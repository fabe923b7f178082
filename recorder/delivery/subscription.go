package delivery

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/varvehq/varve/history"
)

// Subscription says which changes are sent where, and how.
type Subscription struct {
	Name   string // begins with a-z or 0-9, then those and '-'; at most MaxName bytes
	Target string // where to: http://…, https://…, file:…
	Filter string // CEL, see package filter; "" matches everything
	Format string // by name; "": what is usual for the target

	Gzip     bool          // compress what is sent
	Batch    int           // notices in one message at most; 0: as many as the format packs
	Timeout  time.Duration // of one delivery; 0: the target's own
	RetryFor time.Duration // from the first failure of an event until it is a dead letter; 0: DefaultRetryFor
	Rotate   Rotation      // of files

	// Secrets sign messages: all that are in force, the newest first.
	Secrets []Secret

	// What follows is kept by the Deliverer; a put does not take it.

	Paused    bool
	Disabled  string // why nothing is sent until it is resumed; "": it is
	CreatedAt history.Moment
	UpdatedAt history.Moment // of the definition
}

// Secret signs what is sent to a target.
type Secret struct {
	Value string
	Since history.Moment
	Until history.Moment // when it is no longer used; zero: it has no end yet
}

// Rotation says when a file is closed and another one begun; a zero field is the
// target's own default.
type Rotation struct {
	Bytes int64 // when it has become that large
	Keep  int   // how many closed ones stay
}

// Bounds and defaults of a subscription.
const (
	MaxName         = 63
	DefaultRetryFor = 24 * time.Hour
	MaxRetryFor     = 30 * 24 * time.Hour
	MaxTimeout      = 10 * time.Minute

	// SecretOverlap is how long a secret is still in force beside the one that
	// replaces it.
	SecretOverlap = 24 * time.Hour
)

// From says where a subscription begins. The zero From is now for one that is
// created, and for one that is there already: it goes on where it is.
type From struct {
	// Position of the feed; what comes after it is sent.
	Position history.Position

	// Recorded is a moment of recording: what was recorded at it or later is sent.
	// history.FirstMoment begins with the first change kept, history.Newest with
	// the next one. It is not looked at if there is a Position.
	Recorded history.Moment
}

// PutOptions are what a put says beside the definition.
type PutOptions struct {
	From From

	// Secret, if set, signs from now on. The one before it stays in force beside
	// it for SecretOverlap, unless it is the same. Empty: nothing is signed any
	// more, from now on. Nil: the secrets in force stay.
	Secret *string
}

// checkName refuses what cannot be a name.
func checkName(name string) error {
	invalid := func(text string) error {
		return &history.Error{Kind: history.Invalid, Field: "name", Value: fmt.Sprintf("%.70q", name),
			Text: text + "; write letters a-z, digits and '-', such as ops-webhook"}
	}
	switch {
	case name == "":
		return &history.Error{Kind: history.Invalid, Field: "name", Text: "of the subscription is empty; write letters a-z, digits and '-', such as ops-webhook"}
	case len(name) > MaxName:
		return invalid(fmt.Sprintf("has %d bytes, at most %d", len(name), MaxName))
	case strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
		return invalid("holds other characters")
	case name[0] == '-':
		return invalid("begins with '-'")
	}
	return nil
}

// check refuses bounds that cannot be kept. Target, format and filter are for
// others to look at.
func (s *Subscription) check() error {
	if err := checkName(s.Name); err != nil {
		return err
	}
	for _, b := range []struct {
		field       string
		value, most time.Duration
	}{{"timeout", s.Timeout, MaxTimeout}, {"retry_for", s.RetryFor, MaxRetryFor}} {
		if b.value < 0 || b.value > b.most {
			return &history.Error{Kind: history.Invalid, Field: b.field, Value: b.value.String(),
				Text: fmt.Sprintf("is not between 0 and %s; 0 is the default", b.most)}
		}
	}
	for _, b := range []struct {
		field string
		value int64
	}{{"batch", int64(s.Batch)}, {"rotate.bytes", s.Rotate.Bytes}, {"rotate.keep", int64(s.Rotate.Keep)}} {
		if b.value < 0 {
			return &history.Error{Kind: history.Invalid, Field: b.field, Value: fmt.Sprint(b.value), Text: "is less than 0; 0 is the default"}
		}
	}
	return nil
}

func (s *Subscription) retryFor() time.Duration {
	if s.RetryFor == 0 {
		return DefaultRetryFor
	}
	return s.RetryFor
}

// withSecret replaces the secret, as PutOptions.Secret says.
func (s *Subscription) withSecret(value string, now history.Moment) {
	if value == "" {
		s.Secrets = nil
		return
	}
	if len(s.Secrets) > 0 && s.Secrets[0].Value == value && s.Secrets[0].Until == 0 {
		return
	}
	until := now + history.Moment(SecretOverlap.Microseconds())
	others := slices.DeleteFunc(slices.Clone(s.Secrets), func(o Secret) bool { return o.Value == value })
	for i := range others {
		if others[i].Until == 0 {
			others[i].Until = until
		}
	}
	s.Secrets = append([]Secret{{Value: value, Since: now}}, others...)
}

// dropSecrets drops those whose time is over, and tells when the next one's will
// be; zero: none.
func (s *Subscription) dropSecrets(now history.Moment) (next history.Moment) {
	s.Secrets = slices.DeleteFunc(slices.Clone(s.Secrets), func(o Secret) bool { return o.Until != 0 && o.Until <= now })
	for _, o := range s.Secrets {
		if o.Until != 0 && (next == 0 || o.Until < next) {
			next = o.Until
		}
	}
	return next
}

// public is what may be shown of a subscription: without the values of secrets.
func (s Subscription) public() Subscription {
	s.Secrets = slices.Clone(s.Secrets)
	for i := range s.Secrets {
		s.Secrets[i].Value = ""
	}
	return s
}

// sameWay reports whether two definitions send the same, the same way.
func (s *Subscription) sameWay(o *Subscription) bool {
	return s.Target == o.Target && s.Filter == o.Filter && s.Format == o.Format && s.Gzip == o.Gzip && s.Batch == o.Batch &&
		s.Timeout == o.Timeout && s.RetryFor == o.RetryFor && s.Rotate == o.Rotate && slices.Equal(s.Secrets, o.Secrets)
}

// definition is how a subscription is written: a version, and the fields by name.
type definition struct {
	Form int `json:"form"` // 1
	Subscription
}

func (s Subscription) encode() ([]byte, error) { return json.Marshal(definition{1, s}) }

func decodeSubscription(name string, body []byte) (Subscription, error) {
	var d definition
	if err := json.Unmarshal(body, &d); err != nil {
		return Subscription{}, &history.Error{Kind: history.DataLoss, Field: "subscription", Value: name,
			Text: "cannot be read; put it again", Err: err}
	}
	if d.Form != 1 {
		return Subscription{}, &history.Error{Kind: history.NewerFormat, Field: "subscription", Value: name,
			Text: fmt.Sprintf("is written in form %d by a newer version of this program; use that, or put it again", d.Form)}
	}
	d.Name = name
	return d.Subscription, nil
}
