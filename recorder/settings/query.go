package settings

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/varvehq/varve/history"
)

// Query is a stored query: kept under a name, not run.
type Query struct {
	Owner       Owner          `json:"-"`
	Name        string         `json:"name"`
	Description string         `json:"description,omitempty"` // up to 256 characters
	Expression  string         `json:"expression"`            // up to 4096 characters, not checked beyond its first word
	CreatedAt   history.Moment `json:"created_at"`
	UpdatedAt   history.Moment `json:"updated_at"`
}

// MostQueries is how many an owner has at most.
const MostQueries = 300

// queries is the collection of an owner's queries, by name.
func queries(o Owner) string { return "stored-query/" + documentName(o) }

var queryName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// ID is unique among the owner's queries.
func (q *Query) ID() string { return "query-" + shortID(16, q.Owner, "query", q.Name) }

// ARN names the query among all things of AWS.
func (q *Query) ARN() string { return arnOf(q.Owner, "stored-query/"+q.Name+"/"+q.ID()) }

func (q *Query) check() error {
	first, _, _ := strings.Cut(strings.Join(strings.Fields(q.Expression), " "), " ")
	switch {
	case !queryName.MatchString(q.Name):
		return BadQuery.Of(q.Name)
	case !strings.EqualFold(first, "select"), utf8.RuneCountInString(q.Expression) > 4096:
		return BadQuery.Of(q.Expression)
	case utf8.RuneCountInString(q.Description) > 256:
		return BadQuery.Of(q.Description)
	}
	return nil
}

// PutQuery keeps a query, in place of one of that name, and returns it. Replaced, it
// keeps the expression or the description that it is not given, and passes tags over.
// BadQuery, TooManyQueries, BadTag, TooManyTags; Conflict if another put it meanwhile.
func (s *Settings) PutQuery(ctx context.Context, q Query, tags map[string]string) (Query, error) {
	if !queryName.MatchString(q.Name) {
		return Query{}, BadQuery.Of(q.Name)
	}
	if err := checkTags(q.Name, tags); err != nil {
		return Query{}, err
	}
	_, seen, err := s.query(ctx, q.Owner, q.Name)
	if err != nil && !errors.Is(err, UnknownQuery) {
		return Query{}, err
	}
	for {
		put, err := s.putQuery(ctx, q, seen, tags)
		if !errors.Is(err, history.Conflict) {
			return put, err
		}
		// Another query may have come between, which is no matter.
		if _, now, _ := s.query(ctx, q.Owner, q.Name); now != seen || ctx.Err() != nil {
			return Query{}, err
		}
	}
}

// putQuery puts a query that was seen at a revision; 0: it was not there.
func (s *Settings) putQuery(ctx context.Context, q Query, seen uint64, tags map[string]string) (Query, error) {
	old, _, err := s.query(ctx, q.Owner, q.Name)
	made := errors.Is(err, UnknownQuery)
	switch {
	case made:
		q.CreatedAt = s.moment()
	case err != nil:
		return Query{}, err
	default:
		q.CreatedAt = old.CreatedAt
		if q.Expression == "" {
			q.Expression = old.Expression
		}
		if q.Description == "" {
			q.Description = old.Description
		}
	}
	if err := q.check(); err != nil {
		return Query{}, err
	}
	var writes []history.DocumentWrite
	if made {
		if writes, err = s.making(ctx, &q, tags); err != nil {
			return Query{}, err
		}
	}
	q.UpdatedAt = s.moment()
	w := history.DocumentWrite{Collection: queries(q.Owner), Name: q.Name, Expect: &seen}
	if w.Body, err = encode(q); err != nil {
		return Query{}, err
	}
	_, err = s.documents.PutDocuments(ctx, append(writes, w))
	return q, err
}

// counts is the collection of how many queries owners have, by owner: what keeps two
// that come at once from being one too many.
const counts = "stored-query-count"

// making is what is written beside a query that is made anew.
func (s *Settings) making(ctx context.Context, q *Query, tags map[string]string) ([]history.DocumentWrite, error) {
	n, w, err := s.counted(ctx, q.Owner, 1)
	switch {
	case err != nil:
		return nil, err
	case n > MostQueries:
		return nil, TooManyQueries.Of(q.Name)
	}
	writes, err := tagWrites(q.ARN(), tags)
	return append(writes, w), err
}

// counted is how many queries an owner has with those that come or go, and what writes
// it down.
func (s *Settings) counted(ctx context.Context, o Owner, more int) (n int, w history.DocumentWrite, err error) {
	doc, err := s.documents.Document(ctx, counts, documentName(o))
	switch {
	case errors.Is(err, history.NotFound):
	case err != nil:
		return 0, w, err
	default:
		if err := decode(doc, &n); err != nil {
			return 0, w, err
		}
	}
	n += more
	w = history.DocumentWrite{Collection: counts, Name: documentName(o), Expect: &doc.Revision}
	if n > 0 {
		w.Body, err = encode(n)
	}
	return n, w, err
}

// Query returns one of the owner's. UnknownQuery.
func (s *Settings) Query(ctx context.Context, o Owner, name string) (Query, error) {
	q, _, err := s.query(ctx, o, name)
	return q, err
}

func (s *Settings) query(ctx context.Context, o Owner, name string) (Query, uint64, error) {
	if !queryName.MatchString(name) {
		return Query{}, 0, UnknownQuery.Of(name)
	}
	doc, err := s.documents.Document(ctx, queries(o), name)
	switch {
	case errors.Is(err, history.NotFound):
		return Query{}, 0, UnknownQuery.Of(name)
	case err != nil:
		return Query{}, 0, err
	}
	q := Query{}
	err = decode(doc, &q)
	q.Owner = o
	return q, doc.Revision, err
}

// Queries are up to limit (0: all) of the owner's, bytewise by name, after the given
// one ("" = from the start), and whether there are more.
func (s *Settings) Queries(ctx context.Context, o Owner, after string, limit int) (list []Query, more bool, err error) {
	docs, more, err := s.documents.Documents(ctx, queries(o), after, limit)
	if err != nil {
		return nil, false, err
	}
	for _, doc := range docs {
		q := Query{}
		if err := decode(doc, &q); err != nil {
			return nil, false, err
		}
		q.Owner = o
		list = append(list, q)
	}
	return list, more, nil
}

// DeleteQuery deletes one of the owner's, with its tags. UnknownQuery.
func (s *Settings) DeleteQuery(ctx context.Context, o Owner, name string) error {
	for {
		err := s.deleteQuery(ctx, o, name)
		if !errors.Is(err, history.Conflict) || ctx.Err() != nil {
			return err
		}
	}
}

func (s *Settings) deleteQuery(ctx context.Context, o Owner, name string) error {
	q, revision, err := s.query(ctx, o, name)
	if err != nil {
		return err
	}
	_, count, err := s.counted(ctx, o, -1)
	if err != nil {
		return err
	}
	writes, err := tagWrites(q.ARN(), nil)
	if err != nil {
		return err
	}
	_, err = s.documents.PutDocuments(ctx, append(writes, count,
		history.DocumentWrite{Collection: queries(o), Name: name, Expect: &revision}))
	return err
}
