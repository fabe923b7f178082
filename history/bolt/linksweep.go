package bolt

import (
	"bytes"
	"context"
	"slices"

	"github.com/varvehq/varve/history"
)

// sweepLinks drops the spans that nobody is told of any more: those that end
// below the floor of their resource's type, and those known up to an earlier
// revision than any that is asked for. What is left is told as if cut at the
// floor.
func (s *Store) sweepLinks(ctx context.Context, job *sweep) error {
	for from := []byte{}; from != nil; {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.upkeep.slice.Lock()
		err := s.betweenMerges(func() error {
			p := &puts{}
			err := s.mergedView(func(v *view) (err error) {
				from, err = v.sweepLinks(p, job, from)
				return err
			})
			if err != nil || len(p.list)+len(p.deletes) == 0 {
				return err
			}
			return s.write(p)
		})
		s.upkeep.slice.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// sweepLinks prepares some blocks from a key on, and returns where to go on.
func (v *view) sweepLinks(p *puts, job *sweep, from []byte) ([]byte, error) {
	c := v.tx.Bucket(bucketLinks).Cursor()
	k, framed := c.Seek(from)
	for range mergeDeletes {
		if k == nil {
			return nil, nil
		}
		spans, err := readLinkBlock(k, framed)
		if err != nil {
			return nil, err
		}
		kept := slices.DeleteFunc(slices.Clone(spans), func(s linkSpan) bool {
			drop, failed := v.sweeps(job, &s)
			if failed != nil {
				err = failed
			}
			return drop
		})
		if err != nil {
			return nil, err
		}
		if len(kept) != len(spans) {
			if key := bytes.Clone(k); len(kept) > 0 { // under the old key, which is not greater
				p.add(bucketLinks, key, sealValue(key, appendLinkBlock(nil, kept)))
			} else {
				p.deletes = append(p.deletes, put{bucket: bucketLinks, key: key})
			}
		}
		k, framed = c.Next()
	}
	return bytes.Clone(k), nil
}

// sweeps reports whether a span is to go.
func (v *view) sweeps(job *sweep, s *linkSpan) (bool, error) {
	f := &job.floors.Floors
	if !mayFall(f, s) {
		return false, nil
	}
	_, n, _, err := v.headValue(s.rid)
	if err != nil || n == 0 {
		return err == nil, err // the resource went
	}
	k, ok := v.s.groups.Load().key(n, "")
	if !ok {
		return false, damaged(bucketHeads, ridKey(s.rid))
	}
	return s.To <= f.Of(k.Type) || s.Closed != 0 && s.Closed <= f.RevisionOf(k.Type), nil
}

// mayFall reports whether some type's floor would drop a span.
func mayFall(f *history.Floors, s *linkSpan) bool {
	if s.To <= f.Captured || s.Closed != 0 && s.Closed <= f.Revision {
		return true
	}
	for _, m := range f.ByType {
		if s.To <= m {
			return true
		}
	}
	for _, r := range f.RevisionByType {
		if s.Closed != 0 && s.Closed <= r {
			return true
		}
	}
	return false
}
