package webhook

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/varvehq/varve/recorder/delivery"
)

const (
	maxReason  = 300      // characters of an answer that are told
	maxDrained = 64 << 10 // bytes of it that are read

	// No receiver is waited for longer than this for its own sake.
	maxRetryAfter = 24 * time.Hour
)

// judge reads an answer: nil for 2xx.
func (t *Target) judge(resp *http.Response) error {
	start, _ := io.ReadAll(io.LimitReader(resp.Body, 4*maxReason))
	// An error only costs the connection.
	_, _ = io.CopyN(io.Discard, resp.Body, maxDrained)
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return nil
	}

	reason := fmt.Sprintf("%s answers %s", t.to.Host, plain(resp.Status, 100))
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		reason += ", and redirects are not followed; put the address that takes messages into the subscription"
	}
	if text := plain(string(start), maxReason); text != "" {
		reason += ": " + text
	}
	return &delivery.Refusal{
		Reason:     reason,
		RetryAfter: retryAfter(resp.Header.Get("Retry-After"), t.o.Now()),
		Gone:       resp.StatusCode == http.StatusGone,
	}
}

// retryAfter reads the header: seconds, or a date. What is not understood or lies
// in the past is 0.
func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if value == "" {
		return 0
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

// plain is foreign text on one line, at most so many characters of it.
func plain(s string, most int) string {
	var b strings.Builder
	count, blank := 0, false
	for _, r := range s {
		if unicode.IsSpace(r) || unicode.IsControl(r) || r == unicode.ReplacementChar || unicode.Is(unicode.Bidi_Control, r) {
			blank = b.Len() > 0
			continue
		}
		if count >= most {
			return b.String() + "…"
		}
		if blank {
			b.WriteByte(' ')
			blank = false
		}
		b.WriteRune(r)
		count++
	}
	return b.String()
}
