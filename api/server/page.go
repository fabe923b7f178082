package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"math"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/varvehq/varve/history"
)

// Sizes of a page, in entries; see package paging for its bytes.
const (
	defaultPage = 100
	maxPage     = 1000
)

// page is one page of an answer.
type page struct {
	size  int
	known history.Revision            // that the first page saw; zero on the first
	after []byte                      // cursor of the method; nil on the first
	bound []byte                      // what ties its tokens to store and query
	forks map[string]history.Revision // by the hash of an earlier incarnation: the last revision shared with it
}

// pageRequest is a question that is answered in pages.
type pageRequest interface {
	proto.Message
	GetPageSize() int32
	GetPageToken() string
}

// A token says where an answer goes on. It is opaque to clients and holds
//
//	form      1 byte
//	bound     hash of store and incarnation, hash of the question: 8 bytes each
//	known     revision that the first page saw, as uvarint
//	cursor    the method's own
//	checksum  CRC-32 of all before it
//
// The checksum is against accidents; who forges a token gets a page of what they
// may read anyway.
const (
	tokenForm = 1
	hashBytes = 8
)

// page reads size and token of a question.
func (s *Server) page(ctx context.Context, req pageRequest) (page, error) {
	var (
		p   page
		err error
	)
	if p.size, err = pageSize(req.GetPageSize()); err != nil {
		return p, err
	}
	lineage, err := s.lineageOf(ctx)
	if err != nil {
		return p, err
	}
	p.bound, p.forks = append(lineage.hash[:hashBytes:hashBytes], questionHash(req)...), lineage.forks
	if req.GetPageToken() != "" {
		err = p.read(req.GetPageToken())
	}
	return p, err
}

func pageSize(asked int32) (int, error) {
	switch {
	case asked < 0:
		return 0, &history.Error{Kind: history.Invalid, Field: "pageSize", Value: strconv.Itoa(int(asked)), Text: "is negative"}
	case asked == 0:
		return defaultPage, nil
	}
	return int(min(asked, maxPage)), nil
}

// token continues after the cursor.
func (p page) token(known history.Revision, cursor []byte) string {
	b := append([]byte{tokenForm}, p.bound...)
	b = binary.AppendUvarint(b, uint64(known))
	b = append(b, cursor...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.RawURLEncoding.EncodeToString(b)
}

func (p *page) read(token string) error {
	foreign := func(text string) error {
		return &history.Error{Kind: history.ForeignToken, Field: "pageToken", Value: strconv.Quote(cut(token)), Text: text}
	}
	const front = 1 + 2*hashBytes
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) < front+1+4 || b[0] != tokenForm || len(token) != base64.RawURLEncoding.EncodedLen(len(b)) {
		return foreign("is not a page token; take it from the answer before")
	}
	b, sum := b[:len(b)-4], b[len(b)-4:]
	if crc32.ChecksumIEEE(b) != binary.BigEndian.Uint32(sum) {
		return foreign("is damaged; take it from the answer before")
	}
	newest := history.Revision(math.MaxUint64)
	if given := b[1 : 1+hashBytes]; !bytes.Equal(given, p.bound[:hashBytes]) {
		var ok bool
		if newest, ok = p.forks[string(given)]; !ok {
			return foreign("belongs to another store, or to another copy of this one; ask again without it")
		}
	}
	if !bytes.Equal(b[1+hashBytes:front], p.bound[hashBytes:]) {
		return foreign("belongs to another question; only pageSize may differ from page to page")
	}
	known, n := binary.Uvarint(b[front:])
	if n <= 0 {
		return foreign("is not a page token; take it from the answer before")
	}
	if history.Revision(known) > newest {
		return foreign("was given after the backup that this store was restored from; ask again without it")
	}
	p.known, p.after = history.Revision(known), b[front+n:]
	return nil
}

// lineage tells the tokens of a store from those of others.
type lineage struct {
	hash  []byte                      // of the store and its incarnation
	forks map[string]history.Revision // see page
}

// lineageOf finds the store's lineage. The position before all changes stands
// for an incarnation: no other has it.
func (s *Server) lineageOf(ctx context.Context) (*lineage, error) {
	s.lineageOnce.Lock()
	defer s.lineageOnce.Unlock()
	if s.lineage != nil {
		return s.lineage, nil
	}
	l := &lineage{forks: map[string]history.Revision{}}
	if d, ok := power[history.Descendant](s.store); ok {
		from := d.Lineage()
		l.hash = positionHash(from.Position(0))
		for _, f := range from.Forks {
			earlier := history.Lineage{StoreID: from.StoreID, Incarnation: f.Incarnation}
			l.forks[string(positionHash(earlier.Position(0)))] = f.Revision
		}
	} else {
		start, err := s.store.PositionAt(ctx, history.FirstMoment)
		if err != nil {
			return nil, err
		}
		l.hash = positionHash(start)
	}
	s.lineage = l
	return l, nil
}

func positionHash(p history.Position) []byte {
	sum := sha256.Sum256([]byte(p))
	return sum[:hashBytes]
}

// questionHash stands for everything of a question but its page.
func questionHash(req pageRequest) []byte {
	question := proto.Clone(req).ProtoReflect()
	fields := question.Descriptor().Fields()
	question.Clear(fields.ByName("page_size"))
	question.Clear(fields.ByName("page_token"))

	h := sha256.New()
	h.Write([]byte(question.Descriptor().FullName()))
	// A message that came over the wire can always be written again.
	b, _ := proto.MarshalOptions{Deterministic: true}.Marshal(question.Interface())
	h.Write(b)
	return h.Sum(nil)[:hashBytes]
}

// Cursors of inventories are keys.
func appendKey(b []byte, k history.Key) []byte {
	for _, part := range [...]string{k.Account, k.Region, k.Type, k.ID} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return b
}

func readKey(b []byte) (history.Key, bool) {
	var k history.Key
	for _, part := range [...]*string{&k.Account, &k.Region, &k.Type, &k.ID} {
		n, w := binary.Uvarint(b)
		if w <= 0 || n > uint64(len(b)-w) {
			return k, false
		}
		*part, b = string(b[w:w+int(n)]), b[w+int(n):]
	}
	return k, len(b) == 0
}
