package bolt

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"iter"
	"os"
	"slices"

	"github.com/varvehq/varve/history"
)

// rescue reads a file in which anything may be damaged, page by page: bbolt would end
// at the first page that it cannot follow. It hands out the values whose checksums
// match, those that lacked a single bit among them, and notes what it cannot hand out.
//
// A damaged page number may lead to a page of another bucket, or to one that was
// freed and holds what was true once. So a page is followed for certain only where
// the key that leads to it is its first one, and it is not free. Others are followed
// if nothing else leads to them and they are not free: strays. So are strays that
// nothing leads to, where a page is lost and their keys lie in its place; where none
// is, a free page is followed, since the list of free pages may be what is wrong.
type rescue struct {
	tree
	roots  map[string]uint64 // of the buckets
	inline map[string]page   // buckets that need no page of their own
	strays []stray           // by their first keys
	stray  map[uint64]bool   // their pages

	lost   map[string]bool // buckets of which anything is
	seen   map[string]bool // losses that were told: a bucket is read more than once
	report func(Loss)
	value  func(bucket string, key []byte) // is told of values that are lost
}

// stray is a page that nothing leads to for certain, with the keys it holds.
type stray struct {
	page        uint64
	first, last []byte
}

// newRescue looks at all pages of a file.
func newRescue(file *os.File, report func(Loss)) (*rescue, error) {
	r := &rescue{
		tree:  tree{file: file, deep: true},
		roots: map[string]uint64{}, inline: map[string]page{}, stray: map[uint64]bool{},
		lost: map[string]bool{}, seen: map[string]bool{}, report: report,
	}
	r.find = func(page uint64, bucket, text string) {
		r.lost[bucket] = true
		r.once(Loss{What: LostPage, Text: pageFinding(page, bucket, text).String()})
	}
	var err error
	if r.meta, err = inspect(file.Name()); err != nil {
		return nil, err
	}
	if len(r.meta.damaged) == 2 || r.meta.pageSize == 0 {
		return nil, history.Errorf(history.DataLoss, "%s is not a store of Varve, or both of its meta pages are damaged: restore a backup", file.Name())
	}
	for _, page := range r.meta.damaged {
		r.once(Loss{What: LostPage, Text: fmt.Sprintf("meta page %d: if it was the newer one, the last commit is missing", page)})
	}
	size := r.meta.pages/64 + 1
	r.used, r.free = make(pageSet, size), make(pageSet, size)
	r.freelist()
	r.directory()
	for name, root := range r.roots {
		r.certain(name, root)
	}
	switch {
	case !r.unsafe: // else what was freed cannot be told from what is lost
		r.findStrays()
	case r.lost[""]:
		return nil, history.Errorf(history.DataLoss, "%s: neither where anything stands can be read, nor which pages are free: restore a backup", file.Name())
	}
	return r, nil
}

func (r *rescue) once(l Loss) {
	if !r.seen[l.Text] {
		r.seen[l.Text] = true
		r.report(l)
	}
}

// load reads a page, with those that it takes besides if the whole is asked for;
// false if its header makes no sense.
func (r *rescue) load(n uint64, whole bool) (page, bool) {
	if n < 2 || n >= r.meta.pages {
		return page{}, false
	}
	b := make([]byte, r.meta.pageSize)
	if _, err := r.file.ReadAt(b, int64(n)*r.meta.pageSize); err != nil {
		return page{}, false
	}
	order := binary.NativeEndian
	p := page{number: n, flags: order.Uint16(b[8:]), count: int(order.Uint16(b[10:])), overflow: uint64(order.Uint32(b[12:])), b: b}
	if order.Uint64(b) != n || p.flags != leafFlag && p.flags != branchFlag {
		return page{}, false
	}
	if n+p.overflow >= r.meta.pages {
		p.overflow = 0
	}
	if p.overflow > 0 && whole {
		p.b = make([]byte, int64(p.overflow+1)*r.meta.pageSize)
		if _, err := r.file.ReadAt(p.b, int64(n)*r.meta.pageSize); err != nil {
			return page{}, false
		}
	}
	return p, true
}

// elements are those elements of a page that lie within it.
func (p *page) elements() []element {
	order := binary.NativeEndian
	room := (len(p.b) - pageHeader) / pageElement
	n := min(p.count, room)
	if room > 0 { // the first key stands behind the elements, which tells their number as well
		at := pageHeader
		if p.flags == leafFlag {
			at += 4
		}
		if m := int(order.Uint32(p.b[at:])); m%pageElement == 0 && m/pageElement <= room {
			n = max(n, m/pageElement)
		}
	}
	list := make([]element, 0, n)
	for i := range n {
		b := p.b[pageHeader+i*pageElement:]
		end := uint64(order.Uint32(b)) + uint64(order.Uint32(b[4:]))
		if p.flags == leafFlag {
			end = uint64(order.Uint32(b[4:])) + uint64(order.Uint32(b[8:])) + uint64(order.Uint32(b[12:]))
		}
		if end <= uint64(len(b)) {
			list = append(list, p.element(i))
		}
	}
	return list
}

// firstKey is the key of a page's first element, which may be longer than what was
// read of the page; nil if it is not there.
func (p *page) firstKey() []byte {
	b := p.b[pageHeader:]
	if p.count == 0 || len(b) < pageElement {
		return nil
	}
	at, size := binary.NativeEndian.Uint32(b), binary.NativeEndian.Uint32(b[4:])
	if p.flags == leafFlag {
		at, size = size, binary.NativeEndian.Uint32(b[8:])
	}
	if uint64(at)+uint64(size) > uint64(len(b)) {
		return nil
	}
	return b[at : at+size]
}

// directory reads where the buckets are.
func (r *rescue) directory() {
	for list := []uint64{r.meta.root}; len(list) > 0; list = list[1:] {
		if !r.claim(list[0], "") {
			continue
		}
		p, ok := r.load(list[0], true)
		if !ok {
			r.find(list[0], "", unreadable)
			continue
		}
		r.laidOut(&p, "", ref{}) // what it finds is reported
		for _, e := range p.elements() {
			switch {
			case p.flags == branchFlag:
				list = append(list, e.page)
			case len(e.value) < 16:
			case binary.NativeEndian.Uint64(e.value) != 0:
				r.roots[string(e.key)] = binary.NativeEndian.Uint64(e.value)
			case len(e.value) >= 16+pageHeader:
				b := e.value[16:]
				r.inline[string(e.key)] = page{number: p.number, flags: leafFlag, b: b, count: int(binary.NativeEndian.Uint16(b[10:]))}
			}
		}
	}
}

const unreadable = "it cannot be read, or its header is damaged"

// certain claims the pages of a bucket that are followed for certain, and has what
// is wrong with them reported.
func (r *rescue) certain(bucket string, root uint64) {
	if !r.claim(root, bucket) {
		return
	}
	for level := []uint64{root}; len(level) > 0; {
		var next []uint64
		for _, n := range level {
			p, ok := r.load(n, true)
			if !ok {
				r.find(n, bucket, unreadable)
				continue
			}
			for i := n + 1; i <= n+p.overflow; i++ {
				r.used.set(i)
			}
			r.laidOut(&p, bucket, ref{})
			if p.flags != branchFlag {
				continue
			}
			for _, e := range p.elements() {
				if r.begins(e.page, e.key) && !r.used.has(e.page) && !r.free.has(e.page) {
					r.used.set(e.page)
					next = append(next, e.page)
				}
			}
		}
		level = next
	}
}

// begins reports whether a page's first key is the one given.
func (r *rescue) begins(n uint64, key []byte) bool {
	p, ok := r.load(n, false)
	return ok && bytes.Equal(p.firstKey(), key)
}

// findStrays lists the pages in use that nothing leads to for certain.
func (r *rescue) findStrays() {
	for n := uint64(2); n < r.meta.pages; n++ {
		if r.used.has(n) || r.free.has(n) {
			continue
		}
		p, ok := r.load(n, true)
		if !ok {
			continue
		}
		if list := p.elements(); len(list) > 0 {
			r.strays = append(r.strays, stray{n, list[0].key, list[len(list)-1].key})
			r.stray[n] = true
			n += p.overflow
		}
	}
	slices.SortFunc(r.strays, func(a, b stray) int { return cmp.Or(bytes.Compare(a.first, b.first), cmp.Compare(a.page, b.page)) })
}

// values hands out the framed values of a bucket whose checksums match, or match
// once a bit is put back, in order. Their memory is not used again.
func (r *rescue) values(bucket []byte) iter.Seq2[[]byte, []byte] {
	name := string(bucket)
	return func(yield func(k, framed []byte) bool) {
		for k, framed := range r.each(name) {
			key, value, ok := r.open(name, k, framed)
			if !ok {
				r.lost[name] = true
				r.value(name, k)
			} else if !yield(key, value) {
				return
			}
		}
	}
}

// open checks a value, and puts back a bit that was flipped.
func (r *rescue) open(bucket string, k, framed []byte) (key, value []byte, ok bool) {
	if _, ok := openValue(k, framed); ok {
		return k, framed, keyFits(bucket, k) && valueFits(bucket, k, framed)
	}
	if key, value, ok = mend(k, framed); ok && keyFits(bucket, key) && valueFits(bucket, key, value) {
		r.once(Loss{What: Mended, Text: fmt.Sprintf("%s %x: a flipped bit was put back", bucket, key)})
		return key, value, true
	}
	return nil, nil, false
}

// each hands out the elements of a bucket's leaves in order.
func (r *rescue) each(bucket string) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		w := pageWalk{rescue: r, bucket: bucket, seen: map[uint64]bool{}, yield: yield}
		if p, ok := r.inline[bucket]; ok {
			r.laidOut(&p, bucket, ref{})
			w.hand(&p)
		} else if root, ok := r.roots[bucket]; ok {
			w.follow(ref{page: root})
		} else if r.lost[""] { // else the file is from before there was such a bucket
			r.lost[bucket] = true
			w.instead(ref{})
		}
	}
}

// pageWalk goes through the pages of a bucket. Its steps return false once no more
// is wanted.
type pageWalk struct {
	*rescue
	bucket string
	seen   map[uint64]bool
	yield  func(k, v []byte) bool
}

func (w *pageWalk) hand(p *page) bool {
	for _, e := range p.elements() {
		if !w.yield(e.key, e.value) {
			return false
		}
	}
	return true
}

func (w *pageWalk) follow(at ref) bool {
	if w.seen[at.page] {
		return true
	}
	w.seen[at.page] = true
	p, ok := w.load(at.page, true)
	switch {
	case !ok:
		return w.instead(at)
	case p.flags == leafFlag:
		return w.hand(&p)
	}
	list := p.elements()
	for i, e := range list {
		child := ref{page: e.page, low: e.key, high: at.high}
		if i+1 < len(list) {
			child.high = list[i+1].key
		}
		step, matches := w.follow, w.begins(e.page, e.key)
		switch {
		case w.stray[e.page]:
		case matches && w.free.has(e.page):
			w.find(e.page, w.bucket, "it is listed as free, but one leads to it")
			if len(w.straysIn(child)) > 0 {
				step = w.instead
			}
		case !matches:
			w.find(e.page, w.bucket, "it is damaged, or what leads to it")
			step = w.instead
		}
		if !step(child) {
			return false
		}
	}
	return true
}

// instead hands out what strays hold of the keys of a page that is lost.
func (w *pageWalk) instead(of ref) bool {
	for _, s := range w.straysIn(of) {
		if !w.follow(ref{page: s.page, high: of.high}) {
			return false
		}
	}
	return true
}

// straysIn are the strays that may hold the keys of a page.
func (w *pageWalk) straysIn(of ref) (list []stray) {
	for _, s := range w.strays {
		inside := bytes.Compare(s.first, of.low) >= 0 && (of.high == nil || bytes.Compare(s.last, of.high) < 0)
		if inside && keyFits(w.bucket, s.first) && keyFits(w.bucket, s.last) {
			list = append(list, s)
		}
	}
	return list
}

// valueFits reports whether a bucket has values of that form: checksums do not tell
// buckets apart.
func valueFits(bucket string, k, framed []byte) bool {
	d := decoder{b: framed[4:]}
	switch bucket {
	case string(bucketLog):
		n := d.uvarint()
		return !d.short && n > uint64(binary.BigEndian.Uint16(k[8:]))
	case string(bucketNames):
		return len(framed) == 4+4
	case string(bucketSegments):
		_, err := parseRows(nil, framed[4:])
		return err == nil
	case string(bucketSightings):
		_, err := new(sightReader).decode(k, framed)
		return err == nil
	case string(bucketDocuments):
		_, err := openDocument(k, framed)
		return err == nil
	case string(bucketDicts):
		_, _, _, err := decodeDict(k, framed)
		return err == nil
	case string(bucketGroups):
		g := history.Key{Account: d.string(), Region: d.string(), Type: d.string(), ID: "any"}
		return !d.short && !d.more() && g.Validate() == nil && binary.BigEndian.Uint32(k) > 0
	case string(bucketHeads):
		h, n, id := d.head()
		return !d.short && !d.more() && n > 0 && len(id) > 0 && h.newest.Number > 0 && parseRid(k) > 0
	case string(bucketSpans):
		block, err := openSpans(k, framed)
		return err == nil && int(binary.BigEndian.Uint32(block[4*spanSlots-4:])) == len(block)-4*spanSlots
	case string(bucketRuns):
		r := d.run()
		return !d.short && !d.more() && r.ID.Valid() && r.no > 0 && uint32(r.no) == binary.BigEndian.Uint32(k)
	case string(bucketGone):
		seq, n, id := d.uvarint(), d.uvarint(), d.bytes()
		return !d.short && !d.more() && seq > 0 && n > 0 && len(id) > 0
	case string(bucketClock):
		return len(framed) == 4+8
	case string(bucketFeed):
		list, err := decodeFeedBlock(k, framed)
		return err == nil && len(list) > 0 && list[0].rid > 0 && list[0].version > 0
	case string(bucketSeen):
		return binary.BigEndian.Uint32(k) > 0 && eachSeen(k, framed, func(seenEntry) bool { return true }) == nil
	case string(bucketOps):
		d.varint()
		d.receipt(history.Lineage{})
		return !d.short && !d.more()
	}
	return true
}

// keyFits reports whether a bucket has keys of that form.
func keyFits(bucket string, k []byte) bool {
	switch bucket {
	case string(bucketMeta):
		return len(k) > 0
	case string(bucketGroups), string(bucketDicts), string(bucketHeads), string(bucketSpans), string(bucketRuns), string(bucketGone):
		return len(k) == 4
	case string(bucketFeed), string(bucketClock):
		return len(k) == 8
	case string(bucketLog):
		return len(k) == 10
	case string(bucketSeen), string(bucketOps):
		return len(k) == 16
	case string(bucketSightings):
		return len(k) == 20
	case string(bucketSegments):
		return len(k) == 24
	case string(bucketNames):
		return len(k) > 4
	case string(bucketDocuments):
		return bytes.IndexByte(k, 0) > 0
	}
	return false
}
