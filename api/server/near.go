package server

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/varvehq/varve/api/internal/paging"
	"github.com/varvehq/varve/history"
)

// Bounds of the search for what somebody may have meant.
const (
	nearShown = 5      // resources that an error lists
	nearKeys  = 20_000 // of a type, that are compared
	nearTypes = 2_000  // that are asked for the id
)

// unknown says that no such resource is known to a reader, and which known ones
// have a similar name: in the text for people, and under `near` for programs.
func (s *Server) unknown(ctx context.Context, r history.Reader, q subject) error {
	e := history.Errorf(history.NotFound, "%s is not known", q)
	type match struct {
		Account string `json:"account"`
		Region  string `json:"region"`
		Type    string `json:"type"`
		ID      string `json:"id"`
	}
	var (
		texts   []string
		matches []match
	)
	for _, k := range q.near(ctx, s.newest(ctx, r)) {
		longer := append(matches, match(k))
		list, _ := json.Marshal(longer) // strings always can be
		if len(list) > 900 {            // it is to fit into a status, whole
			continue
		}
		matches = longer
		texts = append(texts, fmt.Sprintf("%s %q in account %q region %q", k.Type, k.ID, k.Account, k.Region))
		e.Meta = map[string]string{"near": string(list)}
	}
	if len(texts) > 0 {
		e.Text += "; near it: " + strings.Join(texts, "; ")
	}
	return e
}

// knownType says so if nothing of a type is known to a reader, and which known
// types have a similar name: an empty answer would hide a slip of the pen.
func (s *Server) knownType(ctx context.Context, r history.Reader, typ string) error {
	types, err := s.newest(ctx, r).Count(ctx, history.Query{Deleted: true}, history.ByType)
	if err != nil || len(types) == 0 {
		return err
	}
	return among(types, typ)
}

// among is knownType for types that are counted.
func among(types []history.Group, typ string) error {
	var near []string
	for _, t := range types {
		if t.Name == typ {
			return nil
		}
		if _, ok := likeness(typ, t.Name); ok && len(near) < nearShown {
			near = append(near, t.Name)
		}
	}
	e := &history.Error{Kind: history.NotFound, Field: "type", Value: typ, Text: "is no type of which anything is known"}
	if len(near) > 0 {
		e.Text += "; near it: " + strings.Join(near, ", ")
	}
	return e
}

// newest is a reader of the newest state that knows what r knows; r itself if there
// is none.
func (s *Server) newest(ctx context.Context, r history.Reader) history.Reader {
	if _, ok := r.(nothing); ok {
		return r
	}
	n, err := s.store.AsOf(ctx, history.At{Captured: history.Newest, Known: r.At().Known})
	if err != nil {
		return r
	}
	return n
}

// near finds known resources of a similar name, the likeliest first: those of
// that type and id elsewhere, those of that type with an id that differs little or
// goes on, those of another type with that id. Deleted resources are included; what
// cannot be read is not found: there is an error to be told already.
func (q subject) near(ctx context.Context, r history.Reader) []history.Key {
	type candidate struct {
		key  history.Key
		rank int
	}
	var found []candidate
	add := func(keys []history.Key, rank int) {
		for _, k := range keys {
			found = append(found, candidate{k, rank})
		}
	}
	elsewhere, _ := r.Find(ctx, q.typ, q.id)
	add(elsewhere, 0)

	ask := history.Query{Type: q.typ, Deleted: true, Limit: paging.MaxChunk, Fields: history.FieldsKey}
	for read, more := 0, q.typ != ""; more && read < nearKeys; {
		items, further, err := r.Items(ctx, ask)
		if err != nil || len(items) == 0 {
			break
		}
		for i := range items {
			if rank, ok := likeness(q.id, items[i].Key.ID); ok {
				add([]history.Key{items[i].Key}, rank)
			}
		}
		read, more, ask.After = read+len(items), further, &items[len(items)-1].Key
	}

	types, _ := r.Count(ctx, history.Query{Deleted: true}, history.ByType)
	for _, t := range types[:min(len(types), nearTypes)] {
		if t.Name != q.typ {
			namesakes, _ := r.Find(ctx, t.Name, q.id)
			add(namesakes, farthest)
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Or(a.rank-b.rank, a.key.Compare(b.key)) })
	var keys []history.Key
	for _, c := range found {
		if len(keys) < nearShown && !slices.Contains(keys, c.key) {
			keys = append(keys, c.key)
		}
	}
	return keys
}

// Ranks of likeness, the best first: ids that differ by up to two edits have
// theirs as a rank.
const (
	goesOn   = 3
	farthest = 4
)

// likeness tells how much an id looks like the one that was asked for.
func likeness(asked, id string) (rank int, ok bool) {
	if strings.EqualFold(asked, id) {
		return 1, true
	}
	short := min(len(asked), len(id))
	if n := edits(asked, id, min(2, short/3)); n >= 0 {
		return n, true
	}
	if short >= 3 && asked[:short] == id[:short] {
		return goesOn, true
	}
	return 0, false
}

// edits counts the bytes to insert, drop or replace that make a of b: -1 if it
// takes more than most.
func edits(a, b string, most int) int {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if max(len(a), len(b))-min(len(a), len(b)) > most {
		return -1
	}
	row := make([]int, len(b)+1) // edits that make the first i bytes of a of the first j of b
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, least := row[0], i+1
		row[0] = i + 1
		for j := range len(b) {
			n := before
			if a[i] != b[j] {
				n = 1 + min(before, row[j], row[j+1])
			}
			before, row[j+1] = row[j+1], n
			least = min(least, n)
		}
		if least > most {
			return -1
		}
	}
	if n := row[len(b)]; n <= most {
		return n
	}
	return -1
}
