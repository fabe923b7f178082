package bolt

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/varvehq/varve/history"
)

// prepared is an observation in the form it is stored in: encoded by the
// caller, on its core, before the writer sees it.
type prepared struct {
	history.Observation
	hash    history.Hash
	origin  []byte
	payload []byte          // nil: as body
	content int             // bytes at the end of payload that are not origin
	body    []byte          // sealed; nil: not yet, it is likely that it will not be needed
	base    *latest         // what the body is a delta from; nil: it stands alone
	links   *[]history.Link // nil: not read yet
}

// sealed is the body, which may be a delta only if its base is the row just
// before it.
func (p *prepared) sealed(s *Store, follows bool) []byte {
	if p.payload == nil {
		p.withContent(p.Content)
	}
	if p.body == nil || p.base != nil && !follows {
		p.body, p.base = sealBody(p.payload, s.dicts.of(p.Key.Type)), nil
	}
	return p.body
}

// encodedOrigin is an origin with its encoding, which must not be changed.
type encodedOrigin struct {
	*history.Origin
	run     history.RunID
	encoded []byte
}

func encodeOrigin(o *history.Origin, run history.RunID) encodedOrigin {
	of := *o
	of.Run = run
	return encodedOrigin{o, run, appendOrigin(nil, &of)}
}

// like reports whether another origin is encoded alike.
func (e *encodedOrigin) like(o *history.Origin) bool {
	return e.Provider == o.Provider && e.Source == o.Source && e.Cause == o.Cause && bytes.Equal(e.Extras, o.Extras)
}

// prepare encodes an observation. The origin of the batch's first is most likely
// its own.
func (s *Store) prepare(o *history.Observation, run history.RunID, first *encodedOrigin) prepared {
	p := prepared{Observation: *o}
	p.Origin.Run = run
	if p.origin = first.encoded; !first.like(&o.Origin) {
		p.origin = encodeOrigin(&o.Origin, run).encoded
	}
	if p.hash = o.Hash; o.Complete != nil || o.Content != nil && s.contents.has(p.hash) {
		s.counters.contentHits.Add(1) // nothing new, most likely
	} else {
		s.encode(&p, o)
	}
	p.State = history.State{Deleted: o.State.Deleted, Status: o.State.Status}
	if p.Expect != nil { // the caller's; it may be gone when the writer comes to it
		expect := *p.Expect
		p.Expect = &expect
	}
	return p
}

// complete makes sure that the content is there, or the state.
func (p *prepared) complete() error {
	if p.Content != nil || p.Complete == nil {
		return nil
	}
	var err error
	if p.State, err = p.Complete(); err != nil {
		return err
	}
	p.Content = p.State.AppendContent(nil)
	if history.HashContent(p.Content) != p.Hash {
		return history.Errorf(history.Internal, "%v is not what its hash says", p.Key)
	}
	return nil
}

// encode makes the payload of an observation, and its body unless that is most
// likely not needed.
func (s *Store) encode(p *prepared, o *history.Observation) {
	before, _ := s.latest.Get(p.Key)
	if o.Content != nil {
		p.withContent(o.Content)
	} else {
		buf := encodeBuffers.Get().(*[]byte)
		defer encodeBuffers.Put(buf)
		*buf = o.State.AppendContent((*buf)[:0])
		p.withContent(*buf)
		if before != nil && before.holds(*buf) {
			p.hash = before.hash
		} else {
			p.hash = history.HashContent(*buf)
		}
	}
	if s.contents.has(p.hash) {
		s.counters.contentHits.Add(1)
		return
	}
	s.counters.contentMisses.Add(1)
	if s.o.Linker != nil {
		links := history.LinksOf(s.o.Linker, o.Key, &o.State)
		if p.links = &links; before != nil && before.links != nil && slices.Equal(links, *before.links) {
			p.links = before.links // most versions keep them
		}
	}
	s.contents.add(p.hash)
	if before != nil && before.deltas < latestDeltas {
		if body, short := sealDelta(before.number, before.payload, p.payload); short {
			p.body, p.base = body, before
			return
		}
	}
	p.body = sealBody(p.payload, s.dicts.of(p.Key.Type))
}

// withContent puts the payload together.
func (p *prepared) withContent(content []byte) {
	p.payload = make([]byte, 0, binary.MaxVarintLen32+len(p.origin)+len(content))
	p.payload = append(appendBytes(p.payload, p.origin), content...)
	p.content = len(content)
}

// onAllCores calls f with 0 to n-1, on several cores if there is enough to do.
func onAllCores(n int, f func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n/perCore)
	if workers < 2 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	group.Wait()
}

// contentFilter knows the hashes of contents that were recorded not long ago, and
// may be wrong both ways: it tells which observations are most likely unchanged,
// before anybody has looked. It is safe for concurrent use.
type contentFilter [1 << 18]atomic.Uint64

func (f *contentFilter) slot(h history.Hash) (*atomic.Uint64, uint64) {
	return &f[binary.LittleEndian.Uint64(h[8:])%uint64(len(f))], binary.LittleEndian.Uint64(h[:])
}

func (f *contentFilter) has(h history.Hash) bool {
	slot, mark := f.slot(h)
	return slot.Load() == mark
}

func (f *contentFilter) add(h history.Hash) {
	slot, mark := f.slot(h)
	slot.Store(mark)
}
