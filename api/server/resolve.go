package server

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/varvehq/varve/history"
)

// subject is how a question names a resource: type and id, and account and
// region where they are given.
type subject struct {
	typ, id         string
	account, region *string
}

// String is for errors.
func (q subject) String() string {
	text := q.typ + " " + strconv.Quote(q.id)
	if q.account != nil {
		text += " in account " + strconv.Quote(*q.account)
	}
	if q.region != nil {
		text += " in region " + strconv.Quote(*q.region)
	}
	return text
}

// find returns the keys that are meant, as far as they are known to exist: where
// account and region are both given it is that one key, unlooked for.
func (q subject) find(ctx context.Context, r history.Reader) ([]history.Key, error) {
	key := history.Key{Type: q.typ, ID: q.id}
	if q.account != nil {
		key.Account = *q.account
	}
	if q.region != nil {
		key.Region = *q.region
	}
	if err := key.Validate(); err != nil {
		return nil, err
	}
	if q.account != nil && q.region != nil {
		return []history.Key{key}, nil
	}
	keys, err := r.Find(ctx, q.typ, q.id)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(keys, func(k history.Key) bool {
		return q.account != nil && k.Account != *q.account || q.region != nil && k.Region != *q.region
	}), nil
}

// one returns the one key that is meant by what is known to a reader.
func (s *Server) one(ctx context.Context, r history.Reader, q subject) (history.Key, error) {
	keys, err := q.find(ctx, r)
	switch {
	case err != nil:
		return history.Key{}, err
	case len(keys) == 0:
		return history.Key{}, s.unknown(ctx, r, q)
	case len(keys) > 1:
		return history.Key{}, q.ambiguous(keys)
	}
	return keys[0], nil
}

// shown is how many resources or intervals an error lists: enough to go on
// with, and short enough for a status.
const shown = 8

// ambiguous lists account and region of the keys, in the text for people and
// under `matches` for programs.
func (q subject) ambiguous(keys []history.Key) error {
	type place struct {
		Account string `json:"account"`
		Region  string `json:"region"`
	}
	var (
		texts  []string
		places []place
		size   int
	)
	for _, k := range keys {
		if size += len(k.Account) + len(k.Region) + 30; len(places) == shown || size > 900 && len(places) > 0 {
			texts = append(texts, fmt.Sprintf("and %d more", len(keys)-len(places)))
			break
		}
		texts = append(texts, fmt.Sprintf("account %q region %q", k.Account, k.Region))
		places = append(places, place{k.Account, k.Region})
	}
	matches, _ := json.Marshal(places) // strings always can be
	return &history.Error{
		Kind: history.Ambiguous,
		Text: fmt.Sprintf("%s is the name of %d resources; say account and region: %s", q, len(keys), strings.Join(texts, "; ")),
		Meta: map[string]string{"matches": string(matches), "count": strconv.Itoa(len(keys))},
	}
}

// span is a time in which a resource existed; to is Newest while it does.
type span struct {
	from, to history.Moment
}

// scanned bounds how many versions are looked through for spans.
const scanned = 10_000

// spans returns when a resource existed, oldest first, by its newest versions.
func spans(ctx context.Context, r history.Reader, k history.Key) (list []span, known bool, err error) {
	items, _, err := r.History(ctx, k, history.HistoryQuery{Limit: scanned, Fields: history.FieldsHead})
	for _, item := range items {
		if item.State.Deleted {
			continue
		}
		if n := len(list); n > 0 && list[n-1].from == item.Until {
			list[n-1].from = item.CapturedAt
			continue
		}
		list = append(list, span{item.CapturedAt, item.Until})
	}
	slices.Reverse(list)
	return list, len(items) > 0, err
}

// notAlive says that the resource did not exist at the reader's moment and when
// it did: in the text for people, and under `existed` for programs as ISO 8601
// intervals `from/to`, an open one as `from/..`. Not known at all is NotFound.
func (s *Server) notAlive(ctx context.Context, r history.Reader, q subject, k history.Key) error {
	list, known, err := spans(ctx, r, k)
	switch {
	case err != nil:
		return err
	case !known:
		return s.unknown(ctx, r, q)
	}
	at := r.At().Captured
	list = nearest(list, at)

	var texts, intervals []string
	for _, s := range list {
		switch s.to {
		case history.Newest:
			texts = append(texts, "since "+s.from.String())
			intervals = append(intervals, s.from.String()+"/..")
		default:
			texts = append(texts, "from "+s.from.String()+" to "+s.to.String())
			intervals = append(intervals, s.from.String()+"/"+s.to.String())
		}
	}
	existed := "nothing but its deletion is known"
	if len(texts) > 0 {
		existed = "it existed " + join(texts)
	}
	did := "did not exist at " + at.String()
	if at == 0 || at == history.Newest {
		did = "does not exist any more"
	}
	return &history.Error{
		Kind: history.NotAlive,
		Text: fmt.Sprintf("%s %s; %s", q, did, existed),
		Meta: map[string]string{"existed": strings.Join(intervals, ",")},
	}
}

// nearest leaves those spans that lie around a moment.
func nearest(list []span, at history.Moment) []span {
	i, _ := slices.BinarySearchFunc(list, at, func(s span, at history.Moment) int {
		if s.from < at {
			return -1
		}
		return 1
	})
	from := max(0, min(i-shown/2, len(list)-shown))
	return list[from:min(len(list), from+shown)]
}

func join(texts []string) string {
	if len(texts) == 1 {
		return texts[0]
	}
	last := len(texts) - 1
	return strings.Join(texts[:last], ", ") + " and " + texts[last]
}
