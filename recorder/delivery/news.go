package delivery

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/varvehq/varve/history"
)

// news tells those who have read the feed to its end that it goes on. However many
// they are, one goroutine waits at the store for all, and only while somebody asks.
type news struct {
	mu    sync.Mutex
	told  chan struct{} // closed when there is something new
	asked chan struct{}
}

func (n *news) begin() { n.told, n.asked = make(chan struct{}), make(chan struct{}, 1) }

// next returns what is closed once there is a change that was not there yet when
// next was called; perhaps earlier.
func (n *news) next() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case n.asked <- struct{}{}:
	default:
	}
	return n.told
}

// watch tells of all changes after a position. It looks at where the feed ends
// before it tells, never after: whatever comes behind that is told by the next
// round, to everybody who has asked meanwhile.
func (n *news) watch(ctx context.Context, store history.Store, after history.Position) {
	for {
		select {
		case <-n.asked:
		case <-ctx.Done():
			return
		}
		for {
			changes, _, err := store.Changes(ctx, after, 1, time.Hour)
			if ctx.Err() != nil {
				return
			}
			if err == nil && len(changes) == 0 {
				continue
			}
			head, headErr := store.Head(ctx)
			if headErr == nil {
				after = head.Position
			}
			if err = errors.Join(err, headErr); err == nil || errors.Is(err, history.Compacted) {
				break
			}
			// Whoever reads will find out, and tell.
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return
			}
			break
		}
		n.mu.Lock()
		close(n.told)
		n.told = make(chan struct{})
		n.mu.Unlock()
	}
}
