package settings

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/varvehq/varve/history"
)

// MostTags is how many one thing has at most.
const MostTags = 50

// tagged is the collection of tags, by ARN. Whether there is something of an ARN is not
// known here, but for recorders and queries, whose tags come and go with them.
const tagged = "tags"

// tagText is what keys and values of tags consist of.
var tagText = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// checkTags says BadTag, or TooManyTags of the thing that they are for.
func checkTags(of string, tags map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		value := tags[key]
		n := utf8.RuneCountInString(key)
		if n < 1 || n > 128 || strings.HasPrefix(strings.ToLower(key), "aws:") || !tagText.MatchString(key) {
			return BadTag.Of(key)
		}
		if utf8.RuneCountInString(value) > 256 || !tagText.MatchString(value) {
			return BadTag.Of(key + "=" + value)
		}
	}
	if len(tags) > MostTags {
		return TooManyTags.Of(of)
	}
	return nil
}

// tagWrites replace the tags of an ARN, whatever they were.
func tagWrites(arn string, tags map[string]string) ([]history.DocumentWrite, error) {
	w := history.DocumentWrite{Collection: tagged, Name: arn}
	if len(tags) > 0 {
		var err error
		if w.Body, err = encode(tags); err != nil {
			return nil, err
		}
	}
	return []history.DocumentWrite{w}, nil
}

// Tags are those of an ARN; empty if it has none.
func (s *Settings) Tags(ctx context.Context, arn string) (map[string]string, error) {
	tags, _, err := s.tags(ctx, arn)
	return tags, err
}

func (s *Settings) tags(ctx context.Context, arn string) (map[string]string, uint64, error) {
	doc, err := s.documents.Document(ctx, tagged, arn)
	switch {
	case errors.Is(err, history.NotFound):
		return map[string]string{}, 0, nil
	case err != nil:
		return nil, 0, err
	}
	var tags map[string]string
	err = decode(doc, &tags)
	return tags, doc.Revision, err
}

// SetTags gives an ARN the tags with which its thing is made, in place of any that it
// had. BadTag, TooManyTags.
func (s *Settings) SetTags(ctx context.Context, arn string, tags map[string]string) error {
	if err := checkTags(arn, tags); err != nil {
		return err
	}
	writes, err := tagWrites(arn, tags)
	if err != nil {
		return err
	}
	_, err = s.documents.PutDocuments(ctx, writes)
	return err
}

// CheckTags says beforehand what SetTags would refuse.
func CheckTags(arn string, tags map[string]string) error { return checkTags(arn, tags) }

// DropTags takes all tags of an ARN away, because its thing is deleted.
func (s *Settings) DropTags(ctx context.Context, arn string) error {
	return s.SetTags(ctx, arn, nil)
}

// Tag adds tags to those of an ARN; those of the same keys are replaced. BadTag,
// TooManyTags.
func (s *Settings) Tag(ctx context.Context, arn string, tags map[string]string) error {
	return s.retag(ctx, arn, func(is map[string]string) { maps.Copy(is, tags) })
}

// Untag takes tags away from those of an ARN, if it has them.
func (s *Settings) Untag(ctx context.Context, arn string, keys []string) error {
	return s.retag(ctx, arn, func(is map[string]string) {
		for _, key := range keys {
			delete(is, key)
		}
	})
}

// retag changes the tags of an ARN, anew when another came first.
func (s *Settings) retag(ctx context.Context, arn string, change func(map[string]string)) error {
	for {
		tags, revision, err := s.tags(ctx, arn)
		if err != nil {
			return err
		}
		change(tags)
		if err := checkTags(arn, tags); err != nil {
			return err
		}
		writes, err := tagWrites(arn, tags)
		if err != nil {
			return err
		}
		writes[0].Expect = &revision
		_, err = s.documents.PutDocuments(ctx, writes)
		if !errors.Is(err, history.Conflict) {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}
