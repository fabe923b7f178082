package bolt

import (
	"bytes"
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
// freed and holds what was true once. So a page is followed only where the key that
// leads to it is its first one, and it is not free. The leaves to which nothing leads
// then are strays, unless they are free: each belongs to the bucket whose keys and
// values it has, as far as these lie where no other leaf's may lie. Neither which page
// leads there nor the directory of buckets is needed for that.
type rescue struct {
	tree
	roots  map[string]uint64 // of the buckets
	inline map[string]page   // buckets that need no page of their own
	leaves map[string][]leaf // of the buckets, by their first keys

	lost   map[string]bool // buckets of which anything is
	seen   map[string]bool // losses that were told: a bucket is read more than once
	report func(Loss)
	value  func(bucket string, key []byte) // is told of values that are lost
}

// leaf is a leaf page of a bucket, and the keys it may hold.
type leaf struct {
	ref
	first, last []byte // keys
	stray       bool
}

// newRescue looks at all pages of a file.
func newRescue(file *os.File, report func(Loss)) (*rescue, error) {
	r := &rescue{
		tree:  tree{file: file, deep: true},
		roots: map[string]uint64{}, inline: map[string]page{}, leaves: map[string][]leaf{},
		lost: map[string]bool{}, seen: map[string]bool{}, report: report, value: func(string, []byte) {},
	}
	r.find = func(page uint64, bucket, text string) {
		r.lost[bucket] = true
		if bucket != "" {
			bucket = " of " + bucket
		}
		r.once(Loss{What: LostPage, Text: fmt.Sprintf("%d%s: %s", page, bucket, text)})
	}
	var err error
	if r.meta, err = inspect(file.Name()); err != nil {
		return nil, err
	}
	if len(r.meta.damaged) == 2 || r.meta.pageSize == 0 {
		return nil, history.Errorf(history.DataLoss, "%s is not a store of Varve, or both of its meta pages are damaged: restore a backup", file.Name())
	}
	for _, page := range r.meta.damaged {
		r.once(Loss{What: LostPage, Text: fmt.Sprintf(
			"%d: one of the two meta pages; if it was the newer one, the last commit is missing, and what was erased last has to be erased again", page)})
	}
	size := r.meta.pages/64 + 1
	r.used, r.free = make(pageSet, size), make(pageSet, size)
	r.freelist()
	r.directory()
	var doubtful []branchRef
	for _, name := range allBuckets { // links last: hardly a key is none of theirs
		if root, ok := r.roots[string(name)]; ok && !bytes.Equal(name, bucketLinks) {
			doubtful = append(doubtful, r.follow(string(name), ref{page: root})...)
		}
	}
	if root, ok := r.roots[string(bucketLinks)]; ok {
		r.follow(string(bucketLinks), ref{page: root})
	}
	r.sortLeaves()
	switch {
	case !r.unsafe: // else what was freed cannot be told from what is lost
		r.findStrays(doubtful)
	case r.lost[""]:
		return nil, history.Errorf(history.DataLoss, "%s: neither where anything stands can be read, nor which pages are free: restore a backup", file.Name())
	}
	r.sortLeaves()
	return r, nil
}

func (r *rescue) sortLeaves() {
	for _, list := range r.leaves {
		slices.SortStableFunc(list, func(a, b leaf) int { return bytes.Compare(a.first, b.first) })
	}
}

func (r *rescue) once(l Loss) {
	if id := l.What.String() + l.Text; !r.seen[id] {
		r.seen[id] = true
		r.report(l)
	}
}

// freelist reads which pages are free. A count that is too low would make strays of
// some: what follows the list is zero.
func (r *rescue) freelist() {
	r.tree.freelist()
	if r.unsafe {
		return
	}
	p, ok := r.load(r.meta.freelist, true)
	list, n := p.b[min(pageHeader, len(p.b)):], p.count
	if n == 0xffff && len(list) >= 8 {
		n, list = int(binary.NativeEndian.Uint64(list)), list[8:]
	}
	if !ok || n > len(list)/8 || len(bytes.Trim(list[8*n:], "\x00")) > 0 {
		r.unsafe = true
		r.find(r.meta.freelist, "free list", "it is damaged")
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
	if order.Uint64(b) != n || p.flags != leafFlag && p.flags != branchFlag && p.flags != freelistFlag {
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
	var unknown []element
	for list := []uint64{r.meta.root}; len(list) > 0; list = list[1:] {
		if !r.claim(list[0], "") {
			continue
		}
		p, ok := r.load(list[0], true)
		if !ok || p.flags == freelistFlag {
			r.find(list[0], "", unreadable)
			continue
		}
		r.laidOut(&p, "", ref{}) // what it finds is reported
		for _, e := range p.elements() {
			switch {
			case p.flags == branchFlag:
				list = append(list, e.page)
			case !slices.ContainsFunc(allBuckets, func(b []byte) bool { return bytes.Equal(b, e.key) }):
				r.find(p.number, "", fmt.Sprintf("it names no bucket that there is: %q", e.key))
				unknown = append(unknown, e)
			default:
				r.place(string(e.key), &e)
			}
		}
	}
	var missing []string
	for _, name := range allBuckets {
		_, paged := r.roots[string(name)]
		if _, within := r.inline[string(name)]; !paged && !within && !bytes.Equal(name, bucketDocuments) && !bytes.Equal(name, bucketLinks) { // which came later
			r.find(r.meta.root, "", fmt.Sprintf("it does not lead to the bucket %s", name))
			missing = append(missing, string(name))
		}
	}
	if len(missing) == 1 && len(unknown) == 1 { // then it is that
		r.place(missing[0], &unknown[0])
	}
	if r.lost[""] {
		for _, name := range allBuckets {
			r.lost[string(name)] = true
		}
	}
}

// place takes where a bucket stands out of the directory.
func (r *rescue) place(name string, e *element) {
	switch {
	case len(e.value) < 16:
	case binary.NativeEndian.Uint64(e.value) != 0:
		r.roots[name] = binary.NativeEndian.Uint64(e.value)
	case len(e.value) >= 16+pageHeader:
		b := e.value[16:]
		inline := page{number: r.meta.root, flags: leafFlag, b: b, count: int(binary.NativeEndian.Uint16(b[10:]))}
		r.laidOut(&inline, name, ref{})
		r.inline[name] = inline
	}
}

const unreadable = "it cannot be read, or its header is damaged"

// branchRef is a page of a bucket.
type branchRef struct {
	ref
	bucket string
}

// follow lists the leaves of a bucket below a page, and has what is wrong with pages
// reported. It returns those that should be followed as well, but are free.
func (r *rescue) follow(bucket string, root ref) (doubtful []branchRef) {
	if p, ok := r.load(root.page, true); root.low == nil && (!ok || !r.belongs(bucket, &p) || r.free.has(root.page) || r.used.has(root.page)) {
		r.find(root.page, bucket, "it is not the bucket's first page")
		return nil
	}
	r.used.set(root.page)
	for level := []ref{root}; len(level) > 0; {
		var next []ref
		for _, at := range level {
			p, ok := r.load(at.page, true)
			if !ok || p.flags == freelistFlag {
				r.find(at.page, bucket, unreadable)
				continue
			}
			for i := at.page + 1; i <= at.page+p.overflow; i++ {
				r.used.set(i)
			}
			r.laidOut(&p, bucket, ref{})
			if p.flags == leafFlag {
				r.leaves[bucket] = append(r.leaves[bucket], newLeaf(&p, at))
				continue
			}
			list := p.elements()
			sure := make([]bool, len(list)+1)
			for i, e := range list {
				sure[i] = r.begins(e.page, e.key) && !r.used.has(e.page)
			}
			for i, e := range list {
				child := ref{page: e.page, low: e.key, high: at.high}
				if i+1 < len(list) {
					child.high = nil // where the next key may be what is damaged
					if sure[i+1] {
						child.high = list[i+1].key
					}
				}
				switch {
				case !sure[i]:
					r.find(e.page, bucket, "it is damaged, or what leads to it")
				case r.free.has(e.page):
					r.find(e.page, bucket, "it is listed as free, but one leads to it")
					doubtful = append(doubtful, branchRef{child, bucket})
				default:
					r.used.set(e.page)
					next = append(next, child)
				}
			}
		}
		level = next
	}
	return doubtful
}

func newLeaf(p *page, at ref) leaf {
	l := leaf{ref: at, first: p.firstKey()}
	if list := p.elements(); len(list) > 0 {
		l.last = list[len(list)-1].key
	}
	return l
}

// newStray is a leaf whose keys are those that are whole: its first one may be why
// nothing leads there.
func (r *rescue) newStray(bucket string, p *page) leaf {
	l := leaf{ref: ref{page: p.number}, stray: true}
	for _, e := range p.elements() {
		if key, _, ok := r.open(bucket, &rescued{k: e.key, v: e.value}); ok {
			if l.first == nil {
				l.first = key
			}
			l.last = key
		}
	}
	return l
}

// begins reports whether a page's first key is the one given.
func (r *rescue) begins(n uint64, key []byte) bool {
	p, ok := r.load(n, false)
	return ok && p.flags != freelistFlag && bytes.Equal(p.firstKey(), key)
}

// belongs reports whether a page is of a bucket, as far as its keys tell, and of a
// leaf the first value that is whole.
func (r *rescue) belongs(bucket string, p *page) bool {
	list := p.elements()
	if p.flags == branchFlag {
		return len(list) > 0 && keyFits(bucket, list[0].key)
	}
	for _, e := range list {
		if !keyFits(bucket, e.key) || bucket == string(bucketOpAges) || bucket == string(bucketLinks) {
			return keyFits(bucket, e.key)
		}
		if _, ok := openValue(e.key, e.value); ok {
			return valueFits(bucket, e.key, e.value)
		}
	}
	return p.flags == leafFlag && p.count == 0
}

// findStrays takes the leaves in use to which nothing leads into their buckets. Pages
// that are listed as free are followed only where no stray has their keys: then the
// list is what is wrong.
func (r *rescue) findStrays(doubtful []branchRef) {
	var strays []page
	for n := uint64(2); n < r.meta.pages; n++ {
		if r.used.has(n) || r.free.has(n) {
			continue
		}
		if p, ok := r.load(n, true); ok && p.flags == leafFlag && len(p.elements()) > 0 {
			strays = append(strays, p)
			n += p.overflow
		}
	}
	taken := make([]bool, len(strays))
	for _, name := range allBuckets {
		bucket := string(name)
		if _, within := r.inline[bucket]; within || bytes.Equal(name, bucketMeta) || bytes.Equal(name, bucketOpAges) || bytes.Equal(name, bucketLinks) {
			continue // it has no page of its own, or is made anew
		}
		sure, found := r.leaves[bucket], 0
		for i := range strays {
			p := &strays[i]
			if taken[i] || !r.belongs(bucket, p) {
				continue
			}
			taken[i] = true
			if l := r.newStray(bucket, p); l.first != nil && !(covered(sure, l.first) && covered(sure, l.last)) {
				r.leaves[bucket] = append(r.leaves[bucket], l)
				found++
			}
		}
		if found > 0 {
			r.lost[bucket] = true
			r.once(Loss{What: LostPage, Text: fmt.Sprintf("%d of %s, to which nothing leads: what they hold was found", found, bucket)})
		}
	}
	for _, d := range doubtful {
		instead := slices.ContainsFunc(r.leaves[d.bucket], func(l leaf) bool {
			return l.stray && bytes.Compare(l.first, d.low) >= 0 && (d.high == nil || bytes.Compare(l.first, d.high) < 0)
		})
		if !instead {
			r.follow(d.bucket, d.ref)
		}
	}
}

// values hands out the framed values of a bucket whose checksums match, or match
// once a bit is put back, in order. Their memory is not used again.
func (r *rescue) values(bucket []byte) iter.Seq2[[]byte, []byte] {
	name := string(bucket)
	return func(yield func(k, framed []byte) bool) {
		var before []byte
		for e := range r.each(name) {
			key, value, ok := r.open(name, &e)
			switch {
			case !ok:
				r.lost[name] = true
				if !e.stray {
					r.value(name, e.k)
				}
			case before != nil && bytes.Compare(key, before) <= 0:
				r.disordered(name)
			case !yield(key, value):
				return
			default:
				before = key
			}
		}
	}
}

func (r *rescue) disordered(bucket string) {
	r.lost[bucket] = true
	r.once(Loss{What: LostPage, Text: fmt.Sprintf("some of %s: they tell of what others tell, or are out of order, and were left out", bucket)})
}

// rescued is an element of a leaf of a bucket.
type rescued struct {
	k, v  []byte
	at    ref
	stray bool
}

// each hands out the elements of a bucket's leaves in order.
func (r *rescue) each(bucket string) iter.Seq[rescued] {
	return func(yield func(rescued) bool) {
		if p, ok := r.inline[bucket]; ok {
			for _, e := range p.elements() {
				if !yield(rescued{k: e.key, v: e.value}) {
					return
				}
			}
		}
		sure := slices.DeleteFunc(slices.Clone(r.leaves[bucket]), func(l leaf) bool { return l.stray })
		for _, l := range r.leaves[bucket] {
			p, _ := r.load(l.page, true)
			for _, e := range p.elements() {
				if l.stray && covered(sure, e.key) {
					continue
				}
				if !yield(rescued{e.key, e.value, l.ref, l.stray}) {
					return
				}
			}
		}
	}
}

// covered reports whether a key can only stand in one of some leaves, which are in
// order.
func covered(leaves []leaf, key []byte) bool {
	i, found := slices.BinarySearchFunc(leaves, key, func(l leaf, k []byte) int { return bytes.Compare(l.first, k) })
	if !found {
		i--
	}
	switch {
	case i < 0:
		return false
	case leaves[i].high != nil:
		return bytes.Compare(key, leaves[i].high) < 0
	}
	return bytes.Compare(key, leaves[i].last) <= 0
}

// open checks a value, and puts back a bit that was flipped; false as well for one
// that stands where its key does not belong.
func (r *rescue) open(bucket string, e *rescued) (key, value []byte, ok bool) {
	key, value = e.k, e.v
	if _, ok := openValue(key, value); !ok {
		if len(value) > mendable && bucket != string(bucketDicts) { // whose contents have hashes
			return nil, nil, false
		}
		if key, value, ok = mend(e.k, e.v); !ok {
			return nil, nil, false
		}
	}
	if !keyFits(bucket, key) || !valueFits(bucket, key, value) ||
		bytes.Compare(key, e.at.low) < 0 || e.at.high != nil && bytes.Compare(key, e.at.high) >= 0 {
		return nil, nil, false
	}
	if len(e.k) != len(key) || len(key) > 0 && &e.k[0] != &key[0] {
		r.once(Loss{What: Mended, Text: fmt.Sprintf("%s %x: a flipped bit was put back", bucket, key)})
	}
	return key, value, true
}

// mendable is how long a value may be to be mended: of what is damaged more, less than
// one in 30,000 is then taken for what it was not.
const mendable = 16 << 10

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
	case string(bucketOpAges):
		return len(k) == 24
	case string(bucketLinks):
		return len(k) > 3
	case string(bucketDocuments):
		return bytes.IndexByte(k, 0) > 0
	}
	return false
}
