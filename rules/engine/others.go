package engine

import (
	"context"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// Graph tells who uses what, as a reader sees it; package graph's answers are
// made to fit. Its methods are safe for concurrent use.
type Graph interface {
	// Related are the live resources that one uses, and Referrers those that use
	// it, whatever it is in itself: the caller asks again when it changes.
	Related(ctx context.Context, r history.Reader, k history.Key) (Neighbours, error)
	Referrers(ctx context.Context, r history.Reader, k history.Key) (Neighbours, error)

	// Touched are the places at which an answer may be another because a resource
	// is in one state and not in the other; nil: there is no such resource.
	Touched(k history.Key, before, after *history.State) []string
}

// Neighbours are an answer of the graph.
type Neighbours struct {
	Keys   []history.Key  // each once
	Places []string       // in words of the graph's: where a change may make the answer another
	Until  history.Moment // as known to the reader it may be another from then on; Newest: never
}

// Look is one thing that a verdict depends on beside its resource and its rule:
// the one field that is set.
type Look struct {
	Key   history.Key // the resource
	Type  string      // all resources of a type
	Place string      // of the graph
}

// looking is what one evaluation sees of others; it notes what was asked, what
// the answers were, and from when on they may be others.
type looking struct {
	s      *Session
	owner  rules.Owner
	at     history.Moment
	reader history.Reader
	until  history.Moment
	trace  []answer
	looked map[Look]struct{}
}

// answer is a question with the versions that answered it.
type answer struct {
	question rune
	key      history.Key
	typ      string
	found    []versionOf
}

type versionOf struct {
	key    history.Key
	number uint32
}

// same reports whether all that was asked was answered alike.
func (l *looking) same(o *looking) bool {
	return slices.EqualFunc(l.trace, o.trace, func(a, b answer) bool {
		return a.question == b.question && a.key == b.key && a.typ == b.typ && slices.Equal(a.found, b.found)
	})
}

func (l *looking) open(ctx context.Context) error {
	if l.reader != nil {
		return nil
	}
	r, err := l.s.asOf(ctx, l.at)
	if err != nil {
		return err
	}
	l.reader = &remembering{r, l.s.links}
	return nil
}

// Related implements rules.Others.
func (l *looking) Related(ctx context.Context, k history.Key, typ string) ([]*rules.Decoded, error) {
	return l.around(ctx, '>', k, typ)
}

// Referrers implements rules.Others.
func (l *looking) Referrers(ctx context.Context, k history.Key, typ string) ([]*rules.Decoded, error) {
	return l.around(ctx, '<', k, typ)
}

func (l *looking) around(ctx context.Context, direction rune, k history.Key, typ string) ([]*rules.Decoded, error) {
	if err := l.open(ctx); err != nil {
		return nil, err
	}
	asked := answer{question: direction, key: k, typ: typ}
	if _, err := l.versions(ctx, []history.Key{k}); err != nil {
		return nil, err
	}
	var n Neighbours
	n.Until = history.Newest
	if g := l.s.graph; g != nil {
		ask := g.Related
		if direction == '<' {
			ask = g.Referrers
		}
		var err error
		if n, err = ask(ctx, l.reader, k); err != nil {
			return nil, err
		}
	}
	l.until = min(l.until, n.Until)
	for _, p := range n.Places {
		l.looked[Look{Place: p}] = struct{}{}
	}
	keys := slices.DeleteFunc(slices.Clone(n.Keys), func(k history.Key) bool {
		return typ != "" && typ != k.Type || !sees(l.owner, k)
	})
	slices.SortFunc(keys, history.Key.Compare)
	found, err := l.versions(ctx, keys)
	if err != nil {
		return nil, err
	}
	return l.answer(ctx, asked, found)
}

// versions tells which versions of resources stand, and depends on them.
func (l *looking) versions(ctx context.Context, keys []history.Key) ([]history.Item, error) {
	items, err := l.reader.Get(ctx, keys, history.FieldsKey)
	if err != nil {
		return nil, err
	}
	for i := range items {
		l.looked[Look{Key: items[i].Key}] = struct{}{}
		if items[i].Version != 0 {
			l.until = min(l.until, items[i].Until)
			continue
		}
		begins, err := l.s.begins(ctx, items[i].Key, l.at)
		if err != nil {
			return nil, err
		}
		l.until = min(l.until, begins)
	}
	return slices.DeleteFunc(items, func(i history.Item) bool { return !i.Exists() }), nil
}

// Inventory implements rules.Others.
func (l *looking) Inventory(ctx context.Context, typ string) ([]*rules.Decoded, error) {
	if typ == "" || history.Reserved(typ) {
		return nil, &history.Error{Kind: history.Invalid, Field: "type", Value: typ, Text: "has no inventory that a rule may ask for; name a type of resources"}
	}
	if err := l.open(ctx); err != nil {
		return nil, err
	}
	l.looked[Look{Type: typ}] = struct{}{}
	is, until, err := l.s.inventory(ctx, l.reader, stockOf{typ, l.owner}, l.at)
	if err != nil {
		return nil, err
	}
	l.until = min(l.until, until)
	l.trace = append(l.trace, answer{question: '*', typ: typ, found: is.found})
	return is.list, nil
}

// answer decodes what was found, and notes it.
func (l *looking) answer(ctx context.Context, a answer, found []history.Item) ([]*rules.Decoded, error) {
	for i := range found {
		a.found = append(a.found, versionOf{found[i].Key, found[i].Version})
	}
	l.trace = append(l.trace, a)
	return l.s.decoded(ctx, l.reader, a.found)
}

// evaluated is the verdict that was put last on a resource under a rule that is
// evaluated elsewhere. A resource that is not recorded has none else.
func (l *looking) evaluated(ctx context.Context, r *Ruling, i *history.Item) (rules.Verdict, error) {
	if err := l.open(ctx); err != nil {
		return rules.Verdict{}, err
	}
	put := EvaluationKey(r.Owner, r.Name, i.Key)
	found, err := l.versions(ctx, []history.Key{put})
	if err != nil {
		return rules.Verdict{}, err
	}
	var none rules.Verdict
	if i.Version != 0 {
		none = rules.Verdict{Compliance: rules.InsufficientData, Annotation: NotEvaluated}
	}
	items, err := l.answer(ctx, answer{question: '=', key: put}, found)
	if err != nil || len(items) == 0 {
		return none, err
	}
	given, err := ReadRecord(&items[0].Item)
	return given.Verdict, err
}
