package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/varvehq/varve/history"
)

const secretPrefix = "whsec_"

// Bounds of a secret's bytes, by the specification.
const (
	leastSecret = 24
	mostSecret  = 64
)

// CheckSecret refuses what is no secret of Standard Webhooks: whsec_ and the
// base64 of 24 to 64 bytes. The error does not tell the secret.
func CheckSecret(secret string) error {
	_, err := keyOf(secret)
	return err
}

func keyOf(secret string) ([]byte, error) {
	refuse := func(text string) ([]byte, error) {
		return nil, &history.Error{Kind: history.Invalid, Field: "secret", Text: text +
			fmt.Sprintf("; write %s and the base64 of %d to %d random bytes, such as %s$(openssl rand -base64 32)", secretPrefix, leastSecret, mostSecret, secretPrefix)}
	}
	text, ok := strings.CutPrefix(secret, secretPrefix)
	if !ok {
		return refuse("does not begin with " + secretPrefix)
	}
	if strings.ContainsAny(text, "\r\n") { // the decoder passes over them
		return refuse("has a line end in it")
	}
	key, err := base64.StdEncoding.Strict().DecodeString(text)
	switch {
	case err != nil:
		return refuse("is not standard base64 with padding behind " + secretPrefix)
	case len(key) < leastSecret:
		return refuse(fmt.Sprintf("has %d bytes, too few", len(key)))
	case len(key) > mostSecret:
		return refuse(fmt.Sprintf("has %d bytes, too many", len(key)))
	}
	return key, nil
}

func keysOf(secrets []string) ([][]byte, error) {
	if len(secrets) > MaxSecrets {
		return nil, &history.Error{Kind: history.Invalid, Field: "secrets", Value: strconv.Itoa(len(secrets)),
			Text: fmt.Sprintf("are too many; at most %d can be in force at once", MaxSecrets)}
	}
	var keys [][]byte
	for _, s := range secrets {
		key, err := keyOf(s)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// sign sets the headers of Standard Webhooks: webhook-id, webhook-timestamp and,
// with keys, webhook-signature, which has one signature for each, in their order.
// What is signed is the body as it is sent: of a compressed one the compressed
// bytes, so that a receiver need not unpack what nobody vouches for.
func sign(h http.Header, keys [][]byte, id string, at time.Time, body []byte) {
	seconds := strconv.FormatInt(at.Unix(), 10)
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", seconds)
	var all []string
	for _, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + seconds + "."))
		mac.Write(body)
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	if len(all) > 0 {
		h.Set("Webhook-Signature", strings.Join(all, " "))
	}
}
