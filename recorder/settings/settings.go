package settings

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/varvehq/varve/history"
)

// Settings are those of all owners. Its methods are safe for concurrent use. Beside
// the errors that they name they return those of the store, DataLoss for a document
// that cannot be read, and NewerFormat for one of a later version.
type Settings struct {
	documents history.Documents
	now       func() time.Time
}

// New keeps settings in a store's documents.
func New(d history.Documents, now func() time.Time) *Settings {
	return &Settings{documents: d, now: now}
}

// Owner is whose settings they are.
type Owner = history.Owner

// documentName is the owner as the name of a document, or as a part of one.
func documentName(o Owner) string {
	return url.QueryEscape(o.Account) + "/" + url.QueryEscape(o.Region)
}

// ownerOf is the way back from documentName.
func ownerOf(name string) (Owner, error) {
	account, region, _ := strings.Cut(name, "/")
	a, err := url.QueryUnescape(account)
	if err != nil {
		return Owner{}, err
	}
	r, err := url.QueryUnescape(region)
	return Owner{Account: a, Region: r}, err
}

// setups is the collection of what owners have one of each, by owner.
const setups = "setup"

// setup is what an owner has one of each; nil: none.
type setup struct {
	Recorder  *Recorder  `json:"recorder,omitempty"`
	Channel   *Channel   `json:"channel,omitempty"`
	Retention *retention `json:"retention,omitempty"`
}

// setup is what an owner has, and the revision of its document; 0: there is none.
func (s *Settings) setup(ctx context.Context, o Owner) (setup, uint64, error) {
	var is setup
	doc, err := s.documents.Document(ctx, setups, documentName(o))
	switch {
	case errors.Is(err, history.NotFound):
		return is, 0, nil
	case err != nil:
		return is, 0, err
	}
	if err := decode(doc, &is); err != nil {
		return is, 0, err
	}
	is.own(o)
	return is, doc.Revision, nil
}

// own fills in what the name of the document says.
func (s *setup) own(o Owner) {
	if s.Recorder != nil {
		s.Recorder.Owner = o
	}
	if s.Channel != nil {
		s.Channel.Owner = o
	}
}

// edit changes what an owner has, in one put with what else the change asks to have
// written. The change is made anew when another came first.
func (s *Settings) edit(ctx context.Context, o Owner, change func(*setup) ([]history.DocumentWrite, error)) error {
	for {
		is, revision, err := s.setup(ctx, o)
		if err != nil {
			return err
		}
		writes, err := change(&is)
		if err != nil {
			return err
		}
		w := history.DocumentWrite{Collection: setups, Name: documentName(o), Expect: &revision}
		if is != (setup{}) {
			if w.Body, err = encode(is); err != nil {
				return err
			}
		}
		_, err = s.documents.PutDocuments(ctx, append(writes, w))
		if !errors.Is(err, history.Conflict) {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

func (s *Settings) moment() history.Moment { return history.MomentOf(s.now()) }

// form is the version of how documents are written.
const form = 1

// document is what a body holds.
type document[T any] struct {
	Form int `json:"form"`
	Is   T   `json:"is"`
}

func encode[T any](is T) ([]byte, error) { return json.Marshal(document[T]{form, is}) }

func decode[T any](doc history.Document, into *T) error {
	var d document[T]
	if err := json.Unmarshal(doc.Body, &d); err != nil {
		return &history.Error{Kind: history.DataLoss, Field: "document", Value: doc.Collection + "/" + doc.Name, Text: "cannot be read", Err: err}
	}
	if d.Form > form {
		return &history.Error{Kind: history.NewerFormat, Field: "document", Value: doc.Collection + "/" + doc.Name,
			Text: "was written by a newer version of the program; use that version"}
	}
	*into = d.Is
	return nil
}
