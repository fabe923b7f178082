package wire_test

import (
	"pgregory.net/rapid"

	"github.com/varvehq/varve/history"
)

// Generators.

var (
	texts  = rapid.OneOf(rapid.SampledFrom([]string{"", "a", "é", "a\x00b", "-", "/:%# \t", "\U0001F980"}), rapid.String())
	idText = rapid.StringMatching(`[^\x00]{1,40}`)
	keys   = rapid.Custom(func(t *rapid.T) history.Key {
		return history.Key{
			Account: rapid.StringMatching(`[^\x00]{0,12}`).Draw(t, "account"), Region: rapid.StringMatching(`[^\x00]{0,12}`).Draw(t, "region"),
			Type: idText.Draw(t, "type"), ID: idText.Draw(t, "id"),
		}
	})
	moments = rapid.Custom(func(t *rapid.T) history.Moment {
		return history.Moment(rapid.Int64Range(int64(history.FirstMoment), int64(history.LastMoment)).Draw(t, "moment"))
	})
	maybeMoments = rapid.OneOf(rapid.Just(history.Moment(0)), moments)
	kinds        = rapid.SampledFrom([]history.ChangeKind{history.Created, history.Updated, history.Deleted})
	documents    = rapid.Map(rapid.SampledFrom([]string{`{}`, `{"":1e400}`, `[1.0]`, `"x"`, `-0`, `false`}),
		func(s string) []byte { return []byte(s) })
)

func states(t *rapid.T) history.State {
	s := history.State{
		Deleted: rapid.Bool().Draw(t, "deleted"), ARN: texts.Draw(t, "arn"), Name: texts.Draw(t, "name"),
		AvailabilityZone: texts.Draw(t, "zone"), CreatedAt: maybeMoments.Draw(t, "created"),
		Status: history.Status(texts.Draw(t, "status")),
	}
	if rapid.Bool().Draw(t, "configured") {
		s.Configuration = documents.Draw(t, "configuration")
	}
	if tags := rapid.MapOfN(texts, texts, 0, 3).Draw(t, "tags"); len(tags) > 0 {
		s.Tags = tags
	}
	if docs := rapid.MapOfN(texts, documents, 0, 3).Draw(t, "supplementary"); len(docs) > 0 {
		s.Supplementary = docs
	}
	for range rapid.IntRange(0, 3).Draw(t, "relationships") {
		s.Relationships = append(s.Relationships, history.Relationship{
			Name: texts.Draw(t, "name"), Type: texts.Draw(t, "type"), ID: texts.Draw(t, "id"),
			ResourceName: texts.Draw(t, "resource"), Account: texts.Draw(t, "account"), Region: texts.Draw(t, "region"),
		})
	}
	return s
}

func origins(t *rapid.T) history.Origin {
	o := history.Origin{
		Provider: texts.Draw(t, "provider"), Source: texts.Draw(t, "source"),
		Cause: history.Cause{Actor: texts.Draw(t, "actor"), EventID: texts.Draw(t, "event"), SourceIP: texts.Draw(t, "ip")},
	}
	if rapid.Bool().Draw(t, "extra") {
		o.Extras = []byte(`{"stateId":"1"}`)
	}
	return o
}

func results(t *rapid.T) history.Result {
	if rapid.Bool().Draw(t, "refused") {
		return history.Result{Err: &history.Error{Kind: history.Conflict, Field: "expectVersion", Value: "3", Text: "is not the newest, 4 is"}}
	}
	r := history.Result{
		Unchanged: rapid.Bool().Draw(t, "unchanged"), Version: rapid.Uint32().Draw(t, "version"),
		CapturedAt: moments.Draw(t, "captured"), Revision: history.Revision(rapid.Uint64().Draw(t, "revision")),
		Late: rapid.Bool().Draw(t, "late"),
	}
	if !r.Unchanged {
		r.Kind, r.Seq = kinds.Draw(t, "kind"), history.Seq(rapid.Uint64().Draw(t, "seq"))
	}
	return r
}
