package historytest

import "github.com/varvehq/varve/history"

// unwrittenCases hold what a store tells of answers that change without anything
// being recorded.
var unwrittenCases = []namedCase{
	{"RisesWhenAnswersMayChange", func(r *rig) {
		u, ok := r.store.(history.Unwriter)
		if !ok {
			r.Skip("this backend does not tell what is unwritten")
		}
		r.play("A@1 B@3 C@5")
		type call struct {
			name  string
			do    func()
			rises bool
		}
		calls := []call{
			{"recording", func() { r.play("D@7") }, false},
			{"erasing", func() { r.erase("a", 1) }, true},
			{"pruning", func() { r.prune(history.PruneRequest{Floor: at(2)}) }, true},
			{"closing", func() { r.store.Close() }, true},
		}
		for _, c := range calls {
			before := u.Unwritten()
			c.do()
			if after := u.Unwritten(); after < before || (after > before) != c.rises {
				r.Errorf("%s: unwritten was %d and is %d", c.name, before, after)
			}
		}
	}},
}
