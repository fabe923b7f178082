package settings

import (
	"context"
	"regexp"
	"strings"

	"github.com/varvehq/varve/history"
)

// Channel is a delivery channel; an owner has at most one.
type Channel struct {
	Owner     Owner  `json:"-"`
	Name      string `json:"name"`
	Bucket    string `json:"bucket"`
	KeyPrefix string `json:"key_prefix,omitempty"` // of keys, without a slash at its end
	KMSKeyARN string `json:"kms_key_arn,omitempty"`
	TopicARN  string `json:"topic_arn,omitempty"`
	Frequency string `json:"frequency,omitempty"` // of snapshots: One_Hour … TwentyFour_Hours; empty: none is made by itself

	// What follows a put leaves as it is.
	CreatedAt history.Moment `json:"created_at"`
	Snapshot  Delivery       `json:"snapshot,omitzero"` // the last of each
	History   Delivery       `json:"history,omitzero"`
	Stream    Delivery       `json:"stream,omitzero"`
}

// Delivery is how the last delivery of one kind went.
type Delivery struct {
	Status     string         `json:"status,omitempty"` // SUCCESS, FAILURE, NOT_APPLICABLE; empty: there was none
	Error      string         `json:"error,omitempty"`  // of a FAILURE: a code
	Text       string         `json:"text,omitempty"`   // and what went wrong
	AttemptAt  history.Moment `json:"attempt_at,omitempty"`
	SuccessAt  history.Moment `json:"success_at,omitempty"`
	NextAt     history.Moment `json:"next_at,omitempty"`    // zero: none is planned
	ChangedAt  history.Moment `json:"changed_at,omitempty"` // of the status
	SnapshotID string         `json:"snapshot_id,omitempty"`

	Pending []Pending        `json:"pending,omitempty"` // what is asked for and not delivered yet, the oldest first
	Through history.Position `json:"through,omitempty"` // of histories: what was recorded up to there is delivered
}

// Pending is a snapshot that is asked for.
type Pending struct {
	ID string         `json:"id"`
	At history.Moment `json:"at"` // when it was asked for
}

// How a delivery went, in AWS Config's words.
const (
	Success       = "SUCCESS"
	Failure       = "FAILURE"
	NotApplicable = "NOT_APPLICABLE"
)

// bucket is what the name of a bucket looks like; none of them climbs out of a folder.
var bucket = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$`)

// check fills in what is left out, and says what is wrong.
func (c *Channel) check() error {
	if c.Name == "" {
		c.Name = DefaultName
	}
	switch {
	case !printable(c.Name):
		return BadChannelName.Of(c.Name)
	case !bucket.MatchString(c.Bucket):
		return NoBucket.Of(c.Bucket)
	case !isKeyPrefix(c.KeyPrefix):
		return BadKeyPrefix.Of(c.KeyPrefix)
	case c.KMSKeyARN != "" && !isARN(c.KMSKeyARN, "kms"):
		return BadKMSKey.Of(c.KMSKeyARN)
	case c.TopicARN != "" && !isARN(c.TopicARN, "sns"):
		return BadTopic.Of(c.TopicARN)
	}
	return nil
}

func isKeyPrefix(p string) bool {
	if p == "" {
		return true
	}
	if len(p) > 512 || strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
		return false
	}
	for part := range strings.SplitSeq(p, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return true
}

// PutChannel makes the owner's channel, or replaces where it delivers to, and returns
// it. NoRecorder, BadChannelName, SecondChannel, NoBucket, BadKeyPrefix, BadKMSKey,
// BadTopic.
func (s *Settings) PutChannel(ctx context.Context, c Channel) (Channel, error) {
	if err := c.check(); err != nil {
		return Channel{}, err
	}
	put := c
	err := s.edit(ctx, c.Owner, func(is *setup) ([]history.DocumentWrite, error) {
		if err := is.admits(&c); err != nil {
			return nil, err
		}
		put = c
		put.CreatedAt, put.Snapshot, put.History, put.Stream = s.moment(), Delivery{}, Delivery{}, Delivery{}
		if old := is.Channel; old != nil {
			put.CreatedAt, put.Snapshot, put.History, put.Stream = old.CreatedAt, old.Snapshot, old.History, old.Stream
		}
		is.Channel = &put
		return nil, nil
	})
	return put, err
}

// CheckChannel says beforehand what PutChannel would refuse.
func (s *Settings) CheckChannel(ctx context.Context, c Channel) error {
	if err := c.check(); err != nil {
		return err
	}
	is, _, err := s.setup(ctx, c.Owner)
	if err != nil {
		return err
	}
	return is.admits(&c)
}

func (s *setup) admits(c *Channel) error {
	switch {
	case s.Recorder == nil:
		return NoRecorder.Of(DefaultName)
	case s.Channel != nil && s.Channel.Name != c.Name:
		return SecondChannel.Of(c.Name)
	}
	return nil
}

// Channel returns the owner's. UnknownChannel: there is none.
func (s *Settings) Channel(ctx context.Context, o Owner) (Channel, error) {
	is, _, err := s.setup(ctx, o)
	switch {
	case err != nil:
		return Channel{}, err
	case is.Channel == nil:
		return Channel{}, UnknownChannel.Of(DefaultName)
	}
	return *is.Channel, nil
}

// Channels are those of all owners, in a stable order.
func (s *Settings) Channels(ctx context.Context) ([]Channel, error) {
	docs, _, err := s.documents.Documents(ctx, setups, "", 0)
	if err != nil {
		return nil, err
	}
	var list []Channel
	for _, doc := range docs {
		var is setup
		if err := decode(doc, &is); err != nil {
			return nil, err
		}
		o, err := ownerOf(doc.Name)
		if err != nil {
			return nil, &history.Error{Kind: history.DataLoss, Field: "document", Value: doc.Name, Text: "is not of an owner", Err: err}
		}
		is.own(o)
		if is.Channel != nil {
			list = append(list, *is.Channel)
		}
	}
	return list, nil
}

// SetDeliveries changes how deliveries of the owner's channel went, beside whatever
// else changes. do may be called more than once, and only touches the deliveries.
// UnknownChannel.
func (s *Settings) SetDeliveries(ctx context.Context, o Owner, name string, do func(*Channel)) error {
	return s.edit(ctx, o, func(is *setup) ([]history.DocumentWrite, error) {
		if is.Channel == nil || is.Channel.Name != name {
			return nil, UnknownChannel.Of(name)
		}
		changed := *is.Channel
		do(&changed)
		is.Channel.Snapshot, is.Channel.History, is.Channel.Stream = changed.Snapshot, changed.History, changed.Stream
		return nil, nil
	})
}

// DeleteChannel deletes the owner's channel. UnknownChannel; ChannelInUse while the
// recorder runs.
func (s *Settings) DeleteChannel(ctx context.Context, o Owner, name string) error {
	return s.edit(ctx, o, func(is *setup) ([]history.DocumentWrite, error) {
		switch {
		case is.Channel == nil || is.Channel.Name != name:
			return nil, UnknownChannel.Of(name)
		case is.Recorder != nil && is.Recorder.Recording:
			return nil, ChannelInUse.Of(name)
		}
		is.Channel = nil
		return nil, nil
	})
}
