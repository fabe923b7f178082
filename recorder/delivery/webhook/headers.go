package webhook

import (
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/varvehq/varve/history"
)

// reserved headers are those that delivery itself sets, or that are the
// connection's.
var reserved = map[string]bool{
	"Connection": true, "Content-Encoding": true, "Content-Length": true, "Content-Type": true, "Expect": true, "Host": true,
	"Idempotency-Key": true, "Keep-Alive": true, "Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
	"User-Agent": true, "Webhook-Id": true, "Webhook-Signature": true, "Webhook-Timestamp": true,
}

// CheckHeaders refuses headers that cannot be sent with every message. The error
// does not tell values, which may be secret.
func CheckHeaders(h http.Header) error {
	for name, values := range h {
		refuse := func(text string) error {
			return &history.Error{Kind: history.Invalid, Field: "header", Value: fmt.Sprintf("%q", name), Text: text}
		}
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			return refuse("is not a name of a header; use letters, digits and hyphens")
		case canonical != name:
			return refuse("is written " + canonical)
		case reserved[name], strings.HasPrefix(name, "Proxy-"):
			return refuse("is set by delivery itself; leave it out")
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) {
				return refuse("has a value with control characters; leave them out")
			}
		}
	}
	return nil
}
