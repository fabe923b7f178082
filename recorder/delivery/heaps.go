package delivery

import "container/heap"

// line is a heap of entries by sequence.
type line []*entry

func (l line) Len() int           { return len(l) }
func (l line) Less(i, j int) bool { return l[i].seq < l[j].seq }
func (l line) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }

// Push implements heap.Interface.
func (l *line) Push(e any) { *l = append(*l, e.(*entry)) }

// Pop implements heap.Interface.
func (l *line) Pop() any { return cutLast((*[]*entry)(l)) }

// waiting is a heap of entries by when they may be tried again.
type waiting []*entry

func (w waiting) Len() int           { return len(w) }
func (w waiting) Less(i, j int) bool { return w[i].next < w[j].next }
func (w waiting) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }

// Push implements heap.Interface.
func (w *waiting) Push(e any) { *w = append(*w, e.(*entry)) }

// Pop implements heap.Interface.
func (w *waiting) Pop() any { return cutLast((*[]*entry)(w)) }

func cutLast(list *[]*entry) *entry {
	last := len(*list) - 1
	e := (*list)[last]
	(*list)[last] = nil
	*list = (*list)[:last]
	return e
}

func (l *line) put(e *entry) { heap.Push(l, e) }

// peek is the first one, nil if there is none.
func (l line) peek() *entry {
	if len(l) == 0 {
		return nil
	}
	return l[0]
}

// take takes the first one out.
func (l *line) take() *entry { return heap.Pop(l).(*entry) }
