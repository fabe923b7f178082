package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/klauspost/compress/s2"
	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
)

// A dictionary is a handful of documents of one resource type. Bodies of that
// type are written by means of it, which makes first versions, most of what a
// store of many resources holds, about four times smaller at no cost in time.
//
// Dictionaries are never changed: bodies name theirs by number. A type gets its
// first one at the merge that brings enough to choose from, and a better one
// whenever there is much more.
type dictNo uint32

const (
	dictBytes    = 64 << 10 // s2 takes no more
	dictLeast    = 4 << 10  // of samples: below that a dictionary is not worth its place
	dictSamples  = 4
	dictRenew    = 8       // times as much as a dictionary was chosen from, and it is made anew
	sampleBytes  = 8 << 20 // kept of all types together
	encoderTypes = 256     // dictionaries kept ready for writing: some 200 KiB each
)

// dicts are the dictionaries of a store. It is safe for concurrent use.
type dicts struct {
	mu      sync.RWMutex
	byNo    map[dictNo]*s2.Dict
	current map[string]*dict // by resource type: what new bodies are written with
	last    dictNo
	samples map[string]*sample // of types that may get a dictionary; the merger's
	sampled int
}

// dict is a dictionary with its number.
type dict struct {
	no   dictNo
	size int
	from int // bytes of the samples it was chosen from; 0: made before the store was opened
	*s2.Dict
}

// sample is what a type's next dictionary is to be made of.
type sample struct {
	docs  [][]byte
	kept  int // bytes of docs
	seen  int // bytes of all that came by
	count int
}

// of is the dictionary to write bodies of a type with; nil if there is none.
func (l *dicts) of(typ string) *dict {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.current[typ]
}

func (l *dicts) init() {
	l.byNo, l.current, l.samples = map[dictNo]*s2.Dict{}, map[string]*dict{}, map[string]*sample{}
}

// load reads which dictionaries there are. One that is damaged is reported and
// left out: what was written with it cannot be read, all else can.
func (l *dicts) load(tx *bolt.Tx, report func(key []byte)) {
	l.init()
	c := tx.Bucket(bucketDicts).Cursor()
	for k, framed := c.First(); k != nil; k, framed = c.Next() {
		if len(k) == 4 {
			l.last = dictNo(binary.BigEndian.Uint32(k))
		}
		no, typ, d, err := decodeDict(k, framed)
		if err != nil {
			report(bytes.Clone(k))
			continue
		}
		l.add(no, typ, d)
	}
}

func (l *dicts) add(no dictNo, typ string, d *s2.Dict) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.byNo[no] = d
	l.last = max(l.last, no)
	if len(l.current) < encoderTypes || l.current[typ] != nil {
		l.current[typ] = &dict{no: no, size: len(d.Bytes()), Dict: d}
	}
}

// noDict says that a dictionary is damaged, or missing.
type noDict dictNo

func (n noDict) Error() string { return fmt.Sprintf("dictionary %d is damaged", uint32(n)) }

// find is the dictionary of a number; noDict if it cannot be had.
func (l *dicts) find(no dictNo) (*s2.Dict, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if d := l.byNo[no]; d != nil {
		return d, nil
	}
	return nil, noDict(no)
}

// gather takes a document into the samples of its type. Of many it keeps some,
// spread over all.
func (l *dicts) gather(typ string, doc []byte) {
	if len(doc) == 0 || len(doc) > dictBytes/dictSamples {
		return
	}
	if l.of(typ) == nil && len(l.current) >= encoderTypes {
		return
	}
	s := l.samples[typ]
	if s == nil {
		s = &sample{}
		l.samples[typ] = s
	}
	s.count++
	s.seen += len(doc)
	switch {
	case s.kept < 2*dictBytes && l.sampled < sampleBytes:
		s.docs = append(s.docs, slices.Clone(doc))
		s.kept, l.sampled = s.kept+len(doc), l.sampled+len(doc)
	default:
		// A reservoir, with a hash in place of chance: the same input gives
		// the same file.
		i := int(uint64(s.count)*0x9E3779B97F4A7C15>>33) % s.count
		if i >= len(s.docs) {
			return
		}
		l.sampled += len(doc) - len(s.docs[i])
		s.kept += len(doc) - len(s.docs[i])
		s.docs[i] = slices.Clone(doc)
	}
}

// made is a dictionary to be written.
type made struct {
	no    dictNo
	typ   string
	value []byte // framed
	dict  *s2.Dict
}

// make makes the dictionaries that have become due.
func (l *dicts) make() (list []made) {
	no := l.last
	for _, typ := range slices.Sorted(maps.Keys(l.samples)) {
		s := l.samples[typ]
		if len(s.docs) < dictSamples || s.kept < dictLeast {
			continue
		}
		if d := l.of(typ); d != nil && s.seen < dictRenew*max(d.size, d.from) {
			continue
		}
		no++
		value := appendBytes(nil, typ)
		value = append(value, s2.EncodeBest(nil, s.choose())...)
		key := dictKey(no)
		framed := sealValue(key, value)
		_, _, d, err := decodeDict(key, framed)
		if err != nil {
			continue
		}
		list = append(list, made{no, typ, framed, d})
	}
	return list
}

// publish makes written dictionaries known and lets their samples go.
func (l *dicts) publish(list []made) {
	for _, m := range list {
		l.add(m.no, m.typ, m.dict)
		if d := l.of(m.typ); d != nil {
			d.from = l.samples[m.typ].seen
		}
		l.sampled -= l.samples[m.typ].kept
		delete(l.samples, m.typ)
	}
}

// choose puts a dictionary together: documents from all over the samples, up to
// half of what there is.
func (s *sample) choose() []byte {
	limit := min(dictBytes-64, s.seen/2)
	step := max(1, s.kept/max(limit, 1))
	b := []byte{0} // s2: where the first repeat points
	for i := 0; i < len(s.docs); i += step {
		if len(b)+len(s.docs[i]) <= limit || len(b) < s2.MinDictSize+1 {
			b = append(b, s.docs[i]...)
		}
	}
	return b
}

func dictKey(no dictNo) []byte { return binary.BigEndian.AppendUint32(nil, uint32(no)) }

// decodeDict reads a dictionary: its type, then one s2 block of what s2.NewDict
// takes.
func decodeDict(key, framed []byte) (dictNo, string, *s2.Dict, error) {
	value, ok := openValue(key, framed)
	d := decoder{b: value}
	typ := d.string()
	if !ok || d.short || len(key) != 4 {
		return 0, "", nil, damaged(bucketDicts, key)
	}
	if n, err := s2.DecodedLen(d.rest()); err != nil || n > dictBytes {
		return 0, "", nil, damaged(bucketDicts, key)
	}
	content, err := s2.Decode(nil, d.rest())
	dictionary := s2.NewDict(content)
	if err != nil || dictionary == nil {
		return 0, "", nil, damaged(bucketDicts, key)
	}
	return dictNo(binary.BigEndian.Uint32(key)), typ, dictionary, nil
}

// prepareTables gives the groups and dictionaries that a tail needs their
// numbers, durably, before anything refers to them.
func (s *Store) prepareTables(t *tail) error {
	keys := make([]history.Key, 0, len(t.keys))
	for _, k := range t.keys {
		keys = append(keys, k)
	}
	table, fresh := s.groups.Load().with(keys)
	for _, r := range sortedKeys(t.resources) {
		s.gather(t, r)
	}
	dictionaries := s.dicts.make()
	if len(fresh)+len(dictionaries) == 0 {
		return nil
	}
	p := &puts{}
	for i, g := range fresh {
		key := groupKey(groupNo(len(table.list) - len(fresh) + i + 1))
		p.add(bucketGroups, key, sealValue(key, appendGroup(nil, g)))
	}
	for _, m := range dictionaries {
		p.add(bucketDicts, dictKey(m.no), m.value)
	}
	if err := s.writeTx(p.put); err != nil {
		return err
	}
	s.groups.Store(table)
	s.dicts.publish(dictionaries)
	return nil
}

// gather offers the first version of a resource that is new in a tail as a
// sample.
func (s *Store) gather(t *tail, r rid) {
	k, ok := t.keys[r]
	res := t.resources[r]
	if !ok || len(res.rows) == 0 {
		return
	}
	if payload, err := openBody(res.rows[0].body, &s.dicts, nil); err == nil {
		s.dicts.gather(k.Type, payload)
	}
}
