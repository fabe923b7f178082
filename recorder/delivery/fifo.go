package delivery

// fifo is a line of entries.
type fifo struct {
	list []*entry
	head int
}

func (f *fifo) len() int { return len(f.list) - f.head }

func (f *fifo) push(e *entry) { f.list = append(f.list, e) }

// peek is the first one, nil if there is none.
func (f *fifo) peek() *entry {
	if f.len() == 0 {
		return nil
	}
	return f.list[f.head]
}

// pop takes the first one out, nil if there is none.
func (f *fifo) pop() *entry {
	e := f.peek()
	if e == nil {
		return nil
	}
	f.list[f.head] = nil
	f.head++
	if f.head == len(f.list) || f.head > 64 && 2*f.head > len(f.list) {
		n := copy(f.list, f.list[f.head:])
		clear(f.list[n:])
		f.list, f.head = f.list[:n], 0
	}
	return e
}

// waiting is a heap of entries by when they may be tried again.
type waiting []*entry

func (w waiting) Len() int           { return len(w) }
func (w waiting) Less(i, j int) bool { return w[i].next < w[j].next }
func (w waiting) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }

// Push implements heap.Interface.
func (w *waiting) Push(e any) { *w = append(*w, e.(*entry)) }

// Pop implements heap.Interface.
func (w *waiting) Pop() any {
	last := len(*w) - 1
	e := (*w)[last]
	(*w)[last] = nil
	*w = (*w)[:last]
	return e
}
