package delivery

import (
	"math/rand/v2"
	"time"

	"github.com/varvehq/varve/history"
)

const (
	firstRetry = 200 * time.Millisecond // within half of it, either way
	lastRetry  = 5 * time.Minute        // at most, however often it failed
	lastProbe  = 30 * time.Second       // the same for probes
	maxFailing = 16                     // resources in a row
	manyInARow = 3                      // failures after which a target is said to take nothing
)

// backoff is how long to wait after so many failures.
func backoff(failures int) time.Duration {
	d := lastRetry
	if shift := failures - 1; shift < 20 {
		d = min(d, firstRetry<<shift)
	}
	return min(jitter(d), lastRetry)
}

// jitter is a duration between half and one and a half of d.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d) }

// breaker notices a target that takes nothing at all: messages of so many
// different resources failed, with no success between. Events that fail for their
// own sake do not trip it, however often they do.
type breaker struct {
	failing map[history.Key]bool // since the last success
	row     int                  // failures since then
	open    bool
	probes  int            // that failed
	next    history.Moment // no probe before
}

func (b *breaker) failure(k history.Key, now history.Moment, retryAfter time.Duration) {
	b.row++
	if b.open {
		b.probes++
		b.next = later(now, max(min(backoff(b.probes), lastProbe), retryAfter))
		return
	}
	if b.failing == nil {
		b.failing = map[history.Key]bool{}
	}
	if b.failing[k] = true; len(b.failing) >= maxFailing {
		b.open, b.probes, b.next = true, 1, later(now, max(backoff(1), retryAfter))
	}
}

// success closes the breaker, and tells whether it was open.
func (b *breaker) success() (wasOpen bool) {
	wasOpen = b.open
	if b.row > 0 {
		*b = breaker{}
	}
	return wasOpen
}

// probe is when the next message may be sent as far as the breaker goes.
func (b *breaker) probe() history.Moment {
	if b.open {
		return b.next
	}
	return 0
}
