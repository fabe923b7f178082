package bolt

import (
	"encoding/binary"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
)

// groupNo numbers groups, from 1. A group is an account, region and type that
// resources have in common: names and heads say it by its number. There are few
// of them beside the resources, and all are kept in memory.
type groupNo uint32

// groups is the table of groups. It is replaced, not changed.
type groups struct {
	list   []history.Key // by number - 1; without ID
	number map[history.Key]groupNo
	sorted []groupNo // in key order
}

func (g *groups) find(k history.Key) groupNo {
	k.ID = ""
	return g.number[k]
}

// grouped is the key of a resource whose group is known.
type grouped struct {
	groupNo
	id string
}

// key is the key of a resource; false if the group is not known.
func (g *groups) key(n groupNo, id string) (history.Key, bool) {
	if n == 0 || int(n) > len(g.list) {
		return history.Key{}, false
	}
	k := g.list[n-1]
	k.ID = id
	return k, true
}

// with returns a table that has all the groups of some keys, and those that are
// new in it, in the order of their numbers.
func (g *groups) with(keys []history.Key) (table *groups, fresh []history.Key) {
	known := map[history.Key]bool{}
	for _, k := range keys {
		k.ID = ""
		if g.number[k] == 0 && !known[k] {
			known[k] = true
			fresh = append(fresh, k)
		}
	}
	if len(fresh) == 0 {
		return g, nil
	}
	slices.SortFunc(fresh, history.Key.Compare)
	return newGroups(append(slices.Clone(g.list), fresh...)), fresh
}

func newGroups(list []history.Key) *groups {
	g := &groups{list: list, number: make(map[history.Key]groupNo, len(list)), sorted: make([]groupNo, len(list))}
	for i, k := range list {
		g.number[k], g.sorted[i] = groupNo(i+1), groupNo(i+1)
	}
	slices.SortFunc(g.sorted, func(a, b groupNo) int { return list[a-1].Compare(list[b-1]) })
	return g
}

// loadGroups reads the bucket of groups.
func loadGroups(tx *bolt.Tx) (*groups, error) {
	var list []history.Key
	c := tx.Bucket(bucketGroups).Cursor()
	for k, framed := c.First(); k != nil; k, framed = c.Next() {
		g, ok := decodeGroup(k, framed)
		if !ok || int(binary.BigEndian.Uint32(k)) != len(list)+1 {
			return nil, damaged(bucketGroups, k)
		}
		list = append(list, g)
	}
	return newGroups(list), nil
}

func decodeGroup(key, framed []byte) (history.Key, bool) {
	value, ok := openValue(key, framed)
	d := decoder{b: value}
	g := history.Key{Account: d.string(), Region: d.string(), Type: d.string()}
	return g, ok && !d.short && len(key) == 4
}

func groupKey(n groupNo) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

func appendGroup(b []byte, g history.Key) []byte {
	return appendBytes(appendBytes(appendBytes(b, g.Account), g.Region), g.Type)
}

// nameKey orders the resources of a group by their ids.
func nameKey(n groupNo, id string) []byte {
	b := make([]byte, 0, 4+len(id))
	return append(binary.BigEndian.AppendUint32(b, uint32(n)), id...)
}

// parseNameKey reads a key of four bytes or more.
func parseNameKey(b []byte) (n groupNo, id string) {
	return groupNo(binary.BigEndian.Uint32(b)), string(b[4:])
}
