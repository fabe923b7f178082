package settings

import (
	"context"
	"slices"
	"strings"

	"github.com/varvehq/varve/history"
)

// Recorder is a configuration recorder; an owner has at most one.
type Recorder struct {
	Owner     Owner      `json:"-"`
	Name      string     `json:"name"`
	RoleARN   string     `json:"role_arn"` // kept and told, not assumed
	Group     Group      `json:"group"`
	Frequency string     `json:"frequency"` // CONTINUOUS or DAILY; default CONTINUOUS
	Overrides []Override `json:"overrides,omitempty"`

	// What follows a put leaves as it is.
	Recording     bool           `json:"recording,omitempty"`
	StartedAt     history.Moment `json:"started_at,omitempty"` // last; zero: never
	StoppedAt     history.Moment `json:"stopped_at,omitempty"` // last; zero: never
	StatusChanged history.Moment `json:"status_changed,omitempty"`
	CreatedAt     history.Moment `json:"created_at"`
}

// DefaultName is the name of recorders and channels that are given none.
const DefaultName = "default"

// linkedPrefix begins the names of recorders that belong to other services of AWS.
const linkedPrefix = "AWSConfigurationRecorderFor"

// Records reports whether the recorder, while it runs, takes a resource type.
func (r *Recorder) Records(resourceType string) bool { return r.Group.Records(resourceType) }

// FrequencyOf is how often a resource type is recorded: CONTINUOUS or DAILY.
func (r *Recorder) FrequencyOf(resourceType string) string {
	for _, o := range r.Overrides {
		if slices.Contains(o.Types, resourceType) {
			return o.Frequency
		}
	}
	return r.Frequency
}

// Status is how recording goes, in AWS Config's words: PENDING until the recorder has
// been started once, then SUCCESS.
func (r *Recorder) Status() string {
	if r.StartedAt == 0 {
		return "PENDING"
	}
	return Success
}

// ARN names the recorder among all things of AWS.
func (r *Recorder) ARN() string {
	return arnOf(r.Owner, "configuration-recorder/"+r.Name+"/"+shortID(16, r.Owner, "recorder", r.Name))
}

// check fills in what is left out, and says what is wrong.
func (r *Recorder) check() error {
	if r.Name == "" {
		r.Name = DefaultName
	}
	if r.Frequency == "" {
		r.Frequency = Continuous
	}
	if r.Group.Strategy == "" && len(r.Group.Types) == 0 {
		r.Group.Strategy = AllSupported
	}
	r.Group.Types = unique(r.Group.Types)
	switch {
	case !printable(r.Name) || strings.HasPrefix(r.Name, linkedPrefix):
		return BadRecorderName.Of(r.Name)
	case !isARN(r.RoleARN, "iam"):
		return NoRole.Of(r.RoleARN)
	}
	if err := r.Group.check(); err != nil {
		return err
	}
	if len(r.Overrides) > mostOverride {
		return badMode("recording_mode.overrides", "are more than one; give one list of types")
	}
	for _, o := range r.Overrides {
		if _, ok := typesHold(o.Types); !ok || len(o.Types) == 0 {
			return badMode("recording_mode.overrides.types", "are none, or one of them is none")
		}
		if !isFrequency(o.Frequency) {
			return badMode("recording_mode.overrides.frequency", "is neither CONTINUOUS nor DAILY")
		}
	}
	if !isFrequency(r.Frequency) {
		return badMode("recording_mode.frequency", "is neither CONTINUOUS nor DAILY")
	}
	return nil
}

func badMode(field, text string) error {
	return &history.Error{Kind: history.Invalid, Field: field, Text: text}
}

func isFrequency(s string) bool { return s == Continuous || s == Daily }

// printable reports whether a name can stand in an ARN and in a message: printable
// ASCII, and not blank alone.
func printable(name string) bool {
	outside := func(r rune) bool { return r < ' ' || r > '~' }
	return strings.TrimSpace(name) != "" && len(name) <= 256 && !strings.ContainsFunc(name, outside)
}

// isARN reports whether text may be the ARN of something of a service.
func isARN(text, service string) bool {
	parts := strings.SplitN(text, ":", 6)
	return len(parts) == 6 && parts[0] == "arn" && strings.HasPrefix(parts[1], "aws") && parts[2] == service && parts[5] != "" && printable(parts[5])
}

// PutRecorder makes the owner's recorder, or replaces what it records, and returns it.
// Tags are given to one that is made; on one that is there they are passed over.
// BadRecorderName, NoRole, BadGroup, SecondRecorder; Invalid for a frequency.
func (s *Settings) PutRecorder(ctx context.Context, r Recorder, tags map[string]string) (Recorder, error) {
	if err := r.check(); err != nil {
		return Recorder{}, err
	}
	if err := checkTags(r.Name, tags); err != nil {
		return Recorder{}, err
	}
	put := r
	err := s.edit(ctx, r.Owner, func(is *setup) ([]history.DocumentWrite, error) {
		put = r
		put.Recording, put.StartedAt, put.StoppedAt, put.StatusChanged, put.CreatedAt = false, 0, 0, 0, s.moment()
		if old := is.Recorder; old != nil {
			if old.Name != r.Name {
				return nil, SecondRecorder.Of(r.Name)
			}
			put.Recording, put.StartedAt, put.StoppedAt = old.Recording, old.StartedAt, old.StoppedAt
			put.StatusChanged, put.CreatedAt = old.StatusChanged, old.CreatedAt
			is.Recorder = &put
			return nil, nil
		}
		is.Recorder = &put
		return tagWrites(put.ARN(), tags)
	})
	return put, err
}

// Recorder returns the owner's. UnknownRecorder: there is none.
func (s *Settings) Recorder(ctx context.Context, o Owner) (Recorder, error) {
	is, _, err := s.setup(ctx, o)
	switch {
	case err != nil:
		return Recorder{}, err
	case is.Recorder == nil:
		return Recorder{}, UnknownRecorder.Of(DefaultName)
	}
	return *is.Recorder, nil
}

// StartRecorder makes the owner's recorder run; one that runs goes on.
// UnknownRecorder, NoChannel.
func (s *Settings) StartRecorder(ctx context.Context, o Owner, name string) error {
	return s.change(ctx, o, name, func(r *Recorder, c *Channel) error {
		switch {
		case c == nil:
			return NoChannel.Of(DefaultName)
		case !r.Recording:
			now := s.moment()
			r.Recording, r.StartedAt, r.StatusChanged = true, now, now
		}
		return nil
	})
}

// StopRecorder makes the owner's recorder stand. UnknownRecorder.
func (s *Settings) StopRecorder(ctx context.Context, o Owner, name string) error {
	return s.change(ctx, o, name, func(r *Recorder, _ *Channel) error {
		if r.Recording {
			now := s.moment()
			r.Recording, r.StoppedAt, r.StatusChanged = false, now, now
		}
		return nil
	})
}

// AssociateTypes has the recorder record types from now on, which its group includes or
// excludes no longer, and returns the recorder as it is then. UnknownRecorder if none has
// the ARN, FixedGroup if it records all, TypeThere, LastType, BadType.
func (s *Settings) AssociateTypes(ctx context.Context, o Owner, arn string, types []string) (Recorder, error) {
	return s.withTypes(ctx, o, arn, true, types)
}

// DisassociateTypes has the recorder record types no longer, which its group ceases to
// include or excludes, and returns the recorder as it is then. UnknownRecorder if none
// has the ARN, FixedGroup if it records all, TypeNotThere, LastType, BadType.
func (s *Settings) DisassociateTypes(ctx context.Context, o Owner, arn string, types []string) (Recorder, error) {
	return s.withTypes(ctx, o, arn, false, types)
}

func (s *Settings) withTypes(ctx context.Context, o Owner, arn string, recorded bool, types []string) (Recorder, error) {
	var changed Recorder
	err := s.edit(ctx, o, func(is *setup) ([]history.DocumentWrite, error) {
		if is.Recorder == nil || is.Recorder.ARN() != arn {
			return nil, UnknownRecorder.Of(arn)
		}
		if err := is.Recorder.Group.record(recorded, types); err != nil {
			return nil, err
		}
		changed = *is.Recorder
		return nil, nil
	})
	return changed, err
}

// DeleteRecorder deletes the owner's recorder with its tags, though it run. What it
// recorded stays. UnknownRecorder.
func (s *Settings) DeleteRecorder(ctx context.Context, o Owner, name string) error {
	return s.edit(ctx, o, func(is *setup) ([]history.DocumentWrite, error) {
		if is.Recorder == nil || is.Recorder.Name != name {
			return nil, UnknownRecorder.Of(name)
		}
		arn := is.Recorder.ARN()
		is.Recorder = nil
		return tagWrites(arn, nil)
	})
}

// change edits the recorder of a name.
func (s *Settings) change(ctx context.Context, o Owner, name string, do func(*Recorder, *Channel) error) error {
	return s.edit(ctx, o, func(is *setup) ([]history.DocumentWrite, error) {
		if is.Recorder == nil || is.Recorder.Name != name {
			return nil, UnknownRecorder.Of(name)
		}
		return nil, do(is.Recorder, is.Channel)
	})
}
