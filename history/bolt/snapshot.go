package bolt

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/varvehq/varve/history"
)

// Whoever reads an inventory asks about one moment many times over: page by page,
// each of which, in the order of keys, needs spans from all over the bucket. So what
// stands at the moment is remembered, a block of resources at a time. What an answer
// says of a revision that is known never changes, but for resources that go, which
// begins a new epoch.
type snapshot struct {
	at     history.At // both given
	epoch  uint64
	blocks []atomic.Pointer[snapshotBlock]
}

type snapshotBlock [spanSlots]snapshotSlot

// snapshotSlot is what items with FieldsKey tell of a resource.
type snapshotSlot struct {
	start, until history.Moment
	number       uint32
	age          uint32 // revisions between the one that opened it and the one known; then a bit: deleted
}

// notInSnapshot is the age of a resource that is to be looked up otherwise.
const notInSnapshot = math.MaxUint32

// snapshots remembers those that were asked for last, of so many resources in all.
type snapshots struct {
	mu   sync.Mutex
	list []*snapshot // the one used last first
}

const snapshotResources = 1 << 20 // 24 bytes each

// of is the snapshot of a moment in a store of so many resources; nil if that would
// be too large.
func (s *snapshots) of(at history.At, epoch uint64, rids int) *snapshot {
	if rids > snapshotResources {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.list, func(x *snapshot) bool { return x.at == at && x.epoch == epoch })
	if i < 0 {
		i = len(s.list)
		s.list = append(s.list, &snapshot{at: at, epoch: epoch, blocks: make([]atomic.Pointer[snapshotBlock], rids/spanSlots+1)})
	}
	found := s.list[i]
	copy(s.list[1:], s.list[:i])
	s.list[0] = found
	sum := 0
	for i, x := range s.list {
		if sum += len(x.blocks) * spanSlots; i > 0 && sum > snapshotResources {
			clear(s.list[i:])
			s.list = s.list[:i]
			break
		}
	}
	return found
}

// stand finds a resource; false: it is not in the snapshot.
func (s *snapshot) stand(v *view, r rid) (standing, bool, error) {
	no := int(r / spanSlots)
	if no >= len(s.blocks) {
		return standing{}, false, nil
	}
	block := s.blocks[no].Load()
	if block == nil {
		spans, err := v.spanBlock(r)
		if err == nil && spans == nil {
			err = damaged(bucketSpans, spanKey(r)) // it is missing: a resource of it is merged
		}
		if err != nil {
			return standing{}, false, err
		}
		block = s.block(v, r/spanSlots*spanSlots, spans)
	}
	found, ok := block.stand(r, s.at.Known)
	return found, ok, nil
}

func (b *snapshotBlock) stand(r rid, known history.Revision) (x standing, ok bool) {
	if b == nil {
		return x, false
	}
	slot := &b[r%spanSlots]
	if x.until = history.Newest; slot.number != 0 {
		x.number, x.deleted, x.start, x.until = slot.number, slot.age&1 != 0, slot.start, slot.until
		x.opened = known - history.Revision(slot.age>>1)
	}
	return x, slot.age != notInSnapshot
}

// block is the one that begins with a resource, which has these spans. What is not
// merged yet is not in it.
func (s *snapshot) block(v *view, first rid, spans spanBlock) *snapshotBlock {
	no := int(first / spanSlots)
	if no >= len(s.blocks) {
		return nil
	}
	if block := s.blocks[no].Load(); block != nil {
		return block
	}
	block := &snapshotBlock{}
	for i := range block {
		r := first + rid(i)
		if v.unmerged(r) {
			block[i].age = notInSnapshot
			continue
		}
		_, rows := openEntry(spans.entry(r))
		x := rows.stand(s.at.Captured, s.at.Known)
		if x.number == 0 {
			continue
		}
		age := uint64(s.at.Known - x.opened)
		block[i] = snapshotSlot{start: x.start, until: x.until, number: x.number, age: uint32(age)<<1 | uint32(bit(x.deleted))}
		if age >= notInSnapshot>>1 {
			block[i].age = notInSnapshot
		}
	}
	s.blocks[no].Store(block)
	return block
}
