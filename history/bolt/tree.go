package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// bbolt trusts its pages: it follows branch pages that lead in a circle until
// the stack is full, which nothing catches, and gives out a page that its list
// of free pages names though a bucket lives in it. So the pages are looked at
// before: the branch pages and the free list whenever a store is opened, all of
// them when it is verified.
//
// Layout of a page, in the byte order of the machine: its number (uint64), flags
// and count of elements (uint16), number of further pages it takes (uint32); the
// elements; keys and values one after the other, in their order. An element of a
// branch is the distance to its key and the key's length (uint32 each) and the
// page it leads to (uint64); one of a leaf is flags, distance to the key, length
// of the key and of the value, which follows it (uint32 each). The value of a
// bucket is its root page and a number (uint64 each), and if the root is 0 the
// page itself. The free list is the numbers of the free pages (uint64), with
// their count before them if it is 0xffff or more.
// https://pkg.go.dev/go.etcd.io/bbolt (internal/common, Page)
const (
	pageHeader   = 16
	pageElement  = 16
	branchFlag   = 0x01
	leafFlag     = 0x02
	freelistFlag = 0x10
	bucketFlag   = 0x01
	noFreelist   = ^uint64(0)
)

// tree walks the pages of a file, level by level.
type tree struct {
	file io.ReaderAt
	meta fileState
	deep bool // read leaves as well; else only what leads to them

	find func(page uint64, bucket, text string)
	at   ref // while find is called in a deep walk: what the page may hold of its bucket

	used, free pageSet
	buffer     []byte // for pages of which only the numbers in it are of interest
	live       uint64 // pages of buckets, in a deep walk
	circle     bool   // some page is led to twice: to follow the pages may never end; not to be read
	unsafe     bool   // the free list is not what the tree leaves free: not to be written to

	// A page that names buckets is damaged, or a bucket that stands within it. bbolt
	// copies such a bucket into memory, where an element that leads beyond it leads to
	// anything: the garbage collector then ends the process. Not to be read.
	trap bool
}

// pageSet is a set of page numbers.
type pageSet []uint64

func (s pageSet) has(n uint64) bool { return s[n/64]&(1<<(n%64)) != 0 }
func (s pageSet) set(n uint64)      { s[n/64] |= 1 << (n % 64) }

// ref is a page and the keys it may hold: from low on, below high if there is
// one.
type ref struct {
	page      uint64
	low, high []byte
}

// page is one page with those it takes besides.
type page struct {
	number   uint64
	flags    uint16
	count    int
	overflow uint64
	b        []byte // with its header
}

// walk looks at everything that the newest meta page leads to.
func (t *tree) walk() {
	t.used, t.free = make(pageSet, t.meta.pages/64+1), make(pageSet, t.meta.pages/64+1)
	if t.claim(t.meta.root, "") {
		t.bucket("", ref{page: t.meta.root})
	}
	if t.meta.freelist == noFreelist {
		return
	}
	t.freelist()
	t.account()
}

// claim notes that a page is led to; false: it cannot be followed.
func (t *tree) claim(n uint64, bucket string) bool {
	switch {
	case n < 2 || n >= t.meta.pages:
		t.find(n, bucket, "there is no such page, but one leads to it")
		return false
	case t.used.has(n):
		t.circle = true
		t.find(n, bucket, "two pages lead to it")
		return false
	}
	t.used.set(n)
	return true
}

// read reads a page, with those that it takes besides if the whole is asked for
// or it is no leaf.
func (t *tree) read(n uint64, bucket string, whole bool) (page, bool) {
	b := t.buffer
	if whole || b == nil {
		b = make([]byte, t.meta.pageSize)
	}
	if !whole {
		t.buffer = b
	}
	if _, err := t.file.ReadAt(b, int64(n)*t.meta.pageSize); err != nil {
		t.find(n, bucket, "it cannot be read: "+err.Error())
		return page{}, false
	}
	order := binary.NativeEndian
	p := page{number: n, flags: order.Uint16(b[8:]), count: int(order.Uint16(b[10:])), overflow: uint64(order.Uint32(b[12:])), b: b}
	if order.Uint64(b) != n || p.flags != branchFlag && p.flags != leafFlag && p.flags != freelistFlag || n+p.overflow >= t.meta.pages {
		t.find(n, bucket, "its header is damaged")
		return page{}, false
	}
	if !whole && p.flags == leafFlag || p.overflow == 0 {
		return p, true
	}
	p.b = make([]byte, int64(p.overflow+1)*t.meta.pageSize)
	if _, err := t.file.ReadAt(p.b, int64(n)*t.meta.pageSize); err != nil {
		t.find(n, bucket, "it cannot be read: "+err.Error())
		return page{}, false
	}
	for i := n + 1; i <= n+p.overflow; i++ {
		t.claim(i, bucket)
	}
	return p, true
}

// bucket walks one bucket; the one without a name holds the others.
func (t *tree) bucket(name string, root ref) {
	if name != "" && !t.deep {
		t.descend(name, root.page)
		return
	}
	for level := []ref{root}; len(level) > 0; {
		var next []ref
		for _, r := range level {
			t.at = r
			p, ok := t.read(r.page, name, true)
			if !ok {
				continue
			}
			t.live += p.overflow + 1
			if p.flags == branchFlag {
				next = append(next, t.branch(&p, name, r)...)
			} else {
				t.leaf(&p, name, r)
			}
		}
		level = next
	}
}

// branch lists where a branch page leads.
func (t *tree) branch(p *page, bucket string, within ref) []ref {
	if !t.laidOut(p, bucket, within) {
		return nil
	}
	list := make([]ref, 0, p.count)
	for i := range p.count {
		e := p.element(i)
		if len(list) > 0 {
			list[len(list)-1].high = e.key
		}
		if t.claim(e.page, bucket) {
			list = append(list, ref{e.page, e.key, within.high})
		}
	}
	return list
}

// descend claims the pages of a bucket without reading its leaves, which all
// stand on one level, or looking at keys.
func (t *tree) descend(bucket string, root uint64) {
	level, next := []uint64{root}, []uint64(nil)
	for len(level) > 0 {
		for _, n := range level {
			p, ok := t.read(n, bucket, false)
			if !ok {
				continue
			}
			if p.flags == leafFlag {
				break
			}
			if pageHeader+p.count*pageElement > len(p.b) {
				t.find(p.number, bucket, fmt.Sprintf("it cannot hold %d elements", p.count))
				continue
			}
			for i := range p.count {
				child := binary.NativeEndian.Uint64(p.b[pageHeader+i*pageElement+8:])
				if t.claim(child, bucket) {
					next = append(next, child)
				}
			}
		}
		level, next = next, level[:0]
	}
}

// leaf looks at a leaf page, and walks the buckets in it.
func (t *tree) leaf(p *page, bucket string, within ref) {
	if sound := t.laidOut(p, bucket, within); !sound || bucket != "" {
		t.trap = t.trap || bucket == ""
		return
	}
	for i := range p.count {
		t.at = ref{}
		e := p.element(i)
		if e.flags != bucketFlag || len(e.value) < 16 {
			t.find(p.number, string(e.key), "it is no bucket")
			t.trap = true
			continue
		}
		name, root := string(e.key), binary.NativeEndian.Uint64(e.value)
		if root != 0 {
			if t.claim(root, name) {
				t.bucket(name, ref{page: root})
			}
			continue
		}
		inline := page{number: p.number, flags: leafFlag, b: e.value[16:]}
		if len(inline.b) < pageHeader || binary.NativeEndian.Uint16(inline.b[8:]) != leafFlag {
			t.find(p.number, name, "its header is damaged")
			t.trap = true
			continue
		}
		inline.count = int(binary.NativeEndian.Uint16(inline.b[10:]))
		if !t.laidOut(&inline, name, ref{}) {
			t.trap = true
		}
	}
}

// element is one entry of a page.
type element struct {
	flags      uint32
	page       uint64
	key, value []byte
}

// element reads an element of a page that is laid out as it should be.
func (p *page) element(i int) element {
	at := pageHeader + i*pageElement
	b, order := p.b[at:], binary.NativeEndian
	if p.flags == branchFlag {
		from := order.Uint32(b)
		return element{page: order.Uint64(b[8:]), key: b[from : from+order.Uint32(b[4:])]}
	}
	from := order.Uint32(b[4:])
	mid := from + order.Uint32(b[8:])
	return element{flags: order.Uint32(b), key: b[from:mid], value: b[mid : mid+order.Uint32(b[12:])]}
}

// laidOut tells whether keys and values stand where bbolt puts them, each right
// behind the one before, and whether the keys are in order and belong here. No
// byte of an element, and no count of them, can change unnoticed.
func (t *tree) laidOut(p *page, bucket string, within ref) bool {
	order := binary.NativeEndian
	end := uint64(pageHeader + p.count*pageElement)
	empty := p.count == 0 && p.flags == leafFlag && within.low == nil && len(bytes.Trim(p.b[pageHeader:], "\x00")) == 0
	if end > uint64(len(p.b)) || p.count == 0 && !empty {
		t.find(p.number, bucket, fmt.Sprintf("it cannot hold %d elements", p.count))
		return false
	}
	for i := range p.count {
		at := uint64(pageHeader + i*pageElement)
		b := p.b[at:]
		from, size := uint64(order.Uint32(b)), uint64(order.Uint32(b[4:]))
		if p.flags == leafFlag {
			from, size = uint64(order.Uint32(b[4:])), uint64(order.Uint32(b[8:]))+uint64(order.Uint32(b[12:]))
		}
		if at+from != end || end+size > uint64(len(p.b)) {
			t.find(p.number, bucket, fmt.Sprintf("its element %d is damaged", i))
			return false
		}
		end += size
	}
	sound := true
	var before []byte
	for i := range p.count {
		e := p.element(i)
		switch {
		case p.flags == leafFlag && bucket != "" && e.flags != 0:
			t.find(p.number, bucket, fmt.Sprintf("its element %d is marked as a bucket", i))
			sound = false
		case i > 0 && bytes.Compare(before, e.key) >= 0, bytes.Compare(e.key, within.low) < 0,
			within.high != nil && bytes.Compare(e.key, within.high) >= 0:
			t.find(p.number, bucket, fmt.Sprintf("its key %x is out of order", e.key))
			sound = false
		}
		before = e.key
	}
	return sound
}

// freelist reads which pages are free.
func (t *tree) freelist() {
	const name = "free list"
	p := page{}
	ok := t.claim(t.meta.freelist, name)
	if ok {
		p, ok = t.read(t.meta.freelist, name, true)
	}
	n, list := uint64(p.count), []byte(nil)
	if ok {
		if list = p.b[pageHeader:]; n == 0xffff {
			n, list = binary.NativeEndian.Uint64(list), list[8:]
		}
		ok = p.flags == freelistFlag && n <= uint64(len(list)/8)
	}
	if !ok {
		t.unsafe = true
		t.find(t.meta.freelist, name, "it is damaged")
		return
	}
	for ; n > 0; n-- {
		free := binary.NativeEndian.Uint64(list)
		list = list[8:]
		if free < 2 || free >= t.meta.pages || t.used.has(free) || t.free.has(free) {
			t.unsafe = true
			t.find(free, name, "it is in use, or there is no such page, but it is listed as free")
			continue
		}
		t.free.set(free)
	}
}

// account looks for pages that nobody leads to. Leaves that were not read may
// take further pages: those of which nobody else tells, right behind them.
func (t *tree) account() {
	header := make([]byte, pageHeader)
	for n := uint64(2); n < t.meta.pages; n++ {
		if t.used.has(n) || t.free.has(n) {
			continue
		}
		end := n
		for end < t.meta.pages && !t.used.has(end) && !t.free.has(end) {
			end++
		}
		overflow := uint64(0)
		if !t.deep && t.used.has(n-1) {
			if _, err := t.file.ReadAt(header, int64(n-1)*t.meta.pageSize); err == nil {
				overflow = uint64(binary.NativeEndian.Uint32(header[12:]))
			}
		}
		if overflow != end-n {
			t.unsafe = true
			t.find(n, "", "nothing leads to it, and it is not listed as free")
		}
		n = end
	}
}
