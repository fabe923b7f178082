package interop_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/webhook"
)

const (
	oldSecret   = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	newSecret   = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
	otherSecret = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
)

// TestStandardWebhooks: the reference verifier takes what is sent, by any secret
// in force, and nothing else.
func TestStandardWebhooks(t *testing.T) {
	var messages []delivery.Message
	for _, name := range []string{"cloudevents", "cloudevents-batch", "aws-config", "slack", "ndjson"} {
		messages = append(messages, encode(t, name, notices()[2]))
	}
	for name, c := range map[string]struct {
		o      webhook.Options
		takes  []string
		leaves []string
	}{
		"one secret":      {webhook.Options{Secrets: []string{oldSecret}}, []string{oldSecret}, []string{newSecret, otherSecret}},
		"during rotation": {webhook.Options{Secrets: []string{newSecret, oldSecret}}, []string{oldSecret, newSecret}, []string{otherSecret}},
		"compressed":      {webhook.Options{Secrets: []string{newSecret, oldSecret}, Gzip: true}, []string{oldSecret, newSecret}, []string{otherSecret}},
	} {
		t.Run(name, func(t *testing.T) {
			send(t, c.o, func(r *http.Request) error {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					return err
				}
				for _, secret := range c.takes {
					if err := verify(secret, body, r.Header); err != nil {
						return err
					}
					if err := tampered(secret, body, r.Header); err != nil {
						return err
					}
				}
				for _, secret := range c.leaves {
					if err := verify(secret, body, r.Header); !errors.Is(err, standardwebhooks.ErrNoMatchingSignature) {
						return fmt.Errorf("a secret that is not in force: %w", err)
					}
				}
				return nil
			}, messages...)
		})
	}
	t.Run("a message of ten minutes ago is too old", func(t *testing.T) {
		o := webhook.Options{Secrets: []string{oldSecret}, Now: func() time.Time { return time.Now().Add(-10 * time.Minute) }}
		send(t, o, func(r *http.Request) error {
			body, _ := io.ReadAll(r.Body)
			if err := verify(oldSecret, body, r.Header); !errors.Is(err, standardwebhooks.ErrMessageTooOld) {
				return fmt.Errorf("not too old: %w", err)
			}
			return nil
		}, messages[0])
	})
}

func verify(secret string, body []byte, h http.Header) error {
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return err
	}
	return verifier.Verify(body, h)
}

// tampered changes what is signed, one thing at a time.
func tampered(secret string, body []byte, h http.Header) error {
	for i := range body {
		body[i] ^= 1
		if verify(secret, body, h) == nil {
			return fmt.Errorf("byte %d may be changed", i)
		}
		body[i] ^= 1
		if i > 100 {
			break
		}
	}
	for name, value := range map[string]string{
		standardwebhooks.HeaderWebhookID:        h.Get(standardwebhooks.HeaderWebhookID) + "x",
		standardwebhooks.HeaderWebhookTimestamp: fmt.Sprint(time.Now().Unix() + 60),
		standardwebhooks.HeaderWebhookSignature: "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	} {
		changed := h.Clone()
		changed.Set(name, value)
		if verify(secret, body, changed) == nil {
			return fmt.Errorf("%s may be changed", name)
		}
	}
	return nil
}
