package feed

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// WorkOut has events work out what they are going to be asked for, difference and
// references, on several cores where that pays.
func WorkOut(events []*Event) {
	parallel(len(events), func(i int) {
		_, _ = events[i].Difference() // which tells it again
		events[i].References()
	})
}

// share is how many events at least one more core works on.
const share = 4

// parallel calls do with 0 to n-1, on several cores where that pays.
func parallel(n int, do func(i int)) {
	var next atomic.Int64
	work := func() {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			do(i)
		}
	}
	var others sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n/share) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
}
